"""What a check found, and from what on it is worth telling."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    """How much a finding matters."""

    NOTE = 0  # Worth knowing; nothing is wrong.
    WARNING = 1  # Look at it before you train on the episode.
    ERROR = 2  # The check fails.


@dataclass(frozen=True)
class EpisodeFinding:
    """One thing that was found."""

    level: Severity
    subject: str  # A topic, or a part of the bag ("metadata.yaml").
    what: str  # One sentence: what is wrong, with its figures.


@dataclass(frozen=True)
class CheckSettings:
    """From what on something is found."""

    max_lost: float = 0.005  # Share of a topic's messages that may be lost.
    slow: float = 0.9  # A topic below this share of its rate is a warning.
    gap_periods: float = 3.0  # A longer distance of two stamps is a gap; counted in periods.
    max_gap: float = 0.5  # A gap, or silence at the end, beyond this is an error [s].
    max_skew: float = 0.1  # Between two cameras' medians of log time minus stamp [s].
    max_clock_offset: float = 1.0  # Median of log time minus stamp, either way [s].
    frozen_warn: int = 15  # Equal pictures in a row of a camera that is no simulation.
    frozen_error: int = 30
    min_labelled: float = 0.95  # Share of the rows that move with a subtask, else a warning.
    max_outside: float = 0.01  # Share of a dimension's values outside its limits.
    look_every: float = 1.0  # A picture of each camera is decoded so often [s].

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, found {value}")
