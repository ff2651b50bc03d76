"""Rows of a foreign recording: its series at the mapping's rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pi05_ros.data.episodes.episode import MODE_HOLDING, MODE_RUNNING
from pi05_ros.data.foreign.mapping import Entry, ForeignMapping, Source, factor
from pi05_ros.data.foreign.series import Values

# Rows farther apart than this many periods are not neighbours: rows between them are missing.
GAP_PERIODS = 1.5


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows at the mapping's rate; rows without a fresh value of each state are left out."""

    times_ns: np.ndarray  # (T,) int64, rising.
    states: np.ndarray  # (T, D) float64.
    actions: np.ndarray  # (T, A) float64; NaN: there is no command.
    modes: np.ndarray  # (T,) uint8: RUNNING where every action is known, else HOLDING.
    left_out: int  # Rows of the grid that are not there.
    oldest: dict[str, int]  # Topic -> rows that are not there since its values were too old.


def rows_of(mapping: ForeignMapping, values: Callable[[Source], Values]) -> Rows:
    """Sample the states and actions at the mapping's rate.

    The grid begins when every state has a value and ends with the first topic of the state that
    ends; entries with `when_old` do not limit it.

    Args:
        mapping: The mapping.
        values: Values of a field, as recorded.
    """
    states = [(e, e.state) for e in mapping.entries if e.state is not None]
    limits = [values(source.pick).times_ns for _, source in states if source.when_old is None]
    if any(not len(times) for times in limits):
        return _no_rows(mapping)
    start = max(int(times[0]) for times in limits)
    stop = min(int(times[-1]) for times in limits)
    if stop < start:
        return _no_rows(mapping)
    count = int((stop - start) * mapping.rate_hz * 1e-9 + 1e-6) + 1
    grid = start + np.round(np.arange(count) * (1e9 / mapping.rate_hz)).astype(np.int64)
    there = np.ones(count, bool)
    columns: list[np.ndarray] = []
    oldest: dict[str, int] = {}
    for entry, source in states:
        column, fresh = _sampled(mapping, entry, source, values, grid)
        if not fresh.all():
            oldest[source.topic] = max(oldest.get(source.topic, 0), int((~fresh).sum()))
        there &= fresh
        columns.append(column)
    times, sampled = grid[there], np.stack(columns, axis=1)[there]
    place = {name: k for k, name in enumerate(mapping.state_names)}
    neighbours = np.diff(times) <= GAP_PERIODS / mapping.rate_hz * 1e9
    actions: list[np.ndarray] = []
    for entry in mapping.entries:
        if entry.next_state:
            after = np.full(len(times), np.nan)
            state = sampled[:, place[entry.name]]
            after[:-1] = np.where(neighbours, state[1:], np.nan)
            actions.append(after)
        elif entry.action is not None:
            column, fresh = _sampled(mapping, entry, entry.action, values, times)
            actions.append(np.where(fresh, column, np.nan))
    commands = np.stack(actions, axis=1)
    running = np.isfinite(commands).all(axis=1)
    modes = np.where(running, MODE_RUNNING, MODE_HOLDING).astype(np.uint8)
    return Rows(times, sampled, commands, modes, count - len(times), oldest)


def _no_rows(mapping: ForeignMapping) -> Rows:
    return Rows(
        np.zeros(0, np.int64),
        np.zeros((0, len(mapping.state_names))),
        np.zeros((0, len(mapping.action_names))),
        np.zeros(0, np.uint8),
        0,
        {},
    )


def _sampled(
    mapping: ForeignMapping,
    entry: Entry,
    source: Source,
    values: Callable[[Source], Values],
    times_ns: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Value of an entry at each time, (T,) float64, and where there is one, (T,) bool."""
    series = values(source.pick)
    max_age = mapping.max_age_s if source.max_age_s is None else source.max_age_s
    sampled, age_ns = sample(series, times_ns, source.interpolation)
    sampled = transformed(sampled, source, entry.unit)
    fresh = age_ns <= round(max_age * 1e9)
    if source.when_old is None:
        return sampled, fresh
    return np.where(fresh, sampled, source.when_old), np.ones(len(times_ns), bool)


_NEVER = np.iinfo(np.int64).max  # Age where there is no value yet.


def sample(
    series: Values, times_ns: np.ndarray, interpolation: str
) -> tuple[np.ndarray, np.ndarray]:
    """Sample a series.

    Args:
        series: The series.
        times_ns: (T,) int64.
        interpolation: "hold": the newest value not later than each time. "linear": on the line to
            the value after it; behind the last one, as "hold".

    Returns:
        (T,) float64 values, NaN before the first one, and (T,) int64 age of the value before [ns].
    """
    if not len(series.times_ns):
        return np.full(len(times_ns), np.nan), np.full(len(times_ns), _NEVER)
    before = np.searchsorted(series.times_ns, times_ns, side="right") - 1
    known = before >= 0
    at = np.maximum(before, 0)
    ages = np.where(known, times_ns - series.times_ns[at], _NEVER)
    found = series.values[at]
    if interpolation == "linear":
        after = np.minimum(at + 1, len(series.times_ns) - 1)
        length = series.times_ns[after] - series.times_ns[at]
        share = np.where(length > 0, (times_ns - series.times_ns[at]) / np.maximum(length, 1), 0.0)
        # At the time of a message its own value counts, whatever follows it.
        found = np.where(share > 0, found + share * (series.values[after] - found), found)
    return np.where(known, found, np.nan), ages


def transformed(recorded: np.ndarray, source: Source, unit: str) -> np.ndarray:
    """Convert recorded numbers to the unit of their entry; then scale, offset and clip."""
    ratio = factor(source.unit, unit)
    assert ratio is not None  # Entry checked.
    converted = source.scale * (ratio * recorded) + source.offset
    return converted if source.clip is None else np.clip(converted, *source.clip)
