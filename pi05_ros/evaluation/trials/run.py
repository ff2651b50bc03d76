"""Runs the trials that a folder lacks: in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.brains import check_planner, high_level, low_level, platform_of
from pi05_ros.evaluation.trials.episode import Episode
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.result import Engine, TrialResult
from pi05_ros.evaluation.trials.settings import (
    ONE_PROCESS,
    WHOLE,
    EvaluationError,
    EvaluationSettings,
    Machine,
    Shard,
    TrialJob,
)
from pi05_ros.evaluation.trials.tasks import check_homes
from pi05_ros.foundation.parallel import finished_in_processes
from pi05_ros.recording.provenance import software_version


def run_trials(
    folder: EvaluationFolder,
    settings: EvaluationSettings,
    *,
    shard: Shard = WHOLE,
    machine: Machine = ONE_PROCESS,
    engine: Engine | None = None,
    on_trial: Callable[[TrialResult], None] = lambda result: None,
    on_start: Callable[[int, int], None] = lambda left, count: None,
) -> list[TrialResult]:
    """Run the trials of a shard that a folder lacks, and return all results of the shard.

    Equal settings give equal results, whatever the number of processes and however often the work
    was interrupted. Each result is written by one rename.

    Args:
        folder: A new one, or one that was begun with the same settings.
        settings: Of the evaluation.
        shard: Part of the trials.
        machine: Processes or cluster, device.
        engine: What runs them; None: processes, or Ray, as `machine` says.
        on_trial: Called with each result that is new.
        on_start: Called with the numbers of trials to run and in all.

    Raises:
        Pi05Error: The folder is of other settings or in use, a home has no such task, a checkpoint
            cannot be opened, the disk is full, or a process was killed.
    """
    for task in settings.tasks:
        check_homes(task, settings.homes)
    folder.claim(settings, shard)
    trials = {settings.name_of(trial): trial for trial in shard.of(settings.trials())}
    with folder.exclusive():
        results = {name: folder.result(name) for name in trials}
        todo = [trials[name] for name, result in results.items() if result is None]
        on_start(len(todo), len(trials))
        if todo:
            check_planner(settings)
            software = software_version()
            jobs = [TrialJob(settings, machine, trial, software) for trial in todo]
            for result in (engine or _engine(machine))(jobs):
                _write(folder, result)
                results[result.name] = result
                on_trial(result)
    return [result for result in results.values() if result is not None]


def work(job: TrialJob) -> TrialResult:
    """Run one trial in this process.

    Raises:
        Pi05Error: Its brain cannot be opened, or no picture can be rendered.
    """
    cv2.setNumThreads(1)
    low = low_level(job.settings, job.machine, job.trial)
    high = high_level(job.settings, job.trial, low)
    platform = platform_of(job.settings.platform)
    result = Episode(job.settings, job.trial, platform, low, high).run()
    return replace(result, software=job.software)


def _engine(machine: Machine) -> Engine:
    if machine.ray:
        # Imported here: the package is optional.
        from pi05_ros.evaluation.trials.ray_engine import ray_engine

        return functools.partial(ray_engine, work, machine.ray, machine.jobs)
    return lambda jobs: finished_in_processes(work, jobs, machine.jobs)


def _write(folder: EvaluationFolder, result: TrialResult) -> None:
    try:
        folder.add(result)
    except OSError as error:
        raise disk_error(folder.path, error) from error


def disk_error(out: Path, error: OSError) -> Pi05Error:
    """Return the error of a disk that is full or has failed, as one sentence."""
    return EvaluationError(
        f"{error.filename or out}: {error.strerror or error}; finished trials are kept, and the "
        "same command goes on from there"
    )
