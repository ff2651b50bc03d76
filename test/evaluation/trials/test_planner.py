"""The planner's rules in a closed loop: what a single answer may do, and when a task ends."""

import numpy as np

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.chunking.scheduler import ChunkScheduler
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.control.modes import Mode
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.bridged_robot import BridgedRobot, IdealRobot
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.evaluation.trials.planner import LoopPlanner
from pi05_ros.planning.tasks import Outcome
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
JOINT = PLATFORM.index("left_arm_joint_1")
FRAME = 0.1


class Speaker:
    """A high level that reads its answers from a list; the last one stands."""

    history, image_size = 0, None

    def __init__(self, *answers, source="model"):
        self.answers, self.source, self.stamps = list(answers), source, []

    def begin_task(self, task):
        pass

    def predict(self, observation, task, history):
        self.stamps.append(round((observation.stamp_ns - START_NS) * 1e-9, 3))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return SubtaskPrediction(answer, score=0.9, done=not answer)


def swaying(by=0.2):
    """A low level that moves one joint to and fro [rad], so that nothing ends or stalls."""
    turn = [0]

    def policy(observation, request):
        turn[0] += 1
        actions = np.tile(PLATFORM.home, (50, 1))
        actions[:, JOINT] += by * (-1) ** turn[0]
        return actions

    return policy


def run(high, seconds, policy=None, limit=100.0, robot=None):
    """Run a loop with a planner; return both, and the subtasks that the policy was asked for."""
    planner = LoopPlanner(PLATFORM, high, delay=0.1)
    asked = []
    act = policy or swaying()

    def noted(observation, request):
        asked.append(request.subtask.text)
        return act(observation, request)

    loop = ClosedLoop(
        BridgedRobot(PLATFORM, robot),
        ChunkScheduler(ChunkSettings(), PLATFORM.period, 50),
        noted,
        lambda: 0.08,
        task="tidy up",
        timing=LoopTiming(frame=FRAME, tick_phase=0.0),
        hooks=LoopHooks(
            on_state=planner.on_state,
            on_observation=planner.on_observation,
            on_release=planner.on_release,
        ),
    )
    planner.begin(loop, "tidy up", limit)
    loop.run(seconds)
    return planner, loop, asked


def test_a_model_that_errs_once_is_not_followed():
    speaker = Speaker("pick up the cup", "pick up the cup", "eat the cup", "pick up the cup")
    planner, loop, asked = run(speaker, 5.0)
    assert set(asked) == {"pick up the cup"} and loop.subtask.id == 1
    assert planner.planning.counts == {"changed": 1, "kept": 3, "held_back": 1}
    # At the first pictures, then a second after the last query, at the next pictures.
    assert speaker.stamps == [0.1, 1.1, 2.1, 3.1, 4.1]


def test_two_answers_in_a_row_change_the_subtask():
    speaker = Speaker("pick up the cup", "put it down", "put it down")
    _, loop, _ = run(speaker, 2.15)
    assert (loop.subtask.id, loop.subtask.text) == (1, "pick up the cup")
    loop.run(0.1)  # The answer to the third query comes 0.1 s after its pictures.
    assert (loop.subtask.id, loop.subtask.text) == (2, "put it down")


def test_another_source_is_followed_at_once():
    speaker = Speaker("pick up the cup", "put it down", source="external")
    _, loop, _ = run(speaker, 1.3)
    assert loop.subtask.text == "put it down"


def test_done_ends_the_task_after_two_answers_and_nothing_is_asked_then():
    speaker = Speaker("pick up the cup", "")
    planner, loop, _ = run(speaker, 2.1)
    assert planner.outcome is None
    loop.run(3.0)
    assert planner.outcome == Outcome.DONE
    assert loop.subtask.text == "" and loop.robot.bridge.mode is Mode.HOLDING
    assert speaker.stamps == [0.1, 1.1, 2.1]


def test_a_low_level_that_stands_still_is_asked_about_sooner():
    speaker = Speaker("pick up the cup")
    run(speaker, 1.05, policy=lambda o, r: np.tile(PLATFORM.home, (50, 1)))
    # The chunk is published at about 0.4 s and asks for no motion: subtask_end.
    assert len(speaker.stamps) > 1 and speaker.stamps[1] < 1.0


def test_without_answers_the_robot_holds_after_five_seconds():
    speaker = Speaker("pick up the cup", Pi05Error("no network\nmore"))
    planner, loop, _ = run(speaker, 4.9)
    assert loop.robot.bridge.mode is Mode.RUNNING
    loop.run(1.0)
    assert loop.robot.bridge.mode is Mode.HOLDING
    reason = loop.robot.bridge.reason
    assert reason.startswith("planner: no usable subtask for 6 s: the brain gave no answer")
    assert planner.failures == {"no network": len(speaker.stamps) - 1}


def test_the_task_itself_is_spoken_where_there_is_no_high_level():
    planner, loop, asked = run(None, 3.0)
    assert set(asked) == {"tidy up"}
    assert (loop.subtask.text, loop.subtask.spoken) == ("tidy up", True)
    assert planner.planning.keeper.subtask.source == "human"
    assert not planner.unfit()


def test_the_time_limit_ends_the_task():
    planner, loop, _ = run(Speaker("pick up the cup"), 1.9, limit=2.0)
    assert planner.outcome is None
    loop.run(0.4)  # It is checked five times a second.
    assert planner.outcome == Outcome.TIMEOUT and loop.subtask.text == ""


def test_a_task_that_does_not_get_on_fails():
    blocked = IdealRobot(PLATFORM, follows=False)
    # Far enough for a motion, and too near for a fault of tracking.
    planner, _, _ = run(Speaker("pick up the cup"), 95.0, swaying(0.05), 200.0, blocked)
    assert planner.outcome == Outcome.FAILED
    assert planner.message.startswith("5 stalls in a row without progress, at 'pick up the cup'")
