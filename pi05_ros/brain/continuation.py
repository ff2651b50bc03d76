"""What a new chunk goes on from: the chunk that is executed while the brain thinks.

A chunk is late by the time that it took. Until it comes, the robot executes rows of the one before
it: these are committed, and the new chunk repeats them. Behind them stand rows that are still a
plan, and the new chunk may leave it (real-time chunking, arXiv 2506.07339, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from pi05_ros.errors import Pi05Error

ContinuationMode = Literal["rtc", "trained_rtc"]
CONTINUATION_MODES: tuple[ContinuationMode, ...] = get_args(ContinuationMode)


class ContinuationError(Pi05Error):
    """A continuation is none, or is one that the brain cannot go on from."""


@dataclass(frozen=True)
class Continuation:
    """What is being executed at the time of an observation, and how a new chunk goes on from it.

    Raises:
        ContinuationError: The parts do not fit together.
    """

    actions: np.ndarray
    # (H, D) float64, absolute targets in platform units, all finite. Row k is meant for
    # `observation.stamp_ns + k * period` of the new observation, as in the chunk that is asked
    # for. Where what is executed has run out, its last row is held.
    committed: int  # Rows that will be executed whatever comes; the new chunk repeats them.
    overlap: int  # Rows that are a real plan, the committed ones included; the others are held.
    mode: ContinuationMode  # "rtc": guidance of the flow; "trained_rtc": conditioning, trained.

    def __post_init__(self) -> None:
        if self.mode not in CONTINUATION_MODES:
            raise ContinuationError(
                f"wanted a mode of {', '.join(CONTINUATION_MODES)}, found '{self.mode}'"
            )
        if self.actions.ndim != 2 or self.actions.dtype != np.float64:
            raise ContinuationError(
                f"wanted actions (H, D) float64, found {self.actions.shape} {self.actions.dtype}"
            )
        if not np.isfinite(self.actions).all():
            raise ContinuationError(
                "wanted finite actions, found NaN or infinity; drop that chunk"
            )
        if not 0 <= self.committed <= self.overlap <= self.horizon:
            raise ContinuationError(
                f"wanted 0 <= committed <= overlap <= {self.horizon} rows, found committed "
                f"{self.committed} and overlap {self.overlap}"
            )

    @property
    def horizon(self) -> int:
        """H, rows of the chunk."""
        return len(self.actions)
