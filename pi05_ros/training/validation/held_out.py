"""The held-out samples of a source: the same ones, with the same noise, at every validation."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.errors import Pi05Error
from pi05_ros.model import flow
from pi05_ros.model.config import ModelConfig
from pi05_ros.training.objective.batch import Batch, TrainingSample, collate
from pi05_ros.training.recipes.recipe import ValidationRecipe
from pi05_ros.training.sources.robots import RobotRow, RobotSource
from pi05_ros.training.sources.source import Source

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldOutSample:
    """One sample, with the random inputs of its flow loss and of its sampled chunk."""

    index: int  # In its source.
    sample: TrainingSample
    noise: Tensor  # (horizon, action_dim) float32.
    tau: Tensor  # (1,) float32.
    row: RobotRow | None  # None: not of robot episodes.

    @property
    def width(self) -> int:
        """Number of entries of the robot's vectors; 0 without a robot."""
        return 0 if self.row is None else len(self.row.vectors.stats.names)


class HeldOut:
    """Reads the chosen samples of a source.

    Args:
        source: Of held-out episodes.
        recipe: Seed and number of samples.
        config: Of the model.
    """

    def __init__(self, source: Source, recipe: ValidationRecipe, config: ModelConfig) -> None:
        self.source = source
        self._seed, self._config = recipe.seed, config
        draw = np.random.default_rng([recipe.seed, zlib.crc32(source.name.encode())])
        count = min(len(source), recipe.samples)
        chosen = draw.choice(len(source), count, replace=False)
        self.chosen = sorted(int(index) for index in chosen)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the pictures, in order; (): the source names none."""
        return getattr(self.source, "cameras", ())

    def batches(self, size: int) -> Iterator[list[HeldOutSample]]:
        """Yield the samples in batches; those that cannot be read are left out, with a warning.

        Raises:
            Pi05Error: None can be read.
        """
        items, bad = list[HeldOutSample](), list[str]()
        for index in self.chosen:
            try:
                items.append(self._read(index))
            except Pi05Error as error:
                bad.append(f"{self.source.where(index)}: {error}")
            if len(items) == size:
                yield items
                items = []
        if items:
            yield items
        if len(bad) == len(self.chosen):
            raise Pi05Error(
                f"no held-out sample of '{self.source.name}' can be read, the last: {bad[-1]}"
            )
        if bad:
            _log.warning(
                "validation leaves out %d of %d samples of '%s', the last: %s",
                len(bad),
                len(self.chosen),
                self.source.name,
                bad[-1],
            )

    def _read(self, index: int) -> HeldOutSample:
        draw = np.random.default_rng([self._seed, index])
        sample = self.source.sample(index, draw, augment=False)
        seed = zlib.crc32(f"{self._seed} {self.source.name} {index}".encode())
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(self._config.horizon, self._config.action_dim, generator=generator)
        row = self.source.row(index) if isinstance(self.source, RobotSource) else None
        return HeldOutSample(index, sample, noise, flow.sample_tau(1, generator), row)


def batch_of(items: Sequence[HeldOutSample], device: torch.device) -> Batch:
    """Stack samples on a device."""
    return collate([item.sample for item in items]).to(device)


def inputs_of(batch: Batch, rows: Sequence[int]) -> Batch:
    """Select the inputs of some rows, without targets."""
    chosen = torch.tensor(rows, device=batch.images.device)

    def of(values: Tensor | None) -> Tensor | None:
        return None if values is None else values[chosen]

    return Batch(
        batch.images[chosen],
        batch.cameras[chosen],
        batch.prompt[chosen],
        batch.prompt_valid[chosen],
        state=of(batch.state),
        views=of(batch.views),
        queries=of(batch.queries),
        queries_valid=of(batch.queries_valid),
        pointed=of(batch.pointed),
    )
