"""A task while an operator drives the robot through teleop, and when he gives it back."""

import numpy as np
import pytest

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.planning.ending import EndingSettings
from pi05_ros.planning.planning import Planning
from pi05_ros.planning.replanning import ReplanningSettings, Trigger
from pi05_ros.planning.robot_watch import RobotMode
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
HOME = PLATFORM.home
S = 1_000_000_000
DONE = SubtaskPrediction("", score=0.9, done=True)


class Scene:
    """A task, a brain that answers at once, and a robot that stands; a step is 0.1 s."""

    def __init__(self, limit=None, **ending):
        self.planning = Planning(PLATFORM, ReplanningSettings(), ending=EndingSettings(**ending))
        self.now = 100 * S
        self.answer = SubtaskPrediction("pick up the cup", score=0.9)
        self.by_operator = False
        self.asked = []
        self.decisions = []
        self.planning.begin("put the dishes in the sink", self.now, limit)

    def run(self, seconds):
        """Advance the time; return the triggers of the queries made meanwhile."""
        first = len(self.asked)
        for _ in range(round(seconds * 10)):
            self.now += S // 10
            self.planning.on_state(self.now, HOME, HOME, True, self.by_operator)
            self.planning.on_mode(RobotMode.RUNNING, self.now)
            question = self.planning.question(self.now)
            if question is not None:
                self.asked.append(question.trigger)
                made = self.planning.on_answer(question, self.answer, "model", self.now, self.now)
                self.decisions.append(made)
        return self.asked[first:]


def test_an_operator_who_stands_still_is_no_stall():
    scene = Scene(max_stalls=1, retries=0)
    scene.run(1)
    scene.by_operator = True
    assert set(scene.run(60)) == {Trigger.PERIOD}
    assert not scene.planning.failure(scene.now)
    scene.by_operator = False
    assert scene.run(0.1) == [Trigger.OPERATOR]
    assert Trigger.STALL in scene.run(30)  # The policy that stands still is.


def test_stalls_before_a_takeover_do_not_count_after_it():
    scene = Scene(max_stalls=3, retries=0)
    while scene.asked.count(Trigger.STALL) < 2:
        scene.run(0.1)
    scene.by_operator = True
    scene.run(1)
    scene.by_operator = False
    while scene.asked.count(Trigger.STALL) < 4:
        scene.run(0.1)
    assert not scene.planning.failure(scene.now)
    while scene.asked.count(Trigger.STALL) < 5:
        scene.run(0.1)
    assert "3 stalls in a row" in scene.planning.failure(scene.now)


@pytest.mark.parametrize("limit", [None, 20.0])
def test_time_that_an_operator_drives_does_not_count(limit):
    scene = Scene(limit=limit, time_budget_s=20.0, max_stalls=1000)

    def is_late():
        late = scene.planning.keeper.out_of_time(scene.now)
        return bool(scene.planning.failure(scene.now)) or late

    scene.run(10)
    scene.by_operator = True
    scene.run(60)
    assert not is_late()
    scene.by_operator = False
    scene.run(9)
    assert not is_late()
    scene.run(1.2)
    assert is_late()


def test_the_task_is_not_suspended_and_not_done_while_an_operator_drives():
    scene = Scene()
    scene.run(3)
    scene.by_operator, scene.answer = True, DONE
    scene.run(5)
    assert scene.planning.suspended == "" and scene.planning.keeper.task is not None
    assert scene.decisions[-1].verdict.value == "held_back"
    assert scene.decisions[-1].reason.endswith("which does not count: an operator drives")
    scene.by_operator = False
    scene.run(5)
    assert "done" in [decision.verdict.value for decision in scene.decisions]


def test_an_overridden_chunk_that_stands_still_asks_for_nothing():
    scene = Scene()
    scene.run(3)
    scene.by_operator = True
    scene.run(1)
    still = np.tile(HOME, (50, 1))
    for _ in range(20):
        scene.planning.on_chunk(scene.planning.keeper.subtask.id, still)
        assert Trigger.SUBTASK_END not in scene.run(0.1)
    scene.by_operator = False
    scene.run(0.1)
    scene.planning.on_chunk(scene.planning.keeper.subtask.id, still)
    assert Trigger.SUBTASK_END in scene.run(1)


def test_an_operator_who_was_last_seen_long_ago_excuses_nothing():
    scene = Scene(time_budget_s=20.0)
    scene.by_operator = True
    scene.run(1)
    scene.now += 60 * S  # The bridge is silent.
    assert "time budget" in scene.planning.failure(scene.now)
