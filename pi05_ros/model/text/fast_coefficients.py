"""FAST's numbers: a chunk of actions as rounded coefficients over time, and back.

`fast` makes tokens of them.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from pi05_ros.errors import Pi05Error


class FastError(Pi05Error):
    """Actions cannot be said, or tokens are no actions. There is nothing to fall back on.

    Args:
        reason: `token`: an id that no token has. `text`: tokens that are no characters, or not
            where they must stand. `length`: the sequence is cut, or goes on. `range`: values that
            are not finite, or beyond those that the tokenizer knows.
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
    """A chunk as float64, or FastError."""
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
    """Rounded coefficients of a chunk (H, D); row k is frequency k."""
    return np.around(cosines(len(chunk)) @ chunk * scale).astype(np.int64)


def chunk_of(integers: np.ndarray, scale: float) -> np.ndarray:
    """The chunk (H, D) float64 of rounded coefficients (H, D)."""
    return cosines(len(integers)).T @ (integers / scale)


def cosines(length: int) -> np.ndarray:
    """The orthonormal DCT-II as a matrix: row k, cos(π k (n + ½) / length), (length, length).

    A chunk has some 50 steps: one product with a matrix, and no need of scipy on a robot.
    """
    steps = np.arange(length)
    matrix = np.cos(np.pi / length * np.outer(steps, steps + 0.5)) * math.sqrt(2.0 / length)
    matrix[0] /= math.sqrt(2.0)
    return matrix
