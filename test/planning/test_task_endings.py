"""How tasks end, are suspended and get on: the planner on a clock that the test advances."""

import dataclasses

import numpy as np
import pytest

from pi05_ros.brain.interface import PastSubtask, SubtaskPrediction
from pi05_ros.planning.ending import EndingSettings, Retries, Step
from pi05_ros.planning.planning import Planning
from pi05_ros.planning.replanning import ReplanningSettings
from pi05_ros.planning.robot_watch import RobotMode, Suspension
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
HOME = PLATFORM.home
S = 1_000_000_000
ONE_JOINT = np.eye(PLATFORM.size)[0]
MOVING = np.tile(HOME, (50, 1)) + np.linspace(0, 0.5, 50)[:, None] * ONE_JOINT
DONE = SubtaskPrediction("", score=0.9, done=True)


class Scene:
    """A task, a brain that answers at once, and a robot; a step is 0.1 s."""

    def __init__(self, source: str = "model", **ending) -> None:
        self.planning = Planning(PLATFORM, ReplanningSettings(), ending=EndingSettings(**ending))
        self.source = source
        self.now = 100 * S
        self.answer: str | SubtaskPrediction = "pick up the cup"
        self.mode = RobotMode.RUNNING
        self.moves = True
        self.failed_after = 0.0  # [s]
        self._place = 0.0
        self.planning.begin("put the dishes in the sink", self.now, None)

    def run(self, seconds: float) -> list[str]:
        """Advance the time; return the outcomes of the decisions made meanwhile."""
        made = []
        for _ in range(round(seconds * 10)):
            self.now += S // 10
            self._place += 0.02 * self.moves
            planning, state = self.planning, HOME + self._place * ONE_JOINT
            planning.on_state(self.now, state, HOME, self.mode == RobotMode.RUNNING)
            planning.on_mode(self.mode, self.now)
            if planning.keeper.subtask is not None:
                planning.on_chunk(planning.keeper.subtask.id, MOVING)
            if planning.failure(self.now) and not self.failed_after:
                self.failed_after = self.now / S - 100
            question = planning.question(self.now)
            if question is None:
                continue
            answer = self.answer
            if isinstance(answer, str):
                answer = SubtaskPrediction(answer, score=0.9)
            decision = planning.on_answer(question, answer, self.source, self.now, self.now)
            assert decision is not None
            made.append(decision.verdict.value)
            self.reason = decision.reason
        return made

    @property
    def text(self) -> str:
        return self.planning.keeper.subtask.text


# Done.


def test_a_cut_answer_is_refused_counted_and_no_end():
    scene = Scene()
    scene.run(0.5)
    for text, done in (("pick up the", False), ("done", True)):
        why = "it was cut at 128 tokens, before its end"
        scene.answer = SubtaskPrediction(text, score=0.9, done=done, problem=why)
        assert set(scene.run(3.0)) == {"refused"}
        assert scene.reason.startswith(f"the answer is refused: {why}")
    assert scene.text == "pick up the cup" and scene.planning.counts["cut off"] == 6
    assert "cut at 128 tokens" in scene.planning.unfit(scene.now)
    scene.planning.instruct("pick up the fork", scene.now)
    assert set(scene.run(2.0)) == {"overruled"}
    assert scene.planning.keeper.subtask.overruled is None  # No training data of a cut answer.


@pytest.mark.parametrize("source", ["model", "external"])
@pytest.mark.parametrize("mode", [m for m in RobotMode if m != RobotMode.RUNNING])
def test_nothing_is_done_while_the_robot_does_not_run(source, mode):
    scene = Scene(source)
    scene.run(0.5)
    scene.mode, scene.answer = mode, DONE
    assert "done" not in scene.run(5.0)


def test_a_task_of_which_nothing_is_to_be_done_ends_once_the_robot_is_armed():
    scene = Scene()
    scene.mode, scene.answer = RobotMode.DISARMED, DONE
    assert set(scene.run(5.0)) == {"held_back"} and "(disarmed)" in scene.reason
    scene.mode = RobotMode.HOLDING
    assert scene.run(2.0) == ["held_back", "done"]


def test_nothing_is_done_while_the_bridge_is_silent():
    scene = Scene("external")
    scene.run(0.5)
    question = scene.planning.question(scene.now + 2 * S)
    late = scene.now + 2 * S
    decision = scene.planning.on_answer(question, DONE, "external", late, late)
    assert decision.verdict == "held_back" and "does not run" in decision.reason


