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
from torch.utils.data import DataLoader, Dataset, Sampler

from pi05_ros.errors import ConfigError, Pi05Error
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
        generator = torch.Generator().manual_seed((self._recipe.seed * 2**40 + number) % 2**63)
        noise = torch.randn(count, *self._shape, generator=generator)
        tau = flow.sample_tau(count, generator)
        prefix = sample_prefix((count,), most, generator) if most else None
        return FlowDraws(noise, tau, prefix)


def check_division(recipe: Recipe, processes: int) -> None:
    """Check that the samples of a step can be divided over processes and passes.

    Raises:
        ConfigError: They cannot.
    """
    own, rest = divmod(recipe.batch.size, processes)
    if rest or not own or own % min(recipe.batch.micro, own):
        raise ConfigError(
            f"recipe '{recipe.name}': batch.size",
            f"wanted a multiple of {processes} processes times batch.micro, found size "
            f"{recipe.batch.size} and micro {recipe.batch.micro}",
        )


class Loader:
    """Batches of one process.

    Args:
        samples: Of the run.
        recipe: Sizes of steps and batches, number of workers.
        share: The part of this process.

    Raises:
        ConfigError: The samples of a step cannot be divided evenly.
    """

    def __init__(self, samples: Samples, recipe: Recipe, share: Share) -> None:
        self._samples, self._recipe, self._share = samples, recipe, share
        size, micro, processes = recipe.batch.size, recipe.batch.micro, share.processes
        check_division(recipe, processes)
        self._micro = min(micro, size // processes)

    @property
    def passes(self) -> int:
        """Number of batches of this process in a step."""
        return self._recipe.batch.size // self._share.processes // self._micro

    def batches(self, first_step: int) -> Iterator[LoadedBatch]:
        """Yield the batches from a step to the run's end, `passes` for each step."""
        numbers = _Numbers(self, first_step)
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

    @property
    def steps(self) -> int:
        """Steps of the run."""
        return self._recipe.steps

    def numbers(self, step: int, part: int) -> list[int]:
        """Numbers of the samples of one batch: the parts of all processes follow each other."""
        batch = part * self._share.processes + self._share.rank
        first = step * self._recipe.batch.size + batch * self._micro
        return list(range(first, first + self._micro))


class _Numbers(Sampler[list[int]]):
    """Numbers of the samples of each batch from a step on, made when they are asked for."""

    def __init__(self, loader: Loader, first_step: int) -> None:
        self._loader, self._first = loader, first_step

    def __len__(self) -> int:
        return (self._loader.steps - self._first) * self._loader.passes

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self._first, self._loader.steps):
            for part in range(self._loader.passes):
                yield self._loader.numbers(step, part)


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
    """One thread each; the training process takes signals, and its end ends its workers.

    Terminals, SLURM and systemd signal every process of a run.
    """
    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
