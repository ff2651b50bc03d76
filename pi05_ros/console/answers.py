"""Results of commands, with HTTP status codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pi05_ros.errors import Pi05Error

if TYPE_CHECKING:
    from pi05_ros.console.drive import DriveFrame

DONE = 200
BAD_REQUEST = 400
NOT_ALLOWED = 403
CONFLICT = 409
TOO_MANY = 429
NOT_THERE = 503
NO_ANSWER = 504


@dataclass(frozen=True)
class Answer:
    """Result of a command."""

    status: int  # HTTP status code; DONE: success.
    message: str  # One sentence for the operator.


class Refused(Pi05Error):
    """A command or request is rejected.

    Args:
        status: HTTP status code.
        message: Reason, one sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)

    @property
    def answer(self) -> Answer:
        """The rejection as an Answer."""
        return Answer(self.status, str(self))


class RobotInterface(Protocol):
    """Interface of the server to the graph. Called in the server's event loop."""

    async def stop(self) -> Answer:
        """Stop the robot."""

    async def do(self, name: str, arguments: Mapping[str, str]) -> Answer:
        """Execute one of `commands.COMMANDS`."""

    def drive(self, frame: DriveFrame) -> None:
        """Publish a frame of teleoperation."""

    def watch(self, on: bool) -> None:
        """Take whether a page is open; without one, inputs may be closed."""