# Suspension.


@pytest.mark.parametrize("mode", [RobotMode.DISARMED, RobotMode.FAULTED, RobotMode.STOPPED])
def test_a_task_is_suspended_and_goes_on_at_a_word_only(mode):
    scene = Scene()
    scene.run(0.5)
    first = scene.planning.keeper.subtask.id
    scene.mode = mode
    assert scene.run(3.0) == [] and scene.text == ""
    assert scene.planning.keeper.task is not None and scene.planning.unfit(scene.now) == ""
    scene.mode = RobotMode.DISARMED  # Reset.
    scene.run(0.1)
    scene.mode = RobotMode.HOLDING  # Armed.
    assert scene.run(20.0) == [] and scene.text == ""
    assert (
        f"suspended, the robot was {mode.name.lower()}"
        in (scene.planning.warnings(scene.now)["suspended"])
    )
    assert scene.planning.resume(scene.now) is None
    assert scene.run(0.1) == ["changed"] and scene.text == "pick up the cup"
    assert scene.planning.keeper.subtask.id > first and scene.planning.suspended == ""
    assert scene.planning.progress.history.shown(scene.now)[0].outcome == "interrupted"


@pytest.mark.parametrize("text", ["", "pick up the fork"])
def test_an_operator_s_input_ends_a_suspension(text):
    scene = Scene()
    scene.run(0.5)
    scene.mode = RobotMode.STOPPED
    scene.run(0.5)
    scene.planning.instruct(text, scene.now)
    scene.mode = RobotMode.HOLDING
    scene.run(0.5)
    assert scene.text == (text or "pick up the cup")


def test_an_operator_s_subtask_is_suspended_as_well():
    scene = Scene()
    scene.run(0.5)
    scene.planning.instruct("pick up the fork", scene.now)
    scene.mode = RobotMode.FAULTED
    scene.run(0.5)
    assert scene.text == ""
    for scene.mode in (RobotMode.DISARMED, RobotMode.HOLDING):
        scene.run(0.5)
    assert scene.text == ""
    assert scene.planning.resume(scene.now).text == "pick up the fork"


def test_an_answer_that_arrives_after_the_stop_is_dropped():
    scene = Scene()
    scene.run(0.5)
    question = scene.planning.question(scene.now + 2 * S)
    scene.mode = RobotMode.STOPPED
    scene.run(0.1)
    late = SubtaskPrediction("pick up the fork")
    assert scene.planning.on_answer(question, late, "model", scene.now, scene.now) is None
    assert scene.text == ""


def test_the_service_resume_after_a_stop_is_a_word_for_the_task():
    scene = Scene()
    scene.run(0.5)
    for scene.mode in (RobotMode.STOPPED, RobotMode.HOLDING):
        scene.run(0.2)
    assert scene.text == "pick up the cup"


@pytest.mark.parametrize(
    ("modes", "said"),
    [
        ((1, 2, 1), None),
        ((3, 2), None),  # The first arming.
        ((2, 5), True),
        ((2, 0, 3), True),
        ((2, 5, 2), False),
        ((2, 5, 3, 2), None),
        ((2, 5, 4, 5, 2), None),
        ((2, 4, 5, 2), None),
        ((2, 3, 5, 2), None),
    ],
)
def test_what_the_bridge_s_modes_say_of_the_task(modes, said):
    suspension = Suspension()
    assert [suspension.on_mode(RobotMode(mode)) for mode in modes][-1] is said


def test_a_task_given_to_a_robot_that_is_not_armed_begins_when_it_is():
    scene = Scene()
    scene.mode = RobotMode.DISARMED
    assert scene.run(1.0)[0] == "changed"
    scene.mode = RobotMode.HOLDING
    scene.run(1.0)
    assert scene.text == "pick up the cup" and scene.planning.suspended == ""


# Failure.


def test_stalls_in_a_row_spend_the_retries_and_then_the_task_fails():
    scene = Scene(max_stalls=2, retries=2)
    scene.run(1.0)
    scene.moves = False
    scene.run(8.5)  # Two stalls: the subtask is discouraged once.
    assert "request" not in scene.planning.warnings(scene.now)
    scene.run(8.5)
    assert "2 stalls in a row" in scene.planning.warnings(scene.now)["request"]
    assert scene.failed_after == 0.0
    scene.run(8.5)
    assert scene.planning.failure(scene.now) == (
        "2 stalls in a row without progress, at 'pick up the cup'; 2 retries"
    )
    assert 20 < scene.failed_after < 27


