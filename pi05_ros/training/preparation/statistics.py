"""Normalisation statistics and the FAST tokenizer of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.statistics.counting import count_episodes, merge_by_robot
from pi05_ros.data.statistics.floors import Ranges
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.normalization import NormStats, clip_for_fast
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.training.recipes.recipe import Recipe

_CHUNKS = 5000  # To which a FAST tokenizer is fitted, at most.


def statistics_of(
    recipe: Recipe,
    checkpoint: Checkpoint,
    episodes: Sequence[Episode],
    report: Callable[[str], None],
) -> dict[str, NormStats]:
    """Return the statistics of each robot, by platform name.

    Those that the checkpoint has stay: its weights and FAST tokens have that meaning. Others are
    measured on the episodes that train.

    Raises:
        ConfigError: The checkpoint's are of a robot of the same name with other entries, or a
            robot has more entries than the model's actions.
    """
    found = dict(checkpoint.norm_stats)
    for episode in episodes:
        facts = episode.facts
        if facts.action_names:
            raise ConfigError(
                str(episode.source),
                "has actions of other entries than its states; a model's vectors have one action "
                "for each state",
            )
        known = checkpoint.norm_stats.get(facts.platform)
        if known is not None and (difference := known.difference(facts.names, facts.units)):
            raise ConfigError(
                f"{checkpoint.source}: statistics of {facts.platform}",
                f"{difference} in {episode.source}: these are two robots of one name",
            )
        _check_width(checkpoint.model.config, episode)
    wanted = [e for e in episodes if e.facts.platform not in found]
    if not wanted:
        return found
    parts = count_episodes(
        wanted, checkpoint.model.config.horizon, recipe.filter, lambda: None, report
    )
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


def fit_fast(samples: Sequence[tuple[Samples, NormStats]], limit: int, seed: int) -> FastTokenizer:
    """Fit a FAST tokenizer to chunks of all robots, drawn evenly.

    Args:
        samples: Of each robot, with its statistics.
        limit: Most tokens that the vocabulary has ids for.
        seed: Of the draw.
    """
    each = max(1, _CHUNKS // len(samples))
    chunks = []
    for part, stats in samples:
        draw = np.random.default_rng(seed)
        for index in draw.choice(len(part), min(each, len(part)), replace=False):
            state, actions, valid = part.vectors(int(index))
            if valid.all():
                chunks.append(clip_for_fast(stats.normalize_actions(actions, state))[0])
    if not chunks:
        raise ConfigError("FAST", "no chunk of the episodes is complete: they are too short")
    return FastTokenizer.fit(chunks, size=min(limit, 1024))


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
