"""The processes of a run: one, or those that torchrun started."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Processes:
    """This process among those of the run."""

    rank: int = 0
    count: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def is_first(self) -> bool:
        """True in the process that prints and writes."""
        return self.rank == 0

    def barrier(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            dist.barrier()

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        if self.count > 1:
            values = values.to(self.device)
            dist.all_reduce(values)
        return values.cpu()

    def gather(self, items: list[str]) -> list[str]:
        """Return the texts of all processes, in the order of their ranks."""
        if self.count == 1:
            return items
        found: list[list[str] | None] = [None] * self.count
        dist.all_gather_object(found, items)
        return [text for part in found for text in part or ()]


@contextmanager
def opened_processes(device: str = "auto") -> Iterator[Processes]:
    """Join the processes that torchrun started, if it did; leave them at the end.

    Args:
        device: "auto" (a GPU where there is one), "cpu" or "cuda".
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    count = int(os.environ.get("WORLD_SIZE", "1"))
    own = torch.device(device)
    if device == "cuda":
        own = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(own)
    if count == 1:
        yield Processes(device=own)
        return
    # The first process validates and writes while the others wait.
    wait = datetime.timedelta(hours=2)
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=wait)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), own)
    finally:
        dist.destroy_process_group()
