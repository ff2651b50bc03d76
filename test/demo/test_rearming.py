"""Rules for a robot that does not move, on a clock of the test."""

import pytest

from pi05_ros.control.modes import ARM_AGAIN, FAULT_RESET, NOT_ARMED_YET, Mode
from pi05_ros.demo.rearming import DELAYS_S, Rearming
from pi05_ros.evaluation.holds import RobotStatus

GONE = f"planner is gone: {ARM_AGAIN}"


class Run:
    """A run at real time, in steps of 0.1 s; the bridge answers at once."""

    def __init__(self):
        self.rearming = Rearming()
        self.now = 0.0
        self.mode, self.reason, self.trouble, self.since = Mode.RUNNING, "", False, None
        self.cause = ""  # Empty: the reason.
        self.lines = []
        self.arms = []  # When arm was called.
        self.resets = []  # When it was called with a reset before.
        self.answer = (True, "holding: armed, waiting for a chunk")  # None: none comes.
        self.failure = ""

    @property
    def robot(self):
        return RobotStatus(self.mode, self.reason, self.now, self.since, self.cause or self.reason)

    def be(self, mode, reason="", trouble=None):
        """The robot's mode changes."""
        self.mode, self.reason = mode, reason
        trouble = mode is not Mode.RUNNING if trouble is None else trouble
        self.since = (self.now if self.since is None else self.since) if trouble else None

    def go(self, seconds):
        """Lets time pass; returns the last notice."""
        notice = ""
        for _ in range(round(seconds * 10)):
            step = self.rearming.step(self.robot, self.now)
            notice = step.notice
            self.lines += [f"{self.now:.1f} {line}" for line in step.lines]
            self.failure = self.failure or step.failure
            if self.failure:
                break
            if step.reset:
                self.resets.append(round(self.now, 1))
            if step.arm:
                self.arms.append(round(self.now, 1))
                if self.answer is not None:
                    line = self.rearming.answered(*self.answer, self.now)
                    self.lines.append(f"{self.now:.1f} {line}")
            self.now = round(self.now + 0.1, 1)
        return notice


def test_a_robot_that_moves_needs_nothing():
    run = Run()
    assert run.go(100.0) == ""
    assert (run.lines, run.arms, run.failure) == ([], [], "")
    assert run.rearming.failure_at_limit(run.robot) == ""


def test_a_hold_is_shown_at_once_told_once_and_its_end_too():
    run = Run()
    run.go(1.0)
    run.be(Mode.HOLDING, "planner is silent for 0.2 s")
    assert run.go(0.1) == "the robot holds: planner is silent for 0.2 s; it resumes automatically"
    assert run.lines == []
    run.go(0.9)
    run.reason = "planner is silent for 1.1 s"
    run.go(3.0)
    run.be(Mode.RUNNING)
    run.go(1.0)
    assert run.lines == [
        "2.0 the robot holds: planner is silent for 1.1 s; it resumes automatically",
        "5.0 the robot moves again after 3.9 simulated seconds",
    ]
    assert run.arms == []


def test_a_hold_that_waits_to_trust_its_input_says_what_was_wrong():
    run = Run()
    run.be(Mode.HOLDING, "planner is silent for 0.2 s")
    run.go(0.5)
    run.cause, run.reason = run.reason, "all is well again, waiting to trust it"
    notice = run.go(1.0)
    assert notice == (
        "the robot holds: all is well again, waiting to trust it (before: planner is silent for "
        "0.2 s); it resumes automatically"
    )
    run.cause, run.reason = "", "planner is silent for 0.3 s"
    run.go(1.0)
    run.reason = "policy is silent for 0.2 s"
    run.go(0.1)
    assert run.lines == [
        f"1.0 {notice}",
        "2.5 the robot holds: policy is silent for 0.2 s; it resumes automatically",
    ]


def test_causes_that_alternate_within_a_second_are_told():
    run = Run()
    for i in range(6):
        run.be(Mode.HOLDING, f"{('planner', 'policy')[i % 2]} is silent for 0.2 s")
        run.go(0.4)
    assert [line.split()[0] for line in run.lines] == ["1.0", "1.2"]


def test_a_hold_shorter_than_a_second_is_not_printed():
    run = Run()
    for _ in range(10):
        run.be(Mode.HOLDING, "the last chunk is over and no other came")
        run.go(0.9)
        run.be(Mode.RUNNING)
        run.go(0.5)
    assert run.lines == []


def test_a_cause_that_comes_back_soon_is_not_told_again():
    run = Run()
    for _ in range(4):
        run.be(Mode.HOLDING, "planner is silent for 0.2 s")
        run.go(2.0)
        run.be(Mode.RUNNING)
        run.go(10.0)
    told = [line for line in run.lines if "holds" in line]
    assert [line.split()[0] for line in told] == ["1.0", "37.0"]


