"""A FAST tokenizer for the robot episodes of a recipe, and what it does to their chunks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pi05_ros.checkpoints.checkpoint import read_contents
from pi05_ros.checkpoints.shipped import existing_folder, named_checkpoint
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.episodes.samples import SampleError, Samples
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import ModelConfig, load_preset
from pi05_ros.model.normalization import CLIP, NormStats, clip_for_fast
from pi05_ros.model.text.fast import SIZE, FastTokenizer
from pi05_ros.training.preparation.episodes import SourceEpisodes, open_sources
from pi05_ros.training.preparation.statistics import statistics_of
from pi05_ros.training.recipes.recipe import Recipe, SourceRecipe
from pi05_ros.training.sources.encoding import clip_limit

CHUNKS = 5000  # That are drawn for fitting and for measuring, over all sources.
_LEAST = 100  # Chunks of each group, if it has so many.
_KINDS = ("MM", "ME", "CE")


@dataclass(frozen=True)
class Chunks:
    """Chunks of one robot in one source, drawn at random without repetition."""

    source: str
    platform: str
    names: tuple[str, ...]  # Of the D entries.
    values: tuple[np.ndarray, ...]  # (H, D) float64 each, normalised, not clipped.


@dataclass(frozen=True)
class FastUse:
    """What a tokenizer does to the chunks of one robot in one source."""

    source: str
    platform: str
    width: int  # Entries of an action.
    chunks: int
    tokens_mean: float  # Tokens of a chunk.
    tokens_p99: float
    # Values of the chunks beyond the clip, by the entry's name; those without any are left out.
    clipped: Mapping[str, int]
    values: int  # Values of one entry in all chunks.

    def line(self) -> str:
        """Return a line of text."""
        if not self.chunks:
            return f"{self.source}, {self.platform}: no whole chunk"
        found = (
            f"{self.source}, {self.platform}: {self.width} entries, {self.chunks} chunks, "
            f"{self.tokens_mean:.1f} tokens a chunk (99 %: {self.tokens_p99:.0f}), "
        )
        if not self.clipped:
            return f"{found}none of the values clipped"
        most = sorted(self.clipped.items(), key=lambda item: -item[1])
        shares = ", ".join(f"{name} {count} of {self.values}" for name, count in most)
        return f"{found}clipped: {shares}"

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for run.json."""
        return {**self.__dict__, "clipped": dict(self.clipped)}


def draw_chunks(
    recipe: Recipe,
    found: Mapping[str, SourceEpisodes],
    stats: Mapping[str, NormStats],
    horizon: int,
) -> tuple[Chunks, ...]:
    """Draw whole chunks from the training episodes of all sources with FAST targets.

    Sources are drawn by their weights, and robots of one source by their rows.

    Args:
        recipe: For weights, filter and seed.
        found: Episodes of the sources, from `open_sources`.
        stats: By platform name.
        horizon: Rows of a chunk.
    """
    wanted = {name: source for name, source in recipe.sources.items() if _has_fast(source)}
    total = sum(source.weight for source in wanted.values())
    drawn = []
    for name, source in wanted.items():
        groups = _groups(recipe, found[name].train, horizon)
        rows = sum(len(samples) for _, samples in groups)
        for platform, samples in groups:
            share = source.weight / total * len(samples) / rows
            count = max(_LEAST, round(CHUNKS * share))
            names = stats[platform].names
            values = _drawn(samples, stats[platform], count, recipe.seed)
            drawn.append(Chunks(name, platform, names, values))
    return tuple(drawn)


def fit_for_recipe(
    recipe: Recipe, cache: CacheFolder, report: Callable[[str], None]
) -> tuple[FastTokenizer, tuple[Chunks, ...], int]:
    """Fit a tokenizer to the robot episodes of a recipe, without its weights and pictures.

    Returns:
        The tokenizer, the chunks that it was fitted to, and their rows.

    Raises:
        ConfigError: The recipe has no source with FAST targets, or its data do not fit.
        CheckpointError: The checkpoint that it begins from cannot be read.
    """
    robots = {name: source for name, source in recipe.sources.items() if _has_fast(source)}
    if not robots:
        raise ConfigError(
            f"recipe '{recipe.name}'",
            "has no source of robot episodes (MM, ME, CE) with a weight and `fast`",
        )
    config, known = _begun(recipe)
    found = open_sources(dataclasses.replace(recipe, sources=robots), cache, report)
    episodes = [episode for part in found.values() for episode in part.train]
    stats = statistics_of(recipe, config, known, recipe.model.init, episodes, report)
    chunks = draw_chunks(recipe, found, stats, config.horizon)
    return fit_fast(chunks, SIZE), chunks, config.horizon


