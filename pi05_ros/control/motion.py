"""The command of each tick: the running chunk through blend and limits, or a hold."""

from __future__ import annotations

import numpy as np

from pi05_ros.control.chunk import AcceptedChunk, ControlSource
from pi05_ros.control.limiter import Limiter
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.control.stream import ChunkStream, Target
from pi05_ros.control.velocity_watch import VelocityWatch
from pi05_ros.control.watches import LimitingWatch, TrackingWatch
from pi05_ros.platforms.platform import Platform


class Motion:
    """Generates commands from the running chunk. Its owner decides between follow and hold.

    Args:
        platform: The robot.
        settings: Thresholds of tracking.

    Attributes:
        has_run: True once a chunk was executed since `begin`.
        ticks_limited: Number of ticks whose target was out of reach within the limits.
    """

    def __init__(self, platform: Platform, settings: BridgeSettings) -> None:
        self.has_run = False
        self.ticks_limited = 0
        self._platform = platform
        self._limiter = Limiter(platform)
        self._stream = ChunkStream(platform)
        self._limiting = LimitingWatch(platform)
        self._tracking = TrackingWatch(
            platform, settings.max_tracking_error_rad, settings.tracking_time_s
        )
        self._velocity_tracking = VelocityWatch(platform)
        self._source = ControlSource.NONE  # Of the last target.
        self._commanded: np.ndarray | None = None
        self._has_commanded = False  # Since `begin`.
        # Continuous joints whose report was seen turns away from the command: it wraps.
        self._wraps = np.zeros(platform.size, dtype=bool)

    @property
    def chunk(self) -> AcceptedChunk | None:
        """Chunk that is being executed, or None."""
        return self._stream.chunk

    @property
    def commanded(self) -> np.ndarray:
        """Last command, (D,) float64, platform units; NaN before the first."""
        if self._commanded is None:
            return np.full(self._platform.size, np.nan)
        return self._commanded.copy()

    def commanded_near(self, measured: np.ndarray) -> np.ndarray:
        """Return the last command (D,), continuous joints within half a turn of `measured` (D,).

        The command itself counts turns on where a driver's report wraps, so that a controller
        never sees it jump.
        """
        continuous = self._platform.is_continuous
        if not continuous.any():
            return self.commanded
        near = measured + self._platform.difference(self.commanded, measured)
        return np.where(continuous, near, self.commanded)

    @property
    def at_rest(self) -> bool:
        """True if the last command is at rest."""
        return self._limiter.at_rest

    @property
    def limiting(self) -> float:
        """Time for which targets have been out of reach within the limits [s]."""
        return self._limiting.seconds

    def begin(self, values: np.ndarray) -> None:
        """Start at rest from `values` (D,), the measured state.

        Where the driver's report of a continuous joint wraps, commands go on in the turn of the
        last one.
        """
        if self._commanded is not None and self._wraps.any():
            change = self._platform.difference(values, self._commanded)
            values = np.where(self._wraps, self._commanded + change, values)
        self.clear()
        self._limiter.reset(values)
        self._tracking.clear()
        self._velocity_tracking.clear()
        self.has_run = self._has_commanded = False

    def replace(self, chunk: AcceptedChunk) -> None:
        """Execute `chunk` from the next tick on."""
        self._stream.replace(chunk)

    def clear(self) -> None:
        """Drop the chunk."""
        self._stream.clear()
        self._limiting.clear()

    def follow(self, now_ns: int) -> Target | None:
        """Execute the chunk for one period; return None, without a step, if it has no row now."""
        target = self._stream.target(now_ns, self._limiter.coasting)
        if target is None:
            return None
        step = self._limiter.step(target.values)
        if target.chunk.source is not self._source:
            self._source = target.chunk.source
            self._limiting.clear()  # It counts the targets of one source.
        self.ticks_limited += self._limiting.update(step.lag)
        self._commanded = step.values
        self.has_run = self._has_commanded = True
        return target

    def hold(self) -> None:
        """Brake for one period."""
        self._limiting.clear()
        self._commanded = self._limiter.hold().values
        self._has_commanded = True

    def tracking_problem(self, measured: np.ndarray) -> str:
        """Return the joint or base axis that does not track its command, as one clause.

        Empty if all do. Must be called once a tick. measured: (D,) float64.
        """
        if self._has_commanded and self._commanded is not None:
            turns_away = np.abs(self._commanded - measured) > np.pi
            self._wraps |= self._platform.is_continuous & turns_away
        commanded = self.commanded
        base = self._velocity_tracking.update(commanded, measured)
        return self._tracking.update(commanded, measured) or base