def test_it_arms_again_after_a_peer_was_gone():
    run = Run()
    run.go(1.0)
    run.be(Mode.DISARMED, GONE)
    notice = run.go(0.1)
    assert notice == "disarmed: planner is gone; the demo arms it in 2 s (1 of 5)"
    run.go(1.9)
    assert run.arms == []
    run.go(0.1)
    assert run.arms == [3.0]
    run.be(Mode.HOLDING, "armed, waiting for a chunk")
    run.go(0.5)
    run.be(Mode.RUNNING)
    run.go(0.5)
    assert run.lines == [
        "1.0 disarmed: planner is gone; the demo arms it in 2 s (1 of 5)",
        "3.0 the demo arms the robot (1 of 5)",
        "3.0 the bridge answers: holding: armed, waiting for a chunk",
        "3.6 the robot moves again after 2.5 simulated seconds",
    ]


def test_refused_tries_wait_longer_each_time_and_end_with_one_sentence():
    run = Run()
    run.answer = (False, "not armed: not heard: planner; are the nodes active?")
    run.be(Mode.DISARMED, GONE)
    run.go(200.0)
    due, expected = 0.0, []
    for delay in DELAYS_S:
        due = round(due + delay + bool(expected) * 0.1, 1)  # A step between answer and delay.
        expected.append(due)
    assert run.arms == expected
    assert run.failure == (
        "the robot does not stay armed: disarmed: planner is gone; the demo armed it 5 times, "
        "the bridge answered last: not armed: not heard: planner; are the nodes active?"
    )
    told = [line for line in run.lines if "arms it in" in line]
    assert [line.rsplit("in ", 1)[1] for line in told] == [
        f"{delay:.0f} s ({number} of 5)" for number, delay in enumerate(DELAYS_S, 1)
    ]


def test_a_robot_that_is_armed_and_disarmed_over_and_over_ends_the_run():
    run = Run()
    for _ in range(6):
        run.be(Mode.DISARMED, GONE)
        run.go(40.0 if len(run.arms) == 5 else DELAYS_S[len(run.arms)] + 0.1)
        run.be(Mode.RUNNING)
        run.go(9.0)
    assert len(run.arms) == 5
    assert run.failure.startswith("the robot does not stay armed: disarmed: planner is gone; ")


def test_a_robot_that_moved_for_a_while_has_all_its_tries_again():
    run = Run()
    for _ in range(12):
        run.be(Mode.DISARMED, GONE)
        run.go(2.1)
        run.be(Mode.RUNNING)
        run.go(10.2)
    assert (len(run.arms), run.failure) == (12, "")


def test_the_state_may_come_later_than_the_bridges_answer():
    run = Run()
    run.be(Mode.DISARMED, GONE)
    run.go(3.9)
    assert run.arms == [2.0]
    assert run.go(0.1) == "disarmed: planner is gone; the bridge was armed, waiting for its state"
    run.be(Mode.RUNNING)
    run.go(5.0)
    assert (run.arms, run.failure) == ([2.0], "")


def test_without_an_answer_it_asks_no_second_time():
    run = Run()
    run.answer = None
    run.be(Mode.DISARMED, GONE)
    assert run.go(60.0) == "disarmed: planner is gone; waiting for the bridge's answer"
    assert run.arms == [2.0]
    assert run.rearming.failure_at_limit(run.robot).endswith(
        "the demo armed it once, the bridge answered last: nothing yet"
    )
    run.rearming.answered(False, "no answer", run.now)
    run.go(5.0)
    assert len(run.arms) == 2


@pytest.mark.parametrize(
    ("mode", "reason", "state"),
    [
        (Mode.DISARMED, "disarmed by an operator", "disarmed by an operator"),
        (Mode.DISARMED, "stop was reset: call 'arm'", "disarmed: stop was reset: call 'arm'"),
        (Mode.DISARMED, "fault was reset: call 'arm'", "disarmed: fault was reset: call 'arm'"),
        (Mode.STOPPED, "stopped by an operator", "stopped by an operator"),
    ],
)
def test_nothing_is_done_against_an_operator(mode, reason, state):
    run = Run()
    run.be(Mode.DISARMED, GONE)
    run.go(1.0)  # Also when it was about to arm.
    run.be(mode, reason)
    notice = run.go(100.0)
    assert notice == f"{state}; the demo waits for the operator until the time limit"
    assert run.lines[1:] == [f"1.0 {notice}"]
    assert (run.arms, run.failure) == ([], "")
    assert run.rearming.failure_at_limit(run.robot) == (
        "the robot stood for the last 101 simulated seconds before the time limit: "
        f"{state}; the demo waited for the operator"
    )


OFF = "joint arm_1 is 0.30 rad from its command"


