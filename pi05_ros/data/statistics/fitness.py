"""Checks that statistics, and the data behind them, are fit for training.

Each rule is stated at its constant; docs/design/statistics.md gives the reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pi05_ros.data.statistics.clipping import clipped_counts
from pi05_ros.data.statistics.robot import HIGH, LOW, RobotStatistics
from pi05_ros.data.statistics.vectors import VectorStatistics
from pi05_ros.errors import ConfigError, Pi05Error, did_you_mean
from pi05_ros.model.normalization import CLIP, NormStats
from pi05_ros.platforms.platform import Platform

# Kinds of findings, as `--accept` takes them.
KINDS = {
    "layout": "the entries are not the platform's",
    "too-few": "too few rows for a 1st and a 99th percentile",
    "not-finite": "values that are NaN or infinite",
    "near-constant": "an entry that hardly moves; an error where its noise is amplified",
    "outside-limits": "values that the platform's limits do not allow",
    "outside-range": "more values outside [-1, 1] than the percentiles imply",
    "outlier": "a value far outside [-1, 1]",
    "clipped": "actions that FAST targets cut off",
}

MIN_ROWS = 1000  # 20 s at 50 Hz: ten of them lie below the 1st percentile.
# Distance between the 1st and the 99th percentile, as a share of the platform's range.
MIN_SPAN_SHARE = 1e-3
# Share of the platform's range by which a measurement may exceed a limit: fingers reach 4 %.
LIMIT_TOLERANCE = 0.05
MAX_OUTSIDE_LIMITS = 0.01  # Share of the values.
MAX_OUTSIDE_RANGE = 0.05  # Share of the values; the percentiles themselves leave 0.02 outside.
OUTLIER = 20.0  # Magnitude of a normalised value.


@dataclass(frozen=True)
class StatisticsFinding:
    """One reason why statistics may be unfit for training."""

    kind: str  # One of KINDS.
    severity: Literal["error", "warning"]  # An error blocks training.
    entry: str  # Name of the vector's entry; "": all entries.
    sentence: str  # What was wanted, what was found and what to do.


class UnfitStatisticsError(Pi05Error):
    """The statistics are unfit for training.

    Args:
        findings: The errors that block training, at least one.
    """

    def __init__(self, findings: Sequence[StatisticsFinding]) -> None:
        self.findings = tuple(findings)
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        kinds = ", ".join(sorted({finding.kind for finding in findings}))
        super().__init__(
            f"the data are unfit for training: {findings[0].sentence}{more}; repair them, or "
            f"accept the findings (--accept {kinds.replace(', ', ' --accept ')})"
        )


def check_fitness(
    statistics: RobotStatistics, platform: Platform, norm_stats: NormStats
) -> tuple[StatisticsFinding, ...]:
    """Find every reason why statistics may be unfit for training.

    Args:
        statistics: Statistics of the data.
        platform: The robot, with its limits.
        norm_stats: Statistics that will normalise the data: their own, or a checkpoint's.
    """
    units = tuple(str(dimension.unit) for dimension in platform.dimensions)
    difference = norm_stats.difference(platform.names, units)
    layout = statistics.layout
    if not difference and layout.names != platform.names:
        difference = f"wanted {', '.join(platform.names)}, found {', '.join(layout.names)}"
    if difference:
        return (StatisticsFinding("layout", "error", "", f"{platform.name}: {difference}"),)
    findings = list(_too_few(statistics))
    relative = norm_stats.relative
    for kind, vectors in (("state", statistics.states), ("action", statistics.actions)):
        findings += _not_finite(kind, vectors, platform)
        findings += _outside_limits(kind, vectors, platform)
    ranges = {
        "state": (statistics.states, ~np.zeros_like(relative)),
        "action": (statistics.actions, ~relative),
        "relative action": (statistics.relative, relative),
    }
    for kind, (vectors, selected) in ranges.items():
        ends = _ends(norm_stats, "state" if kind == "state" else "action")
        own = np.stack([vectors.quantiles.at(LOW), vectors.quantiles.at(HIGH)])
        findings += _near_constant(kind, own, ends, selected, platform)
        findings += _outside_range(kind, vectors, ends, selected, platform)
    findings += _clipped(statistics, platform, norm_stats)
    return tuple(findings)


def require_fit(
    findings: Sequence[StatisticsFinding], accept: Collection[str] = ()
) -> tuple[StatisticsFinding, ...]:
    """Raise unless every error among the findings is accepted.

    Args:
        findings: The result of `check_fitness`.
        accept: Kinds of findings that the user has reviewed and accepts.

    Returns:
        The accepted errors, to be recorded beside the statistics.

    Raises:
        UnfitStatisticsError: There are errors that are not accepted.
        ConfigError: `accept` holds an unknown kind.
    """
    for kind in accept:
        if kind not in KINDS:
            raise ConfigError(
                "accept",
                f"no finding is called '{kind}'{did_you_mean(kind, KINDS)} "
                f"(valid: {', '.join(KINDS)})",
            )
    errors = [finding for finding in findings if finding.severity == "error"]
    blocking = [finding for finding in errors if finding.kind not in accept]
    if blocking:
        raise UnfitStatisticsError(blocking)
    return tuple(errors)


def _too_few(statistics: RobotStatistics) -> Iterator[StatisticsFinding]:
    if statistics.rows < MIN_ROWS:
        yield StatisticsFinding(
            "too-few",
            "error",
            "",
            f"wanted at least {MIN_ROWS} rows in which the robot acted and was labelled, found "
            f"{statistics.rows} ({statistics.counts.all_rows_left_out} others were left out)",
        )


def _not_finite(
    kind: str, vectors: VectorStatistics, platform: Platform
) -> Iterator[StatisticsFinding]:
    for name, count in zip(platform.names, vectors.not_finite, strict=True):
        if count:
            yield StatisticsFinding(
                "not-finite", "error", name, f"{name}: {count} values of the {kind} are not finite"
            )


def _near_constant(
    kind: str, own: np.ndarray, ends: np.ndarray, selected: np.ndarray, platform: Platform
) -> Iterator[StatisticsFinding]:
    """Entries that hardly move: `own` are the data's percentiles, `ends` the normalisation's."""
    low, high = platform.usual_range
    least = MIN_SPAN_SHARE * (high - low)
    span, divisor = own[1] - own[0], ends[1] - ends[0]
    for i in np.flatnonzero(selected & ((span < least) | (divisor < least))):
        name, unit = platform.names[i], platform.dimensions[i].unit
        if divisor[i] < least[i]:
            yield StatisticsFinding(
                "near-constant",
                "error",
                name,
                f"{name}: the {kind} is normalised by a span of {divisor[i]:.2g} {unit}, of "
                f"{high[i] - low[i]:g} that the platform allows, which amplifies noise; use "
                "statistics with floors (those that bags stats writes)",
            )
        else:
            yield StatisticsFinding(
                "near-constant",
                "warning",
                name,
                f"{name}: the {kind} hardly moves, its 1st and 99th percentile are "
                f"{span[i]:.2g} {unit} apart, of {high[i] - low[i]:g} that the platform allows; "
                f"it is normalised by a span of {divisor[i]:.2g} {unit}",
            )


def _clipped(
    statistics: RobotStatistics, platform: Platform, norm_stats: NormStats
) -> Iterator[StatisticsFinding]:
    counts = clipped_counts(statistics, norm_stats)
    for i in np.flatnonzero(counts):
        vectors = statistics.relative if norm_stats.relative[i] else statistics.actions
        yield StatisticsFinding(
            "clipped",
            "warning",
            platform.names[i],
            f"{platform.names[i]}: {counts[i]} of {vectors.spread.count[i]} actions are beyond "
            f"±{CLIP:g} after normalisation and are clipped in FAST targets",
        )


def _outside_limits(
    kind: str, vectors: VectorStatistics, platform: Platform
) -> Iterator[StatisticsFinding]:
    slack = LIMIT_TOLERANCE * (platform.upper - platform.lower)
    outside = vectors.quantiles.share_below(platform.lower - slack)
    outside = outside + vectors.quantiles.share_above(platform.upper + slack)
    for i in np.flatnonzero(outside > MAX_OUTSIDE_LIMITS):
        spread = vectors.spread
        yield StatisticsFinding(
            "outside-limits",
            "error",
            platform.names[i],
            f"{platform.names[i]}: {outside[i]:.1%} of the {kind} lie outside the platform's "
            f"{platform.lower[i]:g} to {platform.upper[i]:g} {platform.dimensions[i].unit} (found "
            f"{spread.least[i]:.4g} to {spread.greatest[i]:.4g}): another robot, or another unit?",
        )


def _outside_range(
    kind: str,
    vectors: VectorStatistics,
    ends: np.ndarray,
    selected: np.ndarray,
    platform: Platform,
) -> Iterator[StatisticsFinding]:
    outside = vectors.quantiles.share_below(ends[0]) + vectors.quantiles.share_above(ends[1])
    span = np.maximum(ends[1] - ends[0], 1e-6)  # As model/normalization keeps it above 0.
    spread = vectors.spread
    farthest = np.maximum(ends[0] - spread.least, spread.greatest - ends[1]) / span * 2 + 1
    for i in np.flatnonzero(selected & (outside > MAX_OUTSIDE_RANGE)):
        yield StatisticsFinding(
            "outside-range",
            "error",
            platform.names[i],
            f"{platform.names[i]}: {outside[i]:.1%} of the {kind} lie outside [-1, 1] after "
            f"normalisation, wanted {2 * 0.01:.0%}: the statistics are of other data",
        )
    for i in np.flatnonzero(selected & (farthest > OUTLIER) & (outside <= MAX_OUTSIDE_RANGE)):
        yield StatisticsFinding(
            "outlier",
            "warning",
            platform.names[i],
            f"{platform.names[i]}: a {kind} becomes {farthest[i]:.0f} after normalisation, wanted "
            f"mostly [-1, 1] (found {spread.least[i]:.4g} to {spread.greatest[i]:.4g})",
        )


def _ends(norm_stats: NormStats, kind: str) -> np.ndarray:
    """Values that normalise to -1 and 1, (2, D) float64."""
    return np.array(
        [[getattr(d, f"{kind}_{q}") for d in norm_stats.dimensions] for q in ("q01", "q99")]
    )
