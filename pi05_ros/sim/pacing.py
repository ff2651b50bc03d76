"""Pacing of a simulation to a real-time factor, with absolute deadlines on a steady clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_CATCH_UP = 0.25  # Share of a period by which a tick may be early to catch up after a late one.
_MAX_DEBT = 0.5  # Lateness beyond this is not caught up [s, wall].
_WINDOW = 1.0  # Wall time over which the factor is measured [s].


class Pacer:
    """Waits until the next tick is due.

    After a late tick the following ones catch up, each at most a quarter period early. The rate
    holds on average, and there is no burst of ticks that leaves the nodes no time to answer.
    Lateness beyond half a second is not caught up: the schedule slips.

    Args:
        period: Simulated time of a tick [s].
        factor: Largest number of simulated seconds per wall second; 0: never wait.
        now: Steady clock [s].
        sleep: Sleeps for a number of seconds; may return early to end the simulation.

    Attributes:
        slips: Number of times the schedule slipped.
    """

    def __init__(
        self,
        period: float,
        factor: float,
        now: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if period <= 0 or factor < 0:
            raise ValueError(f"period {period} must be above 0 and factor {factor} not below")
        self.slips = 0
        self._period = period
        self._wall_period = period / factor if factor else 0.0
        self._now = now
        self._sleep = sleep
        self.restart()

    def restart(self) -> None:
        """Make the next tick due one period from now, and restart measuring the factor."""
        self._last = self._now()
        self._due = self._last + self._wall_period
        self._ticks: deque[float] = deque([self._last])

    def wait(self) -> None:
        """Wait until the present tick is over."""
        if self._wall_period:
            now = self._now()
            if now - self._due > _MAX_DEBT:
                self.slips += 1
                self._due = now - _MAX_DEBT
            soonest = self._last + (1.0 - _CATCH_UP) * self._wall_period
            if (early := max(self._due, soonest) - now) > 0:
                self._sleep(early)
            self._due += self._wall_period
            self._last = self._now()
        self._ticks.append(self._now())
        while len(self._ticks) > 2 and self._ticks[-1] - self._ticks[0] > _WINDOW:
            self._ticks.popleft()

    @property
    def factor(self) -> float:
        """Simulated seconds per wall second over the last second; 0 before the first tick."""
        elapsed = self._ticks[-1] - self._ticks[0]
        return (len(self._ticks) - 1) * self._period / elapsed if elapsed > 0 else 0.0
