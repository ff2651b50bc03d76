"""The node teleop over real topics: what it publishes, and when."""

import array
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.graph import wait_for
from fakes.teleop import XBOX_REST
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Bool

from pi05_msgs.msg import Heartbeat, RobotState, TeleopCommand
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time, time_to_ns
from pi05_ros.nodes.common.health import OK, WARN
from pi05_ros.nodes.teleop.teleop import Teleop
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_10dof")
LEADER = PLATFORM.teleop.leaders[0]


class Operator:
    """A teleop node with what it hears: a robot at home, a pad and a leader, each at 50 Hz."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.node = node = graph.plain("operator")
        self.commands = []
        self.beats = []
        self.axes, self.buttons = list(XBOX_REST), [0] * 11
        self.leader = None  # Positions by name, and whether the pedal is held.
        self.mode = RobotState.MODE_HOLDING
        node.create_subscription(
            TeleopCommand, "teleop_command", self.commands.append, qos.ACTION_CHUNK
        )
        node.create_subscription(Heartbeat, "heartbeat", self.beats.append, qos.HEARTBEAT)
        self.state = node.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
        self.joy = node.create_publisher(Joy, "/joy", 10)
        self.arm = node.create_publisher(JointState, LEADER.topics[0].topic, 10)
        self.pedal = node.create_publisher(Bool, LEADER.clutch.bool_topic, 10)
        self.teleop = graph.add(Teleop, platform="mobile_10dof", **parameters)

    def start(self):
        assert self.teleop.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.graph.call(self.teleop.trigger_activate) == TransitionCallbackReturn.SUCCESS
        self.node.create_timer(0.02, self.publish)
        return self

    def publish(self):
        now = self.node.get_clock().now().to_msg()
        state = RobotState(
            platform=PLATFORM.name,
            session=7,
            epoch=3,
            names=list(PLATFORM.names),
            measured=array.array("d", PLATFORM.home),
            commanded=array.array("d", PLATFORM.home),
            mode=self.mode,
            chunk_row=float("nan"),
        )
        state.header.stamp = state.commanded_stamp = now
        self.state.publish(state)
        joy = Joy(axes=self.axes, buttons=self.buttons)
        joy.header.stamp = now
        self.joy.publish(joy)
        if self.leader is not None:
            positions, held = self.leader
            joints = JointState(name=list(positions), position=list(positions.values()))
            joints.header.stamp = now
            self.arm.publish(joints)
            self.pedal.publish(Bool(data=held))

    def wait_for(self, state, device=None):
        """The newest command, once it has this state."""

        def newest():
            command = self.commands[-1] if self.commands else None
            fits = command is not None and command.state == state
            return command if fits and device in (None, command.device) else None

        return wait_for(newest, f"state {state} of {device}")


def test_nobody_drives_until_the_button_is_held_and_then_a_chunk_of_all_entries_comes(graph):
    operator = Operator(graph).start()
    idle = operator.wait_for(TeleopCommand.RELEASED)
    assert (idle.device, idle.reason, idle.chunk.horizon) == ("", "", 0)
    assert wait_for(lambda: operator.beats, "a heartbeat")[-1].fit
    wait_for(lambda: operator.teleop.health().values.get("gamepad") == "ready", "a pad")
    operator.axes[1], operator.buttons[4] = 0.55, 1
    command = operator.wait_for(TeleopCommand.ENGAGED)
    assert (command.device, command.reason) == ("gamepad", "")
    chunk = command.chunk
    assert (chunk.session, chunk.epoch, chunk.subtask_id) == (7, 3, 0)
    assert (chunk.sequence, chunk.horizon) == (command.sequence, 10)
    assert chunk.period == pytest.approx(0.02)
    assert tuple(chunk.names) == PLATFORM.names
    assert chunk.header.frame_id == "base_link"
    assert command.header.stamp == chunk.header.stamp
    assert 0 <= time_to_ns(chunk.start) - time_to_ns(chunk.header.stamp) < 10**9
    expected = np.array(PLATFORM.home)
    expected[8] = 0.5 * 0.3  # (0.55 - 0.1) / 0.9 of 0.3 m/s.
    rows = np.array(chunk.data).reshape(10, PLATFORM.size)
    np.testing.assert_allclose(rows, np.tile(expected, (10, 1)), atol=1e-6)
    health = operator.teleop.health()
    assert (health.level, health.message) == (OK, "gamepad drives")
    operator.buttons[4] = 0
    operator.wait_for(TeleopCommand.RELEASED)
    sequences = [command.sequence for command in operator.commands]
    assert sequences == sorted(set(sequences))


def test_a_leader_elsewhere_aligns_with_its_reason_and_its_distance(graph):
    operator = Operator(graph)
    home = {joint.joint: PLATFORM.home[PLATFORM.index(joint.entry)] for joint in LEADER.joints}
    operator.leader = {**home, "leader_joint_2": -1.0}, False
    operator.start()
    wait_for(
        lambda: operator.teleop.health().values.get("leader") == "ready", "a leader that is heard"
    )
    operator.leader = operator.leader[0], True
    command = operator.wait_for(TeleopCommand.ALIGNING, "leader")
    assert command.reason.startswith("leader_joint_2 is 0.50 rad from arm_joint_2")
    assert command.alignment_error == pytest.approx(0.5)
    operator.leader = home, True
    assert operator.wait_for(TeleopCommand.ENGAGED, "leader").chunk.horizon == 10


def test_a_pad_that_repeats_one_stamp_is_silent(graph):
    operator = Operator(graph).start()
    operator.buttons[4] = 0
    operator.wait_for(TeleopCommand.RELEASED)
    wait_for(lambda: operator.teleop.health().values.get("gamepad") == "ready", "a pad")
    operator.buttons[4] = 1
    operator.wait_for(TeleopCommand.ENGAGED)
    original = operator.joy.publish
    frozen = Joy(axes=operator.axes, buttons=operator.buttons)
    frozen.header.stamp = ns_to_time(123_000_000_000)
    operator.joy.publish = lambda message: original(frozen)
    wait_for(lambda: operator.commands[-1].reason, "a reason")
    command = operator.commands[-1]
    assert command.state == TeleopCommand.ENGAGED
    assert command.reason.startswith("nothing usable from /joy for 0.")
    assert time_to_ns(command.header.stamp) < operator.node.get_clock().now().nanoseconds - 10**8
    health = operator.teleop.health()
    assert health.level == WARN and health.message.startswith("the robot holds: nothing usable")


def test_a_second_device_is_told_who_has_control(graph, capfd):
    operator = Operator(graph)
    home = {joint.joint: PLATFORM.home[PLATFORM.index(joint.entry)] for joint in LEADER.joints}
    operator.leader = home, False
    operator.start()
    ready = {"leader": "ready", "gamepad": "ready"}
    wait_for(lambda: ready.items() <= operator.teleop.health().values.items(), "both devices")
    operator.buttons[4] = 1
    operator.wait_for(TeleopCommand.ENGAGED, "gamepad")
    operator.leader = home, True
    told = "gamepad has control: let the dead-man switch go and press it again"
    wait_for(lambda: operator.teleop.health().values["leader"] == told, "a notice")
    operator.teleop.health()
    assert capfd.readouterr().err.count(f"leader: {told}") == 1
    assert operator.commands[-1].device == "gamepad"


def test_a_deactivated_node_gives_the_robot_back(graph):
    operator = Operator(graph).start()
    wait_for(lambda: operator.teleop.health().values.get("gamepad") == "ready", "a pad")
    operator.buttons[4] = 1
    operator.wait_for(TeleopCommand.ENGAGED)
    graph.call(operator.teleop.trigger_deactivate)
    command = operator.wait_for(TeleopCommand.RELEASED)
    assert command.reason == "teleop was deactivated"


def test_a_robot_without_the_section_cannot_be_configured(graph, tmp_path, capfd):
    text = Path(PLATFORM.source).read_text()
    start, end = text.index("\n# Devices of teleoperation"), text.index("\n# Subtasks that")
    other = tmp_path / "other.yaml"
    other.write_text(text[:start] + text[end:])
    teleop = graph.add(Teleop, platform=str(other))
    assert teleop.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert "the key 'teleop' is missing" in capfd.readouterr().err
