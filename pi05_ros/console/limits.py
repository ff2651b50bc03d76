"""Rate limits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """A rate and a burst size."""

    per_second: float
    burst: float

    def __post_init__(self) -> None:
        if not (self.per_second > 0 and self.burst >= 1):
            raise ValueError("per_second must be above 0 and burst at least 1")


class Bucket:
    """A token bucket: full at first, refilled at the rate.

    Args:
        rate: Rate and burst size.
        clock: Steady time [s].
    """

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._level = rate.burst
        self._filled_at = clock()

    def take(self) -> bool:
        """Take one token; return False if none is left."""
        self._fill()
        if self._level < 1:
            return False
        self._level -= 1
        return True

    @property
    def empty(self) -> bool:
        """True if `take` would return False."""
        self._fill()
        return self._level < 1

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(
            self._rate.burst, self._level + (now - self._filled_at) * self._rate.per_second
        )
        self._filled_at = now


class Buckets:
    """A bucket for each address, for the most recent addresses.

    Args:
        rate: Rate of each address.
        clock: Steady time [s].
        most: Maximum number of addresses.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float], most: int = 1024) -> None:
        self._rate, self._clock, self._most = rate, clock, most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, address: str) -> Bucket:
        """Return the bucket of an address."""
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(self._rate, self._clock)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(address)
        return bucket
