"""An ordered start for the embeddings of numbers.

The state stands in the prompt as 256 bins, and boxes as 1024 locations, one token each. Drawn at
random, neighbours have nothing in common, and a small model would have to learn the order of each
family from its data. Here a number's embedding begins as a smooth function of the number.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import LOCATIONS, Tokenizer

STATE_BINS = 256  # Of a state's entry in the prompt; bin -1 is below the first.
_WAVES = 8  # Frequencies of half a wave over the family, then each twice the one before.
_COMMON, _SMOOTH, _OWN = 0.3, 0.6, 0.1  # Shares of an embedding's variance.


def order_numbers(model: Pi05, tokenizer: Tokenizer, seed: int) -> None:
    """Set the embeddings of state bins and locations to smooth functions of their numbers.

    Their variance is that of `draw_weights`. A number that is not one token is left as it is.

    Args:
        model: With weights drawn at random, on the CPU; changed in place.
        tokenizer: Of the model.
        seed: Of the random generator.
    """
    generator = torch.Generator().manual_seed(seed)
    families = (
        [f" {number}" for number in range(-1, STATE_BINS)],
        [f"<loc{number:04d}>" for number in range(LOCATIONS)],
    )
    weight = model.language.embedding.weight
    with torch.no_grad():
        for texts in families:
            values = _smooth(len(texts), weight.shape[1], generator)
            for text, value in zip(texts, values, strict=True):
                tokens = tokenizer.encode(text)
                if len(tokens) == 1:
                    weight[tokens[0]] = value.to(weight.dtype)


def _smooth(count: int, width: int, generator: torch.Generator) -> Tensor:
    """Embeddings (count, width) of 0 to count - 1, of variance 1 / width."""
    place = torch.linspace(0.0, 1.0, count)[:, None]
    angles = math.pi * place * 2.0 ** torch.arange(_WAVES)
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)  # (count, 2 · waves)
    # Slow waves tell where a number is, fast ones tell neighbours apart: each has half the
    # variance of the one before.
    strength = torch.sqrt(0.5 ** torch.arange(1.0, _WAVES + 1)).repeat(2)
    mixing = torch.randn(2 * _WAVES, width, generator=generator)
    smooth = (waves * strength) @ mixing  # Variance about 1: the strengths' squares sum to 1.
    common = torch.randn(1, width, generator=generator)
    own = torch.randn(count, width, generator=generator)
    parts = math.sqrt(_COMMON) * common + math.sqrt(_SMOOTH) * smooth + math.sqrt(_OWN) * own
    return parts / math.sqrt(width)
