"""Times in which the robot did not move although a subtask was pursued, from `robot_state`."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.control.modes import DEACTIVATED, RECOVERING, Mode

# The end of a subtask and the bridge's HOLDING because of it come on two topics, in either order.
# A hold that an empty subtask ends sooner than this is not counted [simulated s].
_RACE_S = 0.5
_EARLY_S = 3.0  # Holds of the first seconds belong to the start of the graph [simulated s].
_SILENT_S = 2.0  # robot_state is silent after this long; it comes 50 times a second [simulated s].


@dataclass
class Hold:
    """A time in which a robot that was executing chunks executed none although it had a task.

    Times are simulated seconds since the task began.
    """

    start_s: float
    mode: Mode | None  # The most severe one while it lasted; None: robot_state was silent.
    reason: str  # RobotState.reason when that mode began.
    end_s: float | None = None  # None: the hold lasts.


@dataclass(frozen=True)
class RobotStatus:
    """State of the robot at one moment.

    A trouble is a mode other than RUNNING while a subtask is pursued, a mode that does not end by
    itself (DISARMED and above) in any case, and a bridge that is silent.
    """

    mode: Mode | None  # None: robot_state is silent, or has not come yet.
    reason: str  # Reason of the mode; empty: none was given.
    sim_s: float  # Time of the state: simulated seconds since the task began.
    trouble_since_s: float | None  # Start of the present trouble, likewise; None: there is none.
    cause: str = ""  # As reason; while the bridge resumes after `recovery_time_s`: the one before.

    @property
    def troubled_s(self) -> float:
        """Length of the present trouble [simulated s]; 0: there is none."""
        return 0.0 if self.trouble_since_s is None else self.sim_s - self.trouble_since_s


class HoldLog:
    """Follows the mode of the bridge and whether a subtask is pursued.

    All times are simulated seconds since the task began. Not thread-safe.
    """

    def __init__(self) -> None:
        self.holds: list[Hold] = []
        self._counts = False  # Whether the task runs.
        self._mode: Mode | None = None
        self._reason = ""
        self._cause = ""  # The last reason other than RECOVERING.
        self._state_s: float | None = None  # When robot_state came last; None: never.
        self._was_silent = False  # Whether a silence ends with the present state.
        self._pursued = False
        self._trouble_since_s: float | None = None

    def begin(self) -> None:
        """Begin the task now, at 0."""
        self.holds.clear()
        self._counts, self._trouble_since_s = True, None
        self._state_s = None if self._state_s is None else 0.0
        self._update(self._mode, 0.0)

    def end(self, now_s: float) -> None:
        """End the run."""
        self._note_silence(now_s)
        self._close(now_s)
        self._counts = False

    def robot(self, mode: int, reason: str, now_s: float) -> None:
        """Take one RobotState: 50 a second, nearly all without a change.

        Args:
            mode: RobotState.mode.
            reason: RobotState.reason.
            now_s: Time of its arrival.
        """
        self._note_silence(now_s)
        self._state_s, self._reason = now_s, reason
        if reason != RECOVERING:
            self._cause = reason
        before = self._mode
        if mode == before and not self._was_silent:
            return
        self._was_silent = False
        self._mode = Mode(mode) if mode in _MODES else None
        self._update(before, now_s)

    def skip(self, seconds: float) -> None:
        """Exclude a time in which the listener itself received nothing."""
        if self._state_s is not None:
            self._state_s += seconds

    def subtask(self, pursued: bool, now_s: float) -> None:
        """Take whether a subtask is pursued."""
        if pursued != self._pursued:
            self._pursued = pursued
            self._update(self._mode, now_s)

    def snapshot(self, now_s: float) -> RobotStatus:
        """The present state."""
        recent = self._state_s is not None and now_s - self._state_s <= _SILENT_S
        if recent or self._reason == DEACTIVATED:  # A deactivated bridge is silent.
            since_s = self._trouble_since_s
            return RobotStatus(self._mode, self._reason, now_s, since_s, self._cause)
        since_s = self._state_s or 0.0  # Silent since then.
        if self._state_s is not None:
            reason = _silence(now_s - since_s)
        else:
            reason = "control_bridge has published no state yet"
        return RobotStatus(None, reason, now_s, since_s if now_s - since_s > _SILENT_S else None)

    def _update(self, before: Mode | None, now_s: float) -> None:
        """Update holds and trouble after a change. before: the mode until then."""
        if not self._is_troubled:
            self._trouble_since_s = None
            self._close(now_s)
            return
        if self._trouble_since_s is None:
            self._trouble_since_s = now_s
        if not self._counts or self._mode is None:
            return
        hold = self.holds[-1] if self.holds else None
        if hold is None or hold.end_s is not None:
            if before is Mode.RUNNING or not self._mode.is_armed:
                self.holds.append(Hold(now_s, self._mode, self._cause or self._reason))
        elif hold.mode is None or self._mode > hold.mode:
            hold.mode, hold.reason = self._mode, self._reason

    def _note_silence(self, now_s: float) -> None:
        """Begin a hold where the bridge of a robot that moved is silent for long."""
        state_s = self._state_s
        if state_s is None or now_s - state_s <= _SILENT_S:
            return
        self._was_silent = True
        if self._counts and self._mode is Mode.RUNNING:
            self.holds.append(Hold(state_s, None, _silence(now_s - state_s)))

    @property
    def _is_troubled(self) -> bool:
        if self._mode is None or self._mode is Mode.RUNNING:
            return False
        return self._pursued or not self._mode.is_armed

    def _close(self, now_s: float) -> None:
        hold = self.holds[-1] if self.holds else None
        if hold is None or hold.end_s is not None:
            return
        hold.end_s = now_s
        is_idle = self._mode is Mode.HOLDING and not self._pursued
        if is_idle and hold.mode is Mode.HOLDING and now_s - hold.start_s < _RACE_S:
            self.holds.pop()


def _silence(seconds: float) -> str:
    return f"control_bridge is silent for {seconds:.1f} s"


def after_start(holds: list[Hold]) -> int:
    """Number of holds that began after the start of the graph."""
    return sum(hold.start_s > _EARLY_S for hold in holds)


_MODES = frozenset(Mode)
