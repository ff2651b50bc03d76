"""Everything that a run needs before its first step."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.cameras.model_input import InputSizes
from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.checkpoints.storage.tokenizer_files import read_fast
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.plan_samples import PlanSamples
from pi05_ros.data.episodes.samples import SampleError, Samples
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.platforms.platform import Platform, load_platform, platform_names
from pi05_ros.training.preparation.episodes import SourceEpisodes, layout_of, open_sources
from pi05_ros.training.preparation.fast_fitting import (
    Chunks,
    FastUse,
    draw_chunks,
    fast_line,
    fast_uses,
    fit_fast,
)
from pi05_ros.training.preparation.statistics import statistics_of
from pi05_ros.training.recipes.recipe import Recipe, SourceRecipe
from pi05_ros.training.sources.encoding import Encoder
from pi05_ros.training.sources.mixture import Mixture
from pi05_ros.training.sources.picture_places import picture_places
from pi05_ros.training.sources.plans import PlanGroup, PlanSource
from pi05_ros.training.sources.robots import RobotGroup, RobotSource
from pi05_ros.training.sources.source import Source
from pi05_ros.training.sources.web import WebSource

_PLANS = ("HL", "VI")
PICTURES_TRIED = 200  # Of each source of web samples, before the first step.


@dataclass(frozen=True)
class Prepared:
    """What a run trains and validates on."""

    checkpoint: Checkpoint  # With statistics, FAST tokenizer and cameras.
    sources: tuple[Source, ...]
    mixture: Mixture
    validation: tuple[Source, ...]  # Held-out episodes; without web data.
    fast: tuple[FastUse, ...] = ()  # What the FAST tokenizer does to chunks of the sources.

    @property
    def shares(self) -> dict[str, float]:
        """Share of each source that is asked for."""
        return dict(zip([s.name for s in self.sources], self.mixture.shares, strict=True))


def prepare(
    recipe: Recipe,
    begun: Checkpoint,
    cache: CacheFolder,
    report: Callable[[str], None],
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Open, filter and measure the data of a recipe.

    Args:
        recipe: The run.
        begun: From `begin_checkpoint`.
        cache: Of indices and decoded pictures.
        report: Takes lines about what was found.
        progress: Called with the pictures decoded and the pictures in all.

    Raises:
        ConfigError: The data do not fit the recipe or the model.
        Pi05Error: A file cannot be read.
    """
    active = recipe.active_sources()
    if not active:
        raise ConfigError(f"recipe '{recipe.name}'", "has no source with a weight above 0")
    found = open_sources(recipe, cache, report)
    training = _unique(episode for part in found.values() for episode in part.train)
    config = begun.model.config
    stats = statistics_of(recipe, config, begun.norm_stats, begun.source, training, report)
    pictures = FrameCache(cache, input_sizes(config))
    policy, planner = _cameras(recipe, begun, found)
    every = _unique(episode for part in found.values() for episode in part.all)
    given = [recipe.sources[name].cameras for name in found]
    own = [cameras for episode in every for cameras in _own_cameras(episode)]
    names = dict.fromkeys(c for part in (policy, planner, *given, *own) for c in part)
    pictures.build(every, names, progress=progress)
    build = _Building(recipe, config.horizon, stats, pictures, policy, planner)
    fast, uses = _fast(recipe, begun, draw_chunks(recipe, found, stats, config.horizon), report)
    checkpoint = dataclasses.replace(
        begun, norm_stats=stats, fast=fast, policy_cameras=policy, planner_cameras=planner
    )
    encoder = Encoder(config, begun.tokenizer, fast, recipe.augmentation)
    sources = [build.source(name, active[name], found, encoder, True) for name in active]
    held_out = [
        build.source(name, active[name], found, encoder, False)
        for name, part in found.items()
        if part.validation
    ]
    for source in sources:
        if not len(source):
            raise ConfigError(
                f"recipe '{recipe.name}': sources.{source.name}",
                f"has weight {active[source.name].weight:g} and no samples: give it other paths, "
                "or weight 0",
            )
        if isinstance(source, WebSource):
            _check_pictures(recipe, source, report)
    weights = [active[source.name].weight for source in sources]
    mixture = Mixture([len(source) for source in sources], weights, recipe.seed)
    return Prepared(
        checkpoint,
        tuple(sources),
        mixture,
        tuple(source for source in held_out if len(source)),
        uses,
    )


def input_sizes(config: ModelConfig) -> InputSizes:
    """Return the sizes of the pictures that a model reads."""
    tower, (height, width) = config.compact_vision, config.picture_size
    return InputSizes(height, width, {} if tower is None else tower.cameras)


def _check_pictures(recipe: Recipe, source: WebSource, report: Callable[[str], None]) -> None:
    """Decode some pictures of a source of web samples.

    Raises:
        ConfigError: More of them are broken than the recipe lets be skipped.
    """
    broken, tried = source.broken(PICTURES_TRIED)
    for error in broken:
        report(f"{source.name}: {error}; it will be skipped")
    if len(broken) > recipe.max_bad_share * tried:
        raise ConfigError(
            f"recipe '{recipe.name}': sources.{source.name}",
            f"{len(broken)} of {tried} pictures that were tried cannot be decoded, wanted a share "
            f"of at most {recipe.max_bad_share:g} (max_bad_share); the first: {broken[0]}",
        )


