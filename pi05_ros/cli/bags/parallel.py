"""The same work on many bags, one process for each core."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_in_processes(
    function: Callable[[T], R], items: Sequence[T], few: int, at_once: int = 1
) -> Iterator[R]:
    """Results in the order of the items.

    Args:
        function: Of a module, or a partial of one: it is pickled, as its results are.
        items: What it is called with.
        few: So many are done here: they are, before other processes would be up.
        at_once: Items that a process is given at a time.
    """
    if len(items) <= few:
        yield from map(function, items)
        return
    # Spawned: a forked child would inherit the threads' locks of whatever the parent has loaded.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context) as pool:
        try:
            with _interrupts_wait():
                results = pool.map(function, items, chunksize=at_once)
            yield from results
        except BaseException:  # Ctrl-C above all: nobody wants what they would still make.
            for child in multiprocessing.active_children():
                child.terminate()
            raise


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Ctrl-C waits for the end of the block, and never reaches processes that are begun in it.

    Each would print a traceback, from the middle of its imports mostly.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
