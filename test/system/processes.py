"""Nodes as processes of their own: start, signals, memory, log. None outlives the harness."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pi05_ros.foundation import supervised_child

_CHILD = Path(supervised_child.__file__)
_END_S = 3.0  # From SIGINT to SIGKILL [s].


class NodeProcess:
    """A node of the suite in a process of its own, started at once.

    Args:
        name: Executable of the suite ("control_bridge").
        environment: Complete environment of the process.
        log: File for its output.
        parameters: Of the node; values as `-p` takes them.
        module: Runs it: `python -m MODULE NAME`.
        arguments: Behind the name, before the ROS arguments.
    """

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        log: Path,
        *,
        parameters: Mapping[str, object] | None = None,
        module: str = "pi05_ros.nodes",
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.log = log
        command = [sys.executable, "-m", module, name, *arguments]
        command += ["--ros-args", "-r", "__ns:=/pi05"]
        for key, value in (parameters or {}).items():
            command += ["-p", f"{key}:={value}"]
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                # The kernel kills the child when the harness dies, however it dies.
                [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """True while the process runs or is stopped by a signal."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of its output."""
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:])

    def interrupt(self) -> None:
        """Send SIGINT, also to a stopped process; `close` waits for its end."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
                self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End the process by SIGINT, or by SIGKILL if it is still alive after a while."""
        self.interrupt()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process without shared memory segments [bytes]."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
