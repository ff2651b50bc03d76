"""The inspector beside the real policy: a chunk that goes on from another one is drawn as such."""

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("pinocchio", reason="./pi05 and rosdep bring it")

from fakes.brain import FakeBrain, FakeSource
from fakes.eyes import Eyes
from fakes.graph import wait_for
from nav_msgs.msg import Odometry
from visualization_msgs.msg import Marker, MarkerArray

from pi05_msgs.msg import ActionChunk, Subtask
from pi05_ros.inspection.colours import COMMITTED, rgba
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.inspector.inspector import Inspector
from pi05_ros.nodes.policy.policy import Policy
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_the_committed_rows_of_the_policy_are_drawn_on_both_grippers(graph, mode):
    test = graph.plain("test")
    chunks: list[ActionChunk] = []
    arrays: list[MarkerArray] = []
    test.create_subscription(ActionChunk, "action_chunk", chunks.append, qos.ACTION_CHUNK)
    odometry = test.create_publisher(Odometry, PLATFORM.odom_topic, qos.SENSOR)
    subtasks = test.create_publisher(Subtask, "subtask", qos.LATCHED)
    Eyes(graph.plain("eyes"), PLATFORM)
    inspector = graph.add(Inspector)
    policy = graph.add(
        lambda **a: Policy(brain_source=FakeSource(FakeBrain(PLATFORM)), **a),
        chunk_mode=mode,
        execution_horizon=10,
    )
    for node in (inspector, policy):
        assert graph.call(node.trigger_configure)
        assert graph.call(node.trigger_activate)
    graph.call(
        lambda: test.create_subscription(
            MarkerArray, "inspector/markers", arrays.append, qos.MARKERS
        )
    )
    wait_for(lambda: inspector._view, "the inspector to draw")
    subtasks.publish(Subtask(id=1, task="tidy up", text="pick up the cup"))

    def drawn():
        message = Odometry()
        message.header.stamp = test.get_clock().now().to_msg()
        message.header.frame_id = PLATFORM.odom_frame
        message.pose.pose.orientation.w = 1.0
        odometry.publish(message)
        shown = arrays[-1].markers if arrays else []
        shown = [m for m in shown if m.action == Marker.ADD]
        return shown if any(m.ns == "chunk_committed" for m in shown) else None

    shown = wait_for(drawn, "committed rows")
    beads = [m for m in shown if m.ns == "chunk_committed"]
    fans = [m for m in shown if m.ns == "chunk"]
    (chunk,) = wait_for(
        lambda: [c for c in chunks if c.header.stamp == beads[0].header.stamp], "the chunk itself"
    )
    assert 0 < chunk.committed < chunk.horizon
    assert [m.id for m in beads] == [m.id for m in fans] == [0, 1]
    for bead in beads:
        assert bead.type == Marker.SPHERE_LIST
        assert len(bead.points) == chunk.committed
        colour = bead.color
        assert [colour.r, colour.g, colour.b, colour.a] == rgba(COMMITTED).tolist()
        assert bead.points == fans[bead.id].points[: len(bead.points)]
