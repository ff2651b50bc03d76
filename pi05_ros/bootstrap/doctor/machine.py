"""Checks of the machine: system, Python, set-up, disk, shared memory, real-time priority."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from pi05_ros.bootstrap.doctor.installation import Installation
from pi05_ros.bootstrap.doctor.results import CheckResult, CheckStatus
from pi05_ros.bootstrap.plan import make_plan

GIGABYTE = 2**30  # [byte]
DISK_RECOMMENDED = 2 * GIGABYTE  # Bags and checkpoints [byte].
# Fast DDS takes a segment of 16 MiB for each process; a graph with a mock home has about ten.
SHARED_MEMORY_RECOMMENDED = 12 * 16 * 2**20  # [byte]
MEMORY_RECOMMENDED = 4 * GIGABYTE  # [byte]


def system(_: Installation) -> list[CheckResult]:
    """Show the operating system and processor; check the memory."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    scarce = memory < MEMORY_RECOMMENDED
    return [
        CheckResult("Machine", "system", f"{_system_name()}, {platform.machine()}"),
        CheckResult("Machine", "processor", f"{_processor()}, {cores} cores"),
        CheckResult(
            "Machine",
            "memory",
            f"{memory / GIGABYTE:.1f} GB",
            CheckStatus.NOTE if scarce else CheckStatus.GOOD,
            "build the interfaces with MAKEFLAGS=-j1 ./pi05 setup" if scarce else "",
        ),
    ]


def python(installation: Installation) -> list[CheckResult]:
    """Check the interpreter of the suite."""
    found, reason = installation.run([installation.python, "-c", "import sys; print(sys.version)"])
    if found is None:
        return [CheckResult("Machine", "Python", reason, CheckStatus.MISSING, "./pi05 setup")]
    return [CheckResult("Machine", "Python", f"{found.split()[0]} at {installation.python}")]


def set_up(installation: Installation) -> list[CheckResult]:
    """Check that all required steps of the set-up are done."""
    if installation.checkout is None:
        return [CheckResult("Machine", "set-up", f"installed in {Path(__file__).parents[2]}")]
    steps = make_plan(installation.checkout, installation.source)
    left = [step.title for step in steps if not step.is_done() and not step.optional]
    if left:
        return [
            CheckResult(
                "Machine",
                "set-up",
                f"to do: {', '.join(left)}",
                CheckStatus.MISSING,
                "./pi05 setup",
            )
        ]
    return [CheckResult("Machine", "set-up", f"complete in {installation.checkout.root}")]


def room(installation: Installation) -> list[CheckResult]:
    """Check the free disk space and shared memory."""
    place = installation.checkout.root if installation.checkout else Path.home()
    free = shutil.disk_usage(place).free
    full = free < DISK_RECOMMENDED
    found = [
        CheckResult(
            "Room",
            "disk",
            f"{free / GIGABYTE:.1f} GB free at {place}",
            CheckStatus.NOTE if full else CheckStatus.GOOD,
            "free some space; a bag takes 80 MB/s with three VGA cameras" if full else "",
        )
    ]
    shared = Path("/dev/shm")
    if not shared.is_dir():
        return [
            *found,
            CheckResult("Room", "shared memory", "no /dev/shm", CheckStatus.NOTE, _SHM_FIX),
        ]
    usage = shutil.disk_usage(shared)
    small = usage.free < SHARED_MEMORY_RECOMMENDED
    text = f"{usage.free / 2**20:.0f} of {usage.total / 2**20:.0f} MB free at /dev/shm"
    if small:
        text += f" (images need {SHARED_MEMORY_RECOMMENDED / 2**20:.0f}, else take the network)"
    status = CheckStatus.NOTE if small else CheckStatus.GOOD
    return [*found, CheckResult("Room", "shared memory", text, status, _SHM_FIX if small else "")]


_SHM_FIX = "sudo mount -o remount,size=512M /dev/shm (a container: docker run --shm-size=512m)"


def timing(installation: Installation) -> list[CheckResult]:
    """Check whether the control bridge's thread may have real-time priority."""
    code = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)); print(1)"
    found, _ = installation.run([sys.executable, "-I", "-c", code])
    if found:
        return [CheckResult("Timing", "real time", "SCHED_FIFO is allowed")]
    return [
        CheckResult(
            "Timing",
            "real time",
            "SCHED_FIFO is not allowed: under load, ticks come up to 20 ms late, rarely 400",
            CheckStatus.NOTE,
            'echo "$USER - rtprio 60" | sudo tee /etc/security/limits.d/pi05.conf; log in anew',
        )
    ]


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"
