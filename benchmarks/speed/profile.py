"""Profile of an engine: time in matrix products, attention, and everything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from .timing import now

# Names of operators on the CPU and of kernels on a GPU. Attention is matched first: the names of
# some of its kernels contain a matrix library.
_ATTENTION = re.compile(r"attention|flash|fmha", re.IGNORECASE)
_MATRICES = re.compile(
    r"(^|::)(mm|addmm|bmm|baddbmm|mv|addmv)$|conv|gemm|gemv|cutlass", re.IGNORECASE
)


@dataclass(frozen=True)
class Shares:
    """Times of one run [s]."""

    matrices: float  # Products of activations and weights.
    attention: float  # Scores, softmax and weighted sum, if they are one operator.
    total: float  # Measured without the profiler, which adds overhead between operators.

    @property
    def rest(self) -> float:
        """Norms, rotations, activations, copies, and overhead between operators."""
        return self.total - self.matrices - self.attention

    def line(self, title: str) -> str:
        """Format a row of a Markdown table: ms, and parts of the total."""
        cells = [
            f"{part * 1e3:.1f} ({part / self.total:.0%})"
            for part in (self.matrices, self.attention, self.rest)
        ]
        return f"| {title} | {self.total * 1e3:.1f} | " + " | ".join(cells) + " |"


HEADER = "| [ms] | total | matrices | attention | everything else |\n|---" + "|---:" * 4 + "|"


def profile(run: Callable[[int], object], device: torch.device, runs: int = 5) -> Shares:
    """Run several times without and with torch's profiler, and return means.

    Only operators with names known to torch are found, not the CPU kernels of torch.compile:
    profile an eager engine.

    Args:
        run: Function of one run; its argument is the number of a round, below 0.
        device: Device of the run.
        runs: Number of runs, without and with the profiler.
    """
    for index in range(2):
        run(-1 - index)
    start = now(device)
    for index in range(runs):
        run(-3 - index)
    total = (now(device) - start) / runs
    kinds = [torch.profiler.ProfilerActivity.CPU]
    if device.type == "cuda":
        kinds.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=kinds) as recorded:
        for index in range(runs):
            run(-3 - runs - index)
    field = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    events = [(event.key, getattr(event, field) / 1e6) for event in recorded.key_averages()]
    matrices, attention = sums(events)
    return Shares(matrices / runs, attention / runs, total)


def sums(events: Iterable[tuple[str, float]]) -> tuple[float, float]:
    """Sum times in matrix products and in attention, of (name, time) of operators or kernels."""
    matrices = attention = 0.0
    for name, seconds in events:
        if _ATTENTION.search(name):
            attention += seconds
        elif _MATRICES.search(name):
            matrices += seconds
    return matrices, attention
