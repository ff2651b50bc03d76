"""Who sees whom (paper, figure 18), and where each token stands.

Tokens are numbered by block. A token sees every token of its own block and of the blocks before:

    block 0           pictures, prompt and state: all see each other
    block 1, 2, ...   text and FAST targets: one block a token, which makes them causal

The expert's tokens see block 0 and each other, never the targets: a FAST token spells the very
actions that the expert shall find by itself. Nothing here sees the expert.

π0 has a state token of the expert's between prefix and actions, a block of its own: it sees the
prefix, and the actions see it (openpi, models/pi0.py, embed_suffix).
"""

from __future__ import annotations

import torch
from torch import Tensor


def blocks_of(prefix: int, targets: int, device: torch.device | str = "cpu") -> Tensor:
    """Block numbers of a sequence, (prefix + targets,): zeros, then 1, 2, ..., `targets`."""
    return (torch.arange(prefix + targets, device=device) - prefix + 1).clamp(min=0)


def sees(query_blocks: Tensor, key_blocks: Tensor, valid: Tensor) -> Tensor:
    """Which query sees which key.

    Args:
        query_blocks: (L,) block numbers.
        key_blocks: (S,) block numbers.
        valid: (B, S) bool, False for padding and for pictures of missing cameras.

    Returns:
        (B, L, S) bool. Padding is seen by nobody; what padding itself sees does not matter, and
        is left as it is so that no row is empty.
    """
    return (key_blocks[None, :] <= query_blocks[:, None]) & valid[:, None, :]


def expert_sees(key_blocks: Tensor, valid: Tensor, horizon: int) -> Tensor:
    """Which keys the expert's tokens see: block 0 of the language model, and all of their own.

    Args:
        key_blocks: (S,) block numbers of the language model's tokens.
        valid: (B, S) bool.
        horizon: Number of the expert's tokens.

    Returns:
        (B, horizon, S + horizon) bool.
    """
    prefix = valid & (key_blocks == 0)
    own = prefix.new_ones(len(prefix), horizon)
    return torch.cat([prefix, own], dim=1)[:, None].expand(-1, horizon, -1)


def positions_of(valid: Tensor) -> Tensor:
    """Position of each token among the valid ones, (B, S) int64; padding takes no position."""
    return valid.long().cumsum(dim=1) - 1


def attention_mask(seen: Tensor, heads_per_key: int, dtype: torch.dtype) -> Tensor:
    """The form that `transformer.Attention` adds to its scores.

    Args:
        seen: (B, L, S) bool.
        heads_per_key: Heads that share their keys; their rows lie end to end.
        dtype: Of the queries.

    Returns:
        (B, 1, heads_per_key · L, S): 0 where seen, -inf elsewhere.
    """
    bias = torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill(~seen, -torch.inf)
    return bias.repeat(1, heads_per_key, 1)[:, None]
