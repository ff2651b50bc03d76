"""The mixture: which sample of which source is number g of a run.

The choice is a pure function of the recipe's seed and g, so that it does not depend on the number
of processes or workers, and a run goes on after a stop where it was. Shares are exact to half a
sample (the largest source has the rest): sources take turns in blocks of `BLOCK` draws, in each of
which every source has its share, in an order drawn anew for each block. Within a source every
sample is drawn once before any is drawn again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

BLOCK = 1000  # Draws.
_BLOCKS_KEPT = 8
_MOST_SOURCES = 30  # With more, rounding could leave the largest one less than nothing in a block.


@dataclass(frozen=True)
class Draw:
    """Sample number g of a run."""

    source: int  # Index of the source.
    index: int  # Index of the sample in its source.
    epoch: int  # Number of times that the source was drawn completely before.


class Mixture:
    """Draws samples from sources of given sizes in given shares.

    Args:
        sizes: Number of samples of each source, above 0.
        weights: Weight of each source, above 0; shares are weights over their sum.
        seed: Of the orders.

    Raises:
        ValueError: A size or a weight is not above 0, or there are no sources.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], seed: int) -> None:
        if not sizes or len(sizes) != len(weights):
            raise ValueError(f"wanted a weight for each of at least one source, found {weights}")
        if len(sizes) > _MOST_SOURCES:
            raise ValueError(f"wanted at most {_MOST_SOURCES} sources, found {len(sizes)}")
        if min(sizes) < 1 or not min(weights) > 0.0:
            raise ValueError(f"wanted sizes and weights above 0, found {sizes} and {weights}")
        self._sizes = tuple(int(size) for size in sizes)
        scaled = np.asarray(weights, dtype=np.float64) / max(weights)  # Their sum is finite.
        self._shares = scaled / scaled.sum()
        self._seed = seed
        self._blocks: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # The last ones in use.

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each source, summing to 1."""
        return tuple(float(share) for share in self._shares)

    def draw(self, g: int) -> Draw:
        """Return draw g, counted from 0."""
        block, place = divmod(g, BLOCK)
        sources, ranks = self._block(block)
        source = int(sources[place])
        count = int(self._before(block)[source]) + int(ranks[place])
        epoch, position = divmod(count, self._sizes[source])
        return Draw(source, self._at(source, epoch, position), epoch)

    def counts(self, draws: int) -> tuple[int, ...]:
        """Number of samples of each source among the first `draws`."""
        block, rest = divmod(draws, BLOCK)
        sources, _ = self._block(block)
        inside = np.bincount(sources[:rest], minlength=len(self._sizes))
        return tuple(int(n) for n in self._before(block) + inside)

    def generator(self, g: int) -> np.random.Generator:
        """Return the random numbers of draw g, for augmentation and noise."""
        return np.random.Generator(np.random.Philox(key=[self._seed, 1], counter=[0, 0, 0, g]))

    def _before(self, block: int) -> np.ndarray:
        """Draws of each source before a block, (sources,) int64, summing to block * BLOCK.

        Rounded, which never falls from one block to the next; the largest source gets the rest.
        """
        draws = block * BLOCK
        counts = np.floor(self._shares * draws + 0.5).astype(np.int64)
        largest = int(self._shares.argmax())
        counts[largest] += draws - int(counts.sum())
        return counts

    def _block(self, block: int) -> tuple[np.ndarray, np.ndarray]:
        """Source of each draw of a block, and its rank among the source's draws there."""
        if block not in self._blocks:
            counts = self._before(block + 1) - self._before(block)
            sources = np.repeat(np.arange(len(counts)), counts)
            np.random.default_rng([self._seed, 2, block]).shuffle(sources)
            ranks = np.zeros(len(sources), dtype=np.int64)
            for source in range(len(counts)):
                found = sources == source
                ranks[found] = np.arange(int(found.sum()))
            while len(self._blocks) >= _BLOCKS_KEPT:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[block] = sources, ranks
        return self._blocks[block]

    def _at(self, source: int, epoch: int, position: int) -> int:
        """Index of the sample at a position of an epoch's order."""
        return int(_order(self._seed, source, epoch, self._sizes[source])[position])


@lru_cache(maxsize=64)
def _order(seed: int, source: int, epoch: int, size: int) -> np.ndarray:
    """Order of a source's samples in one epoch, (size,) int64."""
    return np.random.default_rng([seed, 3, source, epoch]).permutation(size)
