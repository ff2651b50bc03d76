"""Text, one token after the other, on the cache of what was read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pi05_ros.errors import Pi05Error
from pi05_ros.model.pi05 import Context, Pi05


class DecodingError(Pi05Error):
    """The model's probabilities are no numbers, and what they would write means nothing."""

    def __init__(self) -> None:
        super().__init__(
            "wanted finite logits, found others; the model's weights are broken, or its dtype "
            "cannot hold what they give"
        )


@dataclass(frozen=True)
class Decoded:
    """What the model wrote."""

    tokens: tuple[int, ...]  # Without the end.
    score: float  # Mean probability that the model gave its tokens, the end included. 0 to 1.
    finished: bool  # Whether it came to the end by itself, or was cut at the limit.


def decode_text(
    model: Pi05,
    hidden: Tensor,
    context: Context,
    **rest: Any,
) -> Decoded:
    """`decode` with the model as it is.

    Args:
        model: The weights.
        hidden: Hidden state of the last token read, (1, 1, W), as `Pi05.read_tail` gives it.
        context: What was read, batch 1, unpadded. Not changed.
        **rest: See `decode`.
    """

    def write(token: Tensor) -> Tensor:
        nonlocal context
        logits, context = model.write(token, context)
        return logits

    return decode(model.language.logits(hidden[:, -1]), write, **rest)


def decode(
    logits: Tensor,
    write: Callable[[Tensor], Tensor],
    *,
    end: int,
    limit: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    between_tokens: Callable[[], None] | None = None,
) -> Decoded:
    """Writes until the end or the limit.

    Args:
        logits: Of the first token, (1, vocabulary).
        write: Given a token (1, 1), the logits of the next one, (1, vocabulary).
        end: Id of end-of-sequence.
        limit: Most tokens, the end included, at least 1.
        temperature: 0 takes the likeliest token; above, tokens are drawn from softmax(logits / T).
        generator: For drawing, on the CPU.
        between_tokens: Called before every token but the first, for whoever must get in between.

    Returns:
        Tokens, score (always of the undivided logits) and whether it finished.

    Raises:
        DecodingError: The logits are not finite.
    """
    if limit < 1:
        raise ValueError(f"limit {limit} is below 1")
    if not temperature >= 0.0:
        raise ValueError(f"temperature {temperature} is below 0")
    tokens: list[int] = []
    scores: list[Tensor] = []  # On the logits' device: a token waits for no second transfer.
    while True:
        token = _choose(logits, temperature, generator)
        scores.append(logits[0].softmax(dim=-1).index_select(0, token[0]))
        tokens.append(int(token))
        if tokens[-1] == end or len(tokens) == limit:
            break
        if between_tokens is not None:
            between_tokens()
        logits = write(token)
    finished = tokens[-1] == end
    score = torch.cat(scores).mean().item()
    if not math.isfinite(score):
        raise DecodingError
    return Decoded(tuple(tokens[:-1] if finished else tokens), score, finished)


def _choose(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """One id, (1, 1) int64, from logits (1, vocabulary)."""
    if temperature == 0.0:
        return logits.argmax(dim=-1, keepdim=True)
    # From the largest down, so that no temperature makes infinities of them.
    lowered = logits.double() - logits.double().max()
    probabilities = (lowered / temperature).softmax(dim=-1).cpu()
    if not probabilities.isfinite().all():
        raise DecodingError
    return torch.multinomial(probabilities, 1, generator=generator).to(logits.device)
