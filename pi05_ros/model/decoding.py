"""Autoregressive decoding of text, greedy or with a temperature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pi05_ros.errors import Pi05Error
from pi05_ros.model.context import Context
from pi05_ros.model.pi05 import Pi05


class DecodingError(Pi05Error):
    """The model's logits are not finite."""

    def __init__(self) -> None:
        super().__init__(
            "wanted finite logits, found others; the model's weights are broken, or its dtype "
            "cannot hold what they give"
        )


@dataclass(frozen=True)
class Decoded:
    """Result of decoding."""

    tokens: tuple[int, ...]  # Without end-of-sequence.
    score: float  # Mean probability of the tokens, end-of-sequence included, 0 to 1.
    finished: (
        bool  # True if end-of-sequence or `stop_after` was reached, False if cut at the limit.
    )


def decode_text(
    model: Pi05,
    hidden: Tensor,
    context: Context,
    **options: Any,
) -> Decoded:
    """Decode text after a prefilled context.

    Args:
        model: The model.
        hidden: Hidden state of the last token of the context, (1, 1, W), from `Pi05.prefill`.
        context: From `Pi05.prefill`, batch 1, unpadded. Not changed.
        **options: Keyword arguments of `decode`.
    """

    def next_logits(token: Tensor) -> Tensor:
        nonlocal context
        logits, context = model.decode_step(token, context)
        return logits

    return decode(model.language.logits(hidden[:, -1]), next_logits, **options)


def decode(
    logits: Tensor,
    next_logits: Callable[[Tensor], Tensor],
    *,
    end: int,
    limit: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    between_tokens: Callable[[], None] | None = None,
    stop_after: int | None = None,
) -> Decoded:
    """Decode token by token until end-of-sequence or the limit.

    Args:
        logits: Of the first token, (1, vocabulary).
        next_logits: Function of a token (1, 1) that appends it to the context and returns the
            logits of the next one, (1, vocabulary).
        end: Id of end-of-sequence.
        limit: Maximum number of tokens, end-of-sequence included; at least 1.
        temperature: T; 0: greedy decoding; above 0: sampling from softmax(logits / T).
        generator: For sampling, on the CPU.
        between_tokens: Called before every token but the first, so that other work can run.
        stop_after: Number of tokens after which the text is finished even without end-of-sequence;
            for weights that have not learned to end it. None: only end-of-sequence finishes it.

    Returns:
        Tokens, score (of the logits before division by T) and whether decoding finished.

    Raises:
        DecodingError: The logits are not finite.
        ValueError: `limit` is below 1, or `temperature` below 0.
    """
    if limit < 1:
        raise ValueError(f"limit {limit} is below 1")
    if not temperature >= 0.0:
        raise ValueError(f"temperature {temperature} is below 0")
    tokens: list[int] = []
    scores: list[Tensor] = []  # Stay on the device: one transfer per token is enough.
    while True:
        token = _choose(logits, temperature, generator)
        scores.append(logits[0].softmax(dim=-1).index_select(0, token[0]))
        tokens.append(int(token))
        if tokens[-1] == end or len(tokens) in (limit, stop_after):
            break
        if between_tokens is not None:
            between_tokens()
        logits = next_logits(token)
    ended = tokens[-1] == end
    score = torch.cat(scores).mean().item()
    if not math.isfinite(score):
        raise DecodingError
    finished = ended or len(tokens) == stop_after
    return Decoded(tuple(tokens[:-1] if ended else tokens), score, finished)


def _choose(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """Choose one token id, (1, 1) int64, from logits (1, vocabulary)."""
    if temperature == 0.0:
        return logits.argmax(dim=-1, keepdim=True)
    # The largest becomes 0, so that dividing by a small temperature cannot overflow.
    shifted = logits.double() - logits.double().max()
    probabilities = (shifted / temperature).softmax(dim=-1).cpu()
    if not probabilities.isfinite().all():
        raise DecodingError
    return torch.multinomial(probabilities, 1, generator=generator).to(logits.device)
