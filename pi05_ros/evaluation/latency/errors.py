"""What `pi05 latency` cannot work with."""

from __future__ import annotations

from pi05_ros.errors import Pi05Error


class LatencyError(Pi05Error):
    """A source has nothing to tell: there is no such bag, it is cut, or it holds no ledgers."""
