"""The planner's logic without ROS, on a clock that the test advances."""

import math

import numpy as np
import pytest

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.planning.decisions import Decision
from pi05_ros.planning.planning import Planning
from pi05_ros.planning.replanning import ReplanningSettings
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
HOME = PLATFORM.home
S = 1_000_000_000
STILL = np.tile(HOME, (50, 1))
MOVING = STILL + np.linspace(0, 0.5, 50)[:, None] * np.eye(PLATFORM.size)[0]


class Scene:
    """A `Planning` with an active task, and a brain that returns `answer` after 0.1 s.

    A step is 0.1 s: a state, and every fourth time a chunk of the present subtask.
    """

    def __init__(self, source: str = "model", begin: bool = True, **settings) -> None:
        self.planning = Planning(PLATFORM, ReplanningSettings(**settings))
        self.source = source
        self.now = 100 * S
        self.answer: str | SubtaskPrediction = "pick up the cup"
        self.chunk = MOVING
        self.running = True
        self.state = HOME
        self.decisions: list[Decision] = []
        self.unfit: list[tuple[float, str]] = []
        self._steps = 0
        if begin:
            self.planning.begin("put the dishes in the sink", self.now, None)

    def run(self, seconds: float) -> list[Decision]:
        """Advance the time and return the decisions made meanwhile."""
        first = len(self.decisions)
        for _ in range(round(seconds * 10)):
            self.now += S // 10
            self._steps += 1
            stamp = self.now - S // 20
            self.planning.on_state(stamp, self.state, HOME, self.running)
            if self._steps % 4 == 0 and self.planning.keeper.subtask is not None:
                self.planning.on_chunk(self.planning.keeper.subtask.id, self.chunk)
            question = self.planning.question(stamp)
            if question is not None:
                answer = self.answer
                if isinstance(answer, str):
                    answer = SubtaskPrediction(answer, score=0.5)
                decision = self.planning.on_answer(question, answer, self.source, stamp, self.now)
                assert decision is not None
                self.decisions.append(decision)
            why = self.planning.unfit(self.now)
            if why:
                self.unfit.append((self.now / S - 100, why))
        return self.decisions[first:]

    def move(self, seconds: float) -> list[Decision]:
        """Advance the time while the arm moves at 0.2 rad/s."""
        decided = []
        for _ in range(round(seconds * 10)):
            self.state = self.state + 0.02 * np.eye(PLATFORM.size)[0]
            decided += self.run(0.1)
        return decided

    @property
    def text(self) -> str:
        return self.planning.keeper.subtask.text


def outcomes(decisions: list[Decision]) -> list[tuple[str, str]]:
    return [(d.trigger.value, d.verdict.value) for d in decisions]


def test_a_task_is_asked_about_at_once_and_then_once_a_period():
    scene = Scene()
    first = scene.run(0.1)
    assert outcomes(first) == [("task", "changed")]
    assert (first[0].answer, first[0].score, first[0].publish) == ("pick up the cup", 0.5, True)
    assert first[0].task == "put the dishes in the sink"
    assert outcomes(scene.move(3.0)) == [("period", "kept")] * 3
    assert scene.planning.keeper.subtask.id == 1


def test_a_new_text_of_a_model_is_accepted_when_it_is_repeated():
    scene = Scene()
    scene.move(1.5)
    scene.answer = "put the cup in the sink"
    held = scene.move(1.0)
    assert outcomes(held) == [("period", "held_back")] and not held[0].publish
    assert scene.text == "pick up the cup"
    assert outcomes(scene.move(1.0)) == [("period", "changed")]
    assert scene.text == "put the cup in the sink"


def test_case_and_spaces_are_no_other_text_and_the_first_words_stay():
    scene = Scene()
    scene.move(0.5)
    scene.answer = " Pick  up the CUP\n"
    assert outcomes(scene.move(2.0)) == [("period", "kept")] * 2
    assert scene.text == "pick up the cup" and scene.planning.keeper.subtask.id == 1


def test_the_expert_is_accepted_at_once():
    scene = Scene(source="external")
    scene.move(0.5)
    scene.answer = "put the cup in the sink"
    assert outcomes(scene.move(1.0)) == [("period", "changed")]


