"""Rounded DCT coefficients of an action chunk, and back: the numeric part of FAST.

`fast` encodes them as tokens.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from pi05_ros.errors import Pi05Error


class FastError(Pi05Error):
    """Actions that cannot be encoded, or tokens that are not a chunk. There is no fallback.

    Args:
        reason: `token`: an unknown id. `text`: tokens that are no characters, or in the wrong
            place. `length`: the sequence is too short or too long. `range`: values that are not
            finite, or outside the tokenizer's range.
        wanted: As a clause.
        found: As a clause.
    """

    def __init__(
        self, reason: Literal["token", "text", "length", "range"], wanted: str, found: str
    ) -> None:
        self.reason = reason
        self.wanted = wanted
        self.found = found
        super().__init__(f"FAST: wanted {wanted}, found {found}")


def checked_chunk(actions: np.ndarray, limit: float) -> np.ndarray:
    """Return a chunk as float64, after checking shape and values.

    Raises:
        FastError: It is not (H, D), not finite, or a value exceeds ±`limit`.
    """
    chunk = np.asarray(actions, dtype=np.float64)
    if chunk.ndim != 2 or chunk.size == 0:
        raise FastError("length", "a chunk of shape (H, D)", f"one of shape {chunk.shape}")
    if not np.isfinite(chunk).all():
        raise FastError("range", "finite actions", f"{chunk[~np.isfinite(chunk)][0]}")
    largest = float(np.abs(chunk).max())
    if largest > limit:
        raise FastError(
            "range", f"normalised actions within ±{limit:.3g}", f"one of {largest:.3g}"
        )
    return chunk


def integers_of(chunk: np.ndarray, scale: float) -> np.ndarray:
    """Rounded coefficients (H, D) of a chunk (H, D); row k is frequency k."""
    return np.around(cosines(len(chunk)) @ chunk * scale).astype(np.int64)


def chunk_of(integers: np.ndarray, scale: float) -> np.ndarray:
    """Chunk (H, D) float64 of rounded coefficients (H, D)."""
    return cosines(len(integers)).T @ (integers / scale)


def cosines(length: int) -> np.ndarray:
    """Orthonormal DCT-II as a matrix (length, length): row k is cos(π k (n + ½) / length).

    A chunk has about 50 steps, so a matrix product is fast enough and scipy is not required.
    """
    steps = np.arange(length)
    matrix = np.cos(np.pi / length * np.outer(steps, steps + 0.5)) * math.sqrt(2.0 / length)
    matrix[0] /= math.sqrt(2.0)
    return matrix
