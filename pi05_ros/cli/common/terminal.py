"""The terminal that verbs print tables and results to."""

from __future__ import annotations

from rich.console import Console

_PIPE_WIDTH = 160  # Characters: no name of a topic is cut for a program or a log.


def terminal() -> Console:
    """Standard output. Into a pipe or a file, text goes without colours and with a fixed width."""
    out = Console(highlight=False, soft_wrap=True)
    if not out.is_terminal:
        out.width = _PIPE_WIDTH
    return out
