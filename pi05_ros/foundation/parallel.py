"""Parallel work on items in other processes."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from pi05_ros.errors import Pi05Error

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

T = TypeVar("T")
R = TypeVar("R")


def map_in_processes(
    function: Callable[[T], R], items: Sequence[T], few: int, at_once: int = 1
) -> Iterator[R]:
    """Map a function over items in other processes, which end with this one, however it ends.

    Args:
        function: Function of a module, or a partial of one: it is pickled, as its results are.
        items: Its arguments.
        few: Up to so many items are processed in this process, faster than others start.
        at_once: Number of items that a process receives at a time.

    Yields:
        Results in the order of the items.
    """
    if len(items) <= few:
        yield from map(function, items)
        return
    # Spawned: a forked child would inherit the threads' locks of whatever the parent has loaded.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        mp_context=context, initializer=_end_with, initargs=(os.getpid(),)
    ) as pool:
        try:
            with _interrupts_blocked():
                results = pool.map(function, items, chunksize=at_once)
            yield from results
        except BaseException:  # Ctrl-C above all: the other results are not needed any more.
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def finished_in_processes(
    function: Callable[[T], R], items: Sequence[T], jobs: int
) -> Iterator[R]:
    """Apply a function to items in `jobs` processes, and yield results as they are finished.

    Items are begun in their order. With one job, or one item, they are processed in this process.
    The others end with this one, however it ends.

    Args:
        function: Function of a module, or a partial of one: it is pickled, as its results are.
        items: Its arguments.
        jobs: Number of processes.

    Raises:
        Pi05Error: A process was killed.
    """
    if min(jobs, len(items)) <= 1:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        max_workers=jobs, mp_context=context, initializer=_end_with, initargs=(os.getpid(),)
    ) as pool:
        try:
            with _interrupts_blocked():
                futures: list[Future[R]] = [pool.submit(function, item) for item in items]
            for future in as_completed(futures):
                yield future.result()
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            if isinstance(error, BrokenProcessPool):
                raise Pi05Error(
                    "one of the processes was killed, for want of memory perhaps: use fewer "
                    "with --jobs"
                ) from error
            raise


def _end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent is gone, which may not say so."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # It was gone before the call.
        os._exit(1)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C until the end of the block, and for processes that are started in it.

    Each would print a traceback, mostly from the middle of its imports.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
