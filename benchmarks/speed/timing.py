"""Stopwatch of one run, and rounds in which the implementations alternate."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

PARTS = ("pictures", "prefix", "generation")


@dataclass(frozen=True)
class Laps:
    """Durations of the parts of one run [s], measured with the device synchronised."""

    pictures: float  # Pictures to embeddings.
    prefix: float  # Pictures and prompt through the language model.
    generation: float  # Euler steps, or tokens.
    total: float  # From the call to the result on the CPU.


class Watch:
    """Sums the durations of the parts of one run.

    Args:
        device: CUDA devices are synchronised at every lap.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._parts = dict.fromkeys(PARTS, 0.0)
        self._start = self._last = now(device)

    def lap(self, part: str) -> None:
        """Add the time since the last lap to `part`."""
        moment = now(self._device)
        self._parts[part] += moment - self._last
        self._last = moment

    def laps(self) -> Laps:
        """Return the sums; time outside of the laps is in `total` only."""
        return Laps(**self._parts, total=now(self._device) - self._start)


def now(device: torch.device) -> float:
    """Synchronise the device and return a monotonic time [s]."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def take_turns(
    runs: Mapping[str, Callable[[int], Laps]],
    rounds: int,
    *,
    warm_up: int = 2,
    progress: Callable[[int], None] = lambda round_: None,
) -> dict[str, list[Laps]]:
    """Run every implementation once per round, so that disturbances affect all of them.

    The order rotates by one every round, so that none always runs on the caches of the same
    predecessor. Garbage is collected between the runs, never within. Ctrl-C ends the measurement
    after the last full round.

    Args:
        runs: Name → function of the round's number, which returns its durations.
        rounds: Number of measured rounds.
        warm_up: Number of rounds before them; they have negative numbers.
        progress: Called with the number of each measured round before it begins.

    Returns:
        Name → durations of each round; the same number for all.

    Raises:
        KeyboardInterrupt: Before the first full round.
    """
    results: dict[str, list[Laps]] = {name: [] for name in runs}
    order = list(runs)
    was_enabled = gc.isenabled()
    try:
        for round_ in range(-warm_up, rounds):
            if round_ >= 0:
                progress(round_)
            taken = {}
            for name in order:
                gc.collect()
                gc.disable()
                taken[name] = runs[name](round_)
            if round_ >= 0:
                for name, laps in taken.items():
                    results[name].append(laps)
            order = order[1:] + order[:1]
    except KeyboardInterrupt:
        if not results[order[0]]:
            raise
    finally:
        if was_enabled:
            gc.enable()
    return results
