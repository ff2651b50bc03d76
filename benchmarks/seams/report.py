"""The runs of one mode at one delay as a row, and all rows as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .metrics import Course, Seam

TITLES = {
    "synthetic": "A policy whose flow is known in closed form",
    "no_fade": "The same without the fade behind the committed rows",
    "model": "π0.5 at nano size, weights drawn at random",
    "home": "An expert with noise in mock homes",
}
QUANTITIES = ("position", "velocity", "jerk", "sent_velocity", "sent_jerk")


@dataclass(frozen=True)
class Row:
    """One mode at one delay; each quantity as (median, 95th percentile) over seams."""

    policy: str
    mode: str
    delay: float  # Added [s].
    seams: int
    delay_rows: float
    stood: float  # Share of the time.
    violations: int
    outcome: str  # Points and time of a task; empty: there was none.
    position: tuple[float, float]
    velocity: tuple[float, float]
    jerk: tuple[float, float]
    sent_velocity: tuple[float, float]
    sent_jerk: tuple[float, float]
    between_velocity: float  # Median away from seams; NaN: never far enough from one.
    between_sent_velocity: float


def summarise(
    policy: str, mode: str, delay: float, courses: Sequence[Course], outcome: str = ""
) -> Row:
    """Combine runs that differ only in their seed."""
    seams = [seam for course in courses for seam in course.seams]
    calm = [seam for course in courses for seam in course.between]
    return Row(
        policy=policy,
        mode=mode,
        delay=delay,
        seams=len(seams),
        delay_rows=float(np.median([course.delay_rows for course in courses])),
        stood=float(np.mean([course.stood for course in courses])),
        violations=sum(course.violations for course in courses),
        outcome=outcome,
        position=_spread(seams, "position"),
        velocity=_spread(seams, "velocity"),
        jerk=_spread(seams, "jerk"),
        sent_velocity=_spread(seams, "sent_velocity"),
        sent_jerk=_spread(seams, "sent_jerk"),
        between_velocity=_spread(calm, "velocity")[0],
        between_sent_velocity=_spread(calm, "sent_velocity")[0],
    )


def tables(rows: Sequence[Row]) -> str:
    """Return a Markdown table for each policy."""
    parts = []
    for policy in dict.fromkeys(row.policy for row in rows):
        mine = [row for row in rows if row.policy == policy]
        last = " outcome |" if any(row.outcome for row in mine) else ""
        parts.append(
            f"### {TITLES.get(policy, policy)}\n\n"
            "| added delay | mode | late | stands | position step, mrad | velocity step, rad/s | "
            "jerk, 1000 rad/s³ | sent: velocity step | sent: jerk | limits broken | seams |"
            f"{last}\n|---|---|---|---|---|---|---|---|---|---|---|{'---|' if last else ''}\n"
            + "\n".join(line(row) + (f" {row.outcome} |" if last else "") for row in mine)
        )
    return "\n\n".join(parts) + "\n"


def line(row: Row) -> str:
    """Return one row of a table."""
    return (
        f"| {row.delay * 1e3:.0f} ms | {row.mode} | {row.delay_rows:.1f} rows | {row.stood:.0%} | "
        f"{_pair(row.position, 1e3)} | {_pair(row.velocity)} | {_pair(row.jerk, 1e-3)} | "
        f"{_pair(row.sent_velocity)} | {_pair(row.sent_jerk, 1e-3)} | {row.violations} | "
        f"{row.seams} |"
    )


def _pair(values: tuple[float, float], factor: float = 1.0) -> str:
    return " / ".join(f"{value * factor:.3g}" for value in values)


def _spread(seams: Sequence[Seam], quantity: str) -> tuple[float, float]:
    if not seams:
        return float("nan"), float("nan")
    values = [getattr(seam, quantity) for seam in seams]
    return float(np.median(values)), float(np.percentile(values, 95))
