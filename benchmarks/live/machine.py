"""Which machine it was, and what else it did meanwhile."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def describe() -> str:
    """Processor, cores, kernel and Python, for the head of a page."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    name = names[0] if names else platform.machine()
    what = (
        f"{os.cpu_count()} cores of {name}, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        # As a robot's computer would be that does nothing else.
        what += ", all processes before other work on these cores (real-time scheduling)"
    return what


def request_realtime(priority: int) -> bool:
    """Asks for SCHED_FIFO for this thread and those that it starts; False where not allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except PermissionError:
        return False
    return True


class CpuMeter:
    """Processor time over a while, in cores: of some processes, and of everything else.

    Args:
        pids: Process → its id.
    """

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = dict(pids)
        self._begun = time.monotonic()
        self._busy = _busy()
        self._own = {name: _used(pid) for name, pid in self._pids.items()}

    def read(self) -> tuple[dict[str, float], float]:
        """Cores that each process used since, and cores that all others used."""
        seconds = time.monotonic() - self._begun
        own = {n: (_used(pid) - self._own[n]) / seconds for n, pid in self._pids.items()}
        return own, max(0.0, (_busy() - self._busy) / seconds - sum(own.values()))


def _used(pid: int) -> float:
    """Processor time of a process and its threads [s]; what it had when it has ended is lost."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _busy() -> float:
    """Processor time of the machine, all but idle and waiting for disks [s]."""
    fields = [int(x) for x in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / _TICK


def wait_for_quiet(limit: float = 0.3, patience: float = 10.0) -> float:
    """Waits until others use less than `limit` cores for 2 s, at most `patience` [s].

    Returns:
        What they used last [cores].
    """
    end = time.monotonic() + patience
    while True:
        meter = CpuMeter({})
        time.sleep(2.0)
        _, others = meter.read()
        if others < limit or time.monotonic() > end:
            return others


def rounded(values: Iterable[float], digits: int = 2) -> str:
    """Values beside each other, for a table."""
    return " / ".join(f"{value:.{digits}f}" for value in values)
