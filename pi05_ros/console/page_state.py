"""State shown by all pages: sections of JSON, each encoded once."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

MAX_TIMELINE = 120  # Subtasks.
_RATE_WINDOW_S = 3.0


class PageState:
    """Newest value of each section, with a number that rises with every change.

    Written by the executor's thread, read by the server's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, Any] = {}
        self._texts: dict[str, tuple[int, str]] = {}
        self._changes = 0

    def put(self, section: str, value: Any) -> None:
        """Set a section. Numbers that JSON does not have (NaN, infinity) become null."""
        if section in self._values and self._values[section] == value:
            return
        text = encode(value)
        with self._lock:
            self._values[section] = value
            self._changes += 1
            self._texts[section] = (self._changes, text)

    def since(self, known: int) -> tuple[int, dict[str, str]]:
        """Return the sections changed after the change numbered `known`.

        Returns:
            Number of the last change, and section -> JSON.
        """
        with self._lock:
            changed = {name: text for name, (at, text) in self._texts.items() if at > known}
            return self._changes, changed


def encode(value: Any) -> str:
    """Encode as compact JSON; NaN and infinity become null."""
    return json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


class Timeline:
    """Recent subtasks, each with its start time."""

    def __init__(self, most: int = MAX_TIMELINE) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=most)

    def add(self, subtask: Mapping[str, Any], now: float) -> None:
        """Add a subtask that begins at `now` [s]; a repeated one updates its entry."""
        last = self._entries[-1] if self._entries else None
        if last is not None and now < last["from"]:
            self._entries.clear()  # The clock was reset.
            last = None
        same = last is not None and all(
            last[key] == subtask[key] for key in ("id", "text", "source", "task")
        )
        entry = {key: subtask[key] for key in ("id", "text", "source", "task", "score")}
        if same and last is not None:
            last |= entry
        else:
            self._entries.append({**entry, "from": now})

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries from the oldest to the newest."""
        return [dict(entry) for entry in self._entries]


class RateMeter:
    """Messages per second over the last seconds.

    Args:
        clock: Steady time [s].
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def count(self, name: str) -> None:
        """Count one message of a topic."""
        self._times.setdefault(name, deque(maxlen=512)).append(self._clock())

    def rates(self) -> dict[str, float]:
        """Return topic -> rate [Hz]."""
        begin = self._clock() - _RATE_WINDOW_S
        return {
            name: round(sum(at > begin for at in times) / _RATE_WINDOW_S, 1)
            for name, times in self._times.items()
        }

    def clear(self) -> None:
        """Clear all topics."""
        self._times.clear()
