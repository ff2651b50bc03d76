"""One line that says how the run goes: rewritten in place on a terminal, else now and then."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from pi05_ros.control.modes import Mode
from pi05_ros.evaluation.run_record import RunRecord

_REWRITE_S = 0.2  # On a terminal.
_REPEAT_S = 5.0  # Elsewhere: a log should stay readable.


class LiveLine:
    """Shows one line of text.

    Args:
        stream: Where to.
        now: A steady clock [s].
    """

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now = now
        self._on_terminal = stream.isatty()
        self._next = now()
        self._open = False  # Whether a line stands there without its end.

    def show(self, text: str) -> None:
        """Shows the present state, if it is time to."""
        now = self._now()
        if now < self._next:
            return
        self._next = now + (_REWRITE_S if self._on_terminal else _REPEAT_S)
        if self._on_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[2K{text[:width]}")
            self._open = True
        else:
            self._write(f"{text}\n")

    def say(self, text: str) -> None:
        """Writes a line that stays."""
        self._write(f"\r\x1b[2K{text}\n" if self._open else f"{text}\n")
        self._open = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            pass  # Nobody reads any more; the run goes on for its results.


def shorten(text: str, length: int = 40) -> str:
    """The text, with an ellipsis where it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"


def describe(record: RunRecord, notice: str = "") -> str:
    """The state of a run in one line.

    Args:
        record: What happened up to now.
        notice: What the demo waits for or does about it; empty: nothing.
    """
    if not record.began:
        return f"coming up: {notice or record.graph_message or 'processes start'}"
    age, factor, score = record.chunk_age_s, record.real_time_factor, record.score
    commands, chunks, pictures = record.rates_hz()
    robot = record.robot
    if not notice and robot.mode is not Mode.RUNNING:
        mode = f"robot {robot.mode.name.lower()}: " if robot.mode else ""
        notice = f"{mode}{robot.reason}"
    parts = [
        f"{record.sim_s:6.1f} s",
        shorten(record.current_subtask) or "(no subtask)",
        f"{score.points:g}/{score.max_points:g} points" if score.max_points else "not scored yet",
        "no chunk yet" if age is None else f"chunk {age:.2f} s old",
        f"{commands:.0f} commands/s, {chunks:.1f} chunks/s, {pictures:.0f} pictures/s",
        f"{factor:.2f}x real time" if factor else "",
    ]
    if notice:  # First: a terminal may be too narrow for all.
        parts.insert(2, notice)
    return " | ".join(part for part in parts if part)
