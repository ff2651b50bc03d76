"""Training samples, and their collation to batches.

A sample has inputs (pictures, prompt) and targets: text (boxes and a subtask, a caption), FAST
tokens, actions, or several of them. A batch mixes all kinds; missing targets are padded and have
weight 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from pi05_ros.model.grounding import POINTS
from pi05_ros.model.text.tokenizer import PAD


@dataclass(frozen=True)
class TrainingSample:
    """Inputs and targets of one training sample."""

    images: Tensor  # (C, 3, image_size, image_size) uint8 rgb, in the order of the cameras.
    prompt: Sequence[int]  # Ids from `tokenizer.prompt_tokens`, not padded.
    text: Sequence[int] = ()  # Target ids, end-of-sequence included.
    fast: Sequence[int] = ()  # Target ids that encode the actions, end-of-sequence included.
    cameras: Tensor | None = None  # (C,) bool, False: no picture; None: all have one.
    state: Tensor | None = None  # (action_dim,) normalised and padded, for π0.
    actions: Tensor | None = None  # (horizon, action_dim) float32, normalised and padded.
    action_weights: Tensor | None = None  # (horizon, action_dim) float32; None: all 1.
    clipped: int = 0  # Values of the actions that are cut off in `fast`.
    views: Sequence[int] = ()  # `ModelConfig.view_of` each picture's camera; (): all 0.
    # Texts whose things are looked for in the pictures. The first one's points are tokens of the
    # prefix if `pointed`. The others are for the heat maps' loss alone.
    queries: Sequence[Sequence[int]] = ()
    pointed: bool = False
    # (queries, C, POINTS, 3) float32: x, y as fractions of the picture, and 1 if it is seen, 0 if
    # not, -1 if that is not known. None: of no query.
    points: Tensor | None = None


@dataclass(frozen=True)
class Targets:
    """Targets of the language model; T is the longest of the batch."""

    tokens: Tensor  # (B, T) int64.
    valid: Tensor  # (B, T) bool, False for padding.
    weights: Tensor  # (B, T) float32; 0: not in the loss, input of later tokens only.
    is_fast: Tensor  # (B, T) bool: encodes actions; False: text.


@dataclass(frozen=True)
class Batch:
    """B samples. Padding may be anywhere; results do not depend on its contents."""

    images: Tensor  # (B, C, 3, image_size, image_size) uint8 rgb.
    cameras: Tensor  # (B, C) bool, False: no picture.
    prompt: Tensor  # (B, P) int64.
    prompt_valid: Tensor  # (B, P) bool, at least one True per row.
    targets: Targets | None = None  # None: no sample has any.
    state: Tensor | None = None  # (B, action_dim) float32, for π0.
    actions: Tensor | None = None  # (B, horizon, action_dim) float32. None: no sample has any.
    action_weights: Tensor | None = None  # (B, horizon, action_dim) float32; None: all 1.
    views: Tensor | None = None  # (B, C) int64; None: all 0.
    queries: Tensor | None = None  # (B, Q, L) int64. None: no sample has any.
    queries_valid: Tensor | None = None  # (B, Q, L) bool.
    pointed: Tensor | None = None  # (B,) bool: the first query's points are tokens of the prefix.
    points: Tensor | None = None  # (B, Q, C, POINTS, 3) float32, as in TrainingSample.

    def to(self, device: torch.device | str) -> Batch:
        """Move the batch to a device."""
        moved: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                moved[field.name] = value.to(device)
            elif isinstance(value, Targets):
                parts = {part.name: getattr(value, part.name).to(device) for part in fields(value)}
                moved[field.name] = Targets(**parts)
        return replace(self, **moved)


def collate(samples: Sequence[TrainingSample], multiple: int = 1) -> Batch:
    """Pad samples to a batch. The text of a sample precedes its FAST tokens.

    Args:
        samples: Of any kinds. One with fewer pictures than others gets masked ones behind them.
        multiple: Lengths of prompts and targets are padded to multiples of it.

    Raises:
        ValueError: Only some samples have a state, or a prompt is empty.
    """
    states = [sample.state for sample in samples if sample.state is not None]
    if 0 < len(states) < len(samples):
        raise ValueError(f"{len(samples) - len(states)} of {len(samples)} samples lack a state")
    prompt, prompt_valid = pad([sample.prompt for sample in samples], multiple)
    if not prompt_valid.any(dim=1).all():
        raise ValueError("a sample's prompt is empty; wanted one token at least")
    pictures = max(len(sample.images) for sample in samples)
    cameras = torch.zeros(len(samples), pictures, dtype=torch.bool)
    images = samples[0].images.new_zeros(len(samples), pictures, *samples[0].images.shape[1:])
    for index, sample in enumerate(samples):
        count = len(sample.images)
        images[index, :count] = sample.images
        cameras[index, :count] = True if sample.cameras is None else sample.cameras
    actions, action_weights = _actions(samples)
    return Batch(
        images,
        cameras,
        prompt,
        prompt_valid,
        _targets(samples, multiple),
        torch.stack(states) if states else None,
        actions,
        action_weights,
        _views(samples, pictures),
        **_queries(samples, pictures, multiple),
    )


def pad(rows: Sequence[Sequence[int]], multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Pad token ids to one tensor (B, longest) int64; also return the mask of valid ones, bool.

    The length is a multiple of `multiple`.
    """
    length = -(-max(map(len, rows)) // multiple) * multiple
    tokens = torch.full((len(rows), length), PAD)
    valid = torch.zeros(tokens.shape, dtype=torch.bool)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = torch.tensor(row, dtype=torch.long)
        valid[index, : len(row)] = True
    return tokens, valid


def _views(samples: Sequence[TrainingSample], pictures: int) -> Tensor | None:
    if not any(sample.views for sample in samples):
        return None
    views = torch.zeros(len(samples), pictures, dtype=torch.long)
    for index, sample in enumerate(samples):
        if sample.views:
            views[index, : len(sample.views)] = torch.tensor(sample.views)
    return views


def _queries(
    samples: Sequence[TrainingSample], pictures: int, multiple: int
) -> dict[str, Tensor | None]:
    """Pad queries and their points; a sample without some gets empty ones that are not known."""
    most = max(len(sample.queries) for sample in samples)
    if not most:
        return {}
    rows = [query for s in samples for query in [*s.queries, *[()] * (most - len(s.queries))]]
    tokens, valid = pad(rows, multiple)
    points = torch.full((len(samples), most, pictures, POINTS, 3), -1.0)
    for index, sample in enumerate(samples):
        if sample.points is not None:
            known = sample.points
            points[index, : known.shape[0], : known.shape[1]] = known
    return {
        "queries": tokens.unflatten(0, (len(samples), most)),
        "queries_valid": valid.unflatten(0, (len(samples), most)),
        "pointed": torch.tensor([sample.pointed for sample in samples]),
        "points": points,
    }


def _targets(samples: Sequence[TrainingSample], multiple: int) -> Targets | None:
    tokens, valid = pad([[*sample.text, *sample.fast] for sample in samples], multiple)
    if not tokens.shape[1]:
        return None
    after_text = torch.tensor([len(sample.text) for sample in samples])[:, None]
    is_fast = valid & (torch.arange(tokens.shape[1]) >= after_text)
    return Targets(tokens, valid, valid.float(), is_fast)


def _actions(samples: Sequence[TrainingSample]) -> tuple[Tensor | None, Tensor | None]:
    """Stack actions and their weights; samples without actions get zeros of weight 0."""
    known = next((sample.actions for sample in samples if sample.actions is not None), None)
    if known is None:
        return None, None
    zeros, ones = torch.zeros_like(known), torch.ones_like(known)
    actions, weights = [], []
    for sample in samples:
        actions.append(zeros if sample.actions is None else sample.actions)
        weighted = ones if sample.action_weights is None else sample.action_weights
        weights.append(zeros if sample.actions is None else weighted)
    return torch.stack(actions), torch.stack(weights)
