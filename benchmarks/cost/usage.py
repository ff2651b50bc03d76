"""What processes take from the machine over a while, read from /proc: nothing is asked of them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from live.machine import CpuMeter

PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """What one process took."""

    cores: float  # User and system time of all threads, per second.
    threads: int  # At the end.
    wakeups_hz: float  # Context switches of all threads, voluntary and involuntary [Hz].


@dataclass(frozen=True)
class Threads:
    """The threads of a process at one moment."""

    switches: Mapping[int, int]  # Thread id → context switches since it began.

    @classmethod
    def read(cls, pid: int, proc: Path = PROC) -> Threads:
        """Those of process `pid`; none when it has ended."""
        switches = {}
        for status in proc.glob(f"{pid}/task/*/status"):
            try:
                lines = status.read_text().splitlines()
            except OSError:  # The thread has just ended.
                continue
            switches[int(status.parent.name)] = sum(
                int(line.split(":")[1]) for line in lines if "ctxt_switches" in line
            )
        return cls(switches)

    def switches_since(self, before: Threads) -> int:
        """Context switches after `before`. What an ended thread did in between is lost."""
        return sum(
            count - before.switches.get(thread, 0) for thread, count in self.switches.items()
        )


class UsageMeter:
    """Usage of processes from now on, and the cores that the rest of the machine used.

    Args:
        pids: Process → its id.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._threads = {name: Threads.read(pid) for name, pid in self._pids.items()}
        self._begun = time.monotonic()
        self._meter = CpuMeter({**self._pids, "": os.getpid()})

    def read(self) -> tuple[dict[str, Usage], float]:
        """Each process's usage, and the cores of all others but this process."""
        cores, others = self._meter.read()
        seconds = time.monotonic() - self._begun
        found = {}
        for name, pid in self._pids.items():
            threads = Threads.read(pid)
            switches = threads.switches_since(self._threads[name])
            found[name] = Usage(cores[name], len(threads.switches), switches / seconds)
        return found, others
