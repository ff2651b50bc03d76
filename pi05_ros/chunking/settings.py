"""The four chunk modes, and the settings that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pi05_ros.brain.continuation import ContinuationMode
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class ChunkMode:
    """One way to switch from a chunk to the next."""

    name: str
    waits: bool  # The robot executes part of a chunk, stops, and waits for the next one.
    continuation: ContinuationMode | None  # How a chunk continues the running one; None: not.


CHUNK_MODES: Mapping[str, ChunkMode] = MappingProxyType(
    {
        mode.name: mode
        for mode in (
            ChunkMode("sync", waits=True, continuation=None),
            ChunkMode("async", waits=False, continuation=None),
            ChunkMode("rtc", waits=False, continuation="rtc"),
            ChunkMode("trained_rtc", waits=False, continuation="trained_rtc"),
        )
    }
)

# Policy and bridge share this default; the bridge enforces it.
EXECUTION_AGE_S = 1.2

# The mode without extra cost: trained_rtc if the brain prefers it, else async. The guided flow of
# rtc takes two to three times as long and is never compiled, so it must be chosen explicitly.
AUTO = "auto"


def settle_mode(wanted: str, continuations: tuple[ContinuationMode, ...]) -> str:
    """Return the chunk mode for a brain, with AUTO resolved.

    Args:
        wanted: One of CHUNK_MODES, or AUTO.
        continuations: Continuation modes of the brain, in order of preference (BrainInfo).

    Raises:
        ConfigError: The brain does not support the mode.
    """
    possible = [
        name
        for name, mode in CHUNK_MODES.items()
        if mode.continuation is None or mode.continuation in continuations
    ]
    if wanted == AUTO:
        return "trained_rtc" if continuations[:1] == ("trained_rtc",) else "async"
    if wanted not in possible:
        raise ConfigError(
            f"chunk_mode '{wanted}'",
            f"this brain does not support the mode; valid: {', '.join(possible)}",
        )
    return wanted


@dataclass(frozen=True)
class ChunkSettings:
    """Timing of the requests for chunks. Rows are periods of the chunk (20 ms at 50 Hz)."""

    mode: str = "async"  # One of CHUNK_MODES.
    execution_horizon: int = setting(
        20,
        "Least number of rows between the observations of two chunks; in mode sync, the number of "
        "rows that are executed of each chunk.",
        minimum=1,
        maximum=1000,
    )
    chunk_margin: int = setting(
        3,
        "Number of rows that must be left of a chunk when the next one arrives.",
        minimum=0,
        maximum=1000,
    )
    initial_delay: int = setting(
        10,
        "Assumed delay of a chunk, in rows, until one has been measured.",
        minimum=0,
        maximum=1000,
    )
    max_execution_age_s: float = setting(
        EXECUTION_AGE_S,
        "Age of a chunk's observation from which the bridge executes no more of its rows; set the "
        "same value at control_bridge [s].",
        minimum=0.1,
        maximum=5.0,
    )
    delay_window: int = 10  # Number of chunks whose delays are kept.
    fade_rows: int = 12  # Rows over which a chunk leaves the one that it continues; see join.

    def __post_init__(self) -> None:
        if self.mode not in CHUNK_MODES:
            raise ValueError(f"mode: wanted one of {', '.join(CHUNK_MODES)}, found '{self.mode}'")
        if self.execution_horizon < 1 or self.delay_window < 1:
            raise ValueError("execution_horizon and delay_window are 1 or more")
        if min(self.chunk_margin, self.initial_delay, self.fade_rows) < 0:
            raise ValueError("chunk_margin, initial_delay and fade_rows are 0 rows or more")
        if self.max_execution_age_s <= 0:
            raise ValueError("max_execution_age_s must be above 0 s")
