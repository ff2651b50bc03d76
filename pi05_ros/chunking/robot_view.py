"""What the robot's states say of chunks: of which epoch, what it follows, since when it stands."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.brain.observation_buffer import StateSample

# pi05_msgs/RobotState.MODE_*.
_RUNNING, _HOLDING = 1, 2


class RobotView:
    """The newest state, and since when nothing moves."""

    def __init__(self) -> None:
        self._state: StateSample | None = None
        self._standing_since_ns: int | None = None

    @property
    def follows_chunk(self) -> bool:
        """Whether it executes a chunk."""
        state = self._state
        return (
            state is not None
            and state.mode == _RUNNING
            and state.chunk_sequence > 0
            and not math.isnan(state.chunk_row)
        )

    @property
    def is_armed(self) -> bool:
        """Whether a chunk would move it."""
        return self._state is not None and self._state.mode in (_RUNNING, _HOLDING)

    def is_new_session(self, state: StateSample) -> bool:
        """Whether what was before `state` is void: another session or epoch of the bridge."""
        return self._state is not None and not self.matches(state.session, state.epoch)

    def matches(self, session: int, epoch: int) -> bool:
        """Whether the newest state is of that session and epoch. Before the first one: yes."""
        state = self._state
        return state is None or (state.session, state.epoch) == (session, epoch)

    def stands_since(self, time_ns: int) -> bool:
        """Whether the robot stood from then on: it follows no chunk, and commands are still."""
        return self._standing_since_ns is not None and self._standing_since_ns <= time_ns

    def add(self, state: StateSample) -> None:
        """Takes the newest state."""
        before, self._state = self._state, state
        still = before is None or np.array_equal(before.commanded, state.commanded, equal_nan=True)
        if self.follows_chunk or not still:
            self._standing_since_ns = None
        elif self._standing_since_ns is None:
            self._standing_since_ns = max(state.stamp_ns, state.commanded_ns)