def fit_fast(chunks: Sequence[Chunks], limit: int) -> FastTokenizer:
    """Fit a tokenizer that encodes every chunk within ±`CLIP`.

    Args:
        chunks: From `draw_chunks`.
        limit: Most tokens that the model's vocabulary has ids for.

    Raises:
        ConfigError: There is no whole chunk, or the vocabulary has too few ids.
    """
    values = [clip_for_fast(chunk)[0] for part in chunks for chunk in part.values]
    if not values:
        raise ConfigError(
            "FAST", "no chunk of the episodes is whole: their runs of actions are too short"
        )
    try:
        return FastTokenizer.fit(values, size=min(limit, SIZE), limit=CLIP)
    except ValueError as error:
        raise ConfigError("FAST", str(error)) from error


def fast_uses(fast: FastTokenizer, chunks: Sequence[Chunks]) -> tuple[FastUse, ...]:
    """Measure tokens and clipped values of chunks.

    Raises:
        FastError: A clipped chunk cannot be encoded: the tokenizer was fitted to other data, with
            a smaller limit.
    """
    limit = clip_limit(fast)
    return tuple(_use(fast, part, limit) for part in chunks)


def fast_line(fast: FastTokenizer, horizon: int) -> str:
    """Return the bounds of a tokenizer as a line of text, with the error in normalised units."""
    return (
        f"FAST: {fast.size} tokens, actions within ±{fast.limit:g} (clipped to "
        f"±{clip_limit(fast):g}), scale {fast.scale:g}, first integer {fast.min_token}; error at "
        f"most {fast.error_bound(horizon):.3f} and {0.5 / fast.scale:.3f} root mean square over "
        f"{horizon} rows"
    )


def _has_fast(source: SourceRecipe) -> bool:
    """Check whether a source takes part and has FAST targets."""
    return source.weight > 0.0 and source.kind in _KINDS and source.fast


def _begun(recipe: Recipe) -> tuple[ModelConfig, Mapping[str, NormStats]]:
    """Return sizes and statistics of what a recipe begins from."""
    if not recipe.model.init or recipe.model.init.startswith("random:"):
        return load_preset(recipe.model.preset), {}
    contents = read_contents(existing_folder(named_checkpoint(recipe.model.init)))
    return contents.config, contents.norm_stats


def _groups(
    recipe: Recipe, episodes: Sequence[Episode], horizon: int
) -> list[tuple[str, Samples]]:
    """Return the rows of each robot; pictures do not matter."""
    by_platform: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_platform.setdefault(episode.facts.platform, []).append(episode)
    groups = []
    for platform, members in by_platform.items():
        try:
            samples = Samples(
                members,
                (),
                horizon=horizon,
                row_filter=recipe.filter.rows,
                stops=recipe.filter.action_stops,
            )
        except SampleError:
            continue  # No row trains; sources without samples are refused as a whole.
        groups.append((platform, samples))
    return groups


def _drawn(samples: Samples, stats: NormStats, count: int, seed: int) -> tuple[np.ndarray, ...]:
    """Draw up to `count` whole chunks, normalised."""
    order = np.random.default_rng(seed).permutation(len(samples))
    chunks: list[np.ndarray] = []
    for index in order:
        if len(chunks) == count:
            break
        state, actions, valid = samples.vectors(int(index))
        if valid.all() and np.isfinite(actions).all() and np.isfinite(state).all():
            chunks.append(stats.normalize_actions(actions, state))
    return tuple(chunks)


def _use(fast: FastTokenizer, part: Chunks, limit: float) -> FastUse:
    beyond = np.zeros(len(part.names), dtype=np.int64)
    lengths = []
    for chunk in part.values:
        clipped, mask = clip_for_fast(chunk, limit)
        lengths.append(len(fast.encode(clipped)))
        beyond += mask.sum(axis=0)
    return FastUse(
        part.source,
        part.platform,
        len(part.names),
        len(part.values),
        float(np.mean(lengths)) if lengths else 0.0,
        float(np.percentile(lengths, 99)) if lengths else 0.0,
        {name: int(n) for name, n in zip(part.names, beyond, strict=True) if n},
        sum(len(chunk) for chunk in part.values),
    )
