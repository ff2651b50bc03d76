"""Every parameter that the graph sets is declared by its node, and arrives as it was meant."""

import pytest

pytest.importorskip("rclpy")

from fakes.executable import nodes_of

from pi05_ros.bringup.graph import graph
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.processes import ros_arguments
from pi05_ros.platforms.platform import load_platform

TASK = "put the dishes in the sink"  # A mock home takes tasks only that it can score.
GRAPHS = {
    "sim": BringupOptions(sim=True, brain="expert", home=7, task=TASK, namespace="a/b"),
    "robot": BringupOptions(separate=True, task='say "yes": 12', seed=3),
}
SPECS = [
    pytest.param(spec, id=f"{name}-{spec.name}")
    for name, options in GRAPHS.items()
    for spec in graph(load_platform("mobile_19dof"), options)
]


@pytest.fixture
def nodes(spec):
    with nodes_of(spec.executable, ros_arguments(spec)) as made:
        yield made


@pytest.mark.parametrize("spec", SPECS)
def test_the_nodes_of_a_process_take_what_the_graph_gives(spec, nodes):
    assert tuple(node.get_name() for node in nodes) == spec.nodes
    assert {node.get_namespace() for node in nodes} == {spec.namespace}
    for name, value in spec.parameters.items():
        takers = [node for node in nodes if node.has_parameter(name)]
        assert takers, f"no node of {spec.name} declares '{name}'"
        for node in takers:
            found = node.get_parameter(name).value
            assert (list(found) if isinstance(found, list) else found) == (
                list(value) if isinstance(value, (list, tuple)) else value
            )
    assert all(hasattr(node, "trigger_configure") for node in nodes) is (
        spec.managed or spec.aside
    )
