"""What is commanded, tick by tick: the running chunk through blend and limits, or a hold."""

from __future__ import annotations

import numpy as np

from pi05_ros.control.chunk import AcceptedChunk
from pi05_ros.control.limiter import Limiter
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.control.stream import ChunkStream, Target
from pi05_ros.control.watches import LimitingWatch, TrackingWatch
from pi05_ros.platforms.platform import Platform


class Motion:
    """The command and what it follows. Knows nothing of modes: its owner says follow or hold.

    Attributes:
        has_run: Whether a chunk was executed since `begin`.
        ticks_limited: Ticks whose target was out of the limits' reach.
    """

    def __init__(self, platform: Platform, settings: BridgeSettings) -> None:
        self.has_run = False
        self.ticks_limited = 0
        self._size = platform.size
        self._limiter = Limiter(platform)
        self._stream = ChunkStream(platform)
        self._limiting = LimitingWatch(platform)
        self._tracking = TrackingWatch(
            platform, settings.max_tracking_error_rad, settings.tracking_time_s
        )
        self._commanded: np.ndarray | None = None

    @property
    def chunk(self) -> AcceptedChunk | None:
        """The chunk that is being executed, or None."""
        return self._stream.chunk

    @property
    def commanded(self) -> np.ndarray:
        """The last command, (D,) float64, platform units; NaN before the first."""
        if self._commanded is None:
            return np.full(self._size, np.nan)
        return self._commanded.copy()

    @property
    def at_rest(self) -> bool:
        """Whether what was last commanded stands still."""
        return self._limiter.at_rest

    @property
    def limiting(self) -> float:
        """For how long targets have been out of the limits' reach [s]."""
        return self._limiting.seconds

    def begin(self, values: np.ndarray) -> None:
        """Starts at rest from `values` (D,), the measured state."""
        self.clear()
        self._limiter.reset(values)
        self._tracking.clear()
        self.has_run = False

    def replace(self, chunk: AcceptedChunk) -> None:
        """Executes `chunk` from the next tick on."""
        self._stream.replace(chunk)

    def clear(self) -> None:
        """Forgets the chunk."""
        self._stream.clear()
        self._limiting.clear()

    def follow(self, now_ns: int) -> Target | None:
        """One period of executing the chunk; None, and no step, when it has nothing for now."""
        target = self._stream.target(now_ns, self._limiter.coasting)
        if target is None:
            return None
        step = self._limiter.step(target.values)
        self.ticks_limited += self._limiting.update(step.lag)
        self._commanded = step.values
        self.has_run = True
        return target

    def hold(self) -> None:
        """One period of coming to rest."""
        self._limiting.clear()
        self._commanded = self._limiter.hold().values

    def tracking_problem(self, measured: np.ndarray) -> str:
        """Which joint has stayed away from its command, as one clause; empty: none.

        To be asked once a tick. measured: (D,) float64.
        """
        return self._tracking.update(self.commanded, measured)
