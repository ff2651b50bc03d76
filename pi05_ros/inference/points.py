"""Points of texts in the embedded pictures of one scene, of a model with grounding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pi05_ros.model.compact_vision import Pictures
from pi05_ros.model.grounding import points_of
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import PAD


def with_points(model: Pi05, pictures: Pictures, query: Sequence[int]) -> Pictures:
    """Put a token before each picture's others that tells where a text's things are in it.

    Args:
        model: With grounding.
        pictures: N embedded ones.
        query: Ids of the text, at least one.
    """
    tokens, valid = _padded([query])
    count = len(pictures.tokens)
    tokens, valid = tokens.to(model.device), valid.to(model.device)
    return model.with_points(pictures, tokens.expand(count, -1), valid.expand(count, -1))


def find(
    model: Pi05, pictures: Pictures, names: Sequence[Sequence[Sequence[int]]]
) -> tuple[Tensor, Tensor]:
    """Look for named things in pictures, in one pass.

    Args:
        model: With grounding.
        pictures: N embedded ones.
        names: For each picture the ids of some texts, at most Q.

    Returns:
        (N, Q, 2) float32 x, y as fractions of the picture, and (N, Q) float32 probability that the
        thing is seen; on the CPU. Those beyond a picture's texts are meaningless.
    """
    most = max(map(len, names))
    tokens, valid = _padded([text for row in names for text in [*row, *[()] * (most - len(row))]])
    shape = (len(names), most)
    tokens, valid = tokens.to(model.device), valid.to(model.device)
    places, seen = torch.zeros(*shape, 2), torch.zeros(shape)
    heat = model.ground(pictures, tokens.unflatten(0, shape), valid.unflatten(0, shape))
    for maps, logits in zip(pictures.maps, heat, strict=True):
        points = points_of(logits[:, :, 0], *maps.fine.shape[-2:])  # Of heat map 0, the thing.
        places[maps.rows.cpu()] = points.places.cpu()
        seen[maps.rows.cpu()] = points.seen.cpu()
    return places, seen


def _padded(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Pad ids to (texts, longest) int64, and say which are no padding, bool."""
    longest = max(1, *map(len, texts))
    tokens = torch.full((len(texts), longest), PAD)
    valid = torch.zeros(tokens.shape, dtype=torch.bool)
    for row, text in enumerate(texts):
        tokens[row, : len(text)] = torch.tensor(text, dtype=torch.long)
        valid[row, : len(text)] = True
    return tokens, valid
