"""The nodes' logs of a run, one file a process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from pi05_ros.bringup.supervisor import Supervisor


class NodeLogs:
    """Writes lines into `FOLDER/NAME.log`.

    Args:
        folder: Where to; it exists.
        names: Names of the processes.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._files = {
            name: (folder / f"{name}.log").open("w", encoding="utf-8", buffering=1)
            for name in names
        }

    def __enter__(self) -> NodeLogs:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def line(self, name: str, text: str) -> None:
        """One line that a process wrote."""
        self._files[name].write(f"{text}\n")

    def event(self, name: str, text: str) -> None:
        """What happened to a process."""
        self._files[name].write(f"-- {text}\n")

    def show_tail(self, supervisor: Supervisor, stream: TextIO, lines: int) -> None:
        """Shows the last lines of the process that took the graph down, if one did."""
        name = supervisor.failed
        if name is None:
            return
        stream.write(f"the last lines of {self._folder / name}.log:\n")
        for line in supervisor.tail(name)[-lines:]:
            stream.write(f"  {line}\n")
