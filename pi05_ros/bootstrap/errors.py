"""The error of the set-up: what is missing, and the command that mends it."""

from __future__ import annotations

from pi05_ros.errors import Pi05Error


class SetupError(Pi05Error):
    """The machine lacks something that the suite needs.

    Args:
        problem: What was wanted and what was found, one sentence.
        remedy: What to type, or to do, next.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}\nTo mend it: {remedy}")
