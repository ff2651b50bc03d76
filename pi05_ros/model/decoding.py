"""Text, one token after the other, on the cache of what was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pi05_ros.model.pi05 import Context, Pi05


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
    *,
    end: int,
    limit: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    between_tokens: Callable[[], None] | None = None,
) -> Decoded:
    """Writes until the end or the limit.

    Args:
        model: The weights.
        hidden: Hidden state of the last token read, (1, 1, W), as `Pi05.read_tail` gives it.
        context: What was read, batch 1, unpadded. Not changed.
        end: Id of end-of-sequence.
        limit: Most tokens, the end included, at least 1.
        temperature: 0 takes the likeliest token; above, tokens are drawn from softmax(logits / T).
        generator: For drawing, on the CPU.
        between_tokens: Called before every token but the first, for whoever must get in between.

    Returns:
        Tokens, score (always of the undivided logits) and whether it finished.
    """
    if limit < 1:
        raise ValueError(f"limit {limit} is below 1")
    if temperature < 0.0:
        raise ValueError(f"temperature {temperature} is below 0")
    logits = model.language.logits(hidden[:, -1])
    tokens: list[int] = []
    total = 0.0
    while True:
        token = _choose(logits[0], temperature, generator)
        total += logits[0].softmax(dim=-1)[token].item()
        tokens.append(token)
        if token == end or len(tokens) == limit:
            break
        if between_tokens is not None:
            between_tokens()
        logits, context = model.write(torch.tensor([[token]], device=logits.device), context)
    finished = tokens[-1] == end
    return Decoded(tuple(tokens[:-1] if finished else tokens), total / len(tokens), finished)


def _choose(logits: Tensor, temperature: float, generator: torch.Generator | None) -> int:
    """One id from logits (vocabulary,)."""
    if temperature == 0.0:
        return int(logits.argmax())
    probabilities = (logits / temperature).softmax(dim=-1).cpu()
    return int(torch.multinomial(probabilities, 1, generator=generator))
