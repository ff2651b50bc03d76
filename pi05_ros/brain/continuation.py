"""Input of real-time chunking: the chunk that is executed while inference runs.

A chunk arrives late by its inference time. Until then the robot executes rows of the previous
chunk: these are committed, and the new chunk repeats them. The rows after them are planned but not
committed, and the new chunk may deviate from them (arXiv 2506.07339, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from pi05_ros.errors import Pi05Error

ContinuationMode = Literal["rtc", "trained_rtc"]
CONTINUATION_MODES: tuple[ContinuationMode, ...] = get_args(ContinuationMode)


class ContinuationError(Pi05Error):
    """A continuation is malformed, or the brain does not support it."""


@dataclass(frozen=True)
class Continuation:
    """Actions being executed around an observation, and how a new chunk continues them.

    Raises:
        ContinuationError: The parts do not fit together.
    """

    actions: np.ndarray
    # (H, D) float64, absolute targets in platform units, all finite. Row k is due at
    # `observation.stamp_ns + k * period` of the new observation, as in the requested chunk.
    # After the end of the executed chunk its last row is repeated.
    committed: int  # Rows that will be executed in any case; the new chunk repeats them.
    overlap: int  # Rows before the executed chunk ends, committed ones included.
    mode: ContinuationMode  # "rtc": guided flow; "trained_rtc": conditioning learned in training.

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
        """Number of rows H."""
        return len(self.actions)
