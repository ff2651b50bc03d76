"""Chunk-related information from robot states: session and epoch, executed chunk, standstill."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.brain.observation_buffer import StateSample

# pi05_msgs/RobotState.MODE_* and CONTROL_*.
_RUNNING, _HOLDING = 1, 2
_TELEOP = 2


class RobotView:
    """Holds the newest robot state and the time since which the robot stands still."""

    def __init__(self) -> None:
        self._state: StateSample | None = None
        self._standing_since_ns: int | None = None

    @property
    def follows_chunk(self) -> bool:
        """True while the robot executes a chunk of the policy."""
        state = self._state
        return (
            state is not None
            and state.mode == _RUNNING
            and state.control_source != _TELEOP
            and state.chunk_sequence > 0
            and not math.isnan(state.chunk_row)
        )

    @property
    def is_overridden(self) -> bool:
        """True while an operator drives: the bridge executes no chunk of the policy."""
        return self._state is not None and self._state.control_source == _TELEOP

    @property
    def is_armed(self) -> bool:
        """True while the robot would execute a chunk (mode running or holding)."""
        return self._state is not None and self._state.mode in (_RUNNING, _HOLDING)

    def is_new_session(self, state: StateSample) -> bool:
        """Check whether `state` begins another session or epoch of the bridge."""
        return self._state is not None and not self.matches(state.session, state.epoch)

    def matches(self, session: int, epoch: int) -> bool:
        """Check whether the newest state is of that session and epoch; True before the first."""
        state = self._state
        return state is None or (state.session, state.epoch) == (session, epoch)

    def stands_since(self, time_ns: int) -> bool:
        """Check whether the robot has stood since `time_ns`: no chunk, constant commands."""
        return self._standing_since_ns is not None and self._standing_since_ns <= time_ns

    def add(self, state: StateSample) -> None:
        """Add the newest state."""
        before, self._state = self._state, state
        if self.follows_chunk or self.is_overridden or _differ(before, state):
            self._standing_since_ns = None
        elif self._standing_since_ns is None:
            self._standing_since_ns = max(state.stamp_ns, state.commanded_ns)


def _differ(before: StateSample | None, state: StateSample) -> bool:
    """Check whether the command has changed since the state before, if there is one."""
    return before is not None and not np.array_equal(
        before.commanded, state.commanded, equal_nan=True
    )
