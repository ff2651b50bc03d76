"""Names of all nodes' parameters: the unit rule of docs/topics.md, and its table of old names."""

import re
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from fakes.executable import nodes_of

from pi05_ros.errors import ConfigError

DOCUMENT = Path(__file__).parents[2] / "docs" / "topics.md"
EXECUTABLES = """
brain camera_ingestion console control_bridge inspector lifecycle_manager mock_home recorder
teleop
""".split()
SUFFIXES = {"s": "_s", "Hz": "_hz", "m": "_m", "rad": "_rad", "pixel": "_px", "MB": "_mb"}
# Numbers with a point that have no unit.
RATIOS = {"done_score", "real_time_factor", "temperature"}
OF_RCLPY = ("use_sim_time", "start_type_description_service", "qos_overrides.")


def old_names():
    """Node -> old name -> new name, as documented."""
    table = {}
    for node, old, new in re.findall(
        r"^\| (\w+) \| `(\w+)` \| `(\w+)` \|$", DOCUMENT.read_text(), re.M
    ):
        table.setdefault(node, {})[old] = new
    return table


OLD_NAMES = old_names()


def arguments(executable, **values):
    """The command line of an executable with these parameters."""
    if executable == "lifecycle_manager":
        values = {"managed_nodes": "[planner]", **values}
    return ["--ros-args", *(a for n, v in values.items() for a in ("-p", f"{n}:={v}"))]


def described(nodes):
    """Name -> descriptor of every parameter of these nodes."""
    found = {}
    for node in nodes:
        names = [n for n in node.get_parameters_by_prefix("") if not n.startswith(OF_RCLPY)]
        found |= dict(zip(names, node.describe_parameters(names), strict=True))
    return found


def unit(descriptor):
    """The unit in brackets of a description; None: it has none."""
    found = re.search(r"\[(\w+)[\],;]", descriptor.description)
    return found[1] if found else None


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_a_parameter_ends_with_its_unit(executable):
    from rcl_interfaces.msg import ParameterType

    with nodes_of(executable, arguments(executable)) as nodes:
        descriptors = described(nodes)
    assert len(descriptors) >= 4
    for name, descriptor in descriptors.items():
        assert descriptor.description.endswith("."), f"{name} has no description"
        if stated := unit(descriptor):
            assert name.endswith(SUFFIXES[stated]), f"{name} is in {stated}"
        else:
            assert not name.endswith(tuple(SUFFIXES.values())), f"{name}: no unit in its text"
            is_float = descriptor.type == ParameterType.PARAMETER_DOUBLE
            assert not is_float or name in RATIOS, f"{name}: neither unit nor ratio"


def values_under(names, executable):
    """Old name -> a valid value that is not the default."""
    values = {}
    with nodes_of(executable, arguments(executable)) as (node,):
        descriptors = described([node])
        for old, new in names.items():
            default = node.get_parameter(new).value
            descriptor = descriptors[new]
            (limits,) = descriptor.floating_point_range or descriptor.integer_range
            # The controllers run at a few rates only.
            value = 200.0 if old == "controller_rate" else (default + limits.from_value) / 2
            values[old] = type(default)(value)
            assert values[old] != default
    return values


def test_the_table_holds_every_old_name_that_is_accepted():
    package = DOCUMENT.parents[1] / "pi05_ros"
    sources = "".join(path.read_text() for path in package.rglob("*.py"))
    accepted = re.findall(r'formerly="(\w+)"', sources)
    documented = [old for names in OLD_NAMES.values() for old in names]
    assert sorted(documented) == sorted(accepted) and len(accepted) == 30


@pytest.mark.parametrize("executable", OLD_NAMES)
def test_each_old_name_sets_the_parameter_and_is_reported_once(executable, capfd):
    values = values_under(OLD_NAMES[executable], executable)
    capfd.readouterr()
    with nodes_of(executable, arguments(executable, **values)) as (node,):
        found = {old: node.get_parameter(new).value for old, new in OLD_NAMES[executable].items()}
        assert found == values
        assert not [old for old in values if node.has_parameter(old)]
    log = capfd.readouterr().err
    for old, new in OLD_NAMES[executable].items():
        assert log.count(f"parameter '{old}' is now called '{new}'") == 1
    assert log.count("is now called") == len(values)


@pytest.mark.parametrize("executable", OLD_NAMES)
def test_both_names_of_a_parameter_are_an_error(executable):
    old, new = list(OLD_NAMES[executable].items())[-1]
    wanted = f"'{old}' and '{new}' of /{executable}: two names of one setting; give '{new}' only"
    with (
        pytest.raises(ConfigError, match=wanted),
        nodes_of(executable, arguments(executable, **{old: 0.5, new: 0.5})),
    ):
        pass


def test_a_wrong_value_under_an_old_name_is_reported_under_it():
    with (
        pytest.raises(ConfigError, match="'peer_timeout' of /control_bridge.*0.08 to 0.9"),
        nodes_of("control_bridge", arguments("control_bridge", peer_timeout=5.0)),
    ):
        pass
    with (
        pytest.raises(
            ConfigError, match="'peer_timeout' of /control_bridge.*with a point.*found 1"
        ),
        nodes_of("control_bridge", arguments("control_bridge", peer_timeout=1)),
    ):
        pass


def test_an_old_name_is_accepted_from_a_file(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text("/**:\n  ros__parameters:\n    stale_after: 0.75\n")
    with nodes_of("camera_ingestion", ["--ros-args", "--params-file", str(path)]) as (node,):
        assert node.parameters.watch.stale_after_s == 0.75
