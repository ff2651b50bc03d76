"""Episodes of many homes: in parallel, resumable, and the same for the same seed."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from pi05_ros.data.bags.sink import sync_folder
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.closed_loop import START_NS
from pi05_ros.evaluation.collection.episode import EpisodeSummary, Equipment, record_episode
from pi05_ros.evaluation.collection.settings import (
    DRAWN,
    CollectError,
    CollectSettings,
    check_homes,
    check_room,
    claim_folder,
)
from pi05_ros.evaluation.opened_models import opened_model
from pi05_ros.foundation.locks import exclusive_lock
from pi05_ros.foundation.parallel import finished_in_processes
from pi05_ros.platforms.platform import load_platform
from pi05_ros.recording.provenance import software_version
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.registry import scorer

UNDER_WAY = ".under_way"  # Folder of what is not whole; readers of bags skip it.
LOCK = ".lock"


@dataclass(frozen=True)
class EpisodeJob:
    """One episode to record."""

    out: Path
    settings: CollectSettings
    home: int
    seed: int
    software: str

    @property
    def name(self) -> str:
        """Name of the bag."""
        return self.settings.episode_id(self.home, self.seed)


@dataclass
class Collected:
    """Result of a collection."""

    present: int = 0  # Episodes that were there already.
    written: list[EpisodeSummary] = field(default_factory=list)  # In the order of homes.


def collect(
    out: Path,
    settings: CollectSettings,
    homes: Sequence[int],
    *,
    seed: int = 0,
    episodes: int = 1,
    jobs: int = 1,
    on_episode: Callable[[EpisodeSummary], None] = lambda summary: None,
    on_start: Callable[[int], None] = lambda count: None,
) -> Collected:
    """Record the episodes of homes that a folder lacks.

    An episode appears by one rename when it is whole. Equal arguments give equal bytes, whatever
    the number of jobs and however often the work was interrupted.

    Args:
        out: Folder of the bags: a new one, or one that was begun with the same settings.
        settings: Of the episodes.
        homes: Seeds of the homes.
        seed: Of the random numbers; another seed adds other episodes.
        episodes: Number of episodes of each home, with the seeds from `seed` on.
        jobs: Number of processes, each with one thread.
        on_episode: Called with each episode that is whole.
        on_start: Called with the number of episodes to record, if there are any.

    Raises:
        CollectError: The folder is of other settings, is in use, or a home is not for training.
        Pi05Error: An episode cannot be recorded, the disk is full, or a process was killed.
    """
    homes = sorted(set(homes))
    check_homes(homes)
    seeds = range(seed, seed + episodes)
    for home in homes:
        for one in seeds:
            check_room(settings.for_home(home, one).room(), [home])
    load_platform(settings.platform)  # Fails here rather than in a process.
    _check_first(settings, homes[0], seed)
    claim_folder(out, "episodes", settings)
    names = [settings.episode_id(home, one) for home in homes for one in seeds]
    if all((out / name).exists() for name in names) and not (out / UNDER_WAY).exists():
        return Collected(present=len(names))
    with exclusive(out):
        software = software_version()
        todo = [EpisodeJob(out, settings, home, one, software) for home in homes for one in seeds]
        todo = [job for job in todo if not (out / job.name).exists()]
        result = Collected(present=len(names) - len(todo))
        on_start(len(todo))
        for summary in finished_in_processes(_work, todo, jobs):
            result.written.append(summary)
            on_episode(summary)
    result.written.sort(key=lambda summary: summary.home)
    return result


def _check_first(settings: CollectSettings, home: int, seed: int) -> None:
    """Check that the first episode can be done, before a folder is claimed for such settings.

    Raises:
        Pi05Error: Its task has no rubric, or the checkpoint cannot be opened.
    """
    settings = settings.for_home(home, seed)
    if settings.task not in DRAWN:  # A drawn task is about a thing that is there.
        room = draw_room(settings.room(), home)
        scorer(settings.task_in(room, seed), room)
    if settings.visited or settings.verbal:
        opened_model(settings.platform, settings.visited or settings.verbal)


def default_jobs() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Keep other processes from collecting into a folder, and remove what is not whole.

    Raises:
        CollectError: Another process collects into it.
    """
    with ExitStack() as held:
        try:
            held.enter_context(exclusive_lock(out / LOCK))
        except BlockingIOError as error:
            raise CollectError(
                f"another process collects into {out}: wait for it, or take another folder"
            ) from error
        shutil.rmtree(out / UNDER_WAY, ignore_errors=True)  # Of a process that was killed.
        yield
        shutil.rmtree(out / UNDER_WAY, ignore_errors=True)


def _work(job: EpisodeJob) -> EpisodeSummary:
    """Record one episode in a process."""
    cv2.setNumThreads(1)
    part = job.out / UNDER_WAY / job.name
    try:
        equipment = _equipment(job.settings.platform)
        summary = record_episode(equipment, job.settings, job.home, job.seed, part, job.software)
        # Datasets that are made of bags name them by fingerprints, which cover these times.
        for file in part.iterdir():
            os.utime(file, ns=(START_NS, START_NS))
        os.rename(part, job.out / job.name)
        sync_folder(job.out)
    except OSError as error:
        raise disk_error(job.out, error) from error
    return summary


def disk_error(out: Path, error: OSError) -> Pi05Error:
    """Return the error of a disk that is full or has failed, as one sentence."""
    return CollectError(
        f"{error.filename or out}: {error.strerror or error}; whole ones are kept, and the same "
        "command goes on from there"
    )


@functools.lru_cache(maxsize=1)
def _equipment(platform: str) -> Equipment:
    """Return the equipment of this process."""
    return Equipment.of(load_platform(platform))
