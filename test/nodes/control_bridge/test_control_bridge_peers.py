"""The bridge and its neighbours in the graph: peers, planner, other publishers of commands."""

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from fakes.bridge_scene import Scene
from fakes.graph import wait_for
from geometry_msgs.msg import TwistStamped
from std_srvs.srv import Trigger

from pi05_msgs.msg import Heartbeat, RobotState, Subtask
from pi05_ros.nodes.common import qos


class Peer:
    """Somebody who sends heartbeats."""

    def __init__(self, scene, name="policy"):
        self.name, self.instance, self.reason, self.silent = name, 1, "", False
        self._publisher = scene.node.create_publisher(Heartbeat, "heartbeat", qos.HEARTBEAT)
        scene.node.create_timer(0.03, self.beat)

    def beat(self):
        if not self.silent:
            self._publisher.publish(
                Heartbeat(
                    node=self.name,
                    instance=self.instance,
                    fit=not self.reason,
                    reason=self.reason,
                )
            )


def mode_is(scene, mode):
    return lambda: scene.states[-1].mode == mode


def driving(scene):
    scene.chunks.publish(scene.chunk())
    wait_for(lambda: scene.robot.twists and scene.robot.twists[-1].twist.linear.x > 0, "driving")


def test_a_peer_that_falls_silent_stands_the_base_and_its_death_disarms(graph):
    scene = Scene(graph, peers="policy")
    refused = scene.arm()
    assert not refused.success
    assert "no heartbeat from policy: check that they are active" in refused.message
    peer = Peer(scene)
    wait_for(lambda: scene.arm().success, "arming")
    driving(scene)
    peer.silent = True
    wait_for(mode_is(scene, RobotState.MODE_HOLDING), "hold")
    assert "no heartbeat from policy" in scene.states[-1].reason
    wait_for(lambda: scene.robot.twists[-1].twist.linear.x == 0.0, "the base to stand")
    wait_for(mode_is(scene, RobotState.MODE_DISARMED), "disarmed")
    assert "policy is gone" in scene.states[-1].reason


def test_a_peer_that_is_unfit_holds_and_recovers(graph):
    scene = Scene(graph)
    peer = Peer(scene, "camera_ingestion")
    wait_for(lambda: scene.bridge._bridge.peers.ages(0), "a heartbeat")
    assert scene.arm().success
    driving(scene)
    peer.reason = "front is silent for 0.3 s"
    wait_for(lambda: "front is silent" in scene.states[-1].reason, "the reason")
    assert scene.bridge.health().level == 2
    peer.reason = ""
    wait_for(lambda: "no new one arrived" in scene.states[-1].reason, "recovery")
    driving(scene)


def test_a_new_task_ends_what_was_begun_for_the_old_one(graph):
    scene = Scene(graph)
    planner = scene.node.create_publisher(Subtask, "subtask", qos.LATCHED)
    planner.publish(Subtask(id=1, task="dishes", text="pick up the cup"))
    assert scene.arm().success
    scene.chunks.publish(scene.chunk(subtask_id=1))
    wait_for(mode_is(scene, RobotState.MODE_RUNNING), "running")
    planner.publish(Subtask(id=2, task="laundry", text="pick up the shirt"))
    wait_for(mode_is(scene, RobotState.MODE_HOLDING), "hold")
    counts = scene.bridge._bridge.counts
    scene.chunks.publish(scene.chunk(subtask_id=1))
    wait_for(lambda: counts["chunks_rejected_task"] == 1, "a rejection")
    planner.publish(Subtask(id=3, task="laundry", text=""))
    wait_for(lambda: scene.states[-1].reason == "nothing to do", "idleness")
    assert scene.bridge.health().level == 1


def test_another_publisher_of_commands_latches_a_fault(graph):
    scene = Scene(graph)
    assert scene.arm().success
    driving(scene)
    scene.node.create_publisher(TwistStamped, "/base_controller/cmd_vel", qos.COMMAND)
    wait_for(mode_is(scene, RobotState.MODE_FAULTED), "the fault")
    assert scene.states[-1].reason == (
        "test publishes /base_controller/cmd_vel too: stop that node"
    )


def test_a_state_says_which_chunk_and_row_its_command_follows(graph):
    scene = Scene(graph)
    assert scene.arm().success
    wait_for(lambda: scene.states[-1].commanded_stamp != Time(), "a command")
    assert scene.states[-1].chunk_sequence == 0 and scene.states[-1].chunk_row != 0
    chunk = scene.chunk()
    scene.chunks.publish(chunk)
    wait_for(lambda: scene.states[-1].chunk_sequence == chunk.sequence, "its execution")
    rows = [s.chunk_row for s in wait_for(lambda: executed(scene, 10), "ten ticks")]
    assert all(0.5 < after - before < 3 for before, after in zip(rows, rows[1:], strict=False))
    assert scene.states[-1].chunk_stamp == chunk.header.stamp


def executed(scene, count):
    states = [state for state in scene.states if state.chunk_sequence]
    return states if len(states) >= count else None


def test_resume_after_a_stop_and_a_stop_that_diagnostics_tell_at_once(graph):
    scene = Scene(graph)
    told = []
    scene.node.create_subscription(
        DiagnosticArray, "/diagnostics", lambda message: told.extend(message.status), qos.STATUS
    )
    assert scene.arm().success
    driving(scene)
    assert scene.call(Trigger, "stop", Trigger.Request()).success
    wait_for(lambda: any(s.level == b"\x02" and "stopped" in s.message for s in told), "ERROR")
    wait_for(lambda: scene.bridge._bridge.motion.at_rest, "rest")
    assert scene.call(Trigger, "resume", Trigger.Request()).success
    wait_for(mode_is(scene, RobotState.MODE_HOLDING), "hold")
    again = scene.call(Trigger, "resume", Trigger.Request())
    assert not again.success and again.message.startswith("not resumed: nothing to resume")
    driving(scene)
    assert scene.states[-1].mode == RobotState.MODE_RUNNING


def test_an_exception_in_a_service_is_an_answer_and_the_bridge_lives(graph):
    scene = Scene(graph)

    def fail(*_):
        raise RuntimeError("told to fail")

    scene.bridge._bridge.reset = fail
    answer = scene.call(Trigger, "reset", Trigger.Request())
    assert not answer.success and "see the log" in answer.message
    assert scene.arm().success
