"""What is wrong with statistics before anything is trained on them.

Each rule is stated at its constant; the reasons are in docs/design/statistics.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pi05_ros.data.statistics.robot import RobotStatistics
from pi05_ros.data.statistics.vectors import VectorStatistics
from pi05_ros.errors import ConfigError, Pi05Error, did_you_mean
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.platform import Platform

# Kinds of findings, as `--accept` takes them.
KINDS = {
    "layout": "the entries are not the platform's",
    "too-few": "too few rows for a 1st and a 99th percentile",
    "not-finite": "values that are NaN or infinite",
    "near-constant": "an entry that hardly moves, whose noise would be blown up",
    "outside-limits": "values that the platform's limits do not allow",
    "outside-range": "more values outside [-1, 1] than the percentiles say",
    "outlier": "a value far outside [-1, 1]",
}

MIN_ROWS = 1000  # 20 s at 50 Hz: ten of them lie below the 1st percentile.
# Distance of the 1st and the 99th percentile, as a share of what the platform allows.
MIN_SPAN_SHARE = 1e-3
# Share of the platform's range by which a measurement may overshoot a limit: fingers do by 4 %.
LIMIT_TOLERANCE = 0.05
MAX_OUTSIDE_LIMITS = 0.01  # Share of the values.
MAX_OUTSIDE_RANGE = 0.05  # Share of the values; 0.02 is what the percentiles mean.
OUTLIER = 20.0  # Of a normalised value.


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: str  # One of KINDS.
    severity: Literal["error", "warning"]  # An error blocks training.
    entry: str  # Name of the entry of the vector; "": all.
    sentence: str  # What was wanted, what was found, what to do.


class NotTrainableError(Pi05Error):
    """Statistics with findings that block training.

    Args:
        findings: Those that block.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        kinds = ", ".join(sorted({finding.kind for finding in findings}))
        super().__init__(
            f"these data do not train: {findings[0].sentence}{more}; mend them, or say that you "
            f"accept it (--accept {kinds.replace(', ', ' --accept ')})"
        )


def examine(
    statistics: RobotStatistics, platform: Platform, norm_stats: NormStats
) -> tuple[Finding, ...]:
    """All that is wrong with statistics.

    Args:
        statistics: Of the data.
        platform: Of the robot: its limits.
        norm_stats: By which the data will be normalised: their own, or a checkpoint's.
    """
    units = tuple(str(dimension.unit) for dimension in platform.dimensions)
    difference = norm_stats.difference(platform.names, units)
    layout = statistics.layout
    if not difference and layout.names != platform.names:
        difference = f"wanted {', '.join(platform.names)}, found {', '.join(layout.names)}"
    if difference:
        return (Finding("layout", "error", "", f"{platform.name}: {difference}"),)
    findings = list(_too_few(statistics))
    relative = norm_stats.relative
    low, high = platform.lower, platform.upper
    for kind, vectors in (("state", statistics.states), ("action", statistics.actions)):
        findings += _not_finite(kind, vectors, platform)
        findings += _outside_limits(kind, vectors, platform)
    ranges = {
        "state": (statistics.states, ~np.zeros_like(relative)),
        "action": (statistics.actions, ~relative),
        "relative action": (statistics.relative, relative),
    }
    for kind, (vectors, judged) in ranges.items():
        ends = _ends(norm_stats, "state" if kind == "state" else "action")
        findings += _near_constant(kind, ends, judged, platform, high - low)
        findings += _outside_range(kind, vectors, ends, judged, platform)
    return tuple(findings)


def require_trainable(
    findings: Sequence[Finding], accept: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Lets training go on only with sound statistics.

    Args:
        findings: From `examine`.
        accept: Kinds of findings that a person has looked at and takes.

    Returns:
        The errors that were accepted: to be written where the result will be found again.

    Raises:
        NotTrainableError: There are errors that nobody accepted.
        ConfigError: There is no such kind.
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
        raise NotTrainableError(blocking)
    return tuple(errors)


def _too_few(statistics: RobotStatistics) -> Iterator[Finding]:
    if statistics.rows < MIN_ROWS:
        yield Finding(
            "too-few",
            "error",
            "",
            f"wanted at least {MIN_ROWS} rows in which the robot acted and was labelled, found "
            f"{statistics.rows} ({statistics.rows_left_out} others were left out)",
        )


def _not_finite(kind: str, vectors: VectorStatistics, platform: Platform) -> Iterator[Finding]:
    for name, count in zip(platform.names, vectors.not_finite, strict=True):
        if count:
            yield Finding(
                "not-finite", "error", name, f"{name}: {count} values of the {kind} are not finite"
            )


def _near_constant(
    kind: str, ends: np.ndarray, judged: np.ndarray, platform: Platform, range_: np.ndarray
) -> Iterator[Finding]:
    span = ends[1] - ends[0]
    for i in np.flatnonzero(judged & (span < MIN_SPAN_SHARE * range_)):
        unit = platform.dimensions[i].unit
        yield Finding(
            "near-constant",
            "error",
            platform.names[i],
            f"{platform.names[i]}: the {kind} hardly moves, its 1st and 99th percentile are "
            f"{span[i]:.2g} {unit} apart, of {range_[i]:g} that the platform allows; record data "
            "in which it moves, or widen it (--least-span)",
        )


def _outside_limits(kind: str, vectors: VectorStatistics, platform: Platform) -> Iterator[Finding]:
    slack = LIMIT_TOLERANCE * (platform.upper - platform.lower)
    outside = vectors.quantiles.share_below(platform.lower - slack)
    outside = outside + vectors.quantiles.share_above(platform.upper + slack)
    for i in np.flatnonzero(outside > MAX_OUTSIDE_LIMITS):
        spread = vectors.spread
        yield Finding(
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
    judged: np.ndarray,
    platform: Platform,
) -> Iterator[Finding]:
    outside = vectors.quantiles.share_below(ends[0]) + vectors.quantiles.share_above(ends[1])
    span = np.maximum(ends[1] - ends[0], 1e-6)  # As model/normalization keeps it above 0.
    spread = vectors.spread
    farthest = np.maximum(ends[0] - spread.least, spread.greatest - ends[1]) / span * 2 + 1
    for i in np.flatnonzero(judged & (outside > MAX_OUTSIDE_RANGE)):
        yield Finding(
            "outside-range",
            "error",
            platform.names[i],
            f"{platform.names[i]}: {outside[i]:.1%} of the {kind} lie outside [-1, 1] after "
            f"normalisation, wanted {2 * 0.01:.0%}: the statistics are of other data",
        )
    for i in np.flatnonzero(judged & (farthest > OUTLIER) & (outside <= MAX_OUTSIDE_RANGE)):
        yield Finding(
            "outlier",
            "warning",
            platform.names[i],
            f"{platform.names[i]}: a {kind} becomes {farthest[i]:.0f} after normalisation, wanted "
            f"mostly [-1, 1] (found {spread.least[i]:.4g} to {spread.greatest[i]:.4g})",
        )


def _ends(norm_stats: NormStats, kind: str) -> np.ndarray:
    """What becomes -1 and 1, (2, D)."""
    return np.array(
        [[getattr(d, f"{kind}_{q}") for d in norm_stats.dimensions] for q in ("q01", "q99")]
    )
