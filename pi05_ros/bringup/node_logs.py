"""Log files of supervised processes, one for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pi05_ros.bringup.supervisor import Supervisor


class NodeLogs:
    """Writes lines into `FOLDER/NAME.log`. A context manager.

    Args:
        folder: An existing folder.
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
        """Write a line that a process has printed."""
        self._files[name].write(f"{text}\n")

    def event(self, name: str, text: str) -> None:
        """Write a line about a process: a death, a restart."""
        self._files[name].write(f"-- {text}\n")

    def tail(self, supervisor: Supervisor, lines: int) -> str:
        """The last lines of the process that took the graph down; empty: none did."""
        name = supervisor.failed
        if name is None:
            return ""
        head = f"the last lines of {self._folder / name}.log:\n"
        return head + "".join(f"  {line}\n" for line in supervisor.tail(name)[-lines:])
