"""Stopwatch of one run, and rounds in which the contestants take turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

PARTS = ("pictures", "prefix", "generation")


@dataclass(frozen=True)
class Laps:
    """Where the time of one run went [s], measured with the device synchronised."""

    pictures: float  # Pictures to embeddings.
    prefix: float  # Pictures and prompt through the language model.
    generation: float  # Euler steps, or tokens.
    total: float  # From the call to the result on the CPU.


class Watch:
    """Adds up what the parts of one run take."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._parts = dict.fromkeys(PARTS, 0.0)
        self._start = self._last = now(device)

    def lap(self, part: str) -> None:
        """Counts the time since the last lap to `part`."""
        moment = now(self._device)
        self._parts[part] += moment - self._last
        self._last = moment

    def laps(self) -> Laps:
        """The sums; what no lap was taken of is in `total` only."""
        return Laps(**self._parts, total=now(self._device) - self._start)


def now(device: torch.device) -> float:
    """A monotonic time [s], after everything that the device was asked to do is done."""
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
    """Calls everybody once a round, so that noise of the machine meets all alike.

    The order moves on by one every round, so that nobody always runs on the caches that the same
    neighbour left. Garbage is collected between the runs and never in them. Ctrl-C ends the
    measurement after the last full round.

    Args:
        runs: Name → function of the round's number, which returns what it took.
        rounds: How many count.
        warm_up: Rounds before, that do not; they have negative numbers.
        progress: Called with the number of each round that counts before it begins.

    Returns:
        Name → what each round took; as many for everybody.

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
