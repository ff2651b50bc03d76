"""Validation of a run: figures of held-out samples, the same at every validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from pi05_ros.errors import Pi05Error
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.objective.batch import TrainingSample
from pi05_ros.training.objective.losses import PARTS
from pi05_ros.training.preparation.preparation import Prepared
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.sources.robots import RobotSource
from pi05_ros.training.validation.actions import ChunkPair, chunk_figures, swap_ratio
from pi05_ros.training.validation.answers import AnswerPair, answer_figures
from pi05_ros.training.validation.examples import chosen_examples, example_of
from pi05_ros.training.validation.figures import Example, Figures
from pi05_ros.training.validation.held_out import HeldOut, HeldOutSample
from pi05_ros.training.validation.points import point_figures
from pi05_ros.training.validation.prediction import Predictor

# Samples of each source whose subtask is swapped: each costs two more chunks.
_SWAPS = 64


@dataclass
class _Results:
    """What is collected over the batches of a source."""

    losses: list[Tensor] = field(default_factory=list)  # (B, 3): text, FAST, flow.
    right_text: list[Tensor] = field(default_factory=list)  # (N,) bool.
    right_fast: list[Tensor] = field(default_factory=list)
    answers: list[AnswerPair] = field(default_factory=list)
    chunks: list[ChunkPair] = field(default_factory=list)
    points: list[float] = field(default_factory=list)  # Errors; see `point_errors`.
    rows: int = 0  # Samples for which a chunk was predicted.
    examples: list[Example] = field(default_factory=list)


class Validation:
    """Computes figures of a model on held-out samples; docs/training.md explains them.

    Args:
        prepared: Sources of held-out episodes, tokenizers and statistics. Models are validated on
            the device of its checkpoint's.
        recipe: Number of samples, seed, size of batches, precision.
    """

    def __init__(self, prepared: Prepared, recipe: Recipe) -> None:
        self._checkpoint, self._shares = prepared.checkpoint, prepared.shares
        # Chunks are sampled without prefix, and so are the losses of all runs comparable.
        self._loss = replace(recipe.loss, max_prefix=0)
        is_float32 = recipe.batch.precision == "float32"
        self._precision = torch.float32 if is_float32 else torch.bfloat16
        self._size = recipe.batch.micro
        config = prepared.checkpoint.model.config
        self._held_out = [
            HeldOut(source, recipe.validation, config) for source in prepared.validation
        ]

    def __call__(self, model: Pi05, step: int) -> Figures:
        """Compute the figures.

        Args:
            model: With the averaged weights; it is moved to the device for the time.
            step: Number of steps that it has learned.

        Returns:
            Figures "source/figure"; "loss" is the mean over the sources, weighted by their shares.

        Raises:
            Pi05Error: No sample of a source can be read.
        """
        device, trains = model.device, model.training
        model.to(self._checkpoint.model.device).eval()
        predictor = Predictor(model, self._checkpoint, self._loss, self._precision)
        found: dict[str, dict[str, float]] = {}
        examples: list[Example] = []
        try:
            for part in self._held_out:
                results = self._results(predictor, part)
                found[part.source.name] = self._figures(predictor, results)
                if isinstance(part.source, RobotSource) and predictor.acts:
                    found[part.source.name] |= self._swap(predictor, part.source, part)
                examples += results.examples
        finally:
            model.to(device).train(trains)
        weights = {name: self._shares[name] for name in found}
        total = sum(found[name]["loss"] * weight for name, weight in weights.items())
        figures = {"loss": total / sum(weights.values())}
        for name, values in found.items():
            figures |= {f"{name}/{key}": value for key, value in values.items()}
        return Figures(figures, tuple(examples))

    def _results(self, predictor: Predictor, part: HeldOut) -> _Results:
        results, shown = _Results(), chosen_examples(part.chosen)
        for items in part.batches(self._size):
            results.losses.append(predictor.losses(items))
            text, fast = predictor.right_tokens(items)
            results.right_text.append(text)
            results.right_fast.append(fast)
            results.points += predictor.points(items)
            answers = predictor.answers(items, _cameras(part, items[0]))
            pairs = [
                _pair(item, chunk)
                for item, chunk in zip(items, predictor.chunks(items), strict=True)
            ]
            results.answers += [answer for answer in answers if answer is not None]
            results.chunks += [pair for pair in pairs if pair is not None]
            if predictor.acts:
                results.rows += sum(item.row is not None for item in items)
            results.examples += [
                example_of(
                    part.source,
                    item,
                    _cameras(part, item),
                    self._checkpoint.tokenizer,
                    answer,
                    None if pair is None else pair.predicted,
                )
                for item, answer, pair in zip(items, answers, pairs, strict=True)
                if item.index in shown
            ]
        return results

    def _figures(self, predictor: Predictor, results: _Results) -> dict[str, float]:
        parts = torch.cat(results.losses)
        means = dict(zip(PARTS, parts.mean(dim=0).tolist(), strict=True))
        weighted = self._loss.alpha * means["flow"] + self._loss.grounding * means["grounding"]
        figures = {"loss": means["text"] + means["fast"] + weighted}
        used = dict(zip(means, (parts != 0.0).any(dim=0).tolist(), strict=True))
        figures |= {name: value for name, value in means.items() if used[name]}
        right = {"token_accuracy": results.right_text, "fast_token_accuracy": results.right_fast}
        for name, tokens in right.items():
            if len(together := torch.cat(tokens)):
                figures[name] = float(together.double().mean())
        figures |= answer_figures(results.answers) | point_figures(results.points)
        if results.rows and not predictor.model.config.has_expert:
            figures["fast_decoded"] = len(results.chunks) / results.rows
        figures |= chunk_figures(results.chunks)
        return {n: value for n, value in figures.items() if n == "loss" or math.isfinite(value)}

    def _swap(self, predictor: Predictor, source: RobotSource, part: HeldOut) -> dict[str, float]:
        """Predict chunks with the subtask of the next sample that has another one."""
        items: list[HeldOutSample] = []
        for batch in part.batches(self._size):
            items += batch
            if len(items) >= _SWAPS:
                break
        pairs: list[tuple[HeldOutSample, HeldOutSample]] = []
        for place, item in enumerate(items[:_SWAPS]):
            sample = _with_other_text(source, items, place)
            if sample is not None:
                pairs.append((item, replace(item, sample=sample)))
        chunks: list[tuple[str, np.ndarray, np.ndarray]] = []
        for first in range(0, len(pairs), self._size):
            some = pairs[first : first + self._size]
            own = predictor.chunks([pair[0] for pair in some])
            other = predictor.chunks([pair[1] for pair in some])
            for (item, _), before, after in zip(some, own, other, strict=True):
                if item.row is not None and before is not None and after is not None:
                    chunks.append((item.row.platform, before, after))
        ratio = swap_ratio(chunks)
        return {} if ratio is None else {"prompt_swap": ratio}


def _with_other_text(
    source: RobotSource, items: Sequence[HeldOutSample], place: int
) -> TrainingSample | None:
    """Return a sample with the next other subtask as its prompt; None: there is no other."""
    item = items[place]
    for other in (*items[place + 1 :], *items[:place]):
        if item.row is None or other.row is None or other.row.text == item.row.text:
            continue
        try:
            return source.with_text(item.sample, item.row, other.row.text)
        except Pi05Error:
            continue  # That text is too long beside this state.
    return None


def _pair(item: HeldOutSample, chunk: np.ndarray | None) -> ChunkPair | None:
    """Convert a normalised chunk to units, beside the recorded one."""
    if item.row is None or chunk is None:
        return None
    row, vectors = item.row, item.row.vectors
    predicted = vectors.stats.unnormalize_actions(chunk, vectors.state)
    return ChunkPair(
        row.platform, vectors.stats, row.rate_hz, predicted, vectors.actions, vectors.valid
    )


def _cameras(part: HeldOut, item: HeldOutSample) -> tuple[str, ...]:
    """Names of a sample's pictures, in order."""
    return part.cameras or tuple(f"picture {k + 1}" for k in range(len(item.sample.images)))
