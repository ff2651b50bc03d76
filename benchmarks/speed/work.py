"""Necessary work of a phase, which its floor is computed from."""

from __future__ import annotations

from typing import NamedTuple


class Work(NamedTuple):
    """Necessary work of a phase."""

    operations: float  # Of matrix products; a multiply-add is two.
    read: float  # Numbers read or written: weights and caches.

    def times(self, count: float) -> Work:
        """Return the work repeated `count` times."""
        return Work(self.operations * count, self.read * count)

    def plus(self, other: Work) -> Work:
        """Return the sum of both."""
        return Work(self.operations + other.operations, self.read + other.read)
