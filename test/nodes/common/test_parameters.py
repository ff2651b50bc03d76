"""Settings dataclasses as node parameters: names, descriptors, values, errors."""

from dataclasses import dataclass

import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.node import Node  # noqa: E402

from pi05_ros.errors import ConfigError  # noqa: E402
from pi05_ros.foundation.settings import setting  # noqa: E402
from pi05_ros.nodes.common.parameters import declare_parameters  # noqa: E402


@dataclass(frozen=True)
class Limits:
    reach_m: float = setting(0.5, "Longest reach [m].", minimum=0.1, maximum=2.0)
    tries: int = setting(3, "Number of tries.", minimum=1)
    names: tuple[str, ...] = setting((), "Names, separated by commas.")
    internal: float = 7.0

    def __post_init__(self):
        if self.tries == 13:
            raise ValueError("tries: 13 is not allowed")


@dataclass(frozen=True)
class Parameters:
    mode: str = setting("slow", "Speed.", choices=("slow", "fast"))
    seed: int = setting(0, "Seed.", read_only=False)
    limits: Limits = Limits(tries=5)


@pytest.fixture
def make(graph):
    """Makes a node with these overrides; returns it and its parameters."""

    def make(**overrides):
        parameters = []

        def create(**arguments):
            node = Node("subject", **arguments)
            try:
                parameters.append(declare_parameters(node, Parameters))
            except ConfigError:
                node.destroy_node()
                raise
            return node

        return graph.add(create, **overrides), parameters[0]

    return make


def test_a_group_is_declared_under_its_own_names_with_its_values_as_defaults(make):
    node, parameters = make()
    assert parameters == Parameters()
    found = {name: node.get_parameter(name).value for name in ("mode", "seed", "reach_m", "tries")}
    assert found == {"mode": "slow", "seed": 0, "reach_m": 0.5, "tries": 5}
    assert node.get_parameter("names").value == ""
    assert not node.has_parameter("limits") and not node.has_parameter("internal")


def test_values_from_outside_reach_the_group(make):
    _, parameters = make(mode="fast", reach_m=1.5, names=" left, ,right ")
    assert parameters == Parameters("fast", 0, Limits(1.5, 5, ("left", "right")))


def test_describe_shows_description_range_choices_and_read_only(make):
    node, _ = make()
    reach, tries, mode, seed = node.describe_parameters(["reach_m", "tries", "mode", "seed"])
    assert reach.description == "Longest reach [m]."
    assert (reach.floating_point_range[0].from_value, reach.floating_point_range[0].to_value) == (
        0.1,
        2.0,
    )
    assert (tries.integer_range[0].from_value, tries.integer_range[0].to_value) == (1, 2**62)
    assert mode.additional_constraints == "One of: slow, fast"
    assert reach.read_only and tries.read_only and not seed.read_only


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"reach_m": 2.5}, "'reach_m' of /pi05/subject: wanted a number from 0.1 to 2.0"),
        ({"reach_m": 1}, "'reach_m' of /pi05/subject: wanted a number with a point"),
        ({"mode": "idle"}, "'mode' of /pi05/subject: wanted one of slow, fast, found 'idle'"),
        ({"tries": 13}, "parameters of /pi05/subject: tries: 13 is not allowed"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_it(make, overrides, message):
    with pytest.raises(ConfigError, match=message):
        make(**overrides)
