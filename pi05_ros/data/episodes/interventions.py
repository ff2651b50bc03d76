"""Who drove an episode's rows, the policy or an operator, and where one took over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pi05_ros.data.episodes.episode import (
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
    MODE_RUNNING,
    DeviceSpan,
    Episode,
)


@dataclass(frozen=True)
class DrivenSpan:
    """Rows `start_row` to `stop_row` (exclusive) that followed one source."""

    start_row: int
    stop_row: int
    control_source: int  # One of CONTROL_*.


@dataclass(frozen=True)
class Intervention:
    """Rows `start_row` to `stop_row` (exclusive) in which an operator drove instead of the policy.

    While it lasts the policy goes on publishing what it would have done.
    """

    start_row: int
    stop_row: int
    device: str  # TeleopCommand.device at its first row with one; "": not known.


def control_source_of(state: Any) -> int:
    """Source of a pi05_msgs/RobotState; in bags from before the field it was the policy."""
    return int(getattr(state, "control_source", 0)) or default_source(int(state.mode))


def default_source(mode: int) -> int:
    """Source of a row of which only the mode is known."""
    return CONTROL_POLICY if mode == MODE_RUNNING else CONTROL_NONE


def driven_spans(episode: Episode) -> tuple[DrivenSpan, ...]:
    """Split all rows of an episode into spans of one source, in order."""
    sources = episode.control_sources
    starts, stops = _runs(sources)
    return tuple(
        DrivenSpan(int(start), int(stop), int(sources[start]))
        for start, stop in zip(starts, stops, strict=True)
    )


def interventions(episode: Episode) -> tuple[Intervention, ...]:
    """Find the spans in which an operator drove, of an episode in which the policy drove as well.

    Rows that nobody drives (holds) part two spans of the operator, and each of them counts. An
    episode in which the policy never drove is a demonstration, without interventions.
    """
    spans = driven_spans(episode)
    if not any(span.control_source == CONTROL_POLICY for span in spans):
        return ()
    return tuple(
        Intervention(span.start_row, span.stop_row, _device(episode, span))
        for span in spans
        if span.control_source == CONTROL_TELEOP
    )


def device_spans(
    sources: np.ndarray, row_log_ns: np.ndarray, devices: Sequence[tuple[int, str]]
) -> tuple[DeviceSpan, ...]:
    """Assign devices to the rows that an operator drove.

    Args:
        sources: Source of each row, (T,) uint8.
        row_log_ns: Time of reception of each row, (T,) int64 [ns], rising.
        devices: Times of reception [ns] and the device that has control from then on, in order.

    Returns:
        Spans of rows with the same device, in order; rows without a device have none.
    """
    times = np.array([time for time, _ in devices], np.int64)
    # Of each row: index of the device; -1: none yet.
    which = np.searchsorted(times, row_log_ns, side="right") - 1
    which[sources != CONTROL_TELEOP] = -1
    return tuple(
        DeviceSpan(int(start), int(stop), devices[which[start]][1])
        for start, stop in zip(*_runs(which), strict=True)
        if which[start] >= 0 and devices[which[start]][1]
    )


def _runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and stops (exclusive) of the runs of equal values in a (T,) array."""
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.r_[0, edges], np.r_[edges, len(values)]


def _device(episode: Episode, span: DrivenSpan) -> str:
    for device in episode.devices:
        if device.start_row < span.stop_row and span.start_row < device.stop_row:
            return device.device
    return ""
