"""Normalisation statistics of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.statistics.counting import count_episodes, merge_by_robot
from pi05_ros.data.statistics.floors import Ranges
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.training.recipes.recipe import Recipe


def statistics_of(
    recipe: Recipe,
    config: ModelConfig,
    known: Mapping[str, NormStats],
    origin: str,
    episodes: Sequence[Episode],
    report: Callable[[str], None],
) -> dict[str, NormStats]:
    """Return the statistics of each robot, by platform name.

    Those that the checkpoint has stay: its weights and FAST tokens have that meaning. Others are
    measured on the episodes that train.

    Args:
        recipe: For the filter, and which entries are relative.
        config: Of the model.
        known: Statistics of the checkpoint, by platform name.
        origin: The checkpoint, for messages.
        episodes: Those that train.
        report: Takes lines about what was measured.

    Raises:
        ConfigError: The checkpoint's are of a robot of the same name with other entries, or a
            robot has more entries than the model's actions.
    """
    found = dict(known)
    for episode in episodes:
        facts = episode.facts
        if facts.action_names:
            raise ConfigError(
                str(episode.source),
                "has actions of other entries than its states; a model's vectors have one action "
                "for each state",
            )
        own = known.get(facts.platform)
        if own is not None and (difference := own.difference(facts.names, facts.units)):
            raise ConfigError(
                f"{origin}: statistics of {facts.platform}",
                f"{difference} in {episode.source}: these are two robots of one name",
            )
        _check_width(config, episode)
    wanted = [e for e in episodes if e.facts.platform not in found]
    if not wanted:
        return found
    parts = count_episodes(wanted, config.horizon, recipe.filter, lambda: None, report)
    for name, statistics in merge_by_robot(parts).items():
        names = statistics.layout.names
        relative = [n for n in names if n in recipe.model.relative or _group(n, recipe)]
        ranges = (
            Ranges.of_platform(load_platform(name))
            if name in platform_names() and load_platform(name).names == names
            else Ranges.of_units(statistics.layout.units)
        )
        found[name] = statistics.norm_stats(relative, ranges)
        report(f"statistics of {name}: {statistics.rows} rows")
    return found


def _check_width(config: ModelConfig, episode: Episode) -> None:
    if len(episode.facts.names) > config.action_dim:
        raise ConfigError(
            str(episode.source),
            f"has {len(episode.facts.names)} entries, wanted at most the {config.action_dim} of "
            f"the model '{config.name}'",
        )


def _group(name: str, recipe: Recipe) -> bool:
    """Check whether an entry is of a group that the recipe makes relative ("left_arm")."""
    return any(name.startswith(f"{group}_") for group in recipe.model.relative)
