"""Rows in which a robot stood still."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pi05_ros.data.episodes.episode import Episode

# An entry is still while its values stay within this distance of each other, by unit: a few times
# the noise of encoders, less than a deliberate movement.
STILL = {"rad": 0.02, "m": 0.005, "fraction": 0.02}
# A velocity is still below this magnitude: a constant velocity is a movement.
AT_REST = {"m/s": 0.02, "rad/s": 0.05}
# An entry of an unknown unit is still within this share of its range in the episode.
STILL_SHARE = 0.01


def idle_rows(episode: Episode, least_s: float) -> np.ndarray:
    """Find stretches in which states and commands stood still.

    Rows are counted, not stamps: a stretch of `least_s` has `least_s · rate_hz` rows and one.

    Args:
        episode: The episode.
        least_s: Length of the shortest stretch [s].

    Returns:
        (T,) bool; False where a state or an action is not finite.
    """
    facts = episode.facts
    units = facts.units or ("",) * len(facts.names)
    rows = round(least_s * episode.rate_hz) + 1
    starts = np.ones(max(len(episode) - rows + 1, 0), bool)  # Of the windows of `rows` rows.
    if not len(starts):
        return np.zeros(len(episode), bool)
    for values, its in ((episode.states, units), (episode.actions, facts.units_of_actions)):
        starts &= _still_windows(values, its, rows)
    # A row is idle when a still window covers it.
    begun = np.r_[0, np.cumsum(starts), np.full(rows - 1, starts.sum())]
    ended = np.r_[np.zeros(rows, np.int64), np.cumsum(starts)]
    return begun[1:] > ended[:-1]


def _still_windows(values: np.ndarray, units: Sequence[str], rows: int) -> np.ndarray:
    """Windows of `rows` rows in which all of (T, D) values are still, (T - rows + 1,) bool."""
    highest, lowest = _sliding(values, rows, np.maximum), _sliding(values, rows, np.minimum)
    finite = np.isfinite(values).all(axis=1, keepdims=True)
    is_finite = _sliding(finite, rows, np.logical_and)[:, 0]
    with np.errstate(invalid="ignore"):
        distance = highest - lowest
        whole = np.nanmax(values, axis=0, initial=-np.inf) - np.nanmin(
            values, axis=0, initial=np.inf
        )
    for i, unit in enumerate(units):
        if unit in AT_REST:
            distance[:, i] = np.maximum(np.abs(highest[:, i]), np.abs(lowest[:, i]))
    limits = [
        AT_REST.get(u, STILL.get(u, STILL_SHARE * w)) for u, w in zip(units, whole, strict=True)
    ]
    return is_finite & (distance <= np.array(limits)).all(axis=1)


def _sliding(
    values: np.ndarray, rows: int, combine: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Combine each window of `rows` rows of (T, D): (T - rows + 1, D), in log2(rows) steps."""
    found, size = values, 1
    while size < rows:
        step = min(size, rows - size)
        found = combine(found[:-step], found[step:])
        size += step
    return found
