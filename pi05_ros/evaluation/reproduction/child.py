"""A command in a process of its own: its output in a log, its processor time, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from pi05_ros.foundation import supervised_child

_POLL_S = 0.1
_TAIL_BYTES = 4096
_TICKS = os.sysconf("SC_CLK_TCK")  # Of processor times in /proc [1/s].


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int  # Exit status; below 0: minus the signal that killed it.
    interrupted: bool  # Whether it was asked to stop.
    core_seconds: float  # Processor time, of its own children too [s].
    wall_seconds: float


def run_child(
    command: Sequence[str],
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    on_tick: Callable[[str, float], None] = lambda line, core_seconds: None,
    tick_s: float = 0.5,
) -> Ended:
    """Run a command until it ends. It ends with this process, however this one ends.

    SIGINT and SIGTERM of this process reach the command as SIGINT, once for each: it decides when
    it stops. Must be called in the main thread.

    Args:
        command: Program and arguments.
        folder: Its working directory.
        log: File to which its output is appended.
        environment: Complete environment.
        on_tick: Called with the last line of the log, and the processor time so far [s].
        tick_s: Between two calls of on_tick [s].

    Raises:
        OSError: It cannot be started, or the log cannot be written.
    """
    start = time.monotonic()
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", supervised_child.__file__, str(os.getpid()), *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C of the terminal reaches this process alone.
        )
    with _forwarded_to(child.pid) as asked:
        due = start
        while True:
            pid, state, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() >= due:
                on_tick(last_line(log), session_seconds(child.pid))
                due = time.monotonic() + tick_s
            time.sleep(_POLL_S)
    child.returncode = os.waitstatus_to_exitcode(state)  # Popen has not waited itself.
    return Ended(
        child.returncode,
        bool(asked),
        used.ru_utime + used.ru_stime,
        time.monotonic() - start,
    )


@contextmanager
def _forwarded_to(pid: int) -> Iterator[list[int]]:
    """Send SIGINT to a process for each SIGINT and SIGTERM; yield what was received."""
    asked: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        with suppress(ProcessLookupError):  # It may just have ended.
            os.kill(pid, signal.SIGINT)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty; "" if there is none."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").replace("\r", "\n").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def session_seconds(session: int) -> float:
    """Return the processor time of the living processes of a session [s].

    It includes that of children for which they have waited.
    """
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name of the program, in brackets, may hold blanks.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended.
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / _TICKS
