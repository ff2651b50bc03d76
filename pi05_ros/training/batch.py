"""Samples, and the tensors that many of them become.

A sample asks something (pictures, prompt) and holds what answers it: text (boxes and a subtask, a
caption), FAST tokens, actions, or several of them. One batch mixes all kinds: what a sample lacks
is padded and weighs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from pi05_ros.model.text.tokenizer import PAD


@dataclass(frozen=True)
class Sample:
    """One question and its answers."""

    images: Tensor  # (C, 3, image_size, image_size) uint8 rgb, in the order of the weights.
    prompt: Sequence[int]  # Ids from `tokenizer.prompt_tokens`, not padded.
    text: Sequence[int] = ()  # Ids to be written, the end included.
    fast: Sequence[int] = ()  # Ids to be written that spell the actions, the end included.
    cameras: Tensor | None = None  # (C,) bool, False: no such picture; None: all are there.
    state: Tensor | None = None  # (action_dim,) normalised and padded, for π0.
    actions: Tensor | None = None  # (horizon, action_dim) float32, normalised and padded.
    action_weights: Tensor | None = None  # (horizon, action_dim) float32; None: all count alike.


@dataclass(frozen=True)
class Targets:
    """What the language model shall write, T tokens a sample at most."""

    tokens: Tensor  # (B, T) int64.
    valid: Tensor  # (B, T) bool, False for padding.
    weights: Tensor  # (B, T) float32; 0: not learned, only read by what follows.
    is_fast: Tensor  # (B, T) bool: spells actions; False: text.


@dataclass(frozen=True)
class Batch:
    """B samples. Padding may stand anywhere; nothing depends on what is in it."""

    images: Tensor  # (B, C, 3, image_size, image_size) uint8 rgb.
    cameras: Tensor  # (B, C) bool, False: no such picture.
    prompt: Tensor  # (B, P) int64.
    prompt_valid: Tensor  # (B, P) bool, at least one a row.
    targets: Targets | None = None  # None: nobody writes.
    state: Tensor | None = None  # (B, action_dim) float32, for π0.
    actions: Tensor | None = None  # (B, horizon, action_dim) float32. None: nobody acts.
    action_weights: Tensor | None = None  # (B, horizon, action_dim) float32; None: all 1.

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        moved: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                moved[field.name] = value.to(device)
            elif isinstance(value, Targets):
                parts = {part.name: getattr(value, part.name).to(device) for part in fields(value)}
                moved[field.name] = Targets(**parts)
        return replace(self, **moved)


def collate(samples: Sequence[Sample]) -> Batch:
    """Pads samples to a batch. The text of a sample comes before its FAST tokens.

    Raises:
        ValueError: A sample lacks what another has, and padding cannot stand for it.
    """
    states = [sample.state for sample in samples if sample.state is not None]
    if 0 < len(states) < len(samples):
        raise ValueError(f"{len(samples) - len(states)} of {len(samples)} samples lack a state")
    prompt, prompt_valid = pad([sample.prompt for sample in samples])
    if not prompt_valid.any(dim=1).all():
        raise ValueError("a sample's prompt is empty; wanted one token at least")
    cameras = [
        torch.ones(len(sample.images), dtype=torch.bool)
        if sample.cameras is None
        else sample.cameras
        for sample in samples
    ]
    actions, action_weights = _actions(samples)
    return Batch(
        torch.stack([sample.images for sample in samples]),
        torch.stack(cameras),
        prompt,
        prompt_valid,
        _targets(samples),
        torch.stack(states) if states else None,
        actions,
        action_weights,
    )


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token ids of several lengths as one tensor (B, longest) int64, and which are there, bool."""
    tokens = torch.full((len(rows), max(map(len, rows))), PAD)
    valid = torch.zeros(tokens.shape, dtype=torch.bool)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = torch.tensor(row, dtype=torch.long)
        valid[index, : len(row)] = True
    return tokens, valid


def _targets(samples: Sequence[Sample]) -> Targets | None:
    tokens, valid = pad([[*sample.text, *sample.fast] for sample in samples])
    if not tokens.shape[1]:
        return None
    after_text = torch.tensor([len(sample.text) for sample in samples])[:, None]
    is_fast = valid & (torch.arange(tokens.shape[1]) >= after_text)
    return Targets(tokens, valid, valid.float(), is_fast)


def _actions(samples: Sequence[Sample]) -> tuple[Tensor | None, Tensor | None]:
    """Actions and their weights; samples without actions get zeros of weight zero."""
    known = next((sample.actions for sample in samples if sample.actions is not None), None)
    if known is None:
        return None, None
    none, every = torch.zeros_like(known), torch.ones_like(known)
    actions, weights = [], []
    for sample in samples:
        actions.append(none if sample.actions is None else sample.actions)
        weighted = every if sample.action_weights is None else sample.action_weights
        weights.append(none if sample.actions is None else weighted)
    return torch.stack(actions), torch.stack(weights)
