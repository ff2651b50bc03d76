"""Conversion between robot units and the model's [-1, 1], by quantiles, per named dimension.

The 1st percentile maps to -1 and the 99th to +1 (paper, appendix; openpi, `transforms.py`, whose
1e-6 in the denominator is kept so that its statistics have the same meaning here).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_EPSILON = 1e-6
# Magnitude beyond which normalised actions are cut off in FAST targets (`clip_for_fast`): as far
# as the public FAST vocabulary reaches. Flow targets are never clipped.
CLIP = 5.0


@dataclass(frozen=True)
class DimensionStats:
    """Statistics of one entry of the vectors, in the platform's unit."""

    name: str  # As in messages ("left_arm_joint_1").
    unit: str  # "rad", "m", "fraction", "m/s", "rad/s"
    state_q01: float  # 1st percentile of the measured value.
    state_q99: float  # 99th percentile.
    action_q01: float  # 1st percentile of the action, or of its difference to the state.
    action_q99: float  # 99th percentile.
    relative: bool = False  # True if the model's action is the difference to the measured state.

    def __post_init__(self) -> None:
        for kind in ("state", "action"):
            low, high = getattr(self, f"{kind}_q01"), getattr(self, f"{kind}_q99")
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise ValueError(
                    f"{self.name}: {kind}_q01 {low} and {kind}_q99 {high} are no quantiles"
                )


@dataclass(frozen=True)
class NormStats:
    """Statistics of one robot's vectors, in their order."""

    dimensions: tuple[DimensionStats, ...]

    def __post_init__(self) -> None:
        counts = Counter(dimension.name for dimension in self.dimensions)
        doubles = [name for name, count in counts.items() if count > 1]
        if doubles:
            raise ValueError(f"dimension '{doubles[0]}' stands twice")

    @classmethod
    def from_limits(
        cls, names: Sequence[str], units: Sequence[str], lower: np.ndarray, upper: np.ndarray
    ) -> NormStats:
        """Make statistics that map the limits to -1 and 1, for weights without training."""
        rows = zip(names, units, lower, upper, strict=True)
        return cls(
            tuple(
                DimensionStats(name, unit, float(low), float(high), float(low), float(high))
                for name, unit, low, high in rows
            )
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the entries, in order."""
        return tuple(dimension.name for dimension in self.dimensions)

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Units of the entries, in order."""
        return tuple(dimension.unit for dimension in self.dimensions)

    @cached_property
    def relative(self) -> np.ndarray:
        """Mask of the actions that are differences to the state, (D,) bool."""
        return np.array([dimension.relative for dimension in self.dimensions], dtype=bool)

    def difference(self, names: Sequence[str], units: Sequence[str]) -> str:
        """Describe the first difference to a robot's layout as a clause; empty: none."""
        wanted = [f"{name} [{unit}]" for name, unit in zip(names, units, strict=True)]
        found = [f"{name} [{unit}]" for name, unit in zip(self.names, self.units, strict=True)]
        pairs = itertools.zip_longest(wanted, found, fillvalue="nothing")
        for index, (ours, theirs) in enumerate(pairs):
            if ours != theirs:
                return f"wanted {ours} as entry {index}, found {theirs}"
        return ""

    def normalize_state(self, state: np.ndarray) -> np.ndarray:
        """Normalise states (..., D) in platform units: float64, mostly in [-1, 1]; not clipped."""
        return self._normalize(state, "state")

    def normalize_actions(self, actions: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Normalise actions (..., H, D) at the state (..., D), both in platform units: float64."""
        return self._normalize(actions - self._reference(state), "action")

    def unnormalize_actions(self, actions: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Invert `normalize_actions`: (..., H, D) float64, absolute, in platform units."""
        low, span = self._range("action")
        actions = np.asarray(actions, dtype=np.float64)
        return (actions + 1.0) / 2.0 * span + low + self._reference(state)

    def _reference(self, state: np.ndarray) -> np.ndarray:
        """Reference of relative actions, (..., 1, D): the state; 0 for absolute ones."""
        return np.where(self.relative, state, 0.0)[..., None, :]

    def _normalize(self, values: np.ndarray, kind: str) -> np.ndarray:
        low, span = self._range(kind)
        return (np.asarray(values, dtype=np.float64) - low) / span * 2.0 - 1.0

    def _range(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the 1st percentile and the span to the 99th (never 0), each (D,) float64."""
        low = np.array([getattr(d, f"{kind}_q01") for d in self.dimensions])
        high = np.array([getattr(d, f"{kind}_q99") for d in self.dimensions])
        return low, high - low + _EPSILON


def clip_for_fast(actions: np.ndarray, limit: float = CLIP) -> tuple[np.ndarray, np.ndarray]:
    """Clip normalised actions to ±`limit`, for FAST targets alone.

    FAST has a token for each coefficient that its data reached, so one far value would cost the
    vocabulary; a flow's target is a number, and a clipped one would be another command.

    Args:
        actions: (..., D), normalised.
        limit: `CLIP`, or that of a tokenizer that was fitted to less.

    Returns:
        The clipped actions (..., D) float64, and a mask of those that were beyond, (..., D) bool.
    """
    actions = np.asarray(actions, dtype=np.float64)
    # The bounds themselves are inside, whatever the rounding of the normalisation.
    return np.clip(actions, -limit, limit), np.abs(actions) > limit * (1 + 1e-9)


def pad(values: np.ndarray, width: int) -> np.ndarray:
    """Append zeros to the last axis, (..., D) → (..., width).

    Raises:
        ValueError: The values are wider than `width`.
    """
    missing = width - values.shape[-1]
    if missing < 0:
        raise ValueError(f"{values.shape[-1]} entries do not fit into {width}")
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
