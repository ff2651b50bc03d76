"""Runs the steps of a plan one after the other in a folder, or goes on there.

DIR/STEP/            what the step makes
DIR/STEP.log         what it printed
DIR/reproduce.json   settings, hashes, cost and result of each step; the curve
DIR/index.html, DIR/curve.svg
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pi05_ros
from pi05_ros.evaluation.reproduction.child import Ended, run_child
from pi05_ros.evaluation.reproduction.facts import result_of
from pi05_ros.evaluation.reproduction.page import curve_of, write_page
from pi05_ros.evaluation.reproduction.plan import Plan, PlanError
from pi05_ros.evaluation.reproduction.record import FILE, Record, users
from pi05_ros.evaluation.reproduction.work import Work, all_inputs, digests, plan_digest
from pi05_ros.foundation.locks import exclusive_lock
from pi05_ros.recording.provenance import software_version

_LOCK = ".lock"
_PROMPT = "$ "  # Before the command in a log.
_SAVE_S = 30.0  # Between two writings of the cost of a step that runs [s].
_LOG_LINES = 12  # Of a step that failed, shown in its error.
_INTERRUPTED = 130  # Exit status of a verb after Ctrl-C.


def _pi05(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pi05_ros.cli", *arguments]


@dataclass(frozen=True)
class Runner:
    """How steps are run, and who is told.

    Args:
        jobs: Processes of scenes, collect and eval; threads of train.
        show: Replaces the live line.
        log: Prints a line that stays.
        command: Makes a command of the arguments after `./pi05`.
        environment: Variables on top of this process's.
    """

    jobs: int
    show: Callable[[str], None] = lambda text: None
    log: Callable[[str], None] = lambda text: None
    command: Callable[[Sequence[str]], list[str]] = _pi05
    environment: dict[str, str] = field(default_factory=dict)


def reproduce(
    plan: Plan,
    steps: Sequence[Work],
    scale: float,
    folder: Path,
    runner: Runner,
    *,
    only: Sequence[str] = (),
    redo: Sequence[str] = (),
) -> bool:
    """Run the steps that are not finished.

    Args:
        plan: The plan.
        steps: Its steps at the scale, in their order.
        scale: The scale.
        folder: A new folder, or one that was begun with the same steps.
        runner: How they are run.
        only: Names of the steps to run; (): all.
        redo: Names of steps that are removed first.

    Returns:
        True if the steps are finished, False after Ctrl-C.

    Raises:
        Pi05Error: The folder is of other steps, an input is missing, or a step failed.
    """
    with _claimed(folder):
        record = Record(folder)
        _redo(record, steps, folder, redo)
        record.check(steps)
        todo = _todo(record, steps, only)
        record.content |= {"plan": plan.name, "scale": scale, "hash": plan_digest(steps)}
        record.save()
        for number, work in enumerate(steps, 1):
            if work.name not in todo:
                continue
            title = f"[{number} of {len(steps)}] {work.name}"
            runner.log(f"{title}: {work.kind}, {work.amount} {work.unit}")
            ended = _run(record, steps, work, folder, runner, title)
            _write(record, steps, folder)
            if ended.interrupted:
                return False
        _write(record, steps, folder)
    return True


def _run(
    record: Record,
    steps: Sequence[Work],
    work: Work,
    folder: Path,
    runner: Runner,
    title: str,
) -> Ended:
    """Run one step, and write down its cost and its result.

    Raises:
        PlanError: It failed.
    """
    hashes = digests(steps)
    inputs = {name: hashes[name] for name in work.inputs}
    record.begin(work, hashes[work.name], inputs, software_version())
    before = dict(record.steps[work.name])
    start, saved = time.monotonic(), time.monotonic()

    def tick(line: str, core_seconds: float) -> None:
        nonlocal saved
        now = time.monotonic()
        runner.show(f"{title}: {'starting' if line.startswith(_PROMPT) else line}")
        if now - saved >= _SAVE_S:  # Should this process be killed, the cost is known.
            saved = now
            cost(core_seconds, now - start)

    def cost(core_seconds: float, wall_seconds: float) -> None:
        record.set_cost(
            work.name,
            before["core_seconds"] + core_seconds,
            before["wall_seconds"] + wall_seconds,
        )

    log = folder / f"{work.name}.log"
    arguments = work.arguments(runner.jobs)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{_PROMPT}./pi05 {' '.join(arguments)}\n")
    ended = run_child(
        runner.command(arguments), folder, log, _environment(work, runner), on_tick=tick
    )
    cost(ended.core_seconds, ended.wall_seconds)
    entry = record.steps[work.name]
    spent = f"{entry['core_seconds'] / 3600:.3f} core-hours"
    if ended.status == 0:
        record.finish(work.name, result_of(work, folder / work.name))
        runner.log(f"{title}: finished, {spent}")
    elif ended.interrupted or ended.status == _INTERRUPTED:
        runner.log(f"{title}: stopped, {spent} so far; the same command goes on")
        return Ended(ended.status, True, ended.core_seconds, ended.wall_seconds)
    else:
        raise PlanError(_failure(work, ended.status, log))
    return ended


def _failure(work: Work, status: int, log: Path) -> str:
    """Return what is said of a step that failed: how it ended, and the last lines of its log."""
    how = f"signal {-status} killed it" if status < 0 else f"exit status {status}"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    text = "".join(f"\n  {line}" for line in lines)
    return f"step {work.name} failed ({how}); {log} ends with{text}"


def _environment(work: Work, runner: Runner) -> dict[str, str]:
    """Return the environment of a step: this package is found from the folder of the steps."""
    root = str(Path(pi05_ros.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    threads = {"OMP_NUM_THREADS": str(runner.jobs)} if work.kind == "train" else {}
    return {**os.environ, "PYTHONPATH": path, **threads, **runner.environment}


def _todo(record: Record, steps: Sequence[Work], only: Sequence[str]) -> set[str]:
    """Return the names of the steps to run.

    Raises:
        PlanError: A name is not of a step, or an input of a step is not finished.
    """
    _check_names(steps, only, "--only")
    asked = [work for work in steps if not only or work.name in only]
    todo = {work.name for work in asked if not record.is_done(work.name)}
    for work in asked:
        missing = [n for n in work.inputs if n not in todo and not record.is_done(n)]
        if work.name in todo and missing:
            raise PlanError(
                f"step {work.name} uses {', '.join(missing)}, not finished yet: name "
                f"{'it' if len(missing) == 1 else 'them'} with --only too"
            )
    return todo


def _redo(record: Record, steps: Sequence[Work], folder: Path, redo: Sequence[str]) -> None:
    """Remove steps with what they made.

    Raises:
        PlanError: A name is not of a step, or a step that was begun uses one of them.
    """
    _check_names(steps, redo, "--redo")
    for name in redo:
        left = [one for one in users(steps, name) if one in record.steps and one not in redo]
        if left:
            raise PlanError(
                f"{', '.join(left)} used {name}: give --redo {' '.join([*redo, *left])}, or "
                "take another folder"
            )
    for name in redo:
        record.forget(name)
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / f"{name}.log").unlink(missing_ok=True)


def _check_names(steps: Sequence[Work], names: Sequence[str], option: str) -> None:
    valid = [work.name for work in steps]
    for name in names:
        if name not in valid:
            raise PlanError(f"{option}: there is no step '{name}' (valid: {', '.join(valid)})")


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Make a folder and hold it alone.

    Raises:
        PlanError: It holds other files, or another process runs steps in it.
    """
    foreign = folder.exists() and not (folder / FILE).exists()
    if foreign and (not folder.is_dir() or any(path.name[0] != "." for path in folder.iterdir())):
        raise PlanError(f"{folder} holds other files: wanted a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(exclusive_lock(folder / _LOCK))
        except BlockingIOError as error:
            raise PlanError(
                f"another process runs steps in {folder}: wait for it, or take another folder"
            ) from error
        yield


def _write(record: Record, steps: Sequence[Work], folder: Path) -> None:
    """Write the sums, the curve and the page."""
    names = [work.name for work in steps]
    record.content["core_hours"] = round(record.core_seconds(names) / 3600, 4)
    costs = {work.name: record.core_seconds(all_inputs(steps, work.name)) / 3600 for work in steps}
    removed = record.content.get("removed", [])
    record.content["removed_core_hours"] = round(sum(e["core_seconds"] for e in removed) / 3600, 4)
    record.content["curve"] = curve_of(record.steps, costs)
    record.save()
    write_page(folder, record.content, names)