def _fast(
    recipe: Recipe, begun: Checkpoint, chunks: Sequence[Chunks], report: Callable[[str], None]
) -> tuple[FastTokenizer | None, tuple[FastUse, ...]]:
    """Return the FAST tokenizer of the run, and what it does to chunks of its sources.

    It is that of the recipe, else the checkpoint's, else one that is fitted to the chunks.

    Raises:
        ConfigError: There is nothing to fit to.
        CheckpointError: The recipe's file cannot be used.
    """
    fast = begun.fast
    if recipe.model.fast:
        named = read_fast(Path(recipe.model.fast).expanduser(), begun.tokenizer)
        if fast is not None and named != fast:
            report(
                f"FAST: {recipe.model.fast} replaces the tokenizer of {begun.source}, whose "
                "weights have to learn its tokens anew"
            )
        fast = named
    if not chunks:
        return fast, ()
    if fast is None:
        fast = fit_fast(chunks, begun.tokenizer.actions)
        report(f"FAST: fitted to {sum(len(part.values) for part in chunks)} chunks")
    report(fast_line(fast, begun.model.config.horizon))
    uses = fast_uses(fast, chunks)
    for use in uses:
        report(f"FAST: {use.line()}")
    return fast, uses


@dataclass(frozen=True)
class _Building:
    """Builds sources of the same statistics, pictures and cameras."""

    recipe: Recipe
    horizon: int  # Rows of a chunk.
    stats: Mapping[str, NormStats]
    pictures: FrameCache
    policy: tuple[str, ...]
    planner: tuple[str, ...]

    def source(
        self,
        name: str,
        source: SourceRecipe,
        found: Mapping[str, SourceEpisodes],
        encoder: Encoder,
        trains: bool,
    ) -> Source:
        if source.kind == "WD":
            return WebSource(name, source.paths, encoder)
        episodes = found[name].train if trains else found[name].validation
        if source.kind in _PLANS:
            groups = self._plan_groups(name, episodes)
            return PlanSource(name, source.kind, groups, self.planner_of(name), encoder)
        return RobotSource(
            name,
            source,
            self.robot_groups(name, episodes),
            self.policy_of(name),
            encoder,
            self.recipe.has_expert,
        )

    def robot_groups(self, name: str, episodes: Sequence[Episode]) -> list[RobotGroup]:
        """Group episodes by robot and by which cameras they have; those without rows drop out."""
        groups = []
        low, given = self.policy_of(name), self.recipe.sources[name].cameras
        for platform, places, members in _grouped(episodes, low, given, level=0):
            try:
                samples = Samples(
                    members,
                    tuple(places),
                    self.pictures,
                    horizon=self.horizon,
                    row_filter=self.recipe.filter.rows,
                    stops=self.recipe.filter.action_stops,
                )
            except SampleError:
                continue  # The source is checked as a whole.
            groups.append(RobotGroup(platform, self.stats[platform], samples, places))
        return groups

    def _plan_groups(self, name: str, episodes: Sequence[Episode]) -> list[PlanGroup]:
        high, given = self.planner_of(name), self.recipe.sources[name].cameras
        return [
            PlanGroup(
                platform,
                self.stats[platform],
                PlanSamples(members, tuple(places), self.pictures),
                places,
            )
            for platform, places, members in _grouped(episodes, high, given, level=1)
        ]

    def policy_of(self, name: str) -> tuple[str, ...]:
        return self.recipe.sources[name].cameras or self.policy

    def planner_of(self, name: str) -> tuple[str, ...]:
        return self.recipe.sources[name].cameras or self.planner


def _grouped(
    episodes: Sequence[Episode], model: Sequence[str], given: Sequence[str], level: int
) -> list[tuple[str, dict[str, str], list[Episode]]]:
    """Group episodes by platform and by the model's pictures that their cameras give.

    Args:
        episodes: Of any robots.
        model: Names of the pictures, in order.
        given: Cameras that the recipe gives the source; empty: by the platform.
        level: 0 for the cameras of the low level, 1 for those of the high one.

    Returns:
        Platform, name of the picture by camera, and episodes of each group.
    """
    groups: dict[tuple[str, object, tuple[tuple[str, str], ...]], list[Episode]] = {}
    for episode in episodes:
        own = model if given else _own_cameras(episode)[level] or model
        places = tuple(
            pair for pair in picture_places(model, own).items() if pair[0] in episode.cameras
        )
        key = episode.facts.platform, layout_of(episode), places
        groups.setdefault(key, []).append(episode)
    return [(platform, dict(places), members) for (platform, _, places), members in groups.items()]


def _own_cameras(episode: Episode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the cameras of the low and the high level of a shipped platform, else none."""
    name = episode.facts.platform
    if name not in platform_names():
        return (), ()
    platform = _platform(name)
    return platform.policy_cameras, platform.planner_cameras


@functools.lru_cache
def _platform(name: str) -> Platform:
    return load_platform(name)


def _cameras(
    recipe: Recipe, begun: Checkpoint, found: Mapping[str, SourceEpisodes]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the cameras of the low and of the high level, in the order of the model's pictures.

    Those of the checkpoint; else those of the first robot's platform; else all that its episodes
    have, by name.
    """
    policy, planner = begun.policy_cameras, begun.planner_cameras
    for name, part in found.items():
        episode = part.train[0]
        platform = episode.facts.platform
        own = recipe.sources[name].cameras
        if platform in platform_names():
            known = load_platform(platform)
            policy = policy or own or known.policy_cameras
            planner = planner or known.planner_cameras
        else:
            policy = policy or own or tuple(sorted(episode.cameras))
            planner = planner or policy
    return policy, planner


def _unique(episodes: Iterable[Episode]) -> list[Episode]:
    """Return the episodes without repetitions: sources may share them."""
    return list({id(episode): episode for episode in episodes}.values())
