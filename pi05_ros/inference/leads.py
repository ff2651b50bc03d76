"""A chunk that another one goes on from, as the model's passes take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.brain.continuation import Continuation
from pi05_ros.model.guidance import soft_mask
from pi05_ros.model.normalization import pad


@dataclass(frozen=True)
class Lead:
    """A chunk that another one goes on from, in the model's units."""

    rows: Tensor  # (1, horizon, action_dim) float32, normalised and padded.
    weights: Tensor
    # (1, horizon, action_dim) float32, 0 to 1: how much each entry binds. Where the model was
    # trained for it, 1 in all of the rows that are known, and 0 in the others.
    trained: bool  # Whether the expert is told the known rows, or guided to them.


def lead_of(continuation: Continuation, action_dim: int) -> Lead:
    """The lead of a continuation whose actions are normalised, (horizon, D).

    Entries that are padding do not bind a guided flow: what the weights make of them is their
    business. A trained expert was shown them as they are padded here, with zeros.
    """
    horizon, dims = continuation.actions.shape
    rows = pad(continuation.actions.astype(np.float32), action_dim)
    trained = continuation.mode == "trained_rtc"
    if trained:
        by_row = (torch.arange(horizon) < continuation.committed).float()
        binding = torch.ones(action_dim)
    else:
        by_row = soft_mask(continuation.committed, continuation.overlap, horizon)
        binding = (torch.arange(action_dim) < dims).float()
    return Lead(torch.from_numpy(rows)[None], (by_row[:, None] * binding)[None], trained)
