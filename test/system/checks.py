"""Checks of a row of the table of faults: wanted against measured, one line each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """A wanted and a measured value."""

    name: str
    wanted: str
    measured: str
    passed: bool


@dataclass
class Checks:
    """Collects the checks of a row. A value that was never measured (None, NaN) fails."""

    found: list[Check] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True if there are checks, and all of them passed."""
        return bool(self.found) and all(check.passed for check in self.found)

    def add(self, name: str, wanted: str, measured: str, passed: bool) -> None:
        """Add a check that was made elsewhere."""
        self.found.append(Check(name, wanted, measured, bool(passed)))

    def at_most(self, name: str, value: float | None, limit: float, unit: str = "") -> None:
        """Check value <= limit."""
        passed = value is not None and value <= limit  # False for NaN.
        self.add(name, f"≤ {_text(limit, unit)}", _text(value, unit), passed)

    def at_least(self, name: str, value: float | None, limit: float, unit: str = "") -> None:
        """Check value >= limit."""
        passed = value is not None and value >= limit
        self.add(name, f"≥ {_text(limit, unit)}", _text(value, unit), passed)

    def between(
        self, name: str, value: float | None, least: float, most: float, unit: str = ""
    ) -> None:
        """Check least <= value <= most."""
        passed = value is not None and least <= value <= most
        wanted = f"{_text(least)} to {_text(most, unit)}"
        self.add(name, wanted, _text(value, unit), passed)

    def equal(self, name: str, value: object, wanted: object) -> None:
        """Check value == wanted."""
        self.add(name, str(wanted), str(value), value == wanted)


def milliseconds(duration_ns: float | None) -> float | None:
    """Convert nanoseconds to milliseconds; None stays None."""
    return None if duration_ns is None else duration_ns * 1e-6


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed (nearest rank); NaN for none.

    Nearest rank: of 200 values the 99th percentile is the third largest, never a mean of two.
    """
    if not values:
        return math.nan
    rank = max(1, math.ceil(share * len(values)))
    return sorted(values)[rank - 1]


def chance_of_as_many(after: int, of_after: int, before: int, of_before: int) -> float:
    """Return the probability of as many events or more if nothing has changed: a sign test.

    Of all events, each would fall into the second span with that span's share of the trials; the
    probability is the binomial distribution's upper tail (Przyborowski and Wilenski, 1940).

    Args:
        after: Events in the second span.
        of_after: Trials in it.
        before: Events in the first span.
        of_before: Trials in it.

    Returns:
        0 to 1; 0 when one of the spans holds no trial.
    """
    if not (of_after and of_before):
        return 0.0
    events, share = after + before, of_after / (of_after + of_before)
    return sum(
        math.comb(events, k) * share**k * (1.0 - share) ** (events - k)
        for k in range(after, events + 1)
    )


def _text(value: float | None, unit: str = "") -> str:
    if value is None or math.isnan(value):
        return "never"
    return f"{value:.4g}{' ' + unit if unit else ''}"
