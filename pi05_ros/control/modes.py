"""Modes of the control bridge and their transitions.

    DISARMED --arm--> HOLDING <--> RUNNING        (automatic: chunks and measurements)
       ^                 |            |
       |<----disarm------+------------+
    FAULTED  <--fault-- any mode below; --reset--> DISARMED
    STOPPED  <--stop--- any mode;       --reset--> DISARMED, --resume--> HOLDING

The most severe mode wins. Automatic transitions only go to a more severe mode, except for
HOLDING -> RUNNING; every other one needs a request of an operator.
"""

from __future__ import annotations

import enum

from pi05_ros.errors import MessageError

NOT_ARMED_YET = "not armed yet: call the service 'arm'"
_RESET = "{what} was reset: call 'arm'"
FAULT_RESET = _RESET.format(what="fault")
DEACTIVATED = "deactivated"
# Reasons that others compare with. Bags hold the texts of the release that recorded them.
RECOVERING = "inputs healthy, resuming after recovery_time"
ARM_AGAIN = "call 'arm' when inputs are healthy"  # Ends the reason of an automatic disarm.


class Mode(enum.IntEnum):
    """Mode of the bridge, by severity; values as in pi05_msgs/RobotState.MODE_*."""

    RUNNING = 1
    HOLDING = 2
    DISARMED = 3
    FAULTED = 4
    STOPPED = 5

    @property
    def is_armed(self) -> bool:
        """True if chunks may move the robot."""
        return self in (Mode.RUNNING, Mode.HOLDING)


class StateMachine:
    """Mode, its reason, and the epoch that chunks must carry.

    Attributes:
        mode: Current mode.
        reason: Reason of the mode, one clause; empty while RUNNING.
        epoch: Starts at 1 and rises whenever earlier chunks become void.
    """

    def __init__(self) -> None:
        self.mode = Mode.DISARMED
        self.reason = NOT_ARMED_YET
        self.epoch = 1
        self._fault = ""  # Latched fault, also under a stop: resume must not skip it.

    def void(self) -> None:
        """Void every chunk published so far."""
        self.epoch += 1

    def run(self) -> None:
        """Enter RUNNING: a chunk is being executed."""
        self._require_armed()
        self.mode, self.reason = Mode.RUNNING, ""

    def hold(self, reason: str) -> None:
        """Enter HOLDING: nothing is executed until the reason ends."""
        self._require_armed()
        self.mode, self.reason = Mode.HOLDING, reason

    def disarm(self, reason: str) -> bool:
        """Disarm. A fault or a stop stays latched.

        The reason is that of the last disarm, so that an operator's is always reported.

        Returns:
            True if it was armed.
        """
        if self.mode is Mode.DISARMED:
            self.reason = reason
        if not self.mode.is_armed:
            return False
        self._enter(Mode.DISARMED, reason)
        return True

    def fault(self, reason: str) -> bool:
        """Latch a fault. A stop stays a stop; the reason is that of the first fault.

        Returns:
            True if it was armed.
        """
        was_armed = self.mode.is_armed
        if self.mode < Mode.FAULTED:
            self._enter(Mode.FAULTED, reason)
        self._fault = self._fault or reason
        return was_armed

    def stop(self, reason: str) -> bool:
        """Latch a stop in any mode.

        Returns:
            True if it was armed.
        """
        was_armed = self.mode.is_armed
        self._enter(Mode.STOPPED, reason)
        return was_armed

    def reset(self) -> None:
        """Clear a fault or a stop; the robot still has to be armed."""
        if self.mode in (Mode.FAULTED, Mode.STOPPED):
            what = "stop" if self.mode is Mode.STOPPED else "fault"
            self._fault = ""
            self._enter(Mode.DISARMED, _RESET.format(what=what))

    def check_arm(self) -> None:
        """Raise MessageError with the reason if the mode does not allow arming."""
        if self.mode in (Mode.FAULTED, Mode.STOPPED):
            raise MessageError(f"{self.mode.name.lower()} ({self.reason}): call 'reset' first")

    def check_resume(self) -> None:
        """Raise MessageError with the reason if there is no stop to resume from."""
        if self._fault:
            raise MessageError(f"a fault is latched ({self._fault}): call 'reset', then 'arm'")
        if self.mode is not Mode.STOPPED:
            raise MessageError(f"nothing to resume: {self.mode.name.lower()}, not stopped")

    def arm(self) -> None:
        """Arm, also to resume after a stop; see check_arm and check_resume."""
        if self._fault:
            raise MessageError(f"a fault is latched ({self._fault}): call 'reset' first")
        self._enter(Mode.HOLDING, "armed, waiting for a chunk")

    def _require_armed(self) -> None:
        if not self.mode.is_armed:
            raise RuntimeError(f"only an armed bridge runs or holds; it is {self.mode.name}")

    def _enter(self, mode: Mode, reason: str) -> None:
        self.mode, self.reason = mode, reason
        self.void()


def with_problem(reason: str, problem: str) -> str:
    """Return the reason of DISARMED behind what would refuse to arm now, if anything does."""
    return f"{problem}; {reason}" if problem and reason != DEACTIVATED else reason


def without_problem(reason: str) -> str:
    """Return the reason of DISARMED alone; see `with_problem`."""
    return reason.rpartition("; ")[2]


def disarmed_by_itself(reason: str) -> bool:
    """Check whether the reason of DISARMED is that of an automatic disarm."""
    return reason.endswith(ARM_AGAIN)
