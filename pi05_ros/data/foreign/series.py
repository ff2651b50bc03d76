"""Series of a foreign recording's numbers, with the times at which they were measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pi05_ros.data.foreign.fields import FieldError, Reader, reader_of
from pi05_ros.data.foreign.mapping import Source
from pi05_ros.errors import did_you_mean

# Offset between log time and stamp that may change within a bag, and differ between topics [s].
MAX_CLOCK_CHANGE_S = 0.5
MAX_CLOCK_SPREAD_S = 1.0
# Stamps that go back by less are of messages that overtook each other [s].
_MAX_DISORDER_S = 0.5
_PARTS = 10  # In which the offset is compared.
_SECOND = 10**9


@dataclass(frozen=True, eq=False)
class Values:
    """One field's values, in the order of time."""

    times_ns: np.ndarray  # (N,) int64, rising, without equal neighbours.
    values: np.ndarray  # (N,) float64, as recorded; NaN as in the message.


@dataclass
class TopicSeries:
    """Fields of one topic, collected message by message in the order of log time.

    Args:
        topic: Name of the topic.
        type_name: Its type.
        picks: Its fields, without duplicates.
        use_log_time: Whether header stamps are ignored.
    """

    topic: str
    type_name: str
    picks: Sequence[Source]
    use_log_time: bool = False
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._read: Reader = reader_of(self.type_name, self.picks)
        self._log: list[int] = []
        self._stamps: list[int] = []
        self._rows: list[list[float | None]] = []
        self._times: np.ndarray | None = None

    def add(self, log_ns: int, message: Any) -> None:
        """Add a message.

        Raises:
            FieldError: The message lacks a field.
        """
        try:
            self._rows.append(self._read(message))
        except FieldError as error:
            raise FieldError(f"{self.topic}, message {len(self._rows) + 1}: {error}") from error
        header = None if self.use_log_time else getattr(message, "header", None)
        stamp = getattr(header, "stamp", None)
        self._log.append(log_ns)
        self._stamps.append(0 if stamp is None else stamp.sec * _SECOND + stamp.nanosec)

    def finish(self) -> list[str]:
        """Settle the times; call it after the last message.

        Returns:
            Problems, a sentence each. Notes are in `notes`.
        """
        log, stamps = np.array(self._log, np.int64), np.array(self._stamps, np.int64)
        self._rows_array = np.array(
            [[np.nan if v is None else v for v in row] for row in self._rows], np.float64
        ).reshape(len(self._rows), len(self.picks))
        absent = [[v is None for v in row] for row in self._rows]
        self._present = ~np.array(absent, bool).reshape(self._rows_array.shape)
        problems = []
        without = int((stamps == 0).sum())
        if not without:
            self._times = stamps
            self.offset_s = float(np.median(log - stamps)) / _SECOND if len(log) else 0.0
            problems += clock_problems(self.topic, stamps, log)
        else:
            self._times, self.offset_s = log, 0.0
            if without < len(stamps):
                problems.append(
                    f"{self.topic}: wanted a header stamp in every message, found {without} of "
                    f"{len(stamps)} without one; `log_time: [{self.topic}]` uses their log times"
                )
        return problems + self._missing_joints()

    def values(self, pick: Source) -> Values:
        """Values of one field; equal times keep the later message."""
        assert self._times is not None, "call finish() first"
        column = self.picks.index(pick)
        there = self._present[:, column]
        times, values = self._times[there], self._rows_array[there, column]
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        last = np.r_[times[1:] != times[:-1], True][: len(times)]
        return Values(times[last], values[last])

    @property
    def log_range_ns(self) -> tuple[int, int]:
        """Log times of the first and the last message [ns]; (0, 0): there is none."""
        return (self._log[0], self._log[-1]) if self._log else (0, 0)

    @property
    def doubled(self) -> int:
        """Number of values of a field with the time of another one, the most of any field."""
        assert self._times is not None, "call finish() first"
        times = [self._times[there] for there in self._present.T]
        return max((len(one) - len(np.unique(one)) for one in times), default=0)

    def _missing_joints(self) -> list[str]:
        joints: set[str] = getattr(self._read, "joints", set())
        problems = []
        for column, pick in enumerate(self.picks):
            if pick.joint and pick.joint not in joints:
                near = did_you_mean(pick.joint, joints)
                named = ", ".join(sorted(joints)[:12]) or "none"
                problems.append(f"{self.topic}: joint: wanted '{pick.joint}', found {named}{near}")
            elif len(self._rows) and not self._present[:, column].any():
                problems.append(f"{self.topic}: wanted a message with values, found none")
        return problems


def clock_problems(topic: str, stamps: np.ndarray, log: np.ndarray) -> list[str]:
    """Problems of a topic's clock: stamps that jumped back, or an offset that changed.

    Args:
        topic: Name of the topic.
        stamps: (N,) int64 [ns], in the order of log time.
        log: (N,) int64 [ns], log times.
    """
    if len(stamps) < 2:
        return []
    steps = np.diff(stamps)
    worst = int(steps.argmin())
    hint = f"record it again, or use its log times (`log_time: [{topic}]`)"
    if steps[worst] < -_MAX_DISORDER_S * _SECOND:
        return [
            f"{topic}: wanted stamps that rise, found a jump back by "
            f"{-steps[worst] / _SECOND:.3f} s at message {worst + 2} of {len(stamps)}; {hint}"
        ]
    parts = np.array_split((log - stamps) / _SECOND, min(_PARTS, len(stamps)))
    medians = [float(np.median(part)) for part in parts]
    change = max(medians) - min(medians)
    if change > MAX_CLOCK_CHANGE_S:
        return [
            f"{topic}: wanted stamps of one clock, found that they move by {change:.3f} s against "
            f"the recorder's within the bag; {hint}"
        ]
    return []


def spread_problem(offsets: dict[str, float]) -> list[str]:
    """Problem of topics whose clocks differ.

    Args:
        offsets: Topic -> median of log time minus the time that is used [s].
    """
    if not offsets:
        return []
    low, high = min(offsets, key=offsets.__getitem__), max(offsets, key=offsets.__getitem__)
    if offsets[high] - offsets[low] <= MAX_CLOCK_SPREAD_S:
        return []
    odd = max(offsets, key=lambda topic: abs(offsets[topic]))
    return [
        f"wanted topics of one clock, found {high} stamped {offsets[high] - offsets[low]:.3f} s "
        f"behind {low}; synchronise the clocks, or use log times (`log_time: [{odd}]`)"
    ]
