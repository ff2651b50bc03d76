"""Row 32: the disk of the bags is full, or ten times too slow."""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus

from pi05_msgs.srv import StartEpisode, StopEpisode
from pi05_ros.data.bags.mark import is_marked
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.verification import verify
from pi05_ros.errors import Pi05Error
from pi05_ros.recording.disk import disk_space
from system.catalog import Trial
from system.checks import Checks, chance_of_as_many, milliseconds, percentile
from system.known_topics import KnownTopics
from system.recorder_bench import RECORDER, RecorderBench, recorded_numbers
from system.scene import Scene
from system.shims import slow_disk

_PICTURE_RATE = 20.0  # [Hz], 0.92 MB each.
_DISK_MB = 64
_FILE_LIMIT = 40 << 20  # Where no disk can be mounted, no file may become larger [byte].
_NEARLY = 2 << 20  # Timing starts this far before the end: a tenth of a second [byte].
_SLOW_RATE = 1.8e6  # A tenth of the pictures [byte/s].
_SLOW_S = 8.0
_QUEUE_MB = 8
_LIMIT_S = 30.0
_ERROR_MS = 1000.0
# The command period is 20 ms. On a shared machine some ticks are late anyway: recording must not
# make more of them late.
_LATE_MS = 30.0
_PERIOD_P99_MS = 25.0  # Where no more than this, nothing was late.
_CHANCE = 0.001  # If less likely than this by chance, the recorder is the cause.


def run(trial: Trial) -> Checks:
    """Record onto a disk that fills up, then onto a slow one; the robot drives meanwhile."""
    checks = Checks()
    with (
        tempfile.TemporaryDirectory(prefix="pi05-bags-") as folder,
        _small_disk(Path(folder)) as mounted,
    ):
        trial.report("a disk of 64 MB fills up" if mounted else "a file may not grow any more")
        _full(checks, Path(folder), mounted)
    trial.report("a disk that is ten times too slow")
    with tempfile.TemporaryDirectory(prefix="pi05-bags-") as folder:
        _slow(checks, Path(folder))
    return checks


def _full(checks: Checks, folder: Path, mounted: bool) -> None:
    """Record pictures until the disk is full."""
    name = "full disk" if mounted else "file limit"
    parameters = {RECORDER: {"bags": folder / "bags"}}
    with Scene(("control_bridge", RECORDER), parameters=parameters) as scene:
        bench = RecorderBench(scene)
        scene.move()
        if not mounted:
            pid = scene.processes[RECORDER].pid
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_FILE_LIMIT, _FILE_LIMIT))
        known = KnownTopics(scene.node, _PICTURE_RATE)
        try:
            quiet = _undisturbed(scene)
            path = bench.start()
            began = time.monotonic_ns()
            full = _watch_fill(folder, path, mounted)
            error = scene.wait(
                lambda: scene.first_diagnostic(
                    began,
                    lambda s: s.name.endswith(RECORDER) and s.level == DiagnosticStatus.ERROR,
                ),
                "an ERROR of the recorder",
                _LIMIT_S,
            )
            scene.wait(lambda: not is_marked(path), "the bag to be closed", _LIMIT_S)
            until = time.monotonic_ns()
            refusal = bench.refusal() if mounted else 0
            stop = bench.stop().code
        finally:
            known.close()
        checks.at_most(
            f"{name}: ERROR after it was reached",
            milliseconds(error and error - full),
            _ERROR_MS,
            "ms",
        )
        checks.equal(f"{name}: processes that ended", scene.ended(), 0)
        if mounted:
            left = disk_space(folder)
            checks.at_least(f"{name}: left free", left.free / 1e6, 0.9 * left.kept / 1e6, "MB")
            checks.equal(f"{name}: start_episode", refusal, StartEpisode.Response.NO_SPACE)
        checks.equal(f"{name}: stop_episode", stop, StopEpisode.Response.NOT_RECORDING)
        _judge_file(checks, name, path)
        _judge_periods(checks, name, quiet, _periods_ms(scene, began, until))


