"""Values of the gates by home, and their statistics with bootstrap intervals over homes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.evaluation.gates.limits import Gate, Statistic
from pi05_ros.evaluation.trials.statistics import LEVEL

RESAMPLES = 2_000
_SEED = 20_160_504  # Of the resamples: equal values give equal intervals.
_QUANTILES: Mapping[Statistic, float] = {"median": 0.5, "p90": 0.9}


class Values:
    """Values of each gate, by the home that they were measured in."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._reasons: dict[str, str] = {}

    def add(self, gate: str, home: str, *values: float) -> None:
        """Add values of a home; infinity: as wrong as can be, such as an answer without a box."""
        self._values[gate][home] += values

    def not_measured(self, gate: str, reason: str) -> None:
        """Discard the values of a gate, for a reason that is a clause."""
        self._values.pop(gate, None)
        self._reasons[gate] = reason

    def of(self, gate: str) -> Mapping[str, Sequence[float]]:
        """Return the values of a gate, by home."""
        return self._values.get(gate, {})

    def result(self, gate: Gate) -> GateResult:
        """Return the figure of a gate."""
        by_home = {home: list(values) for home, values in self.of(gate.name).items() if values}
        if not by_home:
            reason = self._reasons.get(gate.name, "no moment of the episodes shows it")
            return GateResult(gate, reason=reason)
        value, low, high = figure(by_home, gate.statistic)
        cases = sum(len(values) for values in by_home.values())
        return GateResult(gate, value, (low, high), cases, len(by_home))


@dataclass(frozen=True)
class GateResult:
    """A measured gate."""

    gate: Gate
    value: float | None = None  # None: not measured. Infinity: most cases gave nothing.
    interval: tuple[float, float] | None = None  # 95 %, over homes.
    cases: int = 0
    homes: int = 0
    reason: str = ""  # Why it was not measured, as a clause.

    @property
    def reached(self) -> bool | None:
        """Whether the limit is reached; None: not measured, or nothing is wanted."""
        return self.gate.reached(self.value)


def figure(
    by_home: Mapping[str, Sequence[float]], statistic: Statistic
) -> tuple[float, float, float]:
    """Return a statistic of the values of all homes, and its percentile interval.

    Whole homes are resampled with replacement, since moments of one home are alike.

    Args:
        by_home: At least one home with values; they may be infinite.
        statistic: Of the values together. Quantiles are values that occur.
    """
    homes = [np.asarray(by_home[home], dtype=np.float64) for home in sorted(by_home)]
    chosen = np.random.default_rng(_SEED).integers(len(homes), size=(RESAMPLES, len(homes)))
    if statistic == "share":
        sums, counts = (np.array([f(v) for v in homes]) for f in (np.sum, np.size))
        value = float(sums.sum() / counts.sum())
        found = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    else:
        share = _QUANTILES[statistic]
        value = _quantile(np.concatenate(homes), share)
        found = np.array([_quantile(np.concatenate([homes[k] for k in r]), share) for r in chosen])
    tail = (1.0 - LEVEL) / 2.0
    return value, _quantile(found, tail), _quantile(found, 1.0 - tail)


def _quantile(values: np.ndarray, share: float) -> float:
    """Return the smallest value that at least a share of the values do not exceed."""
    place = max(0, math.ceil(round(share * len(values), 9)) - 1)
    return float(np.partition(values, place)[place])
