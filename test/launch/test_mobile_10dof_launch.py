"""launch/mobile_10dof.launch.py in a mock home: the graph comes up, works, and ends clean."""

import pytest

launch_pytest = pytest.importorskip("launch_pytest")
pytest.importorskip("launch_ros")

from fakes.graph_launch import check_after_the_end, check_while_it_runs, describe  # noqa: E402

exits = {}


@launch_pytest.fixture
def graph(package):
    exits.clear()
    return describe("mobile_10dof", home=10, exits=exits)


@pytest.mark.launch(fixture=graph)
def test_the_graph_comes_up_works_and_ends_clean():
    check_while_it_runs("mobile_10dof", exits)
    yield
    check_after_the_end(exits)
