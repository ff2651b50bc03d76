"""The bridge's node and the topic teleop_command: who drives, on real messages."""

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray
from fakes.bridge_scene import Scene
from fakes.graph import wait_for

from pi05_msgs.msg import RobotState, TeleopCommand
from pi05_ros.nodes.common import qos


class Leader:
    """Publishes teleop_command from a node of its own, every 20 ms."""

    def __init__(self, graph, scene, name="teleop"):
        self.scene, self.sequence, self.state = scene, 0, None
        self.node = graph.plain(name)
        self.publisher = self.node.create_publisher(
            TeleopCommand, "teleop_command", qos.ACTION_CHUNK
        )
        self.node.create_timer(0.02, self.publish)

    def publish(self):
        if self.state is None:
            return
        self.sequence += 1
        message = TeleopCommand(sequence=self.sequence, state=self.state, device="gamepad")
        message.header.stamp = self.node.get_clock().now().to_msg()
        if self.state == TeleopCommand.ENGAGED:
            count = self.scene.sequence
            message.chunk = self.scene.chunk(sequence=self.sequence)
            self.scene.sequence = count
        self.publisher.publish(message)


def driven_by(scene, source):
    return lambda: scene.states[-1].control_source == source


def test_an_operator_takes_over_and_gives_back(graph):
    scene = Scene(graph)
    leader = Leader(graph, scene)
    reports = []
    scene.node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda m: reports.extend(m.status), qos.STATUS
    )
    assert scene.arm().success
    assert scene.states[-1].control_source == RobotState.CONTROL_NONE
    scene.chunks.publish(scene.chunk())
    wait_for(driven_by(scene, RobotState.CONTROL_POLICY), "the policy to drive")
    leader.sequence, leader.state = 1000, TeleopCommand.ENGAGED
    wait_for(driven_by(scene, RobotState.CONTROL_TELEOP), "the operator to drive")
    state = scene.states[-1]
    assert state.mode == RobotState.MODE_RUNNING and state.reason == ""
    assert state.chunk_sequence > 1000 and 0.0 <= state.chunk_row < 50.0
    assert state.chunk_stamp.sec > 0
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.bridge._bridge.counts["chunks_overridden"], "an overridden chunk")
    wait_for(lambda: any(r.message == "an operator drives (gamepad)" for r in reports), "a report")
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.bridge._bridge.counts["chunks_overridden"] == 2, "the newest chunk")
    leader.state = TeleopCommand.RELEASED
    wait_for(driven_by(scene, RobotState.CONTROL_POLICY), "the policy to drive again")
    assert scene.states[-1].chunk_sequence == scene.sequence
    leader.state = 7  # No state at all.
    leader.publish()
    wait_for(lambda: scene.bridge.callback_errors, "a dropped message")


def test_a_second_node_that_offers_commands_latches(graph):
    scene = Scene(graph)
    leader = Leader(graph, scene)
    assert scene.arm().success
    leader.state = TeleopCommand.ENGAGED
    wait_for(driven_by(scene, RobotState.CONTROL_TELEOP), "the operator to drive")
    Leader(graph, scene, "another_leader")
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_FAULTED, "a fault", 3.0)
    assert scene.states[-1].reason == (
        "another_leader publishes /pi05/teleop_command too: stop that node"
    )
    assert scene.states[-1].control_source == RobotState.CONTROL_NONE
