"""Planner over real topics: inputs, outputs, and faults that it survives."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

import std_srvs.srv as std_srvs
from action_msgs.msg import GoalStatus
from fakes.brain import FakeBrain, FakeSource
from fakes.eyes import Eyes
from fakes.graph import Graph, wait_for
from rclpy.action import ActionClient
from rclpy.lifecycle import TransitionCallbackReturn

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import ActionChunk, Heartbeat, PlanDecision, RobotState, Subtask
from pi05_msgs.srv import Instruct
from pi05_ros.brain.instructions import InstructCode
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.control.modes import ARM_AGAIN, NOT_ARMED_YET
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array
from pi05_ros.nodes.common.health import ERROR, WARN
from pi05_ros.nodes.planner.planner import Planner
from pi05_ros.planning.answers import AnswerVerdict
from pi05_ros.planning.replanning import Trigger
from pi05_ros.planning.robot_watch import RobotMode
from pi05_ros.planning.tasks import Outcome
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
TASK = "put the dishes in the sink"
MOVING = np.tile(PLATFORM.home, (500, 1))  # Ten seconds.
MOVING[:, 0] += np.linspace(0, 2.0, 500)


class Scene:
    """A planner with a fake brain, and a test node that listens and plays the policy."""

    def __init__(self, graph: Graph, **parameters) -> None:
        self.graph = graph
        self.node = graph.plain("test")
        self.eyes = Eyes(graph.plain("eyes"), PLATFORM)
        self.brain = FakeBrain(PLATFORM)
        self.decisions: list[PlanDecision] = []
        self.subtasks: list[Subtask] = []
        self.hearts: list[Heartbeat] = []
        listen = self.node.create_subscription
        listen(PlanDecision, "plan_decision", self.decisions.append, qos.PLAN_DECISION)
        listen(Subtask, "subtask", self.subtasks.append, qos.LATCHED)
        listen(Heartbeat, "heartbeat", self.hearts.append, qos.HEARTBEAT)
        self._chunks = self.node.create_publisher(ActionChunk, "action_chunk", qos.ACTION_CHUNK)
        source = FakeSource(self.brain)
        parameters = {"task": TASK, "period_s": 0.2, **parameters}
        self.planner = graph.add(lambda **a: Planner(brain_source=source, **a), **parameters)
        assert self.planner.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.planner.trigger_activate() == TransitionCallbackReturn.SUCCESS

    def wait(self, trigger: str, outcome: str, after: int = 0) -> PlanDecision:
        """The first decision of this kind behind the first `after` ones."""

        def find():
            found = [d for d in self.decisions[after:] if (d.trigger, d.outcome) == wanted]
            return found[0] if found else None

        wanted = (trigger, outcome)
        return wait_for(find, f"a decision {wanted}")

    def act(self, actions: np.ndarray, subtask_id: int, names=PLATFORM.names) -> None:
        chunk = ActionChunk(
            epoch=self.eyes.epoch,
            names=list(names),
            period=PLATFORM.period,
            horizon=len(actions),
            data=float_array(actions, "f"),
            subtask_id=subtask_id,
        )
        chunk.header.stamp = chunk.start = self.node.get_clock().now().to_msg()
        self._chunks.publish(chunk)

    def instruct(self, text: str) -> Instruct.Response:
        return self.ask(Instruct, "instruct", Instruct.Request(text=text))

    def restart(self) -> None:
        """Deactivate and activate the planner, after a change of the brain."""
        for transition in (self.planner.trigger_deactivate, self.planner.trigger_activate):
            assert self.graph.call(transition) == TransitionCallbackReturn.SUCCESS

    def resume(self) -> tuple[bool, str]:
        answer = self.ask(std_srvs.Trigger, "resume_task", std_srvs.Trigger.Request())
        return answer.success, answer.message

    def cancel(self) -> tuple[bool, str]:
        answer = self.ask(std_srvs.Trigger, "cancel_task", std_srvs.Trigger.Request())
        return answer.success, answer.message

    def ask(self, kind, name, request):
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(30.0)
        future = client.call_async(request)
        return wait_for(lambda: future.done() and future.result(), name)


def test_every_decision_is_told_with_its_reason(graph):
    scene = Scene(graph)
    first = scene.wait("task", "changed")
    assert (first.task, first.answer, first.subtask) == (
        TASK,
        "pick up the cup",
        "pick up the cup",
    )
    assert first.subtask_id == 1 and first.score == pytest.approx(0.8) and not first.loop
    assert "the task began" in first.reason and 0 <= first.latency < 5
    assert first.header.stamp.sec > 0
    scene.wait("period", "kept")
    scene.brain.answer = SubtaskPrediction("put the cup in the sink", score=0.7)
    held = scene.wait("period", "held_back")
    assert (held.answer, held.subtask) == ("put the cup in the sink", "pick up the cup")
    changed = scene.wait("period", "changed")
    assert (changed.subtask, changed.subtask_id) == ("put the cup in the sink", 2)
    wait_for(lambda: scene.subtasks[-1].text == "put the cup in the sink", "the subtask")
    scene.brain.answer = SubtaskPrediction("", done=True)
    held = scene.wait("period", "held_back", len(scene.decisions))
    assert "does not count: the robot does not run (holding)" in held.reason
    scene.act(MOVING, 2)
    done = scene.wait("period", "done")
    assert "2 times in a row" in done.reason
    assert (done.task, done.answer, done.subtask, done.subtask_id) == (TASK, "", "", 3)


def test_a_chunk_that_stands_still_asks_for_the_next_subtask(graph):
    scene = Scene(graph, period_s=30.0)
    scene.wait("task", "changed")
    scene.brain.answer = SubtaskPrediction("put the cup in the sink")
    moving = np.tile(PLATFORM.home, (50, 1))
    moving[:, 0] += np.linspace(0, 0.3, 50)
    still = np.tile(PLATFORM.home, (50, 1))
    asked = len(scene.brain.planned)
    for actions, subtask_id, names in (
        (moving, 1, PLATFORM.names),
        (still[:, :3], 1, PLATFORM.names),  # The bridge complains about this one,
        (still, 1, PLATFORM.names[::-1]),  # and about this one.
        (still, 7, PLATFORM.names),  # Of another subtask.
    ):
        scene.act(actions, subtask_id, names)
        sets = scene.eyes._sequence
        wait_for(lambda before=sets: scene.eyes._sequence > before + 3, "more pictures")
        assert len(scene.brain.planned) == asked
    scene.act(still, 1)
    decision = scene.wait("subtask_end", "changed")
    assert "the low level saw nothing more to do" in decision.reason


def test_a_robot_that_does_not_move_asks_too(graph):
    scene = Scene(graph, period_s=30.0, stall_after_s=0.5)
    scene.wait("task", "changed")
    scene.act(MOVING, 1)  # The measured state stays at home.
    assert "no progress" in scene.wait("stall", "kept").reason


def test_what_an_operator_says_is_a_decision(graph):
    scene = Scene(graph)
    scene.wait("task", "changed")
    said = scene.instruct("pick up the fork")
    decision = scene.wait("operator", "changed")
    assert (decision.answer, decision.subtask_id) == ("pick up the fork", said.subtask_id)
    assert decision.reason == "an operator said so" and np.isnan(decision.score)
    kept = scene.wait("period", "overruled")
    assert (kept.answer, kept.subtask) == ("pick up the cup", "pick up the fork")
    spoken = wait_for(
        lambda: next((s for s in scene.subtasks if s.model_text), None), "the brain's own text"
    )
    assert (spoken.id, spoken.text, spoken.source) == (
        said.subtask_id,
        "pick up the fork",
        "human",
    )
    assert spoken.model_text == "pick up the cup" and spoken.model_stamp.sec > 0
    after = len(scene.decisions)
    scene.instruct("")
    assert "returned control" in scene.wait("operator", "kept", after).reason
    assert scene.wait("operator", "changed", after).answer == "pick up the cup"


def test_garbage_is_refused_and_after_a_while_the_robot_holds_until_sense_comes_back(graph):
    scene = Scene(graph, hold_after_s=0.5)
    scene.wait("task", "changed")
    assert scene.hearts and all(heart.fit for heart in scene.hearts)
    scene.brain.answer = SubtaskPrediction("pick \x07" * 2048)
    refused = scene.wait("period", "refused")
    assert len(refused.answer) <= 256 and refused.answer.isprintable()
    assert (refused.subtask, refused.subtask_id) == ("pick up the cup", 1)
    wait_for(lambda: not scene.hearts[-1].fit, "a heartbeat that is not fit")
    assert "characters, at most 256 are allowed" in scene.hearts[-1].reason
    health = scene.planner.health()
    assert health.level == ERROR and health.message.startswith("no usable subtask for")
    assert {s.text for s in scene.subtasks} == {"pick up the cup"}
    scene.brain.answer = SubtaskPrediction("pick up the cup")
    wait_for(lambda: scene.hearts[-1].fit, "a fit heartbeat")


def test_a_brain_that_fails_is_a_refusal_asked_no_more_often_than_a_period(graph):
    scene = Scene(graph, period_s=1.0, hold_after_s=0.5)
    scene.wait("task", "changed")
    scene.brain.fail = True
    refused = scene.wait("period", "refused")
    assert "the brain gave no answer: the fake brain was told to fail" in refused.reason
    wait_for(lambda: scene.planner._worker.errors > 1, "failures")
    stamps = [seen.stamp_ns for seen, _ in scene.brain.planned]
    assert min(b - a for a, b in itertools.pairwise(stamps)) >= 1_000_000_000
    wait_for(lambda: not scene.hearts[-1].fit, "a heartbeat that is not fit")


def test_a_loop_is_told_in_log_health_and_decisions(graph, capfd):
    scene = Scene(graph, period_s=0.05, task="")
    scene.brain.info = dataclasses.replace(scene.brain.info, subtask_source="external")
    answers = itertools.cycle(["open the drawer", "close the drawer"])
    scene.brain.predict_subtask = lambda *_: SubtaskPrediction(next(answers))
    graph.call(lambda: scene.planner._begin(TASK, None))
    wait_for(lambda: any(d.loop for d in scene.decisions), "a loop")
    assert sum(not d.loop for d in scene.decisions) == 5
    said = "the same subtasks repeat: "
    health = wait_for(
        lambda: h if said in (h := scene.planner.health()).message else None, "the health"
    )
    assert health.level == WARN
    wait_for(lambda: said in capfd.readouterr().err, "the warning")


def test_the_task_that_it_was_started_with_can_be_cancelled(graph):
    scene = Scene(graph)
    scene.wait("task", "changed")
    wait_for(lambda: scene.subtasks and scene.subtasks[-1].text, "a subtask")
    assert scene.cancel() == (True, f"cancelled: {TASK}")
    last = wait_for(lambda: (s := scene.subtasks[-1]).text == "" and s, "the empty subtask")
    assert last.task == ""
    assert scene.planner.health().message == "waiting for a task"
    assert scene.cancel() == (False, "no task to cancel")
    # What is said now has nothing to do with the task.
    assert scene.instruct("pick up the fork").code == InstructCode.NONE
    wait_for(lambda: scene.subtasks[-1].text == "pick up the fork", "the operator's subtask")
    assert scene.cancel() == (False, "no task to cancel")
    assert graph.call(scene.planner.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
    assert scene.cancel() == (False, "not cancelled: the planner is not active")


def test_a_clients_task_can_be_cancelled_by_others(graph):
    scene = Scene(graph, task="")
    client = ActionClient(scene.node, ExecuteTask, "execute_task")
    assert client.wait_for_server(30.0)
    sent = client.send_goal_async(ExecuteTask.Goal(task=TASK))
    scene.wait("task", "changed")
    assert scene.cancel() == (True, f"cancelled: {TASK}")
    ended = sent.result().get_result_async()
    result = wait_for(lambda: ended.done() and ended.result(), "the result")
    assert result.status == GoalStatus.STATUS_ABORTED
    assert (result.result.code, result.result.message) == (100, "task cancelled")


def test_an_exception_in_a_cancel_is_an_answer_and_the_node_lives(graph):
    scene = Scene(graph)
    scene.wait("task", "changed")

    def broken(outcome):
        raise ValueError("inside")

    scene.planner._end_locked = broken
    assert scene.cancel() == (False, "not cancelled: internal error, see the log of planner")
    del scene.planner._end_locked
    assert scene.cancel() == (True, f"cancelled: {TASK}")


def test_an_exception_in_the_service_is_an_answer_and_the_node_lives(graph):
    scene = Scene(graph)
    scene.wait("task", "changed")

    def broken(text, now_ns):
        raise ValueError("inside")

    scene.planner._planning.instruct, works = broken, scene.planner._planning.instruct
    for count in (1, 2):
        answer = scene.instruct("pick up the fork")
        assert (answer.code, answer.subtask_id) == (112, 0)
        assert "internal error" in answer.message
        assert scene.planner.callback_errors["_instruct"] == count
    scene.planner._planning.instruct = works
    assert scene.instruct("pick up the fork").code == Instruct.Response.NONE


def test_a_task_that_cannot_begin_ends_no_process(graph):
    scene = Scene(graph, task="")

    def broken(task):
        raise ValueError("inside")

    scene.brain.begin_task = broken
    client = ActionClient(scene.node, ExecuteTask, "execute_task")
    assert client.wait_for_server(30.0)
    client.send_goal_async(ExecuteTask.Goal(task=TASK))
    wait_for(lambda: scene.planner.callback_errors["_on_accepted"], "the exception")
    assert scene.instruct("pick up the fork").code == Instruct.Response.NONE


def test_a_planner_that_ends_with_its_executor_ends_wholly(capfd):
    graph = Graph()
    scene = Scene(graph, task="")
    client = ActionClient(scene.node, ExecuteTask, "execute_task")
    assert client.wait_for_server(30.0)
    client.send_goal_async(ExecuteTask.Goal(task=TASK))
    scene.wait("task", "changed")
    graph.close()
    said = capfd.readouterr().err
    assert (
        "error during shutdown" not in said and "the client of execute_task gets no result" in said
    )
    assert scene.planner._worker is None and scene.planner._tasks is None


def test_a_cut_answer_is_refused_and_counted(graph):
    scene = Scene(graph)
    scene.wait("task", "changed")
    scene.brain.answer = SubtaskPrediction("pick up the", problem="it was cut at 128 tokens")
    refused = scene.wait("period", "refused")
    assert "refused: it was cut at 128 tokens" in refused.reason
    assert (refused.answer, refused.subtask) == ("pick up the", "pick up the cup")
    assert scene.planner.health().values["answers cut off"] >= 1


def test_a_dead_camera_of_the_planner_alone_is_left_out_and_named(graph, capfd):
    scene = Scene(graph, hold_after_s=2.5)
    scene.wait("task", "changed")
    scene.eyes.blind = "back"
    after = len(scene.decisions)
    decision = wait_for(
        lambda: next((d for d in scene.decisions[after:] if "without" in d.reason), None),
        "a decision without the camera",
    )
    assert decision.reason.endswith("; without camera back")
    assert set(scene.brain.planned[-1][0].images) == {"front", "left_wrist", "right_wrist"}
    health = scene.planner.health()
    assert (health.level, health.message) == (WARN, "planning without camera back")
    wait_for(lambda: "planning without camera back: check its driver" in capfd.readouterr().err,
             "the warning")  # fmt: skip
    assert all(heart.fit for heart in scene.hearts)
    scene.eyes.blind = None
    wait_for(lambda: len(scene.brain.planned[-1][0].images) == 4, "all cameras again")


def test_a_dead_camera_of_the_policy_is_not_left_out(graph):
    scene = Scene(graph, hold_after_s=1.0)
    scene.wait("task", "changed")
    scene.eyes.blind = "front"
    wait_for(lambda: not scene.hearts[-1].fit, "a heartbeat that is not fit")
    assert "cannot plan: no picture of front" in scene.planner.health().message


def test_a_brain_without_pictures_plans_without_cameras(graph):
    scene = Scene(graph, task="")
    scene.brain.info = dataclasses.replace(
        scene.brain.info, planner_cameras=(), subtask_source="implicit"
    )
    scene.restart()
    scene.eyes.sees = False
    states = scene.eyes._sequence
    wait_for(lambda: scene.eyes._sequence > states + 12, "the last pictures to be too old")
    graph.call(lambda: scene.planner._begin(TASK, None))
    scene.wait("task", "changed")
    scene.wait("period", "kept")
    assert scene.brain.planned[-1][0].images == {}


def test_a_stop_suspends_the_task_until_an_operator_lets_it_go_on(graph):
    scene = Scene(graph)
    scene.act(MOVING, scene.wait("task", "changed").subtask_id)
    assert scene.resume() == (False, "no task is suspended")
    scene.eyes.mode = RobotState.MODE_FAULTED
    wait_for(lambda: scene.subtasks[-1].text == "", "the empty subtask")
    assert scene.subtasks[-1].task == TASK
    for scene.eyes.mode in (RobotState.MODE_DISARMED, RobotState.MODE_HOLDING):
        sets, asked = scene.eyes._sequence, len(scene.brain.planned)
        wait_for(lambda before=sets: scene.eyes._sequence > before + 5, "more states")
        assert len(scene.brain.planned) <= asked + 1 and scene.subtasks[-1].text == ""
    health = scene.planner.health()
    assert health.level == WARN and "suspended, the robot was faulted" in health.message
    assert scene.resume() == (True, "the task goes on while the robot is armed")
    wait_for(lambda: scene.subtasks[-1].text == "pick up the cup", "the subtask")


@pytest.mark.parametrize(
    ("mode", "reason", "suspended"),
    [
        (RobotState.MODE_DISARMED, NOT_ARMED_YET, False),
        (RobotState.MODE_DISARMED, f"no subscriber on /arm: start it; {NOT_ARMED_YET}", False),
        (RobotState.MODE_DISARMED, f"planner is gone: {ARM_AGAIN}", True),
        (RobotState.MODE_FAULTED, "a joint jumped", True),
    ],
)
def test_a_restarted_planner_does_not_go_on_by_itself(graph, mode, reason, suspended):
    scene = Scene(graph)
    scene.wait("task", "changed")
    scene.eyes.mode, scene.eyes.reason = mode, reason
    scene.restart()  # It begins the task of its parameter again.
    states = scene.eyes._sequence
    wait_for(lambda: scene.eyes._sequence > states + 5, "states")
    scene.eyes.mode = RobotState.MODE_HOLDING  # Armed.
    wait_for(lambda: scene.eyes._sequence > states + 10, "more states")
    assert bool(scene.planner._planning.suspended) == suspended
    assert (scene.subtasks[-1].text == "") == suspended
    if suspended:
        assert "when the planner started" in scene.planner.health().message
        scene.instruct("")
        wait_for(lambda: scene.subtasks[-1].text == "pick up the cup", "the subtask")


def test_a_task_that_does_not_get_on_ends_as_failed(graph):
    scene = Scene(graph, task="", stall_after_s=0.5, max_stalls=1, retries=0)
    client = ActionClient(scene.node, ExecuteTask, "execute_task")
    assert client.wait_for_server(30.0)
    sent = client.send_goal_async(ExecuteTask.Goal(task=TASK))
    goal = wait_for(lambda: sent.done() and sent.result(), "the goal's answer")
    scene.act(MOVING, scene.wait("task", "changed").subtask_id)
    future = goal.get_result_async()
    result = wait_for(lambda: future.done() and future.result(), "the result")
    assert result.status == GoalStatus.STATUS_ABORTED and result.result.code == Outcome.FAILED
    assert "task failed: 1 stalls in a row without progress" in result.result.message


def test_texts_that_the_brain_cannot_read_are_refused_when_they_are_given(graph):
    scene = Scene(graph, task="")
    scene.brain.task_problem = lambda task: "its prompt has 300 tokens" if "long" in task else ""
    scene.brain.subtask_problem = scene.brain.task_problem
    client = ActionClient(scene.node, ExecuteTask, "execute_task")
    assert client.wait_for_server(30.0)
    for task, accepted in (("a long task", False), (TASK, True)):
        sent = client.send_goal_async(ExecuteTask.Goal(task=task))
        goal = wait_for(lambda sent=sent: sent.done() and sent.result(), "the goal's answer")
        assert goal.accepted == accepted
    answer = scene.instruct("a long subtask")
    assert answer.code == InstructCode.INVALID_TEXT
    assert answer.message == "not accepted: its prompt has 300 tokens"


def test_an_instruction_that_no_answer_can_carry_is_refused(graph):
    scene = Scene(graph)
    before = scene.wait("task", "changed").subtask_id
    for text, why in (("cup; plate", "';'"), ("front: cup", "'front:'"), ("DONE", "'done'")):
        answer = scene.instruct(text)
        assert answer.code == InstructCode.INVALID_TEXT
        assert answer.message.startswith("not accepted: ") and why in answer.message
    assert scene.subtasks[-1].id == before


def test_a_decision_has_the_boxes_of_its_answer_in_the_drivers_picture(graph):
    scene = Scene(graph)
    for outcome in ("changed", "kept"):
        trigger = "task" if outcome == "changed" else "period"
        (box,) = scene.wait(trigger, outcome).boxes
        assert (box.camera, box.x_min, box.x_max) == ("front", 0.25, 0.5)
        # The picture fills the columns and rows 28 to 196 of the square: y is stretched back.
        assert box.y_min == pytest.approx((0.25 * 224 - 28) / 168)


def test_a_brain_that_reads_the_past_gets_it(graph):
    scene = Scene(graph, task="")
    scene.brain.info = dataclasses.replace(scene.brain.info, subtask_source="external", history=2)
    graph.call(lambda: scene.planner._begin(TASK, None))
    texts = ["pick up the cup", "put the cup in the sink", "pick up the fork", "wait"]
    for text in texts:
        scene.brain.answer = SubtaskPrediction(text)
        wait_for(lambda text=text: scene.subtasks and scene.subtasks[-1].text == text, text)
    past = wait_for(lambda: scene.brain.histories[-1], "the past")
    wait_for(lambda: [p.text for p in scene.brain.histories[-1]] == texts[1:3], "two of it")
    assert past[0].duration > 0.0
    assert "wait" not in scene.planner.health().values["last subtasks"]


def test_values_are_those_of_the_messages():
    triggers = {getattr(PlanDecision, k) for k in dir(PlanDecision) if k.startswith("TRIGGER_")}
    assert {t.value for t in Trigger} == triggers
    outcomes = {getattr(PlanDecision, k) for k in dir(PlanDecision) if k.startswith("OUTCOME_")}
    assert {v.value for v in AnswerVerdict} == outcomes
    # From the file: what is installed may be older than this checkout.
    lines = (Path(__file__).parents[3] / "pi05_msgs/srv/Instruct.srv").read_text().splitlines()
    codes = dict(
        line.split()[1].split("=") for line in lines if line.startswith("uint16") and "=" in line
    )
    assert {m.value for m in RobotMode} == {
        getattr(RobotState, k) for k in dir(RobotState) if k.startswith("MODE_")
    }
    assert {code.name: code.value for code in InstructCode} == {
        k: int(v) for k, v in codes.items()
    }
