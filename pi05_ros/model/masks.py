"""Attention masks and positions of the tokens (paper, figure 18).

Tokens are numbered by block. A token attends to its own block and to the blocks before it:

    block 0           pictures, prompt and state: bidirectional attention
    block 1, 2, ...   text and FAST targets: one block per token, which makes them causal

The expert's tokens attend to block 0 and to each other, never to the targets: the FAST tokens
encode the very actions that the expert must predict. No token of the language model attends to
the expert.

π0 has one state token of the expert between prefix and actions, a block of its own: it attends to
the prefix, and the actions attend to it (openpi, models/pi0.py, embed_suffix).
"""

from __future__ import annotations

import torch
from torch import Tensor


def blocks_of(prefix: int, targets: int, device: torch.device | str = "cpu") -> Tensor:
    """Block numbers of a sequence, (prefix + targets,): zeros, then 1, 2, ..., `targets`."""
    return (torch.arange(prefix + targets, device=device) - prefix + 1).clamp(min=0)


def block_causal_mask(query_blocks: Tensor, key_blocks: Tensor, valid: Tensor) -> Tensor:
    """Return the boolean mask of the language model: which query attends to which key.

    Args:
        query_blocks: (L,) block numbers.
        key_blocks: (S,) block numbers.
        valid: (B, S) bool, False for padding and for pictures of missing cameras.

    Returns:
        (B, L, S) bool. No query attends to padding. The rows of padding queries are not masked
        out, so that no row of the softmax is empty; their results are unused.
    """
    return (key_blocks[None, :] <= query_blocks[:, None]) & valid[:, None, :]


def expert_mask(key_blocks: Tensor, valid: Tensor, horizon: int) -> Tensor:
    """Return the boolean mask of the expert: block 0 of the language model, and its own tokens.

    Args:
        key_blocks: (S,) block numbers of the language model's tokens.
        valid: (B, S) bool.
        horizon: Number of the expert's tokens.

    Returns:
        (B, horizon, S + horizon) bool.
    """
    prefix = valid & (key_blocks == 0)  # (B, S)
    own = prefix.new_ones(len(prefix), horizon)
    return torch.cat([prefix, own], dim=1)[:, None].expand(-1, horizon, -1)


def positions_of(valid: Tensor) -> Tensor:
    """Position of each token among the valid ones, (B, S) int64; padding takes no position."""
    return valid.long().cumsum(dim=1) - 1


def attention_mask(allowed: Tensor, heads_per_key: int, dtype: torch.dtype) -> Tensor:
    """Convert a boolean mask to the additive mask that `transformer.Attention` takes.

    Args:
        allowed: (B, L, S) bool.
        heads_per_key: Heads that share their keys; their rows are concatenated.
        dtype: Of the queries.

    Returns:
        (B, 1, heads_per_key · L, S): 0 where allowed, -inf elsewhere.
    """
    bias = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    bias = bias.masked_fill(~allowed, -torch.inf)
    return bias.repeat(1, heads_per_key, 1)[:, None]