def test_the_end_of_a_subtask_triggers_an_early_query_and_its_answer_is_accepted_at_once():
    scene = Scene()
    scene.move(0.4)
    scene.chunk, scene.answer = STILL, "put the cup in the sink"
    decided = scene.run(0.4)
    assert outcomes(decided) == [("subtask_end", "changed")]
    assert scene.text == "put the cup in the sink"
    # The chunk belonged to the subtask before; the next one is of this one, and moves.
    scene.chunk = MOVING
    assert outcomes(scene.move(1.0)) == [("period", "kept")]


def test_a_low_level_that_stands_on_does_not_flood_the_brain():
    scene = Scene()
    scene.chunk = STILL
    scene.run(0.5)
    assert 15 <= len(scene.run(10.0)) <= 20


def test_a_chunk_of_another_subtask_is_ignored():
    scene = Scene()
    scene.move(0.5)
    scene.planning.on_chunk(scene.planning.keeper.subtask.id + 1, STILL)
    assert outcomes(scene.move(0.4)) == []


def test_a_chunk_that_moves_again_takes_the_question_back():
    scene = Scene()
    scene.move(0.5)
    subtask = scene.planning.keeper.subtask
    scene.planning.on_chunk(subtask.id, STILL)
    scene.planning.on_chunk(subtask.id, MOVING)
    assert outcomes(scene.move(0.2)) == []


