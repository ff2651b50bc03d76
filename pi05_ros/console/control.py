"""Arbitration of control between pages, and rejection of stale commands."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from pi05_ros.console.answers import CONFLICT, Refused


@dataclass(frozen=True)
class ControlSettings:
    """Time limits of control [s]."""

    fresh_s: float = 2.0  # Maximum age of the state that a command is based on.
    lapse_s: float = 3.0  # Without a shown state for this long, a holder loses control.
    dead_man_s: float = 0.18  # With a dead-man switch: maximum age of the shown state.

    def __post_init__(self) -> None:
        if not 0 < self.dead_man_s <= self.lapse_s:
            raise ValueError("dead_man_s must be above 0 and at most lapse_s")


@dataclass(frozen=True)
class Holder:
    """The session that holds control."""

    session: int
    name: str
    lease: int  # Rises with every change of holder; commands carry it.
    seen_at: float  # When the newest shown state was sent to the page [s].


class ControlArbiter:
    """Grants control to one session; the others watch.

    All times are of `clock`. `seen_at` is when the newest state that a page has shown was *sent*
    to it, so that a suspended page and a delayed connection are both detected.

    Written by the server's thread only; `problem` may be called by any thread.

    Args:
        clock: Steady time [s].
        settings: Time limits.
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
        """Current holder of control; None: nobody."""
        return self._holder

    def take(self, session: int, name: str, seen_at: float, over: int | None = None) -> Holder:
        """Grant control to a session.

        Args:
            session: The requesting session.
            name: Name of the operator.
            seen_at: When the newest shown state was sent [s].
            over: Lease of the holder to take over from; None: nobody.

        Raises:
            Refused: Another session holds it (by another lease), or the shown state is old.
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
        """Rename the operator of a session; its lease stays."""
        if self._holder is not None and self._holder.session == session:
            self._holder = replace(self._holder, name=name)

    def release(self, session: int) -> None:
        """Release control if the session holds it; also called when its socket closes."""
        if self._holder is not None and self._holder.session == session:
            self._holder = None

    def seen(self, session: int, seen_at: float) -> None:
        """Take the report of a page on the newest state that it has shown."""
        holder = self._holder
        if holder is not None and holder.session == session and seen_at > holder.seen_at:
            self._holder = replace(holder, seen_at=seen_at)

    def lapse(self) -> None:
        """End the lease of a holder without a shown state for too long."""
        holder = self._holder
        if holder is not None and self._clock() - holder.seen_at > self.settings.lapse_s:
            self._holder = None

    def stopped(self) -> None:
        """Take a pressed stop: states sent before it no longer permit commands."""
        self._stopped_at = self._clock()

    def check(self, session: int, lease: int, seen_at: float) -> None:
        """Check a command.

        Raises:
            Refused: CONFLICT, for a session that does not hold control, an old lease, or a page
                that shows an old state.
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
        """Return why the robot must hold if an operator is required; empty if it may move."""
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
