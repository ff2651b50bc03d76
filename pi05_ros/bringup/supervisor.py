"""A set of processes run as one: output by lines, restarts with a limit, one shutdown.

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

from pi05_ros.bringup.respawn import OnExit, RespawnPolicy, RespawnRecord
from pi05_ros.errors import Pi05Error
from pi05_ros.foundation import supervised_child
from pi05_ros.foundation.lines import LineSplitter

_CHILD = Path(supervised_child.__file__)
# Most bytes read from one process at a time: a flood must not delay the others.
_READ_BYTES = 65536


class GraphError(Pi05Error):
    """A process ended without which the graph cannot run."""


@dataclass(frozen=True)
class ProcessSpec:
    """A process to supervise."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # On top of the caller's.
    on_exit: OnExit = "respawn"
    end_s: float = 0.0  # Time to end after the request, if longer than usual [s].


@dataclass(frozen=True)
class StopPolicy:
    """Escalation of signals that end a process; times from the first request, SIGINT [s]."""

    sigterm_after_s: float = 2.0
    sigkill_after_s: float = 4.0

    def __post_init__(self) -> None:
        if not 0 < self.sigterm_after_s < self.sigkill_after_s:
            raise ValueError("sigterm_after_s must lie between 0 and sigkill_after_s")


class Supervisor:
    """Starts processes, watches them, and stops all together. A context manager.

    Attributes:
        failure: Why the graph went down by itself, as one sentence; None: it did not.
        failed: Name of the process that caused it.

    Args:
        specs: The processes. They start in this order and are stopped at the same time.
        on_line: Called with the name of a process and each line of its stdout and stderr.
        on_event: Called with the name of a process and each event of it, in plain words.
        respawn: Delays and limit of restarts.
        stop: Escalation of signals that end a process.
        tail: Number of last lines of each process that `tail()` returns.
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
        self._killing = False  # Whether a stop was requested twice.
        self.failure: str | None = None
        self.failed: str | None = None

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stopping(self) -> bool:
        """True once a stop was requested."""
        return self._stop_since is not None

    @property
    def running(self) -> bool:
        """True while any process is alive, or waits for its restart."""
        return any(child.process or child.start_at is not None for child in self._children)

    def start(self) -> None:
        """Start all processes."""
        for child in self._children:
            self._spawn(child)

    def poll(self, timeout_s: float = 0.1) -> bool:
        """Handle output, exits and restarts. To be called in a loop.

        Args:
            timeout_s: Longest wait for the next event [s].

        Returns:
            Whether any process is still running.
        """
        now = time.monotonic()
        starts = [c.start_at - now for c in self._children if c.start_at is not None]
        for key, _ in self._selector.select(max(0.0, min([timeout_s, *starts]))):
            if isinstance(key.fileobj, int):
                self._selector.unregister(key.fileobj)  # The process has ended.
            else:
                self._read(key.data)
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, now)
            elif child.start_at is not None and now >= child.start_at:
                self._spawn(child)
        if self._stop_since is not None:
            self._signal_due(now - self._stop_since)
        return self.running

    def run(self) -> None:
        """Poll until all processes have ended: after `request_stop`, or by themselves.

        Raises:
            GraphError: The graph went down by itself.
        """
        while self.poll():
            pass
        if self.failure:
            raise GraphError(self.failure)

    def request_stop(self) -> None:
        """Request all processes to end, in `poll`. The second request kills them."""
        if self._stop_since is None:
            self._stop_since = time.monotonic()
        else:
            self._killing = True
            self._stop_since = min(
                self._stop_since, time.monotonic() - self._stop_policy.sigkill_after_s
            )
        for child in self._children:
            child.start_at = None

    def stop(self) -> None:
        """Stop all processes and wait until they have ended."""
        if self._stop_since is None:
            self.request_stop()
        while self.poll(0.05):
            pass
        self._selector.close()

    def tail(self, name: str) -> tuple[str, ...]:
        """The last lines of a process."""
        return next(tuple(c.tail) for c in self._children if c.spec.name == name)

    def pids(self) -> dict[str, int]:
        """Process ids of the processes that are alive, by name."""
        return {c.spec.name: c.process.pid for c in self._children if c.process is not None}

    def _spawn(self, child: _Child) -> None:
        child.start_at = None
        child.started = time.monotonic()
        child.signals = 0
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, and a signal
        # to the group reaches the children of the process, too.
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
        except OSError:  # A kernel before 5.3: `poll` finds out after its timeout.
            child.end = -1
            return
        self._selector.register(child.end, selectors.EVENT_READ, child)

    def _read(self, child: _Child) -> bool:
        """Pass on the output of a process. Returns whether there may be more."""
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
        """Handle the end of a process."""
        process = child.process
        assert process is not None and process.stdout is not None
        # Its children are killed with it: no other process would stop them.
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
            return
        reaction = child.record.react(name, child.spec.on_exit, how, lived)
        if reaction.failure:
            self._fail(name, reaction.failure)
        elif reaction.delay_s is None:
            self._on_event(name, f"ended ({how}); the graph goes on")
        else:
            child.start_at = now + reaction.delay_s
            self._on_event(
                name,
                f"died ({how}) after {lived:.0f} s; starts again in {reaction.delay_s:g} s",
            )

    def _fail(self, name: str, sentence: str) -> None:
        if self.failure is None:
            self.failure, self.failed = sentence, name
        if not self.stopping:
            self.request_stop()

    def _signal_due(self, since_stop_s: float) -> None:
        """Send each process that is alive the signal that is due, each signal once."""
        for child in self._children:
            kill_after_s = self._stop_policy.sigkill_after_s
            if not self._killing:
                kill_after_s = max(kill_after_s, child.spec.end_s)
            steps = (
                (0.0, signal.SIGINT),
                (self._stop_policy.sigterm_after_s, signal.SIGTERM),
                (kill_after_s, signal.SIGKILL),
            )
            due = sum(since_stop_s >= after for after, _ in steps)
            if child.process is not None and child.signals < due:
                child.signals = due
                number = steps[due - 1][1]
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
    start_at: float | None = None  # Time of its restart; None: none is due.
    signals: int = 0  # Number of signals of the escalation that were sent.
    lines: LineSplitter = field(default_factory=LineSplitter)

    def __post_init__(self) -> None:
        self.tail: deque[str] = deque(maxlen=self.tail_length)


def describe_exit(returncode: int) -> str:
    """Describe a return code of subprocess: `exit code 1`, `killed by SIGSEGV`."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"


def _signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a process group, which may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
