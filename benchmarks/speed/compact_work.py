"""Work of a compact tower and of the points in its pictures; see `floor`."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.model.config import ModelConfig
from pi05_ros.model.grounding import POINTS

from .work import Work


def tower_work(config: ModelConfig, views: Sequence[int]) -> Work:
    """Work of the tower on one picture of each view."""
    tower, width = config.required_compact_vision(), config.language.width
    first, second, third = tower.channels
    halves = (3 * 25 * first, 9 * first * second, 9 * second * third)  # Weights of convolutions.
    residual, patch = 18 * third * third, tower.patch**2 * third * width
    operations = 0.0
    for view in views:
        _, _, eighth = cells = _cells(config, view)
        tokens = tower.tokens_of(view)
        operations += sum(2 * c * w for c, w in zip(cells, halves, strict=True))
        operations += 2 * eighth * residual + 2 * tokens * (patch + width**2)
    biases = first + 3 * second + 5 * third + 4 * width  # Those of the norms included.
    positions = len(tower.views) * tower.tokens_of(0) * width
    return Work(operations, sum(halves) + residual + patch + width**2 + biases + positions)


def points_work(config: ModelConfig, views: Sequence[int], query: int) -> Work:
    """Work of the heat maps of one text in a picture of each view, and of the point tokens.

    The text is read once.

    Args:
        config: Sizes, with grounding.
        views: Of the pictures.
        query: Tokens of the text.
    """
    grounding, width = config.required_grounding(), config.language.width
    _, fine_in, coarse_in = config.required_compact_vision().channels
    hidden, query = grounding.width, min(query, grounding.max_query_tokens)
    reading = width * hidden + hidden * POINTS  # Weights, for each token of the text.
    operations = 2 * query * (reading + POINTS * hidden) + 2 * POINTS * hidden**2
    coarse = 9 * coarse_in * hidden + 9 * hidden**2
    fine = fine_in * hidden + 9 * hidden**2
    about = POINTS * (3 + 16 + coarse_in)  # Entries that a point token is made of.
    token = about * 2 * width + 2 * width**2
    modulation, nothing = 2 * hidden**2, 2 * hidden
    for view in views:
        _, quarter, eighth = _cells(config, view)
        heat = POINTS * (quarter * hidden + hidden**2 + nothing)
        look = POINTS * eighth * coarse_in
        operations += 2 * (eighth * coarse + quarter * fine + heat + look + modulation + token)
    weights = reading + 2 * hidden**2 + coarse + fine + modulation + nothing + token
    biases = hidden * (grounding.max_query_tokens + 11) + POINTS + 1 + 3 * width
    return Work(operations, weights + biases + query * width)


def _cells(config: ModelConfig, view: int) -> tuple[int, int, int]:
    """Cells of a picture's maps at a half, a quarter and an eighth."""
    tower = config.required_compact_vision()
    pixels = tower.height * tower.width // tower.reductions[view] ** 2
    return pixels // 4, pixels // 16, pixels // 64