def _slow(checks: Checks, folder: Path) -> None:
    """Record ten times more than the disk writes."""
    name = "slow disk"
    environment = slow_disk(folder, ".mcap", _SLOW_RATE)
    parameters = {RECORDER: {"bags": folder / "bags", "queue_mb": _QUEUE_MB}}
    with Scene(
        ("control_bridge", RECORDER), parameters=parameters, environment=environment
    ) as scene:
        bench = RecorderBench(scene)
        scene.move()
        known = KnownTopics(scene.node, _PICTURE_RATE)
        try:
            quiet = _undisturbed(scene)
            path = bench.start()
            began = time.monotonic_ns()
            time.sleep(_SLOW_S)
            until = time.monotonic_ns()
        finally:
            known.close()
        reply = bench.stop(_LIMIT_S)
        checks.equal(f"{name}: stop_episode", (reply.code, reply.message[:6]), (0, "closed"))
        numbers = recorded_numbers(path)
        reports = {t.name: t for t in bench.last_report(path, numbers).topics}
        reported = scene.first_diagnostic(began, lambda s: "too slow" in s.message)
        checks.equal(f"{name}: told in diagnostics", reported is not None, True)
        for topic, sent in known.sent.items():
            short = topic.rsplit("/", 1)[-1]
            report, there = reports[topic], numbers.get(topic, [])
            missing = there[-1] - there[0] + 1 - len(there)
            if topic == known.PICTURES:
                checks.at_least(f"{name}: pictures that were dropped", report.dropped, 1)
                checks.equal(
                    f"{name}: pictures missing and not counted",
                    max(0, missing - report.dropped - report.lost),
                    0,
                )
            else:
                checks.equal(f"{name}: messages of {short} lost", missing, 0)
                checks.at_most(
                    f"{name}: {short} not written at the end", len(sent.times_ns) - there[-1], 0
                )
        _judge_file(checks, name, path)
        _judge_periods(checks, name, quiet, _periods_ms(scene, began, until))


def _watch_fill(folder: Path, path: Path, mounted: bool) -> int:
    """Wait until the disk is full and return when it was (steady ns).

    Raises:
        Pi05Error: It was not in time.
    """
    end = time.monotonic() + _LIMIT_S
    while time.monotonic() < end:
        space = disk_space(folder)
        if mounted and space.free < space.kept + _NEARLY:
            return time.monotonic_ns()
        largest = max((f.stat().st_size for f in path.glob("*.mcap")), default=0)
        if not mounted and largest > _FILE_LIMIT - _NEARLY:
            return time.monotonic_ns()
        time.sleep(0.002)
    raise Pi05Error(f"the disk was not filled within {_LIMIT_S:g} s")


def _judge_file(checks: Checks, name: str, path: Path) -> None:
    """Check that the bag is closed and whole, every chunk's CRC included."""
    checks.equal(f"{name}: marked incomplete", is_marked(path), False)
    try:
        for file in path.glob("*.mcap"):
            verify(file, deep=True)
        with BagReader(path) as bag:
            ended = bag.facts.ended if bag.facts else "no facts"
            count = sum(topic.count for topic in bag.topics.values())
        checks.at_least(f"{name}: messages in a whole bag", count, 100)
        if name != "slow disk":
            checks.add(f"{name}: the bag says why it ended", "a reason", ended, bool(ended))
    except Pi05Error as error:
        checks.add(f"{name}: the bag is whole", "whole", str(error), False)


def _undisturbed(scene: Scene) -> list[float]:
    """Return command periods [ms] while the same is published and nothing is recorded."""
    began = time.monotonic_ns()
    time.sleep(_SLOW_S)
    return _periods_ms(scene, began, time.monotonic_ns())


def _periods_ms(scene: Scene, from_ns: int, until_ns: int) -> list[float]:
    arrivals = [
        c.arrival_ns for c in scene.robot.witness.base if from_ns <= c.arrival_ns <= until_ns
    ]
    return [(b - a) * 1e-6 for a, b in itertools.pairwise(arrivals)]


def _judge_periods(checks: Checks, name: str, quiet: list[float], recording: list[float]) -> None:
    """Check that the command stream is as regular as before."""
    late, late_before = (sum(p > _LATE_MS for p in periods) for periods in (recording, quiet))
    chance = chance_of_as_many(late, len(recording), late_before, len(quiet))
    p99 = percentile(recording, 0.99)
    checks.add(
        f"{name}: command periods over {_LATE_MS:g} ms",
        f"no more than before: {late_before} of {len(quiet)}",
        f"{late} of {len(recording)} (p99 {p99:.1f} ms)",
        p99 <= _PERIOD_P99_MS or chance >= _CHANCE,
    )
    checks.between(f"{name}: command period, median", percentile(recording, 0.5), 19.0, 21.0, "ms")


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small disk on a folder; yield False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "pi05-faults", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    mounted = mounted and os.path.ismount(folder)
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
