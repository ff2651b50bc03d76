"""control_bridge against a loopback robot: real topics, real ticks."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.bridge_scene import BASE, JOINT, PLATFORM, Scene
from fakes.graph import wait_for
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import TransitionCallbackReturn
from std_srvs.srv import Trigger

from pi05_msgs.msg import RobotState
from pi05_ros.nodes.common.conversions import float_array
from pi05_ros.nodes.control_bridge.control_bridge import ControlBridge


def test_nothing_moves_before_an_operator_arms_it(graph):
    scene = Scene(graph)
    assert scene.states[-1].mode == RobotState.MODE_DISARMED
    before = len(scene.states)
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: len(scene.states) > before + 20, "more states")
    assert scene.robot.trajectories == [] and scene.robot.twists == []


def test_an_armed_bridge_streams_a_chunk_and_holds_after_it(graph):
    scene = Scene(graph)
    assert scene.arm().success
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_RUNNING, "running")
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_HOLDING, "the chunk's end")
    final = np.array(scene.states[-1].commanded)
    assert final[JOINT] == pytest.approx(0.2, abs=0.005)
    arms = [t for t in scene.robot.trajectories if t.joint_names[0] == "left_arm_joint_1"]
    path = np.array([t.points[0].positions[0] for t in arms])
    assert (np.abs(np.diff(path)) <= PLATFORM.max_velocity[JOINT] * 0.02 + 1e-9).all()
    assert all(
        t.header.stamp.sec == 0 and t.points[0].time_from_start.nanosec == 20_000_000 for t in arms
    )
    speeds = [t.twist.linear.x for t in scene.robot.twists]
    assert max(speeds) == pytest.approx(0.2, abs=0.02)
    wait_for(lambda: scene.robot.twists[-1].twist.linear.x == 0.0, "the base to stand")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"session": 7}, "session"),
        ({"epoch": 0}, "epoch"),
        ({"names": list(PLATFORM.names[::-1])}, "names"),
        ({"period": 0.1}, "period"),
        ({"horizon": 49}, "shape"),
        ({"data": float_array(np.full(50 * 18, np.nan), "f")}, "not_finite"),
        ({"data": float_array(np.full(50 * 18, 50.0), "f")}, "limits"),
    ],
)
def test_a_bad_chunk_is_rejected_whole_and_counted(graph, changes, rule):
    scene = Scene(graph)
    assert scene.arm().success
    bad = scene.chunk(**changes)
    scene.chunks.publish(bad)
    counts = scene.bridge._bridge.counts
    wait_for(lambda: counts[f"chunks_rejected_{rule}"] == 1, f"a rejection for {rule}")
    assert counts["chunks_accepted"] == 0
    assert scene.states[-1].mode == RobotState.MODE_HOLDING


def test_nan_in_joint_states_holds_with_a_reason_and_recovers(graph):
    scene = Scene(graph)
    assert scene.arm().success
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_RUNNING, "running")
    scene.robot.nan_joint = "left_arm_joint_3"
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_HOLDING, "hold")
    assert "left_arm_joint_3 is nan" in scene.states[-1].reason
    scene.robot.nan_joint = None
    wait_for(lambda: "no new one arrived" in scene.states[-1].reason, "recovery")


def test_silent_joint_states_stand_the_base(graph):
    scene = Scene(graph)
    assert scene.arm().success
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.robot.twists and scene.robot.twists[-1].twist.linear.x > 0, "driving")
    scene.robot.silent = True
    wait_for(lambda: scene.robot.twists[-1].twist.linear.x == 0.0, "the base to stand", 2.0)
    wait_for(lambda: "s old" in scene.states[-1].reason, "the reason")


def test_a_stop_latches_until_reset_and_arm(graph):
    scene = Scene(graph)
    assert scene.arm().success
    assert scene.call(Trigger, "stop", Trigger.Request()).success
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_STOPPED, "stop")
    refused = scene.arm()
    assert not refused.success and "call 'reset' first" in refused.message
    assert scene.call(Trigger, "reset", Trigger.Request()).success
    assert scene.arm().success


def test_it_cannot_be_armed_without_measurements(graph):
    scene = Scene(graph)
    scene.robot.silent = True
    bridge = scene.bridge._bridge
    wait_for(
        lambda: "old" in bridge.measured_state.problem(scene.bridge.now_ns()), "old measurements"
    )
    answer = scene.arm()
    assert not answer.success and "the measured state is" in answer.message
    assert bridge.mode.name == "DISARMED"


def test_a_wrong_platform_is_one_sentence_and_no_transition(graph):
    bridge = graph.add(ControlBridge, platform="mobile_18dog")
    assert bridge.trigger_configure() == TransitionCallbackReturn.FAILURE


def test_deactivating_a_moving_robot_brakes_inside_the_limits(graph):
    scene = Scene(graph)
    assert scene.arm().success
    actions = np.tile(PLATFORM.home, (50, 1))
    actions[:, JOINT] = np.linspace(0, 1.5, 50)
    actions[:, BASE] = 0.4
    scene.chunks.publish(scene.chunk(data=float_array(actions, "f")))
    wait_for(lambda: scene.robot.twists and scene.robot.twists[-1].twist.linear.x > 0.3, "speed")
    sent = []
    send = scene.bridge._sender.send

    def note(command, **arguments):
        sent.append((time.monotonic(), command.copy()))
        send(command, **arguments)

    scene.bridge._sender.send = note
    assert graph.call(scene.bridge.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
    path = np.array([command for _, command in sent])
    assert path[-1][BASE] == 0.0 and path[-1][JOINT] == path[-2][JOINT]
    steps = np.diff(path[:, JOINT])
    assert np.abs(np.diff(steps)).max() <= PLATFORM.max_acceleration[JOINT] * 0.02**2 + 1e-9
    pauses = np.diff([when for when, _ in sent])
    assert pauses.mean() > 0.015  # A burst would be a jump for the controllers.


def test_arming_leaves_the_grippers_alone_until_a_chunk_moves_them(graph):
    scene = Scene(graph)
    assert scene.arm().success
    wait_for(lambda: len(scene.robot.trajectories) > 10, "holding commands")
    assert scene.bridge._sender._gripper_targets == {}
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: len(scene.bridge._sender._gripper_targets) == 2, "the chunk's grippers")


def test_a_tick_that_fails_stops_the_bridge_and_the_ticker_lives(graph):
    scene = Scene(graph)
    assert scene.arm().success

    def fail(*_):
        raise RuntimeError("told to fail")

    scene.bridge._bridge.motion._limiter.hold, hold = (
        fail,
        scene.bridge._bridge.motion._limiter.hold,
    )
    wait_for(lambda: scene.bridge._bridge.mode.name == "FAULTED", "the fault")
    scene.bridge._bridge.motion._limiter.hold = hold
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_FAULTED, "a state that says so")
    assert "internal error in a control tick" in scene.states[-1].reason


def test_a_transition_that_does_not_fit_is_refused_and_the_node_lives(graph):
    scene = Scene(graph)
    request = ChangeState.Request()
    request.transition.id = Transition.TRANSITION_ACTIVATE
    assert not scene.call(ChangeState, "change_state", request).success
    before = len(scene.states)
    wait_for(lambda: len(scene.states) > before + 5, "more states")


def test_health_names_what_is_not_measured_and_who_does_not_listen(graph):
    node = graph.add(ControlBridge, platform="mobile_18dof")
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    message = node.health().message
    assert "no measurement of left_arm_joint_1" in message
    assert "no subscriber on /left_arm_controller/joint_trajectory" in message
    graph.call(node._check_controllers)
    assert node._bridge.output_problem.startswith("no subscriber on /left_arm_controller")


def test_it_arms_itself_once_in_a_mock_home_and_never_again(graph):
    scene = Scene(graph, auto_arm=True)
    wait_for(lambda: scene.states[-1].mode == RobotState.MODE_HOLDING, "arming itself")
    session = scene.states[-1].session
    assert graph.call(scene.bridge.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
    assert graph.call(scene.bridge.trigger_activate) == TransitionCallbackReturn.SUCCESS
    wait_for(lambda: scene.states[-1].session != session, "the next activation")
    before = len(scene.states)
    wait_for(lambda: len(scene.states) > before + 20, "more states")
    assert scene.states[-1].mode == RobotState.MODE_DISARMED
    assert scene.arm().success