def test_a_stalled_subtask_must_be_predicted_once_more():
    scene = Scene(max_stalls=1)
    scene.run(1.0)
    scene.moves = False
    made = scene.run(4.5)
    assert made.count("held_back") == 1 and made[-1] == "held_back"
    assert "a subtask that did not help before" in scene.reason


def test_progress_between_stalls_is_no_failure():
    scene = Scene(max_stalls=2, retries=0)
    for _ in range(10):
        scene.moves = False
        scene.run(4.5)
        scene.moves = True
        scene.run(1.0)
    assert scene.failed_after == 0.0


def test_a_loop_is_discouraged_then_the_operator_is_asked_then_the_task_fails():
    scene = Scene(source="external", retries=2)
    changes = 0
    while not scene.failed_after and changes < 40:
        scene.answer = ("open the drawer", "close the drawer")[changes % 2]
        scene.run(2.0)
        changes += 1
        asked = "request" in scene.planning.warnings(scene.now)
        assert asked == (changes >= 12), changes
    assert changes == 18  # Six repeats of the three that make a loop.
    assert "in a loop: " in scene.planning.failure(scene.now)
    scene.planning.instruct("close the drawer", scene.now)  # A person helps.
    assert scene.planning.failure(scene.now) == "" and not scene.planning.warnings(scene.now)


def test_a_loop_of_a_model_must_be_confirmed_once_more():
    scene = Scene()
    verdicts = []
    for k in range(7):
        scene.answer = ("open the drawer", "close the drawer")[k % 2]
        verdicts.append(scene.run(4.0))
    # Held back by the hysteresis once, after the loop was found once more.
    assert verdicts[5].count("held_back") == 1 and verdicts[6].count("held_back") == 2


def test_a_time_budget_ends_a_task_without_a_limit_of_its_own():
    scene = Scene(time_budget_s=10.0)
    scene.run(9.0)
    assert scene.planning.failure(scene.now) == ""
    scene.run(1.5)
    assert "time budget of 10 s (time_budget_s)" in scene.planning.failure(scene.now)
    scene.planning.begin("make the bed", scene.now, 60.0)
    scene.run(20.0)
    assert scene.planning.failure(scene.now) == ""
    scene.planning.end(scene.now)
    assert scene.planning.failure(scene.now + 1000 * S) == ""


def test_without_retries_the_first_loop_is_a_failure():
    retries = Retries(EndingSettings(retries=0), repeats=3)
    assert retries.looped(("a", "b")) == Step.FAIL
    assert retries.failure.endswith("no retry allowed (retries)")


def test_the_defaults_bear_a_robot_that_stands_for_a_minute():
    scene = Scene()
    scene.moves = False
    scene.run(60.0)
    assert scene.failed_after == 0.0
    scene.run(60.0)
    assert scene.failed_after > 75.0


# History.


def test_the_past_of_a_task_of_fifteen_minutes():
    scene = Scene(source="external")
    for k in range(90):
        scene.answer = f"pick up cup {k}"
        scene.run(10.0)
    past = scene.planning.progress.history.shown(scene.now)
    assert len(past) == 89 and past[-1].text == "pick up cup 88"
    assert {p.outcome for p in past} == {"changed"}
    assert past[40].duration == pytest.approx(10.0, abs=1.0)
    scene.planning.begin("make the bed", scene.now, None)
    assert scene.planning.progress.history.shown(scene.now) == ()


def test_a_question_carries_the_past_and_the_present_stall():
    scene = Scene(source="external")
    scene.run(1.0)
    scene.answer, scene.moves = "open the drawer", False
    scene.run(1.5)
    question = scene.planning.question(scene.now + 2 * S)
    (first,) = question.history
    assert first == PastSubtask("pick up the cup", "changed", first.duration)
    scene.run(6.0)
    question = scene.planning.question(scene.now + 2 * S)
    assert [(p.text, p.outcome) for p in question.history] == [
        ("pick up the cup", "changed"),
        ("open the drawer", "stalled"),
    ]
    scene.answer = "close the drawer"
    scene.run(2.0)
    past = scene.planning.progress.history.shown(scene.now)
    assert [dataclasses.replace(p, duration=0.0) for p in past] == [
        PastSubtask("pick up the cup", "changed", 0.0),
        PastSubtask("open the drawer", "stalled", 0.0),
    ]
