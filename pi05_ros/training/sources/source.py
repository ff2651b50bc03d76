"""The interface of a source of training samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from pi05_ros.model.normalization import NormStats
from pi05_ros.training.objective.batch import TrainingSample
from pi05_ros.training.recipes.recipe import Kind


class Source(Protocol):
    """Samples of one kind, at random access. It can be pickled into the loader's workers."""

    @property
    def name(self) -> str:
        """Name in the recipe ("MM")."""
        ...

    @property
    def kind(self) -> Kind:
        """Kind of its samples."""
        ...

    @property
    def statistics(self) -> Mapping[str, NormStats]:
        """Statistics of each robot in it, by platform name; empty without robots."""
        ...

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def sample(self, index: int, draw: np.random.Generator, augment: bool) -> TrainingSample:
        """Return a sample, as the model takes it.

        Args:
            index: 0 to `len` - 1.
            draw: Random numbers of this sample: the same in every run, worker and process.
            augment: Whether pictures are changed at random.

        Raises:
            Pi05Error: The sample cannot be read.
        """
        ...

    def contents(self) -> list[str]:
        """Return what identifies each thing that it reads, in order, but not where it lies."""
        ...

    def where(self, index: int) -> str:
        """Return the place of a sample, for error messages: episode and row, or file and line."""
        ...
