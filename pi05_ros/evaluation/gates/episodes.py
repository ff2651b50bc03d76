"""Episodes that gates are measured on: of validation homes, unless others are asked for."""

from __future__ import annotations

import logging
from pathlib import Path

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.collection.settings import FIRST_FOR_EVALUATION, FIRST_FOR_VALIDATION

_log = logging.getLogger(__name__)


class GateError(Pi05Error):
    """Gates cannot be measured on these episodes, or of this checkpoint."""


def gate_episodes(
    path: Path, any_home: bool = False, cache: CacheFolder | None = None
) -> list[Episode]:
    """Open the closed episodes of a folder; those that cannot be opened are left out, and logged.

    Args:
        path: Bags of `homes collect`, or a dataset made of them.
        any_home: Whether homes for training and real ones are taken too.
        cache: Folder of the bags' indices.

    Raises:
        GateError: No episode can be opened, or one is of a home that is not for validation.
    """
    refused: list[str] = []

    def refuse(place: Path, error: Pi05Error) -> None:
        refused.append(f"{place}: {error}")

    episodes = open_episodes(path, cache=cache, refused=refuse)
    for line in refused:
        _log.warning("left out %s", line)
    if not episodes:
        raise GateError(f"no episode of {path} can be opened, the last: {refused[-1]}")
    for episode in episodes:
        if problem := _home_problem(episode, any_home):
            raise GateError(f"{episode.source}: {problem}")
    return episodes


def home_of(episode: Episode) -> str:
    """Name of an episode's home; episodes without one are each a home of their own."""
    return episode.facts.home or episode.facts.id


def _home_problem(episode: Episode, any_home: bool) -> str:
    """Reason why an episode's home is refused, as one clause; empty if it is taken."""
    home = episode.facts.home
    number = int(home) if episode.facts.simulated and home.isdecimal() else None
    valid = f"{FIRST_FOR_VALIDATION} to {FIRST_FOR_EVALUATION - 1}"
    if number is not None and number >= FIRST_FOR_EVALUATION:
        return (
            f"home {number} is for judging only, and gates are for choosing; record homes {valid}"
        )
    if any_home or (number is not None and number >= FIRST_FOR_VALIDATION):
        return ""
    what = f"home {home} is for training" if number is not None else f"'{home}' is no mock home"
    return f"{what}, wanted homes {valid}; --any-home takes it all the same"
