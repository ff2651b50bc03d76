"""Findings of an episode's check, and the limits from which on they are reported."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    """Severity of a finding."""

    NOTE = 0  # Information; nothing is wrong.
    WARNING = 1  # To be reviewed before training on the episode.
    ERROR = 2  # The check fails.


@dataclass(frozen=True)
class EpisodeFinding:
    """One finding in a bag."""

    level: Severity
    subject: str  # A topic, or a part of the bag ("metadata.yaml").
    what: str  # One sentence: what is wrong, with its figures.


@dataclass(frozen=True)
class CheckSettings:
    """Limits from which on something is a finding."""

    max_lost: float = 0.005  # Share of a topic's messages that may be lost.
    slow: float = 0.9  # A topic below this share of its rate is a warning.
    gap_periods: float = 3.0  # A longer interval between two stamps is a gap [periods].
    max_gap: float = 0.5  # A gap, or silence at the end, beyond this is an error [s].
    max_skew: float = 0.1  # Between two cameras' medians of log time minus stamp [s].
    max_clock_offset: float = 1.0  # Magnitude of the median of log time minus stamp [s].
    frozen_warn: int = 15  # Equal pictures in a row of a real camera.
    frozen_error: int = 30
    min_labelled: float = 0.95  # Share of the moving rows with a subtask, else a warning.
    max_outside: float = 0.01  # Share of a dimension's values outside its limits.
    look_every: float = 1.0  # Interval at which a picture of each camera is decoded [s].

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, found {value}")
