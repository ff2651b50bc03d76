"""What a step of the set-up works with: the checkout, ROS's source, the screen, programs."""

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
from pi05_ros.bootstrap.console import Console, tail
from pi05_ros.bootstrap.errors import SetupError
from pi05_ros.bootstrap.explain import explain
from pi05_ros.bootstrap.ros_source import RosSource

GRACE = 5.0  # Time that a child gets to stop before it is killed [s].


@dataclass
class Workshop:
    """Hands a step what it works with.

    Args:
        checkout: Where the suite lies.
        source: Where ROS 2 comes from.
        environ: The caller's environment.
        console: Where a person looks.
        keep_open: File descriptors that children inherit: the lock, so that it outlives a parent
            that was killed for as long as one of its children still writes.
    """

    checkout: Checkout
    source: RosSource
    environ: Mapping[str, str]
    console: Console = field(default_factory=Console)
    keep_open: tuple[int, ...] = ()

    def run(
        self, command: Sequence[str | Path], log_name: str, env: Mapping[str, str] | None = None
    ) -> None:
        """Runs a program with its output in a log, in a process group of its own.

        Args:
            command: Program and arguments.
            log_name: The log's name in `checkout.logs`; written anew.
            env: The whole environment; the caller's when None.

        Raises:
            SetupError: The program failed: the reason where its output tells one, else its end.
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
                raise SetupError(
                    f"{words[0]} cannot be run: {error}", "look at the path"
                ) from None
        try:
            while child.poll() is None:
                self.console.tick(log)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(timeout=0.2)
        except BaseException:
            _stop(child)
            raise
        if child.returncode != 0:
            reason = explain(tail(log, 60), child.returncode)
            if reason is not None:
                problem, remedy = reason
                raise SetupError(f"{problem} (log: {log})", remedy)
            raise SetupError(
                f"{words[0]} failed with status {child.returncode}:\n\n{_indented(tail(log))}\n",
                f"read the whole log, {log}",
            )


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Stops a child's process group: asks, waits, kills."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            if child.poll() is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)  # What the child left behind.
                return
            time.sleep(0.05)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