def test_a_fault_of_a_simulated_robot_is_reset_and_armed():
    run = Run()
    run.be(Mode.FAULTED, OFF)
    assert run.go(0.1) == (
        f"faulted: {OFF}; the demo resets the fault and arms it in 2 s (1 of 5)"
    )
    run.go(1.9)
    assert run.arms == []
    run.go(0.1)
    assert (run.arms, run.resets) == ([2.0], [2.0])
    assert run.lines[-2:] == [
        "2.0 the demo resets the fault and arms the robot (1 of 5)",
        "2.0 the bridge answers: holding: armed, waiting for a chunk",
    ]
    run.be(Mode.RUNNING)
    assert run.go(1.0) == ""


def test_a_fault_that_comes_back_ends_the_run():
    run = Run()
    run.be(Mode.FAULTED, OFF)
    run.go(200.0)
    assert len(run.arms) == len(run.resets) == len(DELAYS_S)
    assert run.failure == (
        f"the robot does not stay armed: faulted: {OFF}; the demo armed it 5 times, the bridge "
        "answered last: holding: armed, waiting for a chunk"
    )


def test_a_robot_that_was_reset_and_not_armed_is_still_the_demos():
    run = Run()
    run.answer = (False, "not armed: still coming to rest: arm again in a moment")
    run.be(Mode.FAULTED, OFF)
    run.go(2.1)
    run.be(Mode.DISARMED, FAULT_RESET)
    run.go(4.2)
    assert (run.arms, run.resets) == ([2.0, 6.1], [2.0])


def test_a_fault_after_an_operators_word_is_left_to_the_operator():
    run = Run()
    run.be(Mode.DISARMED, "disarmed by an operator")
    run.go(1.0)
    run.be(Mode.FAULTED, OFF)
    assert run.go(60.0) == f"faulted: {OFF}; the demo waits for the operator until the time limit"
    assert run.arms == []


def test_a_bridge_that_has_not_armed_itself_is_helped_late():
    run = Run()
    run.be(Mode.DISARMED, NOT_ARMED_YET)
    assert run.go(0.1) == (
        "disarmed: not armed yet: call the service 'arm'; it arms itself when its input is "
        "healthy; the demo arms it in 30 s (1 of 5)"
    )
    run.go(29.9)
    assert run.arms == []
    run.go(0.1)
    assert run.arms == [30.0]


def test_a_bridge_that_is_activated_anew_is_armed_as_if_it_had_disarmed():
    run = Run()
    run.go(1.0)
    run.be(Mode.DISARMED, "deactivated")
    notice = run.go(10.0)
    assert notice == "disarmed: deactivated; the demo waits until the bridge is activated again"
    assert run.arms == []
    run.be(Mode.DISARMED, NOT_ARMED_YET)
    assert run.go(0.1).endswith("call the service 'arm'; the demo arms it in 2 s (1 of 5)")
    assert run.rearming.failure_at_limit(run.robot).endswith("; the demo was about to arm it")
    run.go(2.0)
    assert run.arms == [13.0]


def test_an_operators_word_outlasts_a_bridge_that_is_activated_anew():
    run = Run()
    run.be(Mode.DISARMED, "disarmed by an operator")
    run.go(1.0)
    run.be(Mode.DISARMED, "deactivated")
    run.go(1.0)
    run.be(Mode.DISARMED, NOT_ARMED_YET)
    assert run.go(60.0).endswith("; the demo waits for the operator until the time limit")
    assert run.arms == []
    run.be(Mode.HOLDING, "armed, waiting for a chunk")  # The operator armed it.
    run.go(1.0)
    run.be(Mode.DISARMED, GONE)
    run.go(2.1)
    assert run.arms == [65.0]


def test_a_bridge_that_says_nothing_is_told():
    run = Run()
    run.be(None, "control_bridge is silent for 2.1 s", trouble=True)
    run.go(0.1)
    assert run.lines == [
        "0.0 control_bridge is silent for 2.1 s; the demo waits for it until the time limit"
    ]


def test_a_robot_without_a_subtask_is_told_of_and_no_failure():
    run = Run()
    run.be(Mode.HOLDING, "nothing to do", trouble=False)
    assert run.go(4.9) == ""
    notice = run.go(60.0)
    assert notice == "the planner gives no subtask; the demo waits for one until the time limit"
    assert run.rearming.failure_at_limit(run.robot) == ""
    run.be(Mode.RUNNING)
    run.go(1.0)
    assert run.lines == [f"5.0 {notice}", "64.9 the robot moves again"]


def test_only_a_robot_that_stood_for_five_seconds_fails_at_the_limit():
    run = Run()
    run.be(Mode.HOLDING, "policy: no camera set")
    run.go(4.9)
    assert run.rearming.failure_at_limit(run.robot) == ""
    run.go(0.1)
    assert run.rearming.failure_at_limit(run.robot) == (
        "the robot stood for the last 5 simulated seconds before the time limit: holding: "
        "policy: no camera set; the demo waited for it to go on by itself"
    )
