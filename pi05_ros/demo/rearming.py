"""Rules for a robot that does not move: report why, arm it again, or give up.

Only a simulated robot may be armed without a person beside it, and none against an operator:

    HOLDING               wait; the bridge goes on by itself
    DISARMED, by itself   arm after a delay, at most len(DELAYS_S) times in a row
    DISARMED, deactivated wait for the lifecycle manager; then it is not armed yet
    DISARMED, not armed   at first the bridge arms itself; later as if disarmed by itself
    DISARMED, otherwise   wait for the operator, also where it is deactivated meanwhile
    STOPPED               wait for the operator
    FAULTED               reset and arm, as if disarmed by itself: no person is beside a
                          simulated robot that has run into something
    bridge is silent      wait

Every wait ends at the time limit of the run at the latest; see failure_at_limit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pi05_ros.control.modes import (
    ARM_AGAIN,
    DEACTIVATED,
    FAULT_RESET,
    NOT_ARMED_YET,
    Mode,
    disarmed_by_itself,
    without_problem,
)
from pi05_ros.evaluation.holds import Robot

# Delay before each try to arm [wall s]. A node that has died comes back in wall time, and later
# the slower the machine is. About a minute in all.
DELAYS_S = (2.0, 4.0, 8.0, 16.0, 30.0)
_FIRST_S = 30.0  # Delay of the first try: the bridge of a mock home arms itself [wall s].
_SETTLED_S = 10.0  # Motion for so long resets the count of tries [simulated s].
_REPORT_S = 1.0  # A shorter HOLDING is not reported [wall s]: the next chunk may be under way.
_REPEAT_S = 30.0  # A cause that comes back is reported again after so long [wall s].
_ARMED_S = 2.0  # robot_state shows within so long that the bridge was armed [wall s].
_IDLE_S = 5.0  # A robot without a subtask for so long is reported [wall s].
_STOOD_S = 5.0  # A run whose robot stood for so long at its end has failed [simulated s].


@dataclass(frozen=True)
class Step:
    """Action of the demo for now."""

    notice: str = ""  # Why nothing moves and what the demo will do; empty: it moves or is idle.
    lines: tuple[str, ...] = ()  # To be printed now, each once.
    arm: bool = False  # Call the bridge's service arm, and pass its answer to `answered`.
    reset: bool = False  # Before that, call its service reset.
    failure: str = ""  # The run ends with this sentence; empty: it goes on.


class Rearming:
    """Applies the rules. `step` is to be called several times a second while the task runs."""

    def __init__(self) -> None:
        self._tries = 0  # Calls of arm since the robot last moved for a while.
        self._was_armed = False  # Whether the robot has been armed in this run.
        self._by_operator = False  # Whether an operator disarmed it, and has not armed it again.
        self._has_reset = False  # Whether the demo has reset a fault.
        self._pending = False  # Whether a call of arm has no answer yet.
        self._answer = ""  # The bridge's last answer.
        self._due: float | None = None  # When to arm [wall s].
        self._armed_at = float("-inf")  # When the bridge last answered that it is armed [wall s].
        self._cause: tuple[Mode | None, str] | None = None  # Cause of the present standstill.
        self._since = 0.0  # When the robot came to stand in this mode [wall s].
        # Cause -> when it was reported last [wall s].
        self._reported_at: dict[tuple[Mode | None, str], float] = {}
        # Causes that were reported in the present standstill.
        self._reported: set[tuple[Mode | None, str]] = set()
        self._stood_s = 0.0  # Length of the present standstill [simulated s].
        self._moves_since: float | None = None  # [simulated s]
        self._idle_since: float | None = None  # Since when it has had nothing to do [wall s].

    def step(self, robot: Robot, wall_s: float, graph: str = "") -> Step:
        """Decide what to do now.

        Args:
            robot: State of the robot.
            wall_s: A steady wall clock [s].
            graph: What the lifecycle manager waits for; empty: nothing.
        """
        self._update_tries(robot)
        self._update_operator(robot)
        if robot.trouble_since_s is None:
            return self._no_trouble(robot, wall_s)
        self._idle_since = None
        self._stood_s = robot.troubled_s
        if self._cause is None or self._cause[0] is not robot.mode:
            self._since = wall_s
        self._cause = _cause(robot)
        if robot.mode in (Mode.DISARMED, Mode.FAULTED) and self._may_arm(robot):
            return self._disarmed(robot, wall_s)
        self._due = None
        if robot.mode is Mode.HOLDING:
            notice = f"the robot holds: {_why(robot)}; it goes on by itself"
        elif robot.mode is None:
            notice = f"{robot.reason}; the demo waits for it until the time limit"
        elif not self._by_operator:
            notice = f"{_state(robot)}; the demo waits until the bridge is activated again"
            notice += f" ({graph})" if graph else ""
        else:
            notice = f"{_state(robot)}; the demo waits for the operator until the time limit"
        patience = _REPORT_S if robot.mode is Mode.HOLDING else 0.0
        is_due = wall_s - self._since >= patience
        return Step(notice, self._once(notice, wall_s, self._cause) if is_due else ())

    def answered(self, is_armed: bool, message: str, wall_s: float) -> str:
        """Take the answer to a call of arm.

        Args:
            is_armed: Whether the bridge is armed.
            message: Its answer, or why there is none.
            wall_s: A steady wall clock [s].

        Returns:
            A line to print.
        """
        self._pending, self._answer = False, message
        if is_armed:
            self._armed_at = wall_s
        return f"the bridge answers: {message}"

    def failure_at_limit(self, robot: Robot) -> str:
        """Return why a run that its time limit ends has failed; empty: it has not.

        Args:
            robot: State of the robot at that moment.
        """
        if robot.troubled_s < _STOOD_S:
            return ""
        if self._by_operator:
            tried = "waited for the operator"
        elif self._tries:
            tried = f"armed it {_times(self._tries)}, the bridge answered last: {self._answer}"
        elif self._due is not None:
            tried = "was about to arm it"
        else:
            tried = "waited for it to go on by itself"
        return (
            f"the robot stood for the last {robot.troubled_s:.0f} simulated seconds before the "
            f"time limit: {_state(robot)}; the demo {tried}"
        )

    def _update_operator(self, robot: Robot) -> None:
        """Note whether an operator disarmed the robot.

        The note outlives a bridge that is activated again without a trace of the operator.
        """
        mode = robot.mode
        if mode is None:
            return
        if mode.is_armed:
            self._was_armed, self._by_operator = True, False
        elif mode is not Mode.FAULTED:
            own = (NOT_ARMED_YET, DEACTIVATED)
            reason = without_problem(robot.reason)
            by_itself = reason in own or disarmed_by_itself(reason)
            by_itself |= self._has_reset and reason == FAULT_RESET
            self._by_operator |= mode is Mode.STOPPED or not by_itself

    def _may_arm(self, robot: Robot) -> bool:
        """Check whether a robot that is DISARMED may be armed without an operator."""
        return not self._by_operator and robot.reason != DEACTIVATED

    def _update_tries(self, robot: Robot) -> None:
        if robot.mode is not Mode.RUNNING:
            self._moves_since = None
        elif self._moves_since is None:
            self._moves_since = robot.sim_s
        elif robot.sim_s - self._moves_since >= _SETTLED_S:
            self._tries = 0

    def _no_trouble(self, robot: Robot, wall_s: float) -> Step:
        reported = self._reported
        if robot.mode is not Mode.HOLDING:
            self._reported = set()
        self._cause = self._due = None
        if reported and robot.mode is Mode.RUNNING:
            after = f" after {self._stood_s:.1f} simulated seconds" if self._stood_s else ""
            return Step(lines=(f"the robot moves again{after}",))
        if robot.mode is not Mode.HOLDING:
            self._idle_since = None
            return Step()
        if self._idle_since is None:
            self._idle_since = wall_s
        if wall_s - self._idle_since < _IDLE_S:
            return Step()
        self._stood_s = 0.0  # Nothing is wrong with the robot.
        notice = "the planner gives no subtask; the demo waits for one until the time limit"
        return Step(notice, self._once(notice, wall_s, (robot.mode, notice)))

    def _disarmed(self, robot: Robot, wall_s: float) -> Step:
        """Decide for a robot that the bridge disarmed or faulted, or has not armed yet."""
        state = _state(robot)
        if self._pending:
            return Step(f"{state}; waiting for the bridge's answer")
        if wall_s - self._armed_at < _ARMED_S:
            return Step(f"{state}; the bridge was armed, waiting for its state")
        if self._tries == len(DELAYS_S):
            return Step(
                failure=f"the robot does not stay armed: {state}; the demo armed it "
                f"{_times(self._tries)}, the bridge answered last: {self._answer}"
            )
        if self._due is None:
            delay = DELAYS_S[self._tries]
            if self._arms_itself(robot):
                delay = _FIRST_S
            self._due = wall_s + delay
            self._reported_at.pop(_cause(robot), None)  # Each try is reported.
            self._reported.discard(_cause(robot))
        left = max(0.0, self._due - wall_s)
        is_faulted = robot.mode is Mode.FAULTED
        number = f"({self._tries + 1} of {len(DELAYS_S)})"
        if left > 0:
            if self._arms_itself(robot):
                state = f"{state}; it arms itself when its input is healthy"
            what = "resets the fault and arms it" if is_faulted else "arms it"
            notice = f"{state}; the demo {what} in {left:.0f} s {number}"
            return Step(notice, self._once(notice, wall_s, _cause(robot)))
        self._tries += 1
        self._pending, self._due = True, None
        self._reported.add(_cause(robot))
        self._answer = "nothing yet"
        self._has_reset |= is_faulted
        what = "resets the fault and arms" if is_faulted else "arms"
        line = f"the demo {what} the robot {number}"
        return Step(line, (line,), arm=True, reset=is_faulted)

    def _arms_itself(self, robot: Robot) -> bool:
        """Check whether the bridge may still arm itself: it does so once in its life."""
        reason = without_problem(robot.reason)
        return reason == NOT_ARMED_YET and not self._was_armed and not self._tries

    def _once(self, notice: str, wall_s: float, cause: tuple[Mode | None, str]) -> tuple[str, ...]:
        """The notice as a line, unless its cause was reported recently or in this standstill."""
        last = self._reported_at.get(cause, float("-inf"))
        if cause in self._reported or wall_s - last < _REPEAT_S:
            return ()
        self._reported_at[cause] = wall_s
        self._reported.add(cause)
        return (notice,)


def fault_sentence(reason: str) -> str:
    """Sentence for a fault that is latched before the task has begun."""
    return f"the robot is faulted: {reason}; the demo does not begin with a fault"


def _cause(robot: Robot) -> tuple[Mode | None, str]:
    """Key of a standstill. Numbers do not count: "for 0.2 s" and "for 1.2 s" are one."""
    return robot.mode, re.sub(r"[0-9.]+", "#", robot.cause or robot.reason)


def _state(robot: Robot) -> str:
    """Mode and reason as one clause."""
    if robot.mode is None:
        return robot.reason
    reason = _why(robot).removesuffix(f": {ARM_AGAIN}")
    mode = robot.mode.name.lower()
    return reason if reason.startswith(mode) else f"{mode}: {reason}"


def _why(robot: Robot) -> str:
    """The reason and, when input is healthy again, also what was wrong with it."""
    if robot.cause in ("", robot.reason):
        return robot.reason
    return f"{robot.reason} (before: {robot.cause})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
