"""The errors that the suite raises on purpose. Each is one sentence that a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Pi05Error(Exception):
    """Base of every error that the suite raises on purpose.

    `str(error)` is meant for a person: what was wanted, what came, and what to do.
    """


class ConfigError(Pi05Error):
    """A configuration (YAML, parameter, argument) does not say what it must.

    Args:
        where: The file, and the place in it (`config/platforms/x.yaml: groups[2].dimensions[0]`).
        problem: What is wrong there, as one clause.
    """

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class MessageError(Pi05Error):
    """A message from the graph breaks its own contract and is not used."""


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """Returns `; did you mean 'x'?` for the valid word nearest to `word`, or an empty string."""
    close = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
