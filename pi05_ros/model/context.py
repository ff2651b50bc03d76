"""KV caches of a sequence, with its padding and targets, for text decoding and the expert."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from pi05_ros.model.transformer import KVCache, KVCaches


@dataclass(frozen=True)
class Context:
    """KV caches of a sequence of S positions, for text decoding and for the expert."""

    caches: KVCaches
    valid: Tensor | None = None  # (B, S) bool, False for padding; None: nothing is padded.
    targets: int = 0  # Number of last positions that are text or FAST targets, not prefix.
    has_state: bool = False  # π0: whether the last position is the expert's state token.

    @property
    def length(self) -> int:
        """Number of positions, S."""
        return self.caches[0].keys.shape[2]

    def detached(self) -> Context:
        """Return the context detached from the graph: no gradient reaches the language model."""
        caches = tuple(KVCache(*(part.detach() for part in layer)) for layer in self.caches)
        return replace(self, caches=caches)

    def rows(self, chosen: Tensor) -> Context:
        """Select rows of the batch by a (B,) bool mask, or by indices, which may repeat."""
        caches = tuple(KVCache(*(part[chosen] for part in layer)) for layer in self.caches)
        valid = None if self.valid is None else self.valid[chosen]
        return replace(self, caches=caches, valid=valid)
