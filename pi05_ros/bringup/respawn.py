"""When a process that died is started again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass


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

    def gave_up(self, name: str, how: str) -> str:
        """Why the graph stops when a process is given up, as one sentence.

        Args:
            name: The process.
            how: How it ended last ("exit code 1").
        """
        return (
            f"{name} died {self.limit} times in a row within {self.settled_s:.0f} s of its start "
            f"(last: {how}); the graph stops"
        )


@dataclass
class RespawnRecord:
    """The deaths of one process."""

    policy: RespawnPolicy
    deaths: int = 0  # In a row, each before the process had settled.

    def died(self, lived_s: float) -> float | None:
        """Notes a death and says when to start again.

        Args:
            lived_s: How long the process lived [s].

        Returns:
            The delay before the restart [s], or None: give it up.
        """
        self.deaths = self.deaths + 1 if lived_s < self.policy.settled_s else 1
        if self.deaths >= self.policy.limit:
            return None
        return min(self.policy.first_delay_s * 2.0 ** (self.deaths - 1), self.policy.max_delay_s)
