"""State shared by all sessions of a server."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pi05_ros.console.answers import CONFLICT, NO_ANSWER, Answer, Refused, RobotInterface
from pi05_ros.console.control import ControlArbiter
from pi05_ros.console.drive import DriveGate
from pi05_ros.console.limits import Rate
from pi05_ros.console.page_state import PageState
from pi05_ros.console.pictures import Pictures


@dataclass(frozen=True)
class HubSettings:
    """Rates and bounds of the server."""

    state_rate_hz: float = 10.0  # States to a page.
    beat_s: float = 0.04  # Between two messages to a holder with a dead-man switch.
    sessions: int = 8  # Pages at a time.
    page_rate: Rate = Rate(100, 200)  # Messages of one page.
    command_rate: Rate = Rate(10, 20)  # Of them, commands.
    http_rate: Rate = Rate(30, 120)  # Requests of one address, stops left out.
    wrong_tokens: Rate = Rate(0.2, 10)  # Of one address.
    wrong_cookies: Rate = Rate(1, 30)  # Of one address.
    connections: int = 256
    address_connections: int = 96  # Of one address; `ssh -L` makes all pages come from one.
    body_bytes: int = 4096  # Of a request.
    body_s: float = 3.0  # For it to come.
    behind_s: float = 1.0  # A page that is so far behind gets no pictures.
    dead_s: float = 15.0  # One that has shown nothing new for so long is closed.

    @property
    def state_s(self) -> float:
        """Between two states."""
        return 1.0 / self.state_rate_hz


@dataclass
class Hub:
    """Page state, pictures, control and robot of one server. Used in its event loop.

    Args:
        robot: Executes commands.
        page_state: Sections shown by the pages.
        pictures: Pictures of the cameras.
        control: Arbiter of control.
        require_operator: True with a dead-man switch.
        settings: Rates and bounds.
        clock: Steady time [s].
        log: Logs one line in the node's log.
    """

    robot: RobotInterface
    page_state: PageState
    pictures: Pictures
    control: ControlArbiter
    require_operator: bool = False
    settings: HubSettings = field(default_factory=HubSettings)
    clock: Callable[[], float] = time.monotonic
    log: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._sessions: set[int] = set()
        self._stopping: asyncio.Task[Answer] | None = None
        self.stops = 0  # Number of stops since the server started.
        self.drive = DriveGate(self.control, self.robot.drive, self.clock)

    @property
    def full(self) -> bool:
        """True if no further page is accepted."""
        return len(self._sessions) >= self.settings.sessions

    @property
    def watchers(self) -> int:
        """Number of open pages."""
        return len(self._sessions)

    def join(self) -> int:
        """Add a page; return the number of its session."""
        number = next(self._numbers)
        self._sessions.add(number)
        if len(self._sessions) == 1:
            self.robot.watch(True)
        return number

    def leave(self, number: int) -> None:
        """Remove a page."""
        self._sessions.discard(number)
        self.drive.leave(number)
        self.control.release(number)
        if not self._sessions:
            self.robot.watch(False)

    async def stop(self, who: str) -> Answer:
        """Stop the robot, for any page and without a rate limit; parallel calls share one stop."""
        self.control.stopped()
        self.drive.interrupt()
        self.stops += 1
        if self._stopping is None or self._stopping.done():
            self.log(f"stop, pressed by {who}")
            self._stopping = asyncio.create_task(self.robot.stop())
        try:
            # Shielded: a closed connection must not cancel the stop of others.
            answer = await asyncio.shield(self._stopping)
        except Exception as error:
            return Answer(
                NO_ANSWER,
                f"stop failed in the console ({type(error).__name__}): use the hardware stop",
            )
        # States sent during the stop did not show the stopped robot yet.
        self.control.stopped()
        return answer

    async def command(
        self, session: int, lease: int, seen_at: float, name: str, arguments: dict[str, str]
    ) -> Answer:
        """Execute a command of the holder of control; reject those of others."""
        try:
            self.control.check(session, lease, seen_at)
        except Refused as refusal:
            return refusal.answer
        if self._stopping is not None and not self._stopping.done():
            return Answer(CONFLICT, "a stop is in progress: check the page, then repeat")
        holder = self.control.holder
        self.log(f"{name} {arguments or ''}, by {holder.name if holder else '?'}")
        try:
            return await self.robot.do(name, arguments)
        except Exception as error:
            self.log(f"{name} failed in the console: {type(error).__name__}: {error}")
            return Answer(NO_ANSWER, f"{name} failed in the console: {type(error).__name__}")
