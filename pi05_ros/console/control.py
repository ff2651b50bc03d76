"""Who holds control, and whether a command is one of now."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from pi05_ros.console.answers import CONFLICT, Refused


@dataclass(frozen=True)
class ControlSettings:
    """Times of control [s]."""

    fresh_s: float = 2.0  # A command must answer what was shown at most so long ago.
    lapse_s: float = 3.0  # A holder who has seen nothing for so long holds no more.
    dead_man_s: float = 0.18  # With a dead-man switch: the robot may move for so long unseen.

    def __post_init__(self) -> None:
        if not 0 < self.dead_man_s <= self.lapse_s:
            raise ValueError("dead_man_s must be above 0 and at most lapse_s")


@dataclass(frozen=True)
class Holder:
    """Who holds control."""

    session: int
    name: str
    lease: int  # Rises with every change of holder; commands carry it.
    seen_at: float  # When what the page has seen last was sent to it [s].


class ControlArbiter:
    """One holder of control; the others watch.

    All times are of `clock`. `seen_at` is when the newest state that a page has shown was *sent*
    to it: a page that sleeps, or a line that only delays, proves nothing by sending.

    Written by the server's thread only; `problem` may be called by any thread.

    Args:
        clock: Steady time [s].
        settings: Times.
    """

    def __init__(
        self, clock: Callable[[], float], settings: ControlSettings | None = None
    ) -> None:
        self.settings = settings or ControlSettings()
        self._clock = clock
        self._holder: Holder | None = None
        self._lease = 0
        self._stopped_at = float("-inf")

    @property
    def holder(self) -> Holder | None:
        """Who holds control; None: nobody."""
        return self._holder

    def take(self, session: int, name: str, seen_at: float, over: int | None = None) -> Holder:
        """Gives control to a session.

        Args:
            session: Who asks.
            name: As people call them.
            seen_at: What they have seen, see above.
            over: Lease of the holder whom they mean to take over from; None: of nobody.

        Raises:
            Refused: Somebody else holds it (by another lease), or what they saw is old.
        """
        self.lapse()
        self._check_fresh(seen_at)
        holder = self._holder
        if holder is not None and holder.session != session and holder.lease != over:
            raise Refused(CONFLICT, f"{holder.name} holds control: take over only if they agree")
        if holder is None or holder.session != session:
            self._lease += 1
        self._holder = Holder(session, name, self._lease, seen_at)
        return self._holder

    def rename(self, session: int, name: str) -> None:
        """A session is called otherwise from now on; its lease stays."""
        if self._holder is not None and self._holder.session == session:
            self._holder = replace(self._holder, name=name)

    def release(self, session: int) -> None:
        """Gives control back, as far as the session holds it: also when its socket closes."""
        if self._holder is not None and self._holder.session == session:
            self._holder = None

    def seen(self, session: int, seen_at: float) -> None:
        """A page says what it has shown."""
        holder = self._holder
        if holder is not None and holder.session == session and seen_at > holder.seen_at:
            self._holder = replace(holder, seen_at=seen_at)

    def lapse(self) -> None:
        """Ends the lease of a holder who has seen nothing for too long."""
        holder = self._holder
        if holder is not None and self._clock() - holder.seen_at > self.settings.lapse_s:
            self._holder = None

    def stopped(self) -> None:
        """Somebody pressed stop: what was seen before is no ground to command on."""
        self._stopped_at = self._clock()

    def check(self, session: int, lease: int, seen_at: float) -> None:
        """Checks a command.

        Raises:
            Refused: CONFLICT, for a session that does not hold control, a lease of before, or a
                page that shows what was.
        """
        self.lapse()
        holder = self._holder
        if holder is None:
            raise Refused(CONFLICT, "nobody holds control: take control first")
        if holder.session != session:
            raise Refused(CONFLICT, f"{holder.name} holds control, your page only watches")
        if holder.lease != lease:
            raise Refused(
                CONFLICT, f"lease {lease} has expired: control was taken again since then"
            )
        self._check_fresh(seen_at)

    def problem(self) -> str:
        """Why the robot must not move where an operator is required; empty: it may."""
        holder = self._holder
        if holder is None:
            return "no operator holds control"
        silence = self._clock() - holder.seen_at
        if silence > self.settings.dead_man_s:
            return "no response from the operator's page"
        return ""

    def _check_fresh(self, seen_at: float) -> None:
        age = self._clock() - seen_at
        if math.isinf(age):
            raise Refused(
                CONFLICT, "your page has not shown a robot state yet: check the page, then repeat"
            )
        if age > self.settings.fresh_s:
            raise Refused(
                CONFLICT,
                f"your page was {age:.1f} s behind: check the page, then repeat",
            )
        if seen_at < self._stopped_at:
            raise Refused(
                CONFLICT,
                "stop was pressed and your page did not show it yet: check the page, then repeat",
            )
