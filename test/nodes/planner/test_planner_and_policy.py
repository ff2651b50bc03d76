"""planner and policy over real topics, with a brain that the test controls."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration
from fakes.brain import FakeBrain, FakeSource
from fakes.eyes import Eyes
from fakes.graph import Graph, wait_for
from rclpy.action import ActionClient
from rclpy.lifecycle import TransitionCallbackReturn

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import ActionChunk, Subtask
from pi05_msgs.srv import Instruct
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.errors import ConfigError
from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.planner.planner import Planner
from pi05_ros.nodes.policy.policy import Policy
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


class Scene:
    """Planner and policy that share a fake brain, and a test node that listens."""

    def __init__(self, graph: Graph, task: str = "") -> None:
        self.node = graph.plain("test")
        self.eyes = Eyes(graph.plain("eyes"), PLATFORM)
        self.brain = FakeBrain(PLATFORM)
        self.subtasks: list[Subtask] = []
        self.chunks: list[ActionChunk] = []
        self.feedback: list = []
        self.node.create_subscription(Subtask, "subtask", self.subtasks.append, qos.LATCHED)
        self.node.create_subscription(
            ActionChunk, "action_chunk", self.chunks.append, qos.ACTION_CHUNK
        )
        source = FakeSource(self.brain)
        self.planner = graph.add(
            lambda **a: Planner(brain_source=source, **a), task=task, period_s=0.2
        )
        self.policy = graph.add(lambda **a: Policy(brain_source=source, **a), execution_horizon=10)
        for node in (self.planner, self.policy):
            assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
            assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
        self.client = ActionClient(self.node, ExecuteTask, "execute_task")

    def send(self, task: str, limit: float = 0.0):
        assert self.client.wait_for_server(30.0)
        goal = ExecuteTask.Goal(task=task, time_limit=Duration(sec=int(limit)))
        future = self.client.send_goal_async(goal, feedback_callback=self.feedback.append)
        return wait_for(lambda: future.done() and future.result(), "the goal's answer")

    def result(self, goal, timeout=60.0):
        future = goal.get_result_async()
        return wait_for(lambda: future.done() and future.result(), "the result", timeout)

    def instruct(self, text: str) -> Instruct.Response:
        client = self.node.create_client(Instruct, "instruct")
        assert client.wait_for_service(30.0)
        future = client.call_async(Instruct.Request(text=text))
        return wait_for(lambda: future.done() and future.result(), "instruct")


def test_a_task_becomes_subtasks_and_chunks_that_carry_their_origin(graph):
    scene = Scene(graph, task="put the dishes in the sink")
    subtask = wait_for(lambda: scene.subtasks and scene.subtasks[-1], "a subtask")
    assert subtask.text == "pick up the cup" and subtask.task == "put the dishes in the sink"
    assert subtask.source == Subtask.SOURCE_MODEL and subtask.score == pytest.approx(0.8)
    assert 0 <= subtask.latency < 5
    box = subtask.boxes[0]
    # The picture fills the columns and rows 28 to 196 of the square: y is stretched back.
    assert (box.x_min, box.x_max) == (0.25, 0.5)
    assert box.y_min == pytest.approx((0.25 * 224 - 28) / 168)
    chunk = wait_for(lambda: scene.chunks and scene.chunks[-1], "a chunk")
    assert (chunk.session, chunk.epoch, chunk.subtask_id) == (5, 2, subtask.id)
    assert tuple(chunk.names) == PLATFORM.names and chunk.horizon == 50
    np.testing.assert_allclose(chunk.data, np.tile(PLATFORM.home, 50), rtol=1e-6)
    wait_for(lambda: len(scene.chunks) > 3, "more chunks")
    chunks = list(scene.chunks)  # Others go on coming.
    assert [c.sequence for c in chunks] == list(range(1, len(chunks) + 1))


def test_the_low_level_sees_the_subtask_only(graph):
    scene = Scene(graph, task="put the dishes in the sink")
    wait_for(lambda: scene.brain.acted, "an action")
    assert {text for _, text in scene.brain.acted} == {"pick up the cup"}
    assert set(scene.brain.acted[0][0].images) == set(PLATFORM.policy_cameras)
    assert set(scene.brain.planned[0][0].images) == set(PLATFORM.planner_cameras)


def test_execute_task_reports_and_succeeds_when_the_brain_says_done(graph):
    scene = Scene(graph)
    goal = scene.send("put the dishes in the sink")
    assert goal.accepted
    wait_for(lambda: scene.feedback, "feedback")
    assert scene.feedback[0].feedback.subtask.text == "pick up the cup"
    scene.brain.answer = SubtaskPrediction("", done=True)
    result = scene.result(goal)
    assert result.status == GoalStatus.STATUS_SUCCEEDED
    assert result.result.code == ExecuteTask.Result.NONE and result.result.subtask_count == 1
    wait_for(lambda: scene.subtasks[-1].text == "", "the empty subtask")
    count = len(scene.brain.planned)
    assert graph.call(scene.planner.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
    assert len(scene.brain.planned) == count


def test_cancel_timeout_and_a_newer_task_end_a_task_with_their_codes(graph):
    scene = Scene(graph)
    first = scene.send("task one")
    second = scene.send("task two", limit=1.0)
    result = scene.result(first)
    assert result.result.code == ExecuteTask.Result.PREEMPTED
    assert result.status == GoalStatus.STATUS_ABORTED
    assert scene.result(second).result.code == ExecuteTask.Result.TIMEOUT
    third = scene.send("task three")
    cancel = third.cancel_goal_async()
    wait_for(lambda: cancel.done(), "the cancel's answer")
    result = scene.result(third)
    assert result.result.code == ExecuteTask.Result.CANCELED
    assert result.status == GoalStatus.STATUS_CANCELED


@pytest.mark.parametrize("task", ["", "   ", "two\nlines", "x" * 257])
def test_a_task_that_is_not_one_line_of_text_is_refused(graph, task):
    assert not Scene(graph).send(task).accepted


def test_an_operator_speaks_and_hands_back(graph):
    scene = Scene(graph, task="put the dishes in the sink")
    wait_for(lambda: scene.subtasks, "a subtask")
    answer = scene.instruct("pick up the fork")
    assert answer.code == Instruct.Response.NONE and answer.subtask_id == 2
    wait_for(
        lambda: "pick up the fork" in [text for _, text in scene.brain.acted],
        "the policy to follow",
    )
    assert scene.subtasks[-1].source == Subtask.SOURCE_HUMAN
    scene.instruct("")
    wait_for(lambda: scene.subtasks[-1].source == Subtask.SOURCE_MODEL, "the brain again")
    assert scene.instruct("a\nb").code == Instruct.Response.INVALID_TEXT


def test_without_a_needed_camera_there_is_no_chunk_and_health_says_why(graph):
    scene = Scene(graph, task="put the dishes in the sink")
    wait_for(lambda: scene.chunks, "a chunk")
    scene.eyes.blind = "left_wrist"
    wait_for(lambda: "no picture of left_wrist" in scene.policy.health().message, "the reason")
    count = len(scene.chunks)
    sets = scene.eyes._sequence
    wait_for(lambda: scene.eyes._sequence > sets + 5, "more camera sets")
    assert len(scene.chunks) <= count + 1
    scene.eyes.blind = None
    wait_for(lambda: len(scene.chunks) > count + 2, "chunks again")


def test_a_brain_that_fails_or_lies_moves_nothing_and_the_node_lives(graph):
    scene = Scene(graph, task="put the dishes in the sink")
    wait_for(lambda: scene.chunks, "a chunk")
    scene.brain.fail = True
    wait_for(lambda: scene.policy._worker.errors > 1, "failures")
    scene.brain.fail = False
    good = scene.brain.chunk
    scene.brain.chunk = np.full((50, PLATFORM.size), np.nan)
    errors = scene.policy._worker.errors
    wait_for(lambda: scene.policy._worker.errors > errors, "a refusal")
    count = len(scene.chunks)
    scene.brain.chunk = good
    wait_for(lambda: len(scene.chunks) > count, "chunks again")
    assert all(np.isfinite(np.array(chunk.data)).all() for chunk in scene.chunks)


def test_the_brain_is_given_back_on_cleanup(graph):
    scene = Scene(graph)
    for node in (scene.planner, scene.policy):
        assert graph.call(node.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
        assert graph.call(node.trigger_cleanup) == TransitionCallbackReturn.SUCCESS
    assert scene.brain.closed


def test_a_planner_that_is_deactivated_tells_the_client_and_says_so_to_operators(graph):
    scene = Scene(graph)
    goal = scene.send("put the dishes in the sink")
    result = goal.get_result_async()
    wait_for(lambda: scene.subtasks, "a subtask")
    assert graph.call(scene.planner.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
    wait_for(result.done, "the result")
    assert result.result().result.code == ExecuteTask.Result.DEACTIVATED
    assert scene.instruct("pick up the fork").code == Instruct.Response.INACTIVE
    assert not scene.send("put the dishes in the sink").accepted
    last = scene.subtasks[-1].id
    assert graph.call(scene.planner.trigger_activate) == TransitionCallbackReturn.SUCCESS
    assert scene.send("put the dishes in the sink").accepted
    wait_for(lambda: scene.subtasks[-1].text, "a subtask again")
    assert scene.subtasks[-1].id > last  # Never reused while the planner lives.


def test_shutdown_with_a_goal_ends_in_order(graph):
    scene = Scene(graph)
    goal = scene.send("put the dishes in the sink")
    goal.get_result_async()
    wait_for(lambda: scene.subtasks, "a subtask")
    assert graph.call(scene.planner.trigger_shutdown) == TransitionCallbackReturn.SUCCESS
    count = scene.eyes._sequence
    wait_for(lambda: scene.eyes._sequence > count + 3, "the executor to go on")


def test_what_an_operator_said_without_a_task_ends_with_the_planner(graph):
    scene = Scene(graph)
    scene.instruct("pick up the fork")
    wait_for(lambda: scene.chunks, "a chunk")
    assert graph.call(scene.planner.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
    wait_for(lambda: scene.subtasks[-1].text == "", "the empty subtask")
    wait_for(lambda: scene.policy.health().message == "waiting for a subtask", "the policy")
    wait_for(lambda: not scene.policy._worker._wake.is_set(), "a thought in progress")
    chunks, sets = len(scene.chunks), scene.eyes._sequence
    wait_for(lambda: scene.eyes._sequence > sets + 8, "more camera sets")
    assert len(scene.chunks) <= chunks + 1  # One may have been on its way.


def test_an_instruction_outlives_a_brain_that_says_done_meanwhile(graph):
    scene = Scene(graph, task="put the dishes in the sink")
    wait_for(lambda: scene.subtasks, "a subtask")
    answer = scene.brain.predict_subtask

    def slow(observation, task):
        scene.instruct("pick up the fork")
        answer(observation, task)
        return SubtaskPrediction("", done=True)

    scene.brain.predict_subtask = slow
    wait_for(lambda: scene.subtasks[-1].text == "pick up the fork", "the operator's words")
    chunks = len(scene.chunks)
    wait_for(lambda: len(scene.chunks) > chunks + 2, "more chunks")
    assert scene.planner._planning.keeper.task is not None
    assert scene.subtasks[-1].text == "pick up the fork"


def test_a_state_of_another_platform_is_refused_in_one_sentence(graph, capfd):
    scene = Scene(graph, task="put the dishes in the sink")
    wait_for(lambda: scene.chunks, "a chunk")
    scene.eyes.platform = load_platform("mobile_19dof")
    said = "is of platform 'mobile_19dof', this node uses 'mobile_18dof'"
    wait_for(lambda: said in capfd.readouterr().err, "the sentence")


def test_one_process_has_one_brain():
    source = BrainSource()
    source._brain, source._key = FakeBrain(PLATFORM), ("expert", "", "mobile_18dof", 0)
    with pytest.raises(ConfigError, match="planner and policy share one brain"):
        source.acquire("model", "", PLATFORM)
