"""Selection of an episode's trainable rows, and the actions and pictures of each row."""

from __future__ import annotations

import numpy as np

from pi05_ros.data.episodes.episode import CONTROL_DISTURBANCE, MODE_RUNNING, Episode

# An interval of more periods than this between two rows ends a run of actions: rows in between
# were lost, and later actions would be assigned to earlier times, 20 ms for each lost row.
_GAP_PERIODS = 2.5
_VELOCITY_UNITS = ("/s", "/step")  # Ends of units: a second, and a row.


def newest_frames(frame_times_ns: np.ndarray, times_ns: np.ndarray) -> np.ndarray:
    """Find the newest picture that is not later than each time.

    Args:
        frame_times_ns: (N,) int64, rising.
        times_ns: (T,) int64.

    Returns:
        (T,) int64, index of the picture; -1: none yet.
    """
    return np.searchsorted(frame_times_ns, times_ns, side="right") - 1


def label_of_row(episode: Episode) -> np.ndarray:
    """Index of each row's label, (T,) int64; -1: none."""
    found = np.full(len(episode), -1, dtype=np.int64)
    for index, label in enumerate(episode.labels):
        found[label.start_row : label.stop_row] = index
    return found


def acting_rows(episode: Episode) -> np.ndarray:
    """Rows in which the robot followed a label, (T,) bool: mode RUNNING, and labelled.

    A disturbance of a collected episode follows no label.
    """
    return _followed_rows(episode) & (label_of_row(episode) >= 0)


def trainable_rows(episode: Episode) -> np.ndarray:
    """Acting rows whose state and action are finite, (T,) bool."""
    finite = np.isfinite(episode.states).all(axis=1) & np.isfinite(episode.actions).all(axis=1)
    return acting_rows(episode) & finite


def velocity_entries(episode: Episode) -> np.ndarray:
    """Indices of the action's entries that are velocities, by their units; (V,) int64.

    Steps, such as LIBERO's differences of a pose, are velocities as well. Where units are not
    known there are none.
    """
    units = episode.facts.units_of_actions
    found = [i for i, unit in enumerate(units) if unit.endswith(_VELOCITY_UNITS)]
    return np.array(found, dtype=np.int64)


def row_gaps(episode: Episode) -> np.ndarray:
    """Check whether rows are missing behind each row but the last, (T - 1,) bool."""
    gaps: np.ndarray = np.diff(episode.times_ns) > _GAP_PERIODS / episode.rate_hz * 1e9
    return gaps


def action_stops(episode: Episode) -> np.ndarray:
    """End (exclusive) of the run of actions that begins at each row, (T,) int64.

    A run ends at the end of the episode, where the bridge did not follow a chunk, at a
    disturbance, where nothing was commanded, and where rows were lost. A change of the subtask
    does not end it, since the robot goes on. For a row outside every run it is the row itself.
    """
    rows = len(episode)
    moves = _followed_rows(episode) & np.isfinite(episode.actions).all(axis=1)
    is_last = np.r_[~moves[1:] | row_gaps(episode), True][:rows]
    ends = np.flatnonzero(is_last) + 1  # Of the row before each.
    stops = ends[np.searchsorted(ends, np.arange(rows), side="right")]
    return np.where(moves, stops, np.arange(rows))


def _followed_rows(episode: Episode) -> np.ndarray:
    """Rows whose commands are to be imitated, as far as the robot is concerned, (T,) bool."""
    disturbed = episode.control_sources == CONTROL_DISTURBANCE
    return (episode.modes == MODE_RUNNING) & ~disturbed
