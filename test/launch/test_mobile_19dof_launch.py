"""launch/mobile_19dof.launch.py in a mock home: the graph comes up, works, and ends clean."""

import pytest

launch_pytest = pytest.importorskip("launch_pytest")
pytest.importorskip("launch_ros")

from fakes.graph_launch import NODES, Listener, describe  # noqa: E402

from pi05_ros.platforms import load_platform  # noqa: E402

PLATFORM = load_platform("mobile_19dof")
exits = {}


@launch_pytest.fixture
def graph(package):
    exits.clear()
    return describe(
        "mobile_19dof",
        exits,
        sim="true",
        brain="expert",
        home="19",
        task="put the dishes in the sink",
        namespace="fleet/r1",
    )


@pytest.mark.launch(fixture=graph)
def test_the_graph_comes_up_works_and_ends_clean():
    with Listener(namespace="fleet/r1") as listener:
        listener.wait(
            lambda: listener.last_text("lifecycle_manager/state") == "active", "active graph"
        )
        assert exits == {}
        for topic, count in (
            ("/clock", 50),
            ("/joint_states", 20),
            ("/front_camera/image_raw", 5),
            ("camera_set", 5),
            ("robot_state", 20),
            ("action_chunk", 2),
        ):
            listener.wait_for(topic, count)
        assert listener.last["subtask"].text
        assert tuple(listener.last["action_chunk"].names) == PLATFORM.names
        state = listener.last["robot_state"]
        assert state.mode == state.MODE_RUNNING, state.reason
        assert exits == {}
    yield
    assert {name.rsplit("-", 1)[0] for name in exits} == set(NODES)
    assert set(exits.values()) == {0}, exits
