"""Which rows of an episode train, which actions follow a row, and which picture it has."""

from __future__ import annotations

import numpy as np

from pi05_ros.data.episodes.episode import MODE_RUNNING, Episode

# A distance between two rows of more periods than this ends a run of actions: rows in between were
# lost, and those behind would be taken for earlier ones. One lost row shifts the rest by 20 ms.
_GAP_PERIODS = 2.5


def newest_frames(frame_times_ns: np.ndarray, times_ns: np.ndarray) -> np.ndarray:
    """The newest picture that is not later than each time.

    Args:
        frame_times_ns: (N,) int64, rising.
        times_ns: (T,) int64.

    Returns:
        (T,) int64, index into the pictures; -1: none yet.
    """
    return np.searchsorted(frame_times_ns, times_ns, side="right") - 1


def label_of_row(episode: Episode) -> np.ndarray:
    """Index into the labels for each row, (T,) int64; -1: it has none."""
    found = np.full(len(episode), -1, dtype=np.int64)
    for index, label in enumerate(episode.labels):
        found[label.start_row : label.stop_row] = index
    return found


def acting_rows(episode: Episode) -> np.ndarray:
    """Rows in which the robot did what a label says, (T,) bool: mode RUNNING, and labelled."""
    return (episode.modes == MODE_RUNNING) & (label_of_row(episode) >= 0)


def trainable_rows(episode: Episode) -> np.ndarray:
    """Acting rows whose state and action are finite, (T,) bool."""
    finite = np.isfinite(episode.states).all(axis=1) & np.isfinite(episode.actions).all(axis=1)
    return acting_rows(episode) & finite


def action_stops(episode: Episode) -> np.ndarray:
    """Row before which the run of actions that begins at each row ends, (T,) int64.

    A run ends at the end of the episode, where the bridge did something else than follow a chunk,
    where nothing was commanded, and where rows were lost. A change of the subtask ends none: the
    robot went on. For a row that is in no run it is the row itself.
    """
    rows = len(episode)
    moves = (episode.modes == MODE_RUNNING) & np.isfinite(episode.actions).all(axis=1)
    gap = np.diff(episode.times_ns) > _GAP_PERIODS / episode.rate_hz * 1e9
    ends = np.flatnonzero(np.r_[~moves[1:] | gap, True][:rows]) + 1  # Of the row before each.
    stops = ends[np.searchsorted(ends, np.arange(rows), side="right")]
    return np.where(moves, stops, np.arange(rows))
