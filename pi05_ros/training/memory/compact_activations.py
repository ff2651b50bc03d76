"""Bytes that the parts of a small model keep for the backward pass: compact tower, heat maps.

As in `activations`, the formulas count what autograd saves, here in convolutions: the input of
each convolution, of each GELU and of each norm. Nothing of it is recomputed. Notation: s bytes of
a product, c1 to c3 channels, g width of the grounding head.

Under autocast norms are float32, as on CUDA; on a CPU they stay bfloat16, and take less.
"""

from __future__ import annotations

from pi05_ros.model.config import CompactVisionConfig, ModelConfig
from pi05_ros.model.grounding import POINTS

_FLOAT32 = 4  # [byte]


def views_of(vision: CompactVisionConfig, pictures: int) -> list[int]:
    """Return the views of a sample's pictures: one of each camera, the largest ones first.

    Pictures beyond the named cameras are of other ones, which are taken as view 0.
    """
    ordered = sorted(range(len(vision.views)), key=vision.tokens_of, reverse=True)
    return (ordered + [0] * pictures)[:pictures]


def prefix_tokens(config: ModelConfig, pictures: int) -> int:
    """Number of positions of a sample's pictures, points included."""
    if config.compact_vision is None:
        return pictures * config.vision.tokens
    vision = config.compact_vision
    tokens = sum(vision.tokens_of(view) for view in views_of(vision, pictures))
    return tokens + pictures * (config.grounding is not None)


def tower_bytes(config: ModelConfig, pictures: int, is_float32: bool) -> int:
    """Bytes of a compact tower for the pictures of a sample."""
    vision, width = config.required_compact_vision(), config.language.width
    s = _FLOAT32 if is_float32 else 2
    c1, c2, c3 = vision.channels
    # A norm's input and result in float32, and under autocast the copy for the next convolution.
    norm = 2 * _FLOAT32 if is_float32 else 2 * _FLOAT32 + 2
    half = 3 * 4 * s + 2 * c1 * s  # Of a place at a half: 4 pixels, before and behind GELU.
    fine = c2 * (s + norm)  # Of a cell, before and behind GELU, and the norm's result.
    coarse = c3 * (4 * s + norm)  # Twice before and behind GELU; input and result of the norm.
    token = _FLOAT32 * width + width * s  # Input of the norm, and of the projector.
    total = 0
    for view in views_of(vision, pictures):
        pixels = vision.height * vision.width // vision.reductions[view] ** 2
        total += pixels // 4 * half + pixels // 16 * fine + pixels // 64 * coarse
        total += vision.tokens_of(view) * token
    return total


def heat_map_bytes(config: ModelConfig, pictures: int, queries: int, is_float32: bool) -> int:
    """Bytes of the heat maps of a sample's queries in its pictures; 0 without grounding."""
    if config.grounding is None:
        return 0
    vision, g = config.required_compact_vision(), config.grounding.width
    s = _FLOAT32 if is_float32 else 2
    sizes = [vision.reductions[view] for view in views_of(vision, pictures)]
    cells = sum(vision.height * vision.width // (16 * size**2) for size in sizes)
    # Of a place of the coarse map: values before and behind the modulation, inputs of two GELUs.
    coarse = 4 * s * g
    # Of a cell: input of GELU and of its convolution, and of the norm and the last product.
    fine = g * (2 * s + 2 * _FLOAT32 + (0 if is_float32 else 2))
    heat = POINTS * 2 * _FLOAT32  # Targets and log-softmax.
    return queries * (cells // 4 * coarse + cells * (fine + heat))