@pytest.mark.parametrize("change", ["brain", "operator"])
def test_what_was_seen_of_the_subtask_before_asks_nothing_of_the_next(change):
    scene = Scene(source="external")
    scene.move(1.0)
    planning, now = scene.planning, scene.now + S
    question = planning.question(now)
    planning.on_chunk(planning.keeper.subtask.id, STILL)
    answer = SubtaskPrediction("put the cup in the sink")
    if change == "brain":
        assert planning.on_answer(question, answer, "external", now, now).verdict == "changed"
    else:
        planning.instruct("pick up the fork", now)
        planning.instruct("", now)
        question = planning.question(now)
        answer = SubtaskPrediction("pick up the fork")
        assert planning.on_answer(question, answer, "external", now, now).verdict == "kept"
    assert planning.question(now + S // 2) is None


def test_a_robot_without_progress_has_stalled():
    scene = Scene()
    scene.move(1.0)
    scene.run(3.5)
    scene.answer = "open the drawer"
    decided = scene.run(0.6)
    assert outcomes(decided)[-1] == ("stall", "changed") and "no progress" in decided[-1].reason
    assert scene.text == "open the drawer"


@pytest.mark.parametrize("excuse", ["holding", "still", "moving", "operator"])
def test_a_robot_with_an_excuse_has_not_stalled(excuse):
    scene = Scene()
    scene.run(0.1)
    scene.running = excuse != "holding"
    scene.chunk = STILL if excuse == "still" else MOVING
    if excuse == "operator":
        scene.planning.instruct("wait", scene.now)
    decided = scene.move(12.0) if excuse == "moving" else scene.run(12.0)
    assert "stall" not in {trigger for trigger, _ in outcomes(decided)}


def test_a_stall_is_asked_about_at_most_once_in_four_seconds():
    scene = Scene()
    scene.run(24.3)
    assert [t for t, _ in outcomes(scene.decisions)].count("stall") == 6


def test_an_operator_overrules_until_he_hands_back():
    scene = Scene()
    scene.move(1.5)
    answer = scene.planning.instruct("pick up the fork", scene.now)
    assert outcomes([answer]) == [("operator", "changed")] and answer.publish
    assert answer.reason == "an operator said so" and math.isnan(answer.score)
    assert {verdict for _, verdict in outcomes(scene.move(3.0))} == {"overruled"}
    again = scene.planning.instruct("pick up the fork", scene.now)
    assert outcomes([again]) == [("operator", "kept")]
    back = scene.planning.instruct("", scene.now)
    assert outcomes([back]) == [("operator", "kept")] and "the brain is queried" in back.reason
    assert not back.publish
    assert outcomes(scene.move(0.1)) == [("operator", "changed")]
    assert scene.text == "pick up the cup" and scene.planning.keeper.subtask.source == "model"


def test_the_overruled_answer_is_kept_with_the_operator_s_subtask():
    scene = Scene()
    scene.move(1.5)
    spoken_at = scene.now
    scene.planning.instruct("pick up the fork", spoken_at)
    number = scene.planning.keeper.subtask.id
    decided = scene.move(2.5)
    assert outcomes(decided) == [("period", "overruled")] * len(decided) and len(decided) >= 2
    assert [d.publish for d in decided] == [True] + [False] * (len(decided) - 1)
    assert decided[0].answer == "pick up the cup" and decided[0].score == 0.5
    assert "the brain would have said 'pick up the cup'" in decided[0].reason
    scene.answer = SubtaskPrediction("", score=0.9, done=True)
    decided = scene.move(1.0)
    assert [(d.verdict.value, d.publish) for d in decided] == [("overruled", True)]
    subtask = scene.planning.keeper.subtask
    assert (subtask.id, subtask.text, subtask.source) == (number, "pick up the fork", "human")
    assert subtask.stamp_ns == spoken_at and subtask.overruled.text == ""
    assert subtask.overruled.score == 0.9 and subtask.overruled.stamp_ns == decided[0].stamp_ns
    scene.planning.instruct("put it down", scene.now)
    assert scene.planning.keeper.subtask.overruled is None


def test_an_answer_that_is_none_is_not_kept_and_does_not_make_the_robot_hold():
    scene = Scene()
    scene.move(0.5)
    scene.planning.instruct("pick up the fork", scene.now)
    scene.answer = "\x07 \x07"
    decided = scene.run(12.0)
    assert {d.verdict.value for d in decided} == {"overruled"}
    assert not any(d.publish for d in decided) and "the answer is unusable" in decided[0].reason
    assert scene.planning.keeper.subtask.overruled is None and scene.unfit == []
    question = scene.planning.question(scene.now + S)
    assert scene.planning.on_failure(question, "out of memory", scene.now, scene.now) is None


def test_an_answer_about_an_instruction_that_stands_no_more_is_dropped():
    for then in ("", "wait"):
        scene = Scene()
        scene.move(0.5)
        scene.planning.instruct("pick up the fork", scene.now)
        question = scene.planning.question(scene.now + S)
        scene.planning.instruct(then, scene.now + S)
        late = SubtaskPrediction("pick up the cup")
        assert scene.planning.on_answer(question, late, "model", scene.now, scene.now) is None


def test_a_brain_that_agrees_with_the_operator_takes_over_without_a_change():
    scene = Scene()
    scene.move(0.5)
    scene.planning.instruct("pick up the fork", scene.now)
    scene.planning.instruct("", scene.now)
    scene.answer = "pick up the fork"
    assert outcomes(scene.move(0.1)) == [("operator", "kept")]
    subtask = scene.planning.keeper.subtask
    assert (subtask.id, subtask.source) == (2, "model")


def test_an_operator_without_a_task_takes_it_back():
    scene = Scene(begin=False)
    assert scene.planning.instruct("pick up the fork", scene.now).task == ""
    back = scene.planning.instruct("", scene.now)
    assert outcomes([back]) == [("operator", "changed")] and back.publish and scene.text == ""
    assert scene.run(2.0) == []


def test_an_obsolete_answer_is_dropped():
    for interrupt in ("operator", "task", "end"):
        scene = Scene()
        question = scene.planning.question(scene.now)
        if interrupt == "operator":
            scene.planning.instruct("pick up the fork", scene.now)
        elif interrupt == "task":
            scene.planning.begin("make the bed", scene.now, None)
        else:
            scene.planning.end(scene.now)
        for answer in ("pick up the cup", ""):
            late = SubtaskPrediction(answer)
            assert scene.planning.on_answer(question, late, "model", scene.now, scene.now) is None
        assert scene.planning.on_failure(question, "broken", scene.now, scene.now) is None


def test_the_same_words_in_another_task_are_another_subtask():
    scene = Scene()
    scene.run(0.5)
    scene.planning.end(scene.now)
    scene.planning.begin("tidy up", scene.now, None)
    assert outcomes(scene.run(0.1)) == [("task", "changed")]
    assert scene.planning.keeper.subtask.id == 3


def test_done_of_a_model_must_be_repeated():
    scene = Scene()
    scene.move(0.5)
    scene.answer = SubtaskPrediction("", done=True)
    decided = scene.move(2.0)
    assert outcomes(decided) == [("period", "held_back"), ("period", "done")]
    assert not decided[-1].publish
    scene = Scene()
    scene.move(0.5)
    scene.answer, scene.chunk = SubtaskPrediction("", done=True), STILL
    decided = scene.run(1.0)
    assert outcomes(decided) == [("subtask_end", "held_back"), ("subtask_end", "done")]


@pytest.mark.parametrize("garbage", ["", " \n", "\x00\x1b\x07", "pick " * 2048, "... 42"])
def test_garbage_is_refused_and_the_last_good_subtask_stands_for_five_seconds(garbage):
    scene = Scene()
    scene.move(0.9)  # The last good answer came at 0.1 s.
    scene.answer = garbage
    decided = scene.move(9.0)
    assert set(outcomes(decided)) == {("period", "refused")}
    assert all(len(d.answer) <= 256 and d.answer.isprintable() for d in decided)
    assert "the last good subtask stands for at most 5 s" in decided[0].reason
    assert scene.text == "pick up the cup"  # It stands; that the robot holds is the bridge's.
    first, why = scene.unfit[0]
    assert first == pytest.approx(5.2) and why.startswith("no usable subtask for 5 s: the answer")
    assert len(scene.unfit) == 48  # And from then on without a gap.
    scene.answer, scene.unfit = "pick up the cup", []
    scene.move(1.2)
    assert scene.planning.unfit(scene.now) == ""
    assert len(scene.unfit) <= 10


def test_a_brain_that_fails_is_refused_with_the_reason():
    scene = Scene()
    question = scene.planning.question(scene.now)
    decision = scene.planning.on_failure(question, "out of memory", scene.now, scene.now + S)
    assert outcomes([decision]) == [("task", "refused")] and not decision.publish
    assert "the brain gave no answer: out of memory" in decision.reason
    assert "out of memory" in scene.planning.unfit(scene.now + 6 * S)


def test_a_brain_has_five_seconds_from_the_moment_that_it_is_on_its_own():
    scene = Scene()
    assert scene.planning.unfit(scene.now + 5 * S) == ""
    scene.planning.instruct("pick up the fork", scene.now + S)
    scene.planning.instruct("", scene.now + 60 * S)
    assert scene.planning.unfit(scene.now + 65 * S) == ""
    assert scene.planning.unfit(scene.now + 66 * S).startswith("no usable subtask for 6 s")


def test_words_of_an_operator_before_the_task_are_not_the_task_s():
    scene = Scene(begin=False)
    scene.planning.instruct("pick up the cup", scene.now)
    scene.planning.begin("put the dishes in the sink", scene.now, None)
    assert outcomes(scene.run(0.1)) == [("task", "changed")]
    assert scene.planning.keeper.subtask.task == "put the dishes in the sink"


def test_without_a_task_and_with_an_operator_nothing_is_unfit():
    scene = Scene(begin=False)
    assert scene.planning.unfit(scene.now + 60 * S) == ""
    scene = Scene()
    scene.planning.instruct("pick up the fork", scene.now)
    assert scene.planning.unfit(scene.now + 60 * S) == ""


def test_a_drawer_opened_and_closed_again_and_again_is_reported():
    scene = Scene(source="external")
    for k in range(5):
        scene.answer = ("open the drawer", "close the drawer")[k % 2]
        scene.move(10.0)
    assert "loop" not in scene.planning.warnings(scene.now)
    assert not any(d.loop for d in scene.decisions)
    scene.answer = "close the drawer"
    decided = scene.move(1.0)
    assert decided[-1].loop == ("open the drawer", "close the drawer")
    assert decided[-1].reason.endswith("the same 2 subtasks repeat")
    assert "open the drawer, close the drawer" in scene.planning.warnings(scene.now)["loop"]
    assert outcomes(decided) == [("period", "changed")]  # It is told, and stops nothing.
    scene.planning.instruct("close the drawer and leave it", scene.now)
    assert "loop" not in scene.planning.warnings(scene.now)


def test_the_same_subtask_for_a_minute_is_reported():
    scene = Scene()
    scene.move(60.0)
    assert scene.planning.warnings(scene.now) == {}
    scene.move(0.2)
    warning = scene.planning.warnings(scene.now)["same"]
    assert warning == "the subtask has been the same for 60 s: pick up the cup"
    implicit = Scene(source="implicit")
    implicit.move(61.0)
    assert implicit.planning.warnings(implicit.now) == {}


def test_without_a_brain_nobody_is_asked_and_the_robot_need_not_hold_for_an_answer():
    planning = Planning(PLATFORM, ReplanningSettings(), asks=False)
    planning.begin("put the dishes in the sink", 100 * S, None)
    for k in range(600):
        now = 100 * S + k * S // 10
        planning.on_state(now, HOME, HOME, True)
        assert planning.question(now) is None
        assert planning.unfit(now) == ""
    decision = planning.instruct("pick up the cup", now)
    assert decision.publish and planning.keeper.subtask.text == "pick up the cup"
    assert planning.keeper.subtask.task == "put the dishes in the sink"
    assert planning.question(now + S) is None
