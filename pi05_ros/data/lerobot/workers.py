"""Staging of many episodes on all cores.

The cameras of an episode are encoded by threads. With more cores than cameras several episodes are
staged in parallel, each in its own process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any

from pi05_ros.data.episodes.cache_folder import CacheError
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.lerobot import staging
from pi05_ros.data.lerobot.encoding import Cancelled, StopFlag
from pi05_ros.data.lerobot.layout import DatasetLayout
from pi05_ros.data.lerobot.selection import Rows
from pi05_ros.errors import Pi05Error

_REPORT_EVERY_S = 0.2


@dataclass(frozen=True)
class Job:
    """One episode to stage."""

    episode: Episode
    name: str
    rows: Rows
    layout: DatasetLayout
    folder: Path

    @property
    def size(self) -> int:
        """Number of video rows, or of rows without video."""
        return len(self.rows) * max(1, len(self.layout.cameras))


def work(
    jobs: Sequence[Job],
    cameras: int,
    workers: int | None,
    on_rows: Callable[[int, int], None],
) -> dict[str, str]:
    """Stage episodes; an episode that cannot be read does not stop the others.

    Args:
        jobs: The episodes.
        cameras: Number of cameras, which is that of the threads of one job.
        workers: Number of processes; None: cores divided by cameras. 1: this process.
        on_rows: Called with the video rows done, and those of all jobs.

    Returns:
        By name, the reason why an episode could not be read.

    Raises:
        OSError, CacheError: The disk failed; the remaining jobs are cancelled.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = workers or max(1, (cores or 1) // max(1, cameras))
    total = sum(job.size for job in jobs)
    if min(count, len(jobs)) <= 1:
        counter = _Counter(lambda done: on_rows(done, total))
        found = {job.name: _stage(job, counter.add, threading.Event()) for job in jobs}
        return {name: why for name, why in found.items() if why}
    context = multiprocessing.get_context("spawn")  # Encoders do not survive a fork.
    done, stop = context.Value("q", 0), context.Event()
    with ProcessPoolExecutor(
        min(count, len(jobs)), context, initializer=_begin, initargs=(done, stop)
    ) as pool:
        futures = {job.name: pool.submit(_stage_in_process, job) for job in jobs}
        left = set(futures.values())
        try:
            while left:
                finished, left = wait(left, _REPORT_EVERY_S, FIRST_EXCEPTION)
                _raise_first(finished)
                on_rows(done.value, total)
            return {name: why for name, future in futures.items() if (why := future.result())}
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _raise_first(finished: Collection[Future[str]]) -> None:
    """Raise the first error that is not a consequence of another job's error."""
    for future in finished:
        error = future.exception()
        if error is not None and not isinstance(error, Cancelled):
            raise error


class _Counter:
    """Sums up the progress of several threads."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._done = 0
        self._lock = threading.Lock()

    def add(self, rows: int) -> None:
        with self._lock:
            self._done += rows
            self._report(self._done)


def _stage(job: Job, advance: Callable[[int], None], stop: StopFlag) -> str:
    """Stage one episode; return the reason why it cannot be read, or ""."""
    try:
        staging.stage(job.episode, job.name, job.rows, job.layout, job.folder, advance, stop)
    except CacheError:
        raise
    except Pi05Error as error:
        return str(error)
    return ""


_done: Any = None  # In a worker process: rows done by all workers, and the stop flag.
_stop: Any = None


def _begin(done: Any, stop: Any) -> None:
    global _done, _stop
    _done, _stop = done, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which sets the flag.
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Exit when the parent process ends, since its result would be lost."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


class _OwnOrCommon:
    """A stop flag for one episode's cameras that also follows the flag of all episodes."""

    def __init__(self, common: StopFlag) -> None:
        self._own, self._common = threading.Event(), common

    def is_set(self) -> bool:
        return self._own.is_set() or self._common.is_set()

    def set(self) -> None:
        self._own.set()


def _stage_in_process(job: Job) -> str:
    def advance(rows: int) -> None:
        with _done.get_lock():
            _done.value += rows

    return _stage(job, advance, _OwnOrCommon(_stop))
