"""Context of the set-up's steps, and the programs that they run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError, explain
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.terminal import Terminal, tail

GRACE = 5.0  # Time for a child to end after each signal [s].


@dataclass
class SetupContext:
    """Context that each step of the set-up gets.

    Args:
        checkout: The clone of the repository.
        source: Where ROS 2 comes from.
        environ: The caller's environment.
        terminal: Shows the progress.
        keep_open: File descriptors that children inherit: the lock, so that it is held as long as
            a child of a killed parent still writes.
    """

    checkout: Checkout
    source: RosSource
    environ: Mapping[str, str]
    terminal: Terminal = field(default_factory=Terminal)
    keep_open: tuple[int, ...] = ()

    def run(
        self, command: Sequence[str | Path], log_name: str, env: Mapping[str, str] | None = None
    ) -> None:
        """Run a program in a process group of its own, with its output in a log.

        Args:
            command: Program and arguments.
            log_name: Name of the log in `checkout.logs`; an old one is overwritten.
            env: The whole environment; the caller's when None.

        Raises:
            SetupError: The program failed; with the known reason, else the end of the log.
        """
        log = self.checkout.logs / f"{log_name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        words = [str(word) for word in command]
        with log.open("wb") as output:
            output.write(f"$ {' '.join(words)}\n".encode())
            output.flush()
            try:
                child = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.checkout.root,
                    env=dict(self.environ if env is None else env),
                    start_new_session=True,
                    pass_fds=self.keep_open,
                )
            except OSError as error:
                raise SetupError(f"{words[0]} cannot be run: {error}", "check the path") from None
        try:
            while child.poll() is None:
                self.terminal.refresh(log)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(timeout=0.2)
        except BaseException:
            _stop(child)
            raise
        if child.returncode != 0:
            reason = explain(tail(log, 60), child.returncode)
            if reason is not None:
                problem, fix = reason
                raise SetupError(f"{problem} (log: {log})", fix)
            raise SetupError(
                f"{words[0]} failed with status {child.returncode}:\n\n{_indented(tail(log))}\n",
                f"read the whole log, {log}",
            )


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Stop a child's process group: SIGINT, SIGTERM, SIGKILL, each after a grace period."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            if child.poll() is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)  # Processes that the child left behind.
                return
            time.sleep(0.05)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
