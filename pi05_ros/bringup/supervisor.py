"""Runs a set of processes as one: output by lines, restarts with a limit, one clean end.

Everything happens in the thread that calls `start`, `poll` and `stop`. That thread must live as
long as the processes: the kernel kills them when it ends (see supervised_child).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pi05_ros.bringup.respawn import RespawnPolicy, RespawnRecord
from pi05_ros.errors import Pi05Error
from pi05_ros.foundation.lines import LineSplitter

_CHILD = Path(__file__).with_name("supervised_child.py")
_READ_BYTES = (
    65536  # At most so much of one process at a time: a flood must not starve the others.
)


class GraphError(Pi05Error):
    """A process of the graph ended that the graph cannot do without."""


@dataclass(frozen=True)
class ProcessSpec:
    """A process to supervise."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # On top of the caller's.
    on_exit: Literal["respawn", "shutdown", "ignore", "persist"] = "respawn"  # bringup.OnExit
    end_s: float = 0.0  # It is killed not before so long after the request to end [s].


@dataclass(frozen=True)
class StopPolicy:
    """How a process is asked to end, ever more firmly; times from the first request [s]."""

    sigterm_after_s: float = 2.0
    sigkill_after_s: float = 4.0

    def __post_init__(self) -> None:
        if not 0 < self.sigterm_after_s < self.sigkill_after_s:
            raise ValueError("sigterm_after_s must lie between 0 and sigkill_after_s")


