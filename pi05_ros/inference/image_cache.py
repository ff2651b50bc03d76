"""Cache of embedded pictures, shared by planner and policy."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from pi05_ros.model.compact_vision import Pictures, join, split

PictureKey = tuple[bytes, int]  # `digest_of` the picture as it was given, and its camera's view.


class ImageCache:
    """Embeds each picture once, though planner and policy both use it.

    The key is a digest of the content, not the stamp, so equal pictures are embedded once and
    different ones are never confused. Not thread-safe.

    Args:
        embed: Function of pictures (N, 3, H, W) uint8 and their views (N,) int64.
        capacity: Maximum number of pictures; the least recently used one is dropped first.
    """

    def __init__(self, embed: Callable[[Tensor, Tensor], Pictures], capacity: int = 8) -> None:
        self._embed = embed
        self._capacity = capacity
        self._embedded: OrderedDict[PictureKey, Pictures] = OrderedDict()  # Of one picture each.

    def embed(self, images: Sequence[np.ndarray], keys: Sequence[PictureKey]) -> Pictures:
        """Embed pictures; those that are not cached in one batch.

        Args:
            images: Each (H, W, 3) uint8 rgb, as the tower takes it.
            keys: Of each; computed by the caller, outside of any lock.
        """
        unknown = {k: i for k, i in zip(keys, images, strict=True) if k not in self._embedded}
        if unknown:
            batch = torch.from_numpy(np.stack(list(unknown.values()))).permute(0, 3, 1, 2)
            views = torch.tensor([view for _, view in unknown])
            self._embedded.update(zip(unknown, split(self._embed(batch, views)), strict=True))
        for key in keys:
            self._embedded.move_to_end(key)
        embedded = join([self._embedded[key] for key in keys])
        while len(self._embedded) > self._capacity:
            self._embedded.popitem(last=False)
        return embedded

    def clear(self) -> None:
        """Remove every picture."""
        self._embedded.clear()


def digest_of(image: np.ndarray) -> bytes:
    """Digest of a picture's content, 16 bytes."""
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
