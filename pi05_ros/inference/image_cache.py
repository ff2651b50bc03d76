"""Cache of embedded pictures, shared by planner and policy."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor


class ImageCache:
    """Embeds each picture once, though planner and policy both use it.

    The key is a digest of the content, not the stamp, so equal pictures are embedded once and
    different ones are never confused. Not thread-safe.

    Args:
        embed: Function of pictures (N, 3, H, W) uint8 that returns (N, tokens, W).
        capacity: Maximum number of pictures; the least recently used one is dropped first.
    """

    def __init__(self, embed: Callable[[Tensor], Tensor], capacity: int = 8) -> None:
        self._embed = embed
        self._capacity = capacity
        self._embedded: OrderedDict[bytes, Tensor] = OrderedDict()  # Digest → (tokens, W).

    def embed(self, images: Sequence[np.ndarray], digests: Sequence[bytes]) -> Tensor:
        """Embed pictures; those that are not cached in one batch.

        Args:
            images: Each (H, W, 3) uint8 rgb.
            digests: `digest_of` each; computed by the caller, outside of any lock.

        Returns:
            (len(images), tokens, W).
        """
        unknown = {d: i for d, i in zip(digests, images, strict=True) if d not in self._embedded}
        if unknown:
            batch = torch.from_numpy(np.stack(list(unknown.values()))).permute(0, 3, 1, 2)
            self._embedded.update(zip(unknown, self._embed(batch), strict=True))
        for digest in digests:
            self._embedded.move_to_end(digest)
        embedded = torch.stack([self._embedded[digest] for digest in digests])
        while len(self._embedded) > self._capacity:
            self._embedded.popitem(last=False)
        return embedded

    def clear(self) -> None:
        """Remove every picture."""
        self._embedded.clear()


def digest_of(image: np.ndarray) -> bytes:
    """Digest of a picture's content, 16 bytes."""
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
