"""What became of a command, in the words and numbers of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pi05_ros.errors import Pi05Error

DONE = 200
BAD_REQUEST = 400
NOT_ALLOWED = 403
CONFLICT = 409
TOO_MANY = 429
NOT_THERE = 503
NO_ANSWER = 504


@dataclass(frozen=True)
class Answer:
    """What became of a command."""

    status: int  # As in HTTP; DONE: it was done.
    message: str  # One sentence for the operator.


class Refused(Pi05Error):
    """A command that is not carried out.

    Args:
        status: As in HTTP.
        message: Why, one sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)

    @property
    def answer(self) -> Answer:
        """For whoever asked."""
        return Answer(self.status, str(self))


class Robot(Protocol):
    """What the server asks of the graph. Called in the server's event loop."""

    async def stop(self) -> Answer:
        """Stops the robot."""

    async def do(self, name: str, arguments: Mapping[str, str]) -> Answer:
        """Carries out one of `commands.COMMANDS`."""

    def watch(self, on: bool) -> None:
        """Somebody looks, or nobody does: then nothing need be received."""
