"""The bridge's modes and who may change them.

    DISARMED --arm--> HOLDING <--> RUNNING        (by itself: chunks and measurements)
       ^                 |            |
       |<----disarm------+------------+
    FAULTED  <--fault-- any mode below; --reset--> DISARMED
    STOPPED  <--stop--- any mode;       --reset--> DISARMED, --resume--> HOLDING

The most severe mode wins: by itself a mode only ever becomes more severe, but for
HOLDING -> RUNNING; everything else is an operator's word.
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
    """Values are those of pi05_msgs/RobotState.MODE_*, from the least to the most severe."""

    RUNNING = 1
    HOLDING = 2
    DISARMED = 3
    FAULTED = 4
    STOPPED = 5

    @property
    def is_armed(self) -> bool:
        """Whether chunks may move the robot."""
        return self in (Mode.RUNNING, Mode.HOLDING)


class StateMachine:
    """Mode, its reason, and the epoch that chunks must carry.

    Attributes:
        mode: The present mode.
        reason: Why it is what it is, in plain words; empty when there is nothing to say.
        epoch: Rises whenever earlier chunks become void, from 1.
    """

    def __init__(self) -> None:
        self.mode = Mode.DISARMED
        self.reason = NOT_ARMED_YET
        self.epoch = 1
        self._fault = ""  # A fault that a stop came on top of: resume must not skip it.

    def void(self) -> None:
        """Makes every chunk up to now void."""
        self.epoch += 1

    def run(self) -> None:
        """A chunk is being executed."""
        self._require_armed()
        self.mode, self.reason = Mode.RUNNING, ""

    def hold(self, reason: str) -> None:
        """Nothing may be executed now; it goes on by itself."""
        self._require_armed()
        self.mode, self.reason = Mode.HOLDING, reason

    def disarm(self, reason: str) -> bool:
        """Ends being armed. A fault or a stop stays what it is.

        The last of several disarms is told, so that an operator's is always seen.

        Returns:
            Whether it was armed.
        """
        if self.mode is Mode.DISARMED:
            self.reason = reason
        if not self.mode.is_armed:
            return False
        self._enter(Mode.DISARMED, reason)
        return True

    def fault(self, reason: str) -> bool:
        """Latches a fault. A stop stays a stop, and the first of several faults is told.

        Returns:
            Whether the robot was armed.
        """
        was_armed = self.mode.is_armed
        if self.mode < Mode.FAULTED:
            self._enter(Mode.FAULTED, reason)
        self._fault = self._fault or reason
        return was_armed

    def stop(self, reason: str) -> bool:
        """Latches a stop, whatever the mode was.

        Returns:
            Whether the robot was armed.
        """
        was_armed = self.mode.is_armed
        self._enter(Mode.STOPPED, reason)
        return was_armed

    def reset(self) -> None:
        """Leaves a fault or a stop; the robot still has to be armed."""
        if self.mode in (Mode.FAULTED, Mode.STOPPED):
            what = "stop" if self.mode is Mode.STOPPED else "fault"
            self._fault = ""
            self._enter(Mode.DISARMED, _RESET.format(what=what))

    def check_arm(self) -> None:
        """Raises MessageError, saying why, when the mode does not let itself be armed."""
        if self.mode in (Mode.FAULTED, Mode.STOPPED):
            raise MessageError(f"{self.mode.name.lower()} ({self.reason}): call 'reset' first")

    def check_resume(self) -> None:
        """Raises MessageError, saying why, when there is no stop that may simply be resumed."""
        if self._fault:
            raise MessageError(f"a fault is latched ({self._fault}): call 'reset', then 'arm'")
        if self.mode is not Mode.STOPPED:
            raise MessageError(f"nothing to resume: {self.mode.name.lower()}, not stopped")

    def arm(self) -> None:
        """Lets chunks move the robot, or goes on after a stop; see check_arm, check_resume."""
        if self._fault:
            raise MessageError(f"a fault is latched ({self._fault}): call 'reset' first")
        self._enter(Mode.HOLDING, "armed, waiting for a chunk")

    def _require_armed(self) -> None:
        if not self.mode.is_armed:
            raise RuntimeError(f"only an armed bridge runs or holds; it is {self.mode.name}")

    def _enter(self, mode: Mode, reason: str) -> None:
        self.mode, self.reason = mode, reason
        self.void()


def disarmed_by_itself(reason: str) -> bool:
    """Whether the reason of DISARMED is the bridge's own, and not an operator's word."""
    return reason.endswith(ARM_AGAIN)
