"""A run followed to its end, on a clock of the test and without its graph."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from pi05_ros.control.modes import ARM_AGAIN, DEACTIVATED, Mode
from pi05_ros.demo.watch import RunWatch
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.run_record import Outcome, RunRecord, Score


class Demo:
    """A run whose robot executes chunks, in steps of 0.1 s of both clocks."""

    def __init__(self, seconds=60.0):
        self.record = RunRecord()
        self.wall = 0.0
        self.lines = []
        self.calls = []  # Futures of calls of arm.
        self.resets = []  # Whether each was to reset a fault before.
        self.forgotten = []
        self.mode, self.reason = Mode.RUNNING, ""
        self.record.clock(0.0, 0.0)
        self.record.robot_state(self.mode, self.reason)
        self.record.begin()
        self.record.subtask("pick up the plate", "external")
        bridge = SimpleNamespace(arm=self._arm, forget_arm=self.forgotten.append)
        self.watch = RunWatch(self.record, seconds, bridge, self.lines.append, lambda: self.wall)

    def _arm(self, reset):
        self.resets.append(reset)
        self.calls.append(Future())
        return self.calls[-1]

    def be(self, mode, reason=""):
        self.mode, self.reason = mode, reason

    def go(self, seconds, time_runs=True):
        """Lets time pass; returns why the run ended, if it did."""
        for _ in range(round(10 * seconds)):
            self.wall += 0.1
            if time_runs:
                self.record.clock(self.record.sim_s + 0.1, self.wall)
                self.record.robot_state(self.mode, self.reason)
            if ended := self.watch.step():
                return ended
        return ""


def test_a_robot_that_moved_ends_with_the_time_however_few_its_points():
    demo = Demo(seconds=20.0)
    demo.record.score = Score(5.0, 8.0)
    assert demo.go(30.0) == "time"
    assert demo.record.sim_s == pytest.approx(20.0, abs=0.1)
    assert demo.lines == []


def test_a_robot_that_stood_for_a_moment_at_the_end_too():
    demo = Demo(seconds=20.0)
    demo.go(16.0)
    demo.be(Mode.HOLDING, "planner is silent for 0.2 s")
    assert demo.go(30.0) == "time"


def test_a_robot_that_stood_at_the_time_limit_is_a_failure():
    demo = Demo(seconds=20.0)
    demo.go(10.0)
    demo.be(Mode.DISARMED, "disarmed by an operator")
    with pytest.raises(Pi05Error) as caught:
        demo.go(30.0)
    assert str(caught.value) == (
        "the robot stood for the last 10 simulated seconds before the time limit: disarmed by an "
        "operator; the demo waited for the operator"
    )
    assert demo.calls == []


def test_all_points_or_the_planners_word_end_it_before():
    demo = Demo()
    demo.record.score = Score(8.0, 8.0)
    assert demo.go(5.0) == "full score"
    for outcome, ended in (
        (Outcome(True, ""), "task done"),
        (Outcome(False, "it was cancelled"), "planner: it was cancelled"),
    ):
        demo = Demo()
        demo.record.outcome = outcome
        assert demo.go(1.0) == ended


def test_it_arms_a_robot_that_disarmed_by_itself_and_tells_the_answer():
    demo = Demo()
    demo.go(5.0)
    demo.be(Mode.DISARMED, f"planner is gone: {ARM_AGAIN}")
    demo.go(1.0)
    assert demo.watch.notice == "disarmed: planner is gone; the demo arms it in 1 s (1 of 5)"
    demo.go(1.5)
    (call,) = demo.calls
    call.set_result(SimpleNamespace(success=True, message="holding: armed, waiting for a chunk"))
    demo.be(Mode.RUNNING)
    demo.go(1.0)
    assert demo.watch.notice == ""
    assert demo.lines == [
        "disarmed: planner is gone; the demo arms it in 2 s (1 of 5)",
        "the demo arms the robot (1 of 5)",
        "the bridge answers: holding: armed, waiting for a chunk",
        "the robot moves again after 2.4 simulated seconds",
    ]
    (hold,) = demo.record.holds()
    assert (hold.mode, hold.reason) == (Mode.DISARMED, f"planner is gone: {ARM_AGAIN}")


def test_a_bridge_that_does_not_answer_is_told_and_asked_again():
    demo = Demo(seconds=100.0)
    demo.be(Mode.DISARMED, f"planner is gone: {ARM_AGAIN}")
    demo.go(12.0)
    assert (len(demo.calls), demo.forgotten) == (1, [])
    demo.go(0.5)
    assert demo.forgotten == demo.calls[:1]
    assert "the bridge answers: nothing within 10 s" in demo.lines
    demo.go(5.0)
    assert len(demo.calls) == 2


def test_a_bridge_that_is_deactivated_is_waited_for_with_what_the_graph_waits_for():
    demo = Demo()
    demo.record.graph_state = "waiting"
    demo.record.graph_message = "waiting: planner (no answer for 5 s)"
    demo.be(Mode.DISARMED, DEACTIVATED)
    demo.go(1.0)
    assert demo.lines == [
        "disarmed: deactivated; the demo waits until the bridge is activated again "
        "(waiting: planner (no answer for 5 s))"
    ]


def test_a_fault_is_reset_and_one_that_stays_ends_it_with_its_reason():
    demo = Demo(seconds=300.0)
    demo.be(Mode.FAULTED, "somebody pulls")
    demo.go(3.0)
    assert demo.resets == [True]
    with pytest.raises(Pi05Error, match=r"does not stay armed: faulted: somebody pulls; the demo"):
        demo.go(250.0)


def test_time_that_stands_still_is_told_before_it_ends_the_run():
    demo = Demo()
    demo.go(5.0)
    demo.record.simulation_waits_for = "planner"
    demo.go(4.0, time_runs=False)
    sentence = "simulated time has stood still for 3 s: the simulation waits for planner"
    assert demo.lines == [f"{sentence}; the demo ends after 30 s of it"]
    assert demo.watch.notice.startswith("simulated time has stood still for 4 s: ")
    with pytest.raises(Pi05Error, match=r"^simulated time has stood still for 30 s: the sim"):
        demo.go(30.0, time_runs=False)
