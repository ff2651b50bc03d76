"""Examples for the page of a run: the same held-out samples at every validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.model.text.tokenizer import Tokenizer
from pi05_ros.training.sources.source import Source
from pi05_ros.training.validation.answers import AnswerPair
from pi05_ros.training.validation.figures import AnswerExample, ChunkExample, Example
from pi05_ros.training.validation.held_out import HeldOutSample

_COUNT = 4  # Of each source.


def chosen_examples(chosen: Sequence[int]) -> set[int]:
    """Return the indices of the samples that are examples, spread over the chosen ones."""
    places = np.linspace(0, len(chosen) - 1, min(_COUNT, len(chosen))).round()
    return {chosen[int(place)] for place in places}


def example_of(
    source: Source,
    item: HeldOutSample,
    cameras: tuple[str, ...],
    tokenizer: Tokenizer,
    answer: AnswerPair | None,
    predicted: np.ndarray | None,
) -> Example:
    """Make the example of a sample.

    Args:
        source: Of the sample.
        item: The sample.
        cameras: Names of its pictures.
        tokenizer: Of its prompt.
        answer: Decoded and recorded answer; None: it has no text.
        predicted: Predicted actions (H, D), platform units; None: there are none.
    """
    pictures, chunk = item.sample.images, None
    if item.sample.cameras is not None:
        pictures = pictures * item.sample.cameras[:, None, None, None]
    if item.row is not None:
        vectors = item.row.vectors
        chunk = ChunkExample(
            vectors.stats.names,
            vectors.stats.units,
            item.row.rate_hz,
            vectors.actions,
            predicted,
            vectors.valid,
        )
    return Example(
        source.name,
        source.where(item.index),
        tokenizer.decode(item.sample.prompt).strip(),
        cameras,
        pictures.permute(0, 2, 3, 1).contiguous().numpy(),
        None if answer is None else _answer(answer),
        chunk,
    )


def _answer(pair: AnswerPair) -> AnswerExample:
    cut = "" if pair.finished else " … (cut)"
    return AnswerExample(
        pair.target.subtask,
        pair.predicted.subtask + cut,
        pair.target.locations,
        pair.predicted.locations,
    )
