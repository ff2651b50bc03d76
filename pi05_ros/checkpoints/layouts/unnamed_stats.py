"""Statistics of public checkpoints: vectors whose entries have no names.

The checkpoints do not state the robot or the meaning of an entry. The user states them once, when
the checkpoint is converted; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi05_ros.checkpoints.storage.files import CheckpointError
from pi05_ros.errors import ConfigError
from pi05_ros.model.normalization import DimensionStats, NormStats


@dataclass(frozen=True)
class UnnamedStats:
    """Values that map to -1 and 1, entry by entry."""

    name: str  # Of the set: "assets/trossen", "policy_preprocessor.json".
    path: Path  # File.
    state_low: tuple[float, ...]
    state_high: tuple[float, ...]
    action_low: tuple[float, ...]
    action_high: tuple[float, ...]
    relative: tuple[bool, ...] | None = None  # Of each action; None: not stated.


@dataclass(frozen=True)
class EntryMeaning:
    """Meaning of one entry, stated by the user."""

    name: str  # As on the platform ("left_arm_joint_1").
    unit: str
    relative: bool | None = None  # Whether the action is a difference to the state.


@dataclass(frozen=True)
class StatsMapping:
    """Meaning of all entries of a vector: a YAML file of the user."""

    dimensions: tuple[EntryMeaning, ...]
    statistics: str = ""  # Name of the checkpoint's set; optional if there is one.


def select_stats(sets: Sequence[UnnamedStats], wanted: str, where: str) -> UnnamedStats:
    """Select a set of statistics by name; without a name, the only one.

    Raises:
        ConfigError: There is no such set, or more than one and no name.
    """
    names = ", ".join(repr(one.name) for one in sets) or "none"
    if not wanted and len(sets) == 1:
        return sets[0]
    for one in sets:
        if one.name == wanted:
            return one
    raise ConfigError(where, f"wanted 'statistics', one of {names}, found {wanted!r}")


def name_entries(unnamed: UnnamedStats, meanings: Sequence[EntryMeaning], where: str) -> NormStats:
    """Combine unnamed statistics with the meanings of their entries.

    Args:
        unnamed: The vectors. They may be longer than the robot's if the rest is 0.
        meanings: One per entry, in the checkpoint's order.
        where: Source of the meanings, for error messages.

    Raises:
        ConfigError: There are too few or too many meanings, or `relative` is missing or
            contradicts the checkpoint.
    """
    count = len(meanings)
    for kind in ("state", "action"):
        low, high = getattr(unnamed, f"{kind}_low"), getattr(unnamed, f"{kind}_high")
        if len(low) < count or any(low[count:]) or any(high[count:]):
            used = max((i + 1 for i in range(len(low)) if low[i] or high[i]), default=0)
            raise ConfigError(
                where,
                f"wanted a name for each of the {used} {kind} entries of "
                f"{unnamed.name}, found {count}",
            )
    dimensions = []
    for index, meaning in enumerate(meanings):
        known = unnamed.relative[index] if unnamed.relative else None
        if meaning.relative is None and known is None:
            raise ConfigError(
                where,
                f"{meaning.name}: {unnamed.name} does not say whether its action is relative to "
                "the state; say `relative: true` or `relative: false` in a mapping file",
            )
        if None not in (meaning.relative, known) and meaning.relative != known:
            raise ConfigError(
                where,
                f"{meaning.name}: wanted relative {str(known).lower()} as the checkpoint says, "
                f"found {str(meaning.relative).lower()}",
            )
        try:
            dimensions.append(
                DimensionStats(
                    meaning.name,
                    meaning.unit,
                    unnamed.state_low[index],
                    unnamed.state_high[index],
                    unnamed.action_low[index],
                    unnamed.action_high[index],
                    bool(known if meaning.relative is None else meaning.relative),
                )
            )
        except ValueError as error:
            raise ConfigError(f"{unnamed.path}", str(error)) from error
    try:
        return NormStats(tuple(dimensions))
    except ValueError as error:
        raise ConfigError(where, str(error)) from error


def low_and_high(
    path: Path, content: Any, method: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the values that map to -1 and 1 under a method of normalisation.

    Args:
        path: The file, for error messages.
        content: Statistics of one vector, lists or tensors by name (q01, q99, mean, std, min,
            max).
        method: "QUANTILES", "MEAN_STD", "MIN_MAX" or "QUANTILE10", LeRobot's names.

    Raises:
        CheckpointError: A statistic is missing, or is no list of numbers.
    """
    names = {
        "QUANTILES": ("q01", "q99"),
        "QUANTILE10": ("q10", "q90"),
        "MIN_MAX": ("min", "max"),
        "MEAN_STD": ("mean", "std"),
    }
    if method not in names:
        raise CheckpointError(
            path, f"wanted a normalisation of {', '.join(names)}, found {method!r}"
        )
    vectors = [_numbers(path, content, name) for name in names[method]]
    if len(vectors[0]) != len(vectors[1]):
        raise CheckpointError(path, f"{' and '.join(names[method])} are of different lengths")
    first, second = vectors
    if method == "MEAN_STD":  # (x − mean) / std maps mean ∓ std to -1 and 1.
        pairs = list(zip(first, second, strict=True))
        return tuple(m - s for m, s in pairs), tuple(m + s for m, s in pairs)
    return first, second


def _numbers(path: Path, content: Any, name: str) -> tuple[float, ...]:
    values: Any = content.get(name) if isinstance(content, dict) else None
    values = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(values, list) or not all(type(v) in (int, float) for v in values):
        raise CheckpointError(path, f"wanted '{name}', a list of numbers, found {values!r:.60}")
    return tuple(float(value) for value in values)
