"""Results of the engine: text, sampled actions, actions as FAST tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.timings import Times
from pi05_ros.model.decoding import Decoded


@dataclass(frozen=True)
class TextResult:
    """Decoded text."""

    text: str
    decoded: Decoded
    times: Times


@dataclass(frozen=True)
class ActionResult:
    """Actions sampled by the expert."""

    actions: np.ndarray  # (horizon, action_dim) float32, normalised, finite.
    times: Times


@dataclass(frozen=True)
class FastActionResult:
    """Actions decoded as FAST tokens."""

    actions: np.ndarray  # (horizon, dims) float32, normalised, finite.
    decoded: Decoded
    times: Times
