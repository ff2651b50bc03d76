"""The loader of one process: its batches of every step, in order, from worker processes.

Everything random in a sample (augmentation, flow time, noise, prefix) is drawn from generators of
its number in the run, so batches do not depend on workers, processes or where a run was resumed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pi05_ros.errors import Pi05Error
from pi05_ros.model import flow
from pi05_ros.training.objective.batch import Batch, TrainingSample, collate
from pi05_ros.training.objective.losses import sample_prefix
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.sources.mixture import Draw, Mixture
from pi05_ros.training.sources.source import Source

_TRIES = 20  # Samples of a source that are tried in the place of one that cannot be read.


class LoadError(Pi05Error):
    """A source of which no sample can be read."""


@dataclass(frozen=True)
class FlowDraws:
    """Random inputs of the flow loss; R draws for each of B samples."""

    noise: Tensor  # (R, B, horizon, action_dim) float32.
    tau: Tensor  # (R, B) float32.
    prefix: Tensor | None  # (R, B) int64; None: no prefix actions.


@dataclass(frozen=True)
class LoadedBatch:
    """A batch with its origin."""

    batch: Batch
    draws: FlowDraws | None  # None: no flow loss.
    numbers: tuple[int, ...]  # Number of each sample in the run.
    sources: tuple[int, ...]  # Index of each sample's source.
    bad: tuple[str, ...]  # Samples that could not be read and were replaced: place and reason.
    clipped: int = 0  # Values of actions that are cut off in FAST targets.


@dataclass(frozen=True)
class Share:
    """The part of a run's samples that one process computes."""

    rank: int = 0
    processes: int = 1


class Samples(Dataset[tuple[TrainingSample, Draw, FlowDraws | None, tuple[str, ...]]]):
    """Samples of a run by their number.

    Args:
        recipe: For augmentation and flow.
        sources: In the order of the mixture.
        mixture: Of these sources.
        horizon: Rows of a chunk.
        action_dim: Width of the model's actions.
    """

    def __init__(
        self,
        recipe: Recipe,
        sources: Sequence[Source],
        mixture: Mixture,
        horizon: int,
        action_dim: int,
    ) -> None:
        self._sources, self._mixture = tuple(sources), mixture
        self._recipe, self._shape = recipe, (horizon, action_dim)

    def __getitem__(
        self, number: int
    ) -> tuple[TrainingSample, Draw, FlowDraws | None, tuple[str, ...]]:
        draw = self._mixture.draw(number)
        source, bad = self._sources[draw.source], []
        for attempt in range(_TRIES):
            index = (draw.index + attempt) % len(source)
            generator = self._mixture.generator(number)
            try:
                sample = source.sample(index, generator, augment=True)
            except Pi05Error as error:
                bad.append(f"{source.name}, {source.where(index)}: {error}")
            else:
                return sample, draw, self._flow(number), tuple(bad)
        raise LoadError(
            f"{_TRIES} samples in a row of source '{source.name}' cannot be read, the last: "
            f"{bad[-1]}"
        )

    def _flow(self, number: int) -> FlowDraws | None:
        if not self._recipe.has_expert:
            return None
        count, most = self._recipe.batch.flow_samples, self._recipe.loss.max_prefix
        generator = torch.Generator().manual_seed(self._recipe.seed * 2**40 + number)
        noise = torch.randn(count, *self._shape, generator=generator)
        tau = flow.sample_tau(count, generator)
        prefix = sample_prefix((count,), most, generator) if most else None
        return FlowDraws(noise, tau, prefix)


class Loader:
    """Batches of one process.

    Args:
        samples: Of the run.
        recipe: Sizes of steps and batches, number of workers.
        share: The part of this process.

    Raises:
        ValueError: The samples of a step cannot be divided evenly.
    """

    def __init__(self, samples: Samples, recipe: Recipe, share: Share) -> None:
        self._samples, self._recipe, self._share = samples, recipe, share
        size, micro, processes = recipe.batch.size, recipe.batch.micro, share.processes
        self._micro = min(micro, size // processes)
        if size % processes or (size // processes) % self._micro:
            raise ValueError(
                f"wanted batch.size to be a multiple of {processes} processes times batch.micro, "
                f"found size {size} and micro {micro}"
            )

    @property
    def passes(self) -> int:
        """Number of batches of this process in a step."""
        return self._recipe.batch.size // self._share.processes // self._micro

    def batches(self, first_step: int) -> Iterator[LoadedBatch]:
        """Yield the batches from a step to the run's end, `passes` for each step."""
        numbers = [
            self._numbers(step, part)
            for step in range(first_step, self._recipe.steps)
            for part in range(self.passes)
        ]
        workers = self._recipe.batch.workers
        loader = DataLoader(
            self._samples,
            batch_sampler=numbers,
            num_workers=workers,
            collate_fn=_Collation(self._recipe.batch.pad_to if self._recipe.batch.compile else 1),
            prefetch_factor=4 if workers else None,
            worker_init_fn=_begin_worker if workers else None,
            multiprocessing_context="forkserver" if workers else None,
        )
        for (batch, draws, sources, bad, clipped), chosen in zip(loader, numbers, strict=True):
            yield LoadedBatch(batch, draws, tuple(chosen), sources, bad, clipped)

    def _numbers(self, step: int, part: int) -> list[int]:
        """Numbers of the samples of one batch: the parts of all processes follow each other."""
        batch = part * self._share.processes + self._share.rank
        first = step * self._recipe.batch.size + batch * self._micro
        return list(range(first, first + self._micro))


class _Collation:
    """Stacks samples; a class, so that it can be pickled."""

    def __init__(self, multiple: int) -> None:
        self._multiple = multiple

    def __call__(
        self, items: Sequence[tuple[TrainingSample, Draw, FlowDraws | None, tuple[str, ...]]]
    ) -> tuple[Batch, FlowDraws | None, tuple[int, ...], tuple[str, ...], int]:
        batch = collate([item[0] for item in items], self._multiple)
        flows = [item[2] for item in items if item[2] is not None]
        draws = None
        if flows:
            prefixes = [each.prefix for each in flows if each.prefix is not None]
            draws = FlowDraws(
                torch.stack([each.noise for each in flows], dim=1),
                torch.stack([each.tau for each in flows], dim=1),
                torch.stack(prefixes, dim=1) if prefixes else None,
            )
        bad = tuple(text for item in items for text in item[3])
        clipped = sum(item[0].clipped for item in items)
        return batch, draws, tuple(item[1].source for item in items), bad, clipped


def _begin_worker(_: int) -> None:
    """One thread each; Ctrl-C ends the training process, which ends its workers."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
