"""The episodes of a recipe's sources: opened once, filtered, checked and split for validation."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.data.filters.episode_filter import EpisodeFilter
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.training.recipes.recipe import Recipe, SourceRecipe, ValidationRecipe

ROBOT_KINDS = ("MM", "ME", "CE", "HL", "VI")

Print = Callable[[str], None]


@dataclass(frozen=True)
class SourceEpisodes:
    """The episodes of one source."""

    train: tuple[Episode, ...]
    validation: tuple[Episode, ...]
    counts: FilterCounts
    refused: tuple[str, ...] = field(default=())  # Episodes that cannot be read, with reasons.

    @property
    def all(self) -> tuple[Episode, ...]:
        """Those of both parts."""
        return self.train + self.validation


def open_sources(
    recipe: Recipe, cache: CacheFolder | None, report: Print
) -> dict[str, SourceEpisodes]:
    """Open the episodes of every source that has some.

    Args:
        recipe: The run.
        cache: Of indices; None: bags are read each time.
        report: Takes lines about what was found.

    Raises:
        ConfigError: A source with a weight has no path or no episode that trains, or two robots of
            one name differ.
    """
    check_paths(recipe)
    opened: dict[str, tuple[list[Episode], tuple[str, ...]]] = {}
    found = {}
    for name, source in recipe.active_sources().items():
        if source.kind not in ROBOT_KINDS:
            continue
        episodes: list[Episode] = []
        refused: list[str] = []
        for path in source.paths:
            if path not in opened:
                opened[path] = _open(path, cache)
            episodes += opened[path][0]
            refused += opened[path][1]
        found[name] = _filtered(recipe, name, episodes, tuple(refused))
        for line in (*refused, *found[name].counts.lines()):
            report(f"{name}: {line}")
    _check_robots(found)
    return found


def layout_of(episode: Episode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names and units of an episode's entries."""
    return episode.facts.names, episode.facts.units


def split(
    episodes: Sequence[Episode], recipe: ValidationRecipe
) -> tuple[tuple[Episode, ...], tuple[Episode, ...]]:
    """Divide episodes into those that train and those that are held out, whole homes at once.

    Which homes are held out depends on their names alone, so it stays when episodes are added.
    Episodes without a home are held out one by one. At least one home trains.
    """
    homes = sorted({_home(episode) for episode in episodes}, key=lambda home: _hash(home, recipe))
    count = min(math.ceil(recipe.share * len(homes)), len(homes) - 1)
    held_out = set(homes[:count])
    return (
        tuple(e for e in episodes if _home(e) not in held_out),
        tuple(e for e in episodes if _home(e) in held_out),
    )


def _open(path: str, cache: CacheFolder | None) -> tuple[list[Episode], tuple[str, ...]]:
    refused: list[str] = []
    episodes = open_episodes(
        Path(path).expanduser(),
        cache=cache,
        refused=lambda place, error: refused.append(f"{place} is left out: {error}"),
    )
    return episodes, tuple(refused)


def _filtered(
    recipe: Recipe, name: str, episodes: Sequence[Episode], refused: tuple[str, ...]
) -> SourceEpisodes:
    rules: EpisodeFilter = recipe.filter
    readable: list[Episode] = []
    problems = list(refused)
    for episode in episodes:
        try:
            if not len(episode):
                raise Pi05Error("it has no rows")
        except Pi05Error as error:
            problems.append(f"{episode.source} is left out: {error}")
        else:
            readable.append(episode)
    judged = rules.judge_all(readable)
    kept = [episode for episode, one in zip(readable, judged, strict=True) if one.is_kept]
    counts = FilterCounts.of(judged)
    if not kept:
        why = "; ".join([*counts.lines(), *problems]) or "there are no episodes"
        raise ConfigError(
            f"recipe '{recipe.name}': sources.{name}",
            f"has weight {recipe.sources[name].weight:g} and no episode that trains ({why}): give "
            "other paths, another `filter`, or weight 0",
        )
    train, validation = split(kept, recipe.validation)
    return SourceEpisodes(train, validation, counts, tuple(problems))


def check_paths(recipe: Recipe) -> None:
    """Check that each source with a weight has paths that exist.

    Raises:
        ConfigError: One has not, or no source has a weight.
    """
    if not recipe.active_sources():
        raise ConfigError(f"recipe '{recipe.name}'", "has no source with a weight above 0")
    for name, source in recipe.active_sources().items():
        _check_paths(recipe, name, source)


def _check_paths(recipe: Recipe, name: str, source: SourceRecipe) -> None:
    where = f"recipe '{recipe.name}': sources.{name}.paths"
    if not source.paths:
        raise ConfigError(
            where,
            f"is empty and the source has weight {source.weight:g}: name its bags or datasets "
            f"(--set sources.{name}.paths=[FOLDER]), or set weight 0",
        )
    for path in source.paths:
        if not Path(path).expanduser().exists():
            raise ConfigError(where, f"there is no file or folder {path}")


def _check_robots(found: Mapping[str, SourceEpisodes]) -> None:
    """Raise ConfigError if two episodes of one platform's name have other entries."""
    first: dict[str, Episode] = {}
    for part in found.values():
        for episode in part.all:
            known = first.setdefault(episode.facts.platform, episode)
            if layout_of(known) == layout_of(episode):
                continue
            pairs = zip(known.facts.names, episode.facts.names, strict=False)
            odd = next((f"'{b}' for '{a}'" for a, b in pairs if a != b), "another number of them")
            raise ConfigError(
                str(episode.source),
                f"is of a robot named {episode.facts.platform} with other entries than "
                f"{known.source} ({odd}): give one of them another platform name",
            )


def _home(episode: Episode) -> str:
    facts = episode.facts
    return f"home {facts.home}" if facts.home else f"episode {facts.id}"


def _hash(home: str, recipe: ValidationRecipe) -> str:
    return hashlib.sha256(f"{recipe.seed} {home}".encode()).hexdigest()
