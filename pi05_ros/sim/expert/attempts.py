"""Count of how often each thing was given up in a task."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from pi05_ros.sim.expert.config import ScriptedExpertConfig

_LOG = logging.getLogger(__name__)


class Attempts:
    """Defers things whose subtask takes too long, and gives them up after some rounds.

    Args:
        names: Names of the task's things.
        config: Time of a subtask and number of rounds.
    """

    def __init__(self, names: Iterable[str], config: ScriptedExpertConfig) -> None:
        self._config = config
        self._given_up = dict.fromkeys(names, 0)
        self._text = ""
        self._since = 0.0

    def note(self, text: str, time: float) -> None:
        """Note the chosen subtask at `time` [s]."""
        if text != self._text:
            self._text, self._since = text, time

    def check(self, name: str | None, time: float) -> None:
        """Give the thing of the present subtask up for now if it takes too long."""
        if name in self._given_up and time - self._since > self._config.give_up:
            self._given_up[name] += 1
            self._since = time
            _LOG.warning("'%s' took too long: others come first", self._text)

    def next(self, names: Sequence[str]) -> list[str]:
        """Return those that were given up least often; none that used up its rounds."""
        left = [name for name in names if self._given_up[name] < self._config.rounds]
        least = min((self._given_up[name] for name in left), default=0)
        return [name for name in left if self._given_up[name] == least]
