"""Figures of predicted chunks, in the robot's units."""

from __future__ import annotations

import functools
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.errors import ConfigError
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import Platform, load_platform, platform_names

HORIZONS_S = (0.1, 0.5, 1.0)  # Times after the observation at which errors are measured.
OPEN = 0.5  # Grippers at this fraction or above count as open.

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChunkPair:
    """A predicted chunk beside the recorded one, in platform units."""

    platform: str
    stats: NormStats
    rate_hz: float  # Of the rows.
    predicted: np.ndarray  # (H, D) float64.
    target: np.ndarray  # (H, D) float64.
    valid: np.ndarray  # (H,) bool.

    def row(self, seconds: float) -> int | None:
        """Return the last row of the first `seconds` of the chunk; None: it is not valid."""
        row = max(0, round(seconds * self.rate_hz) - 1)
        return row if row < len(self.valid) and self.valid[row] else None


def chunk_figures(pairs: Sequence[ChunkPair]) -> dict[str, float]:
    """Compute the figures of chunks; those without a row that counts are left out.

    * `error_UNIT/GROUP/TIMEs`: mean absolute error of the entries of a joint group of one unit, at
      a time after the observation. Groups are the platform's; of other robots, all entries of a
      unit.
    * `hand_cm/TIMEs`: mean distance of the hands' tool centre points from where the recorded
      actions put them, by forward kinematics of both, for platforms of the suite [cm].
    * `gripper_accuracy`: share of the rows in which a gripper is open or closed as recorded.
    """
    errors: dict[str, list[float]] = defaultdict(list)
    grippers: list[np.ndarray] = []
    for pair in pairs:
        platform = _platform(pair.platform, pair.stats)
        difference = _difference(pair, platform)
        columns = _groups(pair.stats, platform)
        for seconds in HORIZONS_S:
            row = pair.row(seconds)
            if row is None:
                continue
            for (group, unit), chosen in columns.items():
                name = f"error_{unit.replace('/', '_per_')}/{group}/{seconds}s"
                errors[name] += np.abs(difference[row, chosen]).tolist()
            if platform is not None and (tools := _hands(pair.platform)) is not None:
                both = tools.positions(np.stack([pair.predicted[row], pair.target[row]]))
                distances = np.linalg.norm(both[0] - both[1], axis=-1)
                errors[f"hand_cm/{seconds}s"] += (100.0 * distances).tolist()
        jaws = _jaws(pair.stats, platform)
        is_open = [
            actions[pair.valid][:, jaws] >= OPEN for actions in (pair.predicted, pair.target)
        ]
        grippers.append((is_open[0] == is_open[1]).ravel())
    figures = {name: float(np.mean(values)) for name, values in errors.items() if values}
    if grippers and len(together := np.concatenate(grippers)):
        figures["gripper_accuracy"] = float(together.mean())
    return figures


def swap_ratio(chunks: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> float | None:
    """How far actions move when the subtask is another sample's, relative to their spread.

    Root mean square of the change, over that of the distance to the mean chunk of the robot, both
    of normalised actions. 0: the words do nothing; at 1 they change as much as everything that
    differs between samples does.

    Args:
        chunks: Platform, and the chunks (H, D) of a sample with its own and with another subtask,
            sampled from the same noise.

    Returns:
        The ratio; None if there are fewer than two samples of a robot or they do not differ.
    """
    moved = spread = 0.0
    for platform in dict.fromkeys(chunk[0] for chunk in chunks):
        own = np.stack([a for name, a, _ in chunks if name == platform])
        other = np.stack([b for name, _, b in chunks if name == platform])
        if len(own) > 1:
            moved += float(np.square(other - own).sum())
            spread += float(np.square(own - own.mean(axis=0)).sum())
    return float(np.sqrt(moved / spread)) if spread > 0.0 else None


class Hands:
    """Tool centre points of a robot, by forward kinematics.

    Args:
        platform: A robot with grippers.
    """

    def __init__(self, platform: Platform) -> None:
        self._kinematics = LinkKinematics(platform, description_xml(platform, False))

    def positions(self, vectors: np.ndarray) -> np.ndarray:
        """Return the tool centre points of vectors (N, D) in the base frame, (N, hands, 3) [m]."""
        return self._kinematics.poses(vectors, self._kinematics.tools)[:, :, :3, 3]


@functools.cache
def _hands(platform: str) -> Hands | None:
    """Kinematics of a platform of the suite; None, with a warning, where they cannot be had."""
    try:
        return Hands(load_platform(platform))
    except ConfigError as error:
        _log.warning("validation gives no error of the hand's position: %s", error)
        return None


def _platform(name: str, stats: NormStats) -> Platform | None:
    """Return the platform of the suite with the entries of these statistics, if there is one."""
    platform = _shipped(name)
    return platform if platform is not None and platform.names == stats.names else None


@functools.cache
def _shipped(name: str) -> Platform | None:
    return load_platform(name) if name in platform_names() else None


def _difference(pair: ChunkPair, platform: Platform | None) -> np.ndarray:
    """Predicted minus recorded actions, (H, D); of continuous joints the short way round."""
    if platform is None:
        return pair.predicted - pair.target
    return platform.difference(pair.predicted, pair.target)


def _groups(stats: NormStats, platform: Platform | None) -> dict[tuple[str, str], list[int]]:
    """Return the columns of each joint group and unit."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    group_of = {}
    if platform is not None:
        group_of = {d.name: group.name for group in platform.groups for d in group.dimensions}
    for column, (name, unit) in enumerate(zip(stats.names, stats.units, strict=True)):
        found[group_of.get(name, "all"), unit].append(column)
    return found


def _jaws(stats: NormStats, platform: Platform | None) -> np.ndarray:
    """Return the mask of the grippers, (D,) bool; of other robots, the entries in fractions."""
    if platform is not None:
        return platform.is_gripper
    return np.array([unit == "fraction" for unit in stats.units], dtype=bool)