class Supervisor:
    """Starts processes, watches them, and takes all down together.

    Args:
        specs: The processes. They start in this order and are asked to end at once.
        on_line: Called with a process's name and each line that it writes (stdout and stderr).
        on_event: Called with a process's name and what happened to it, in plain words.
        respawn: When a process with on_exit "respawn" starts again.
        stop: How the processes are asked to end.
        tail: How many of the last lines of each process `tail()` can give.
    """

    def __init__(
        self,
        specs: Iterable[ProcessSpec],
        *,
        on_line: Callable[[str, str], None],
        on_event: Callable[[str, str], None] = lambda name, text: None,
        respawn: RespawnPolicy | None = None,
        stop: StopPolicy | None = None,
        tail: int = 30,
    ) -> None:
        respawn = respawn or RespawnPolicy()
        self._children = [_Child(spec, RespawnRecord(respawn), tail) for spec in specs]
        self._on_line = on_line
        self._on_event = on_event
        self._stop_policy = stop or StopPolicy()
        self._selector = selectors.DefaultSelector()
        self._stop_since: float | None = None
        self._impatient = False  # Whether the end was asked for twice.
        self.failure: str | None = None  # Why the graph went down by itself, as one sentence.
        self.failed: str | None = None  # The process that was to blame.

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stopping(self) -> bool:
        """Whether the processes have been asked to end."""
        return self._stop_since is not None

    @property
    def running(self) -> bool:
        """Whether any process is alive, or about to be started again."""
        return any(child.process or child.start_at is not None for child in self._children)

    def start(self) -> None:
        """Starts all processes."""
        for child in self._children:
            self._spawn(child)

    def poll(self, timeout_s: float = 0.1) -> bool:
        """Handles what has happened: lines, ends, restarts. To be called again and again.

        Args:
            timeout_s: At most so long to wait for something to happen [s].

        Returns:
            Whether anything is still running.
        """
        now = time.monotonic()
        starts = [c.start_at - now for c in self._children if c.start_at is not None]
        for key, _ in self._selector.select(max(0.0, min([timeout_s, *starts]))):
            if isinstance(key.fileobj, int):
                self._selector.unregister(key.fileobj)  # It has ended: said once.
            else:
                self._read(key.data)
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, now)
            elif child.start_at is not None and now >= child.start_at:
                self._spawn(child)
        if self._stop_since is not None:
            self._press(now - self._stop_since)
        return self.running

    def run(self) -> None:
        """Polls until everything has ended: after `request_stop`, or by itself.

        Raises:
            GraphError: It went down by itself.
        """
        while self.poll():
            pass
        if self.failure:
            raise GraphError(self.failure)

    def request_stop(self) -> None:
        """Asks all processes to end; `poll` sees to it. Asked twice, they are killed."""
        if self._stop_since is None:
            self._stop_since = time.monotonic()
        else:
            self._impatient = True
            self._stop_since = min(
                self._stop_since, time.monotonic() - self._stop_policy.sigkill_after_s
            )
        for child in self._children:
            child.start_at = None

    def stop(self) -> None:
        """Asks all processes to end and waits until they have."""
        if self._stop_since is None:
            self.request_stop()
        while self.poll(0.05):
            pass
        self._selector.close()

    def tail(self, name: str) -> tuple[str, ...]:
        """The last lines that a process wrote."""
        return next(tuple(c.tail) for c in self._children if c.spec.name == name)

    def pids(self) -> dict[str, int]:
        """Process ids of what is alive, by name."""
        return {c.spec.name: c.process.pid for c in self._children if c.process is not None}

    def _spawn(self, child: _Child) -> None:
        child.start_at = None
        child.started = time.monotonic()
        child.signals = 0
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, and a signal
        # to the group reaches whatever the process has started.
        child.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()), *child.spec.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **child.spec.environment},
            start_new_session=True,
        )
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)
        # The end of the process itself wakes `poll`: its output may end earlier or later.
        try:
            child.end = os.pidfd_open(child.process.pid)
        except OSError:  # A kernel before 5.3: `poll` sees it when it looks next.
            child.end = -1
            return
        self._selector.register(child.end, selectors.EVENT_READ, child)

    def _read(self, child: _Child) -> bool:
        """Hands on what a process has written. Returns whether there may be more."""
        assert child.process is not None and child.process.stdout is not None
        try:
            data = os.read(child.process.stdout.fileno(), _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(child.process.stdout)
        for line in child.lines.feed(data):
            self._line(child, line)
        return bool(data)

    def _line(self, child: _Child, line: str) -> None:
        child.tail.append(line)
        self._on_line(child.spec.name, line)

    def _ended(self, child: _Child, now: float) -> None:
        """Decides what the end of a process means."""
        process = child.process
        assert process is not None and process.stdout is not None
        # Whatever it had started goes with it: nobody else knows of it.
        _signal_group(process.pid, signal.SIGKILL)
        while process.stdout in self._selector.get_map() and self._read(child):
            pass
        for line in child.lines.flush():
            self._line(child, line)
        if process.stdout in self._selector.get_map():
            self._selector.unregister(process.stdout)
        process.stdout.close()
        if child.end >= 0:
            if child.end in self._selector.get_map():
                self._selector.unregister(child.end)
            os.close(child.end)
        child.process = None
        name, how, lived = child.spec.name, describe_exit(process.returncode), now - child.started
        if self.stopping:
            self._on_event(name, f"ended ({how})")
        elif child.spec.on_exit == "ignore":
            self._on_event(name, f"ended ({how}); the graph goes on")
        elif child.spec.on_exit == "shutdown":
            self._fail(
                name, f"{name} ended ({how}) after {lived:.0f} s; the graph stops without it"
            )
        else:
            self._respawn(child, how, lived, now)

    def _respawn(self, child: _Child, how: str, lived: float, now: float) -> None:
        delay = child.record.died(lived)
        if child.spec.on_exit == "persist":
            delay = delay or child.record.policy.max_delay_s
        if delay is None:
            self._fail(child.spec.name, child.record.policy.gave_up(child.spec.name, how))
        else:
            child.start_at = now + delay
            self._on_event(
                child.spec.name, f"died ({how}) after {lived:.0f} s; starts again in {delay:g} s"
            )

    def _fail(self, name: str, sentence: str) -> None:
        if self.failure is None:
            self.failure, self.failed = sentence, name
        if not self.stopping:
            self.request_stop()

    def _press(self, since_stop_s: float) -> None:
        """Signals what is still alive, each rung of the ladder once."""
        for child in self._children:
            kill_after_s = self._stop_policy.sigkill_after_s
            if not self._impatient:
                kill_after_s = max(kill_after_s, child.spec.end_s)
            rungs = (
                (0.0, signal.SIGINT),
                (self._stop_policy.sigterm_after_s, signal.SIGTERM),
                (kill_after_s, signal.SIGKILL),
            )
            due = sum(since_stop_s >= after for after, _ in rungs)
            if child.process is not None and child.signals < due:
                child.signals = due
                number = rungs[due - 1][1]
                if number != signal.SIGINT:
                    self._on_event(child.spec.name, f"has not ended; sending {number.name}")
                _signal_group(child.process.pid, number)


@dataclass(eq=False)
class _Child:
    """A process and its history."""

    spec: ProcessSpec
    record: RespawnRecord
    tail_length: int
    process: subprocess.Popen[bytes] | None = None
    end: int = -1  # File descriptor that becomes readable when the process ends (pidfd).
    started: float = 0.0  # time.monotonic() [s]
    start_at: float | None = None  # When it starts again.
    signals: int = 0  # Rungs of the stop ladder that it has had.
    lines: LineSplitter = field(default_factory=LineSplitter)

    def __post_init__(self) -> None:
        self.tail: deque[str] = deque(maxlen=self.tail_length)


def describe_exit(returncode: int) -> str:
    """A return code of subprocess in words: `exit code 1`, `killed by SIGSEGV`."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"


def _signal_group(pid: int, number: signal.Signals) -> None:
    """Signals a process group, which may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
