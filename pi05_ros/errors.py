"""Base classes of the errors of the suite. Each is one sentence that a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Pi05Error(Exception):
    """Base class of the errors of the suite.

    `str(error)` is a sentence for users: the expected value, the found one, and what to do.
    """


class ConfigError(Pi05Error):
    """A configuration (YAML, parameter, argument) is not valid.

    Args:
        where: File and place in it (`config/platforms/x.yaml: groups[2].dimensions[0]`).
        problem: The problem, as one clause.
    """

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class MessageError(Pi05Error):
    """A message violates its specification and is not used."""


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the valid word nearest to `word`, or an empty string."""
    close = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
