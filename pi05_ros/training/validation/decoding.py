"""Greedy decoding of a batch of samples of different lengths."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pi05_ros.model import masks
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import END
from pi05_ros.training.objective.batch import Batch
from pi05_ros.training.objective.losses import run_language_model


@dataclass(frozen=True)
class DecodedRow:
    """Answer of one sample."""

    tokens: tuple[int, ...]  # Without end-of-sequence.
    finished: bool  # False: cut at the limit.


def decode_batch(model: Pi05, batch: Batch, limit: int) -> list[DecodedRow]:
    """Decode the likeliest token at each position, until end-of-sequence, for each sample.

    The results are those of `decoding.decode_text` for each sample alone.

    Args:
        model: The model.
        batch: Pictures and prompts; targets are not read.
        limit: Most tokens, end-of-sequence included.
    """
    hidden, context = run_language_model(model, replace(batch, targets=None))
    valid, caches = context.valid, context.caches
    assert valid is not None  # `run_language_model` gives a mask in any case.
    language = model.config.language
    heads_per_key = language.heads // language.kv_heads
    index = torch.arange(valid.shape[1], device=valid.device)
    last = torch.where(valid, index, -1).amax(dim=1)  # (B,)
    logits = model.language.logits(hidden[torch.arange(len(hidden)), last])  # (B, vocabulary)
    count = valid.sum(dim=1, keepdim=True)  # (B, 1): position of the next token.
    found: list[Tensor] = []
    ended = torch.zeros(len(hidden), dtype=torch.bool, device=valid.device)
    for place in range(limit):
        tokens = logits.argmax(dim=-1)  # (B,)
        found.append(tokens)
        ended |= tokens == END
        if bool(ended.all()) or place == limit - 1:
            break
        valid = torch.cat([valid, valid.new_ones(len(valid), 1)], dim=1)
        mask = masks.attention_mask(valid[:, None], heads_per_key, caches[0].keys.dtype)
        step, caches = model.language(
            model.language.embed(tokens[:, None]), count + place, caches=caches, mask=mask
        )
        logits = model.language.logits(step[:, -1])
    return [_row(row) for row in torch.stack(found, dim=1).tolist()]


def _row(tokens: list[int]) -> DecodedRow:
    if END in tokens:
        return DecodedRow(tuple(tokens[: tokens.index(END)]), True)
    return DecodedRow(tuple(tokens), False)
