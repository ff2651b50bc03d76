"""Rules for a process that ends by itself: start it again, go on without it, or stop the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OnExit = Literal[
    "respawn",  # Start it again, until it has died too often; the lifecycle manager activates it.
    "shutdown",  # Stop the whole graph: it cannot run without the process.
    "ignore",  # Go on: the process had finished its work, or only watched.
    "persist",  # Start it again, however often it dies; the graph runs without it meanwhile.
]


@dataclass(frozen=True)
class RespawnPolicy:
    """Back-off between restarts, and a limit to them."""

    first_delay_s: float = 0.2  # Before the first restart.
    max_delay_s: float = 8.0  # The delay doubles up to this.
    limit: int = 5  # Deaths in a row that give a process up.
    settled_s: float = 30.0  # A process that lived this long starts over with a clean record.

    def __post_init__(self) -> None:
        if not 0 <= self.first_delay_s <= self.max_delay_s:
            raise ValueError("first_delay_s must lie between 0 and max_delay_s")
        if self.limit < 1 or self.settled_s <= 0:
            raise ValueError("limit must be at least 1, and settled_s above 0")


@dataclass(frozen=True)
class Reaction:
    """Reaction of the graph to the end of a process. Without a delay and a failure it goes on."""

    delay_s: float | None = None  # The process starts again after this time [s].
    failure: str = ""  # The graph stops, for this reason.


@dataclass
class RespawnRecord:
    """The deaths of one process."""

    policy: RespawnPolicy
    deaths: int = 0  # In a row, each before the process had settled.

    def react(self, name: str, on_exit: OnExit, how: str, lived_s: float) -> Reaction:
        """Count a death and decide what follows.

        Args:
            name: The process.
            on_exit: Its rule.
            how: How it ended ("exit code 1").
            lived_s: How long it lived [s].
        """
        if on_exit == "ignore":
            return Reaction()
        if on_exit == "shutdown":
            sentence = f"{name} ended ({how}) after {lived_s:.0f} s; the graph stops without it"
            return Reaction(failure=sentence)
        delay = self._count(lived_s)
        if delay is None and on_exit == "persist":
            delay = self.policy.max_delay_s
        if delay is not None:
            return Reaction(delay)
        return Reaction(
            failure=f"{name} died {self.policy.limit} times in a row within "
            f"{self.policy.settled_s:.0f} s of its start (last: {how}); the graph stops"
        )

    def _count(self, lived_s: float) -> float | None:
        """Return the delay before the restart [s]; None: the process has died too often."""
        self.deaths = self.deaths + 1 if lived_s < self.policy.settled_s else 1
        if self.deaths >= self.policy.limit:
            return None
        return min(self.policy.first_delay_s * 2.0 ** (self.deaths - 1), self.policy.max_delay_s)
