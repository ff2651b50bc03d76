"""Progress of a run in the terminal."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pi05_ros.training.runs.records import StepRecord

# Ends of the names of the figures that are printed; the run's page has all.
_SHOWN = ("loss", "hand_cm/0.5s", "subtask_exact", "gripper_accuracy")
_LAST = 50  # Steps over which speeds are averaged.
_LINES_EVERY_S = 30.0  # Where output is no terminal, one line in this time.


class TerminalReporter:
    """A bar with losses by source, samples/s, share of waiting, memory and time left.

    Where the output is no terminal it prints a line now and then.

    Args:
        batch_size: Samples of a step.
        output: Where to write; None: stderr.
    """

    def __init__(self, batch_size: int, output: TextIO | None = None) -> None:
        self._batch_size = batch_size
        self._console = Console(file=output or sys.stderr)
        self._records: deque[StepRecord] = deque(maxlen=_LAST)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._steps = 0
        self._bad = 0
        self._since_line = _LINES_EVERY_S
        self._line_at = time.monotonic()  # Of the last line about decoded pictures.

    def print(self, text: str) -> None:
        """Print a line above the bar, as it is: brackets of paths are no markup."""
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)

    def on_decoded(self, done: int, total: int) -> None:
        """Print now and then how many pictures are decoded before the first step."""
        now = time.monotonic()
        if done < total and now - self._line_at < _LINES_EVERY_S:
            return
        self._line_at = now
        self.print(f"pictures: {done} of {total} decoded")

    def on_begin(self, first_step: int, steps: int) -> None:
        """Show the bar."""
        self._steps = steps
        if first_step:
            self.print(f"going on from step {first_step}")
        if not self._console.is_terminal:
            return
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=self._console,
            transient=False,
        )
        self._progress.start()
        self._task = self._progress.add_task(
            "training", total=steps, completed=first_step, text=""
        )

    def on_step(self, record: StepRecord) -> None:
        """Move the bar."""
        self._records.append(record)
        for text in record.bad[: max(0, 5 - self._bad)]:
            self.print(f"left out: {text}")
        self._bad += len(record.bad)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=record.step + 1, text=self.text())
            return
        self._since_line += record.seconds
        if self._since_line >= _LINES_EVERY_S or record.step + 1 == self._steps:
            self._since_line = 0.0
            self.print(f"step {record.step + 1} of {self._steps}: {self.text()}")

    def on_validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Print the figures."""
        shown = {name: value for name, value in figures.items() if name.endswith(_SHOWN)}
        listed = ", ".join(f"{name} {value:.3g}" for name, value in shown.items())
        self.print(f"validation at step {step}: {listed}")

    def on_saved(self, step: int, checkpoint: Path, is_best: bool) -> None:
        """Print where the checkpoint is."""
        best = ", the best so far" if is_best else ""
        self.print(f"saved {checkpoint}{best}")

    def on_end(self) -> None:
        """End the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def text(self) -> str:
        """Return losses, speed, waiting and memory of the last steps, as one line."""
        if not self._records:
            return ""
        last = self._records[-1]
        seconds = sum(record.seconds for record in self._records)
        speed = self._batch_size * len(self._records) / max(seconds, 1e-9)
        waiting = sum(record.waited_s for record in self._records) / max(seconds, 1e-9)
        losses = "  ".join(f"{name} {s.total:.3f}" for name, s in sorted(last.sources.items()))
        parts = [
            f"loss {last.loss:.3f} ({losses})",
            f"{speed:.3g} samples/s",
            f"{100 * waiting:.0f} % waiting",
            f"{last.memory_bytes / 2**30:.1f} GB",
        ]
        return ", ".join(parts + ([f"{self._bad} left out"] if self._bad else []))
