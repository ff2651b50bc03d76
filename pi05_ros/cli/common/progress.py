"""Progress bars of long work, and the console that `./pi05 bags` writes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_PIPE_WIDTH = 160  # Letters: no name of a topic is cut for a program or a log.


def console() -> Console:
    """Where results go. Into a pipe or a file they come without colours, and wide."""
    out = Console(highlight=False, soft_wrap=True)
    if not out.is_terminal:
        out.width = _PIPE_WIDTH
    return out


class Bar:
    """One bar that is moved on."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, amount: float = 1.0) -> None:
        """So much more is done."""
        self._progress.advance(self._task, amount)

    def at(self, done: float, total: float | None = None) -> None:
        """So much is done, of a total that may have changed."""
        self._progress.update(self._task, completed=done, total=total)

    def say(self, text: str) -> None:
        """What is being done now, in front of the bar."""
        self._progress.update(self._task, description=text)


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Bar]:
    """A progress bar on stderr while the block runs; nothing where that is no terminal.

    Args:
        description: What is being done ("reading").
        total: How much there is to do, in any unit; None: not known yet.
    """
    errors = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as bars:
        yield Bar(bars, bars.add_task(description, total=total))
