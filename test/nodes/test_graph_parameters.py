"""Every parameter that the graph sets is declared by its node, and arrives as it was meant."""

import importlib

import pytest

rclpy = pytest.importorskip("rclpy")

from pi05_ros.bringup.graph import graph  # noqa: E402
from pi05_ros.bringup.options import BringupOptions  # noqa: E402
from pi05_ros.bringup.processes import ros_arguments  # noqa: E402
from pi05_ros.nodes import executables  # noqa: E402
from pi05_ros.platforms.platform import load_platform  # noqa: E402

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
def nodes(spec, monkeypatch):
    """The nodes of a process, made as its `main` makes them, from its command line."""
    module = importlib.import_module(executables.module_name(spec.executable))
    makers = []
    monkeypatch.setattr(module, "run_node", lambda create, *_: makers.append(create) or 0)
    module.main()
    rclpy.init(args=list(ros_arguments(spec)), domain_id=101)
    made = []
    try:
        result = makers[0]()
        made = result if isinstance(result, list) else [result]
        yield made
    finally:
        for node in made:
            node.destroy_node()
        rclpy.shutdown()


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
