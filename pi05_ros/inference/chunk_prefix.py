"""The chunk that a new one continues, in the form that the model's passes take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.brain.continuation import Continuation
from pi05_ros.model.guidance import soft_mask
from pi05_ros.model.normalization import pad


@dataclass(frozen=True)
class ChunkPrefix:
    """The chunk that a new one continues, in model units, with the weight of each entry."""

    actions: Tensor  # (1, horizon, action_dim) float32, normalised and padded.
    weights: Tensor  # (1, horizon, action_dim) float32, 0 to 1; if trained, 0 or 1.
    trained: bool  # True: the expert takes prefix actions as input. False: it is guided to them.


def chunk_prefix_of(continuation: Continuation, action_dim: int) -> ChunkPrefix:
    """Convert a continuation whose actions are normalised, (horizon, D).

    Padded entries have weight 0 in a guided flow: the model is free in them. In a trained one they
    are part of the prefix actions, as zeros, as in training.

    Args:
        continuation: With normalised actions.
        action_dim: Entries of the model's actions; D or more.
    """
    horizon, dims = continuation.actions.shape
    actions = pad(continuation.actions.astype(np.float32), action_dim)
    trained = continuation.mode == "trained_rtc"
    if trained:
        by_row = (torch.arange(horizon) < continuation.committed).float()  # (horizon,)
        by_entry = torch.ones(action_dim)
    else:
        by_row = soft_mask(continuation.committed, continuation.overlap, horizon)
        by_entry = (torch.arange(action_dim) < dims).float()
    weights = by_row[:, None] * by_entry  # (horizon, action_dim)
    return ChunkPrefix(torch.from_numpy(actions)[None], weights[None], trained)
