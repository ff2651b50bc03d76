"""Embedded pictures, kept for whoever sees the same ones next."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor


class ImageCache:
    """Embeds each picture once, though planner and policy both look at it.

    A picture is known by its content, never by its stamp: a wrong embedding is impossible, and
    a camera that stands still costs nothing. Not thread-safe by itself.

    Args:
        embed: Pictures (N, 3, H, W) uint8 → (N, tokens, W).
        capacity: Pictures kept; the one that was used longest ago goes first.
    """

    def __init__(self, embed: Callable[[Tensor], Tensor], capacity: int = 8) -> None:
        self._embed = embed
        self._capacity = capacity
        self._known: OrderedDict[bytes, Tensor] = OrderedDict()  # Digest → (tokens, W).

    def embed(self, images: Sequence[np.ndarray], digests: Sequence[bytes]) -> Tensor:
        """Embeds pictures, the unknown ones in one batch.

        Args:
            images: Each (H, W, 3) uint8 rgb.
            digests: `digest_of` each; worked out by the caller, outside of any lock.

        Returns:
            (len(images), tokens, W).
        """
        unknown = {d: i for d, i in zip(digests, images, strict=True) if d not in self._known}
        if unknown:
            batch = torch.from_numpy(np.stack(list(unknown.values()))).permute(0, 3, 1, 2)
            self._known.update(zip(unknown, self._embed(batch), strict=True))
        for digest in digests:
            self._known.move_to_end(digest)
        embedded = torch.stack([self._known[digest] for digest in digests])
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return embedded

    def clear(self) -> None:
        """Forgets every picture."""
        self._known.clear()


def digest_of(image: np.ndarray) -> bytes:
    """128 bits that stand for a picture's content."""
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
