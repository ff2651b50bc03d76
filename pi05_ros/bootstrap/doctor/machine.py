"""The machine itself: system, Python, set-up, room, and whether a thread may run in real time."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from pi05_ros.bootstrap.doctor.findings import Finding, Patient, Status
from pi05_ros.bootstrap.plan import make_plan

GIGABYTE = 2**30  # [byte]
DISK_WANTED = 2 * GIGABYTE  # Bags and checkpoints [byte].
# Fast DDS takes a segment of 16 MiB for each process; a graph with a mock home has about ten.
SHARED_MEMORY_WANTED = 12 * 16 * 2**20  # [byte]
MEMORY_WANTED = 4 * GIGABYTE  # [byte]


def system(_: Patient) -> list[Finding]:
    """Operating system, processor, memory."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    scarce = memory < MEMORY_WANTED
    return [
        Finding("Machine", "system", f"{_system_name()}, {platform.machine()}"),
        Finding("Machine", "processor", f"{_processor()}, {cores} cores"),
        Finding(
            "Machine",
            "memory",
            f"{memory / GIGABYTE:.1f} GB",
            Status.NOTE if scarce else Status.GOOD,
            "build the interfaces with MAKEFLAGS=-j1 ./pi05 setup" if scarce else "",
        ),
    ]


def python(patient: Patient) -> list[Finding]:
    """The interpreter of the suite."""
    found, reason = patient.run([patient.python, "-c", "import sys; print(sys.version)"])
    if found is None:
        return [Finding("Machine", "Python", reason, Status.MISSING, "./pi05 setup")]
    return [Finding("Machine", "Python", f"{found.split()[0]} at {patient.python}")]


def set_up(patient: Patient) -> list[Finding]:
    """Which steps of the set-up are done."""
    if patient.checkout is None:
        return [Finding("Machine", "set-up", f"installed in {Path(__file__).parents[2]}")]
    steps = make_plan(patient.checkout, patient.source)
    left = [step.title for step in steps if not step.is_done() and not step.optional]
    if left:
        return [
            Finding(
                "Machine", "set-up", f"to do: {', '.join(left)}", Status.MISSING, "./pi05 setup"
            )
        ]
    return [Finding("Machine", "set-up", f"complete in {patient.checkout.root}")]


def room(patient: Patient) -> list[Finding]:
    """Disk and shared memory."""
    place = patient.checkout.root if patient.checkout else Path.home()
    free = shutil.disk_usage(place).free
    full = free < DISK_WANTED
    found = [
        Finding(
            "Room",
            "disk",
            f"{free / GIGABYTE:.1f} GB free at {place}",
            Status.NOTE if full else Status.GOOD,
            "free some space; a bag takes 80 MB/s with three VGA cameras" if full else "",
        )
    ]
    shared = Path("/dev/shm")
    if not shared.is_dir():
        return [*found, Finding("Room", "shared memory", "no /dev/shm", Status.NOTE, _SHM_REMEDY)]
    usage = shutil.disk_usage(shared)
    small = usage.free < SHARED_MEMORY_WANTED
    text = f"{usage.free / 2**20:.0f} of {usage.total / 2**20:.0f} MB free at /dev/shm"
    if small:
        text += f"; pictures want {SHARED_MEMORY_WANTED / 2**20:.0f}, and take the network instead"
    status = Status.NOTE if small else Status.GOOD
    return [*found, Finding("Room", "shared memory", text, status, _SHM_REMEDY if small else "")]


_SHM_REMEDY = "sudo mount -o remount,size=512M /dev/shm (a container: docker run --shm-size=512m)"


def timing(patient: Patient) -> list[Finding]:
    """Whether the control bridge's thread may have real-time priority."""
    code = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)); print(1)"
    found, _ = patient.run([sys.executable, "-I", "-c", code])
    if found:
        return [Finding("Timing", "real time", "SCHED_FIFO is allowed")]
    return [
        Finding(
            "Timing",
            "real time",
            "SCHED_FIFO is not allowed: under load, ticks come up to 20 ms late, rarely 400",
            Status.NOTE,
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
