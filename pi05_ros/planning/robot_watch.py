"""What the planner sees of the robot: motion, stalls, and whether its bridge lets it move."""

from __future__ import annotations

import enum

import numpy as np

from pi05_ros.planning.motion import ProgressMonitor, stands_still
from pi05_ros.planning.replanning import Replanner, Trigger
from pi05_ros.platforms.platform import Platform

_FRESH = 0.5  # States are published at 50 Hz; an older one is of a bridge that is silent [s].


class RobotMode(enum.IntEnum):
    """Mode of the control bridge. Values are those of pi05_msgs/RobotState.MODE_*."""

    UNKNOWN = 0
    RUNNING = 1
    HOLDING = 2
    DISARMED = 3
    FAULTED = 4
    STOPPED = 5

    @property
    def is_armed(self) -> bool:
        """True if the bridge follows chunks, or would."""
        return self in (RobotMode.RUNNING, RobotMode.HOLDING)


class RobotWatch:
    """Watches chunks and states, and requests queries of `replanner` for what they show.

    Args:
        platform: The robot.
        replanner: Receives the triggers `subtask_end` and `stall`.
        stall_after_s: Time without progress that is a stall [s].
    """

    def __init__(self, platform: Platform, replanner: Replanner, stall_after_s: float) -> None:
        self._platform = platform
        self._replanner = replanner
        self._stall_after_s = stall_after_s
        self._progress = ProgressMonitor(platform)
        self._commanded: np.ndarray | None = None  # (D,); measured where nothing was sent.
        self._still = False  # The newest chunk of the present subtask asks for no motion.
        self._running = False  # The bridge followed a chunk at the newest state.
        self._by_operator = False  # An operator drove at the newest state.
        self._stamp_ns = 0  # Of the newest state.

    def is_by_operator(self, now_ns: int) -> bool:
        """Check whether an operator drives; a state that is too old does not say so."""
        return self._by_operator and (now_ns - self._stamp_ns) * 1e-9 <= _FRESH

    @property
    def moves(self) -> int:
        """Number of times that the robot made progress; see ProgressMonitor."""
        return self._progress.moves

    def is_running(self, now_ns: int) -> bool:
        """Check whether the bridge follows the policy; a state that is too old does not say so."""
        return self._running and (now_ns - self._stamp_ns) * 1e-9 <= _FRESH

    def on_state(
        self,
        stamp_ns: int,
        measured: np.ndarray,
        commanded: np.ndarray,
        running: bool,
        by_operator: bool = False,
    ) -> int:
        """Take a state; see Planning.on_state.

        Returns:
            Time since the last state that an operator drove [ns]; 0: nobody did.
        """
        gap_ns = stamp_ns - self._stamp_ns if self._by_operator and by_operator else 0
        driven_ns = gap_ns if 0 <= gap_ns <= _FRESH * 1e9 else 0
        self._by_operator = by_operator
        running = running and not by_operator  # An operator who stands still is no stall.
        self._running, self._stamp_ns = running, stamp_ns
        self._commanded = np.where(np.isfinite(commanded), commanded, measured)
        if not running or self._still:
            self._progress.reset()  # The robot is not expected to move.
        else:
            self._progress.add(stamp_ns, measured)
        if self._progress.idle >= self._stall_after_s:
            self._replanner.request(Trigger.STALL)
        else:
            self._replanner.withdraw(Trigger.STALL)
        return driven_ns

    def on_chunk(self, actions: np.ndarray) -> None:
        """Take a chunk of the present subtask, (H, D) platform units."""
        if self._commanded is None or self._by_operator:
            return  # The chunk does not begin where the operator is.
        self._still = stands_still(actions, self._commanded, self._platform)
        if self._still:
            self._replanner.request(Trigger.SUBTASK_END)
        else:
            self._replanner.withdraw(Trigger.SUBTASK_END)

    def start_over(self) -> None:
        """Forget motion: earlier states and chunks belong to the previous subtask."""
        self._still = False
        self._progress.reset()
        self._replanner.withdraw(Trigger.SUBTASK_END, Trigger.STALL)


class Suspension:
    """Decides by the bridge's mode when a task is suspended, and when it goes on by itself.

    A robot that was armed and is not any more suspends the task. Arming it again resumes nothing:
    whoever armed it may not know of the task. Only the bridge's service `resume`, which an
    operator calls after a stop to let the robot go on, holds for the task as well.
    """

    def __init__(self) -> None:
        self.mode = RobotMode.UNKNOWN
        self._may_resume = False  # Stopped while armed, and nothing but stopped since.

    def on_mode(self, mode: RobotMode) -> bool | None:
        """Take the bridge's mode.

        Returns:
            True: suspend the task; False: an operator resumed it; None: neither.
        """
        if mode == RobotMode.UNKNOWN:  # No working bridge publishes it.
            return None
        before, self.mode = self.mode, mode
        if mode.is_armed:
            resumed, self._may_resume = self._may_resume, False
            return False if resumed else None
        if before.is_armed:
            self._may_resume = mode == RobotMode.STOPPED
            return True
        if mode != RobotMode.STOPPED:
            self._may_resume = False
        return None

    def hindrance(self, running: bool, standing: str) -> str:
        """Why the task cannot be done now, as one clause; empty: it can.

        An armed robot that holds because it was given no subtask may find that nothing is to be
        done.

        Args:
            running: Whether the bridge follows a chunk.
            standing: Text of the task's present subtask; empty: there is none.
        """
        if running or (self.mode == RobotMode.HOLDING and not standing):
            return ""
        known = self.mode not in (RobotMode.UNKNOWN, RobotMode.RUNNING)
        return "the robot does not run" + (f" ({self.mode.name.lower()})" if known else "")
