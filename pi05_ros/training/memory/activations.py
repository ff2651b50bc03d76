"""Bytes of the tensors that one pass keeps for its backward pass.

The formulas count the tensors that autograd saves in `model` as it is written. Notation of the
comments: W width, H heads, D width of a head, K key-value heads, M width of the MLP, s bytes of a
product (4 in float32, 2 under autocast to bfloat16). Under autocast the residual stream and the
norms stay float32, and each linear map keeps its own bfloat16 copy of its input.
"""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.model.config import ModelConfig
from pi05_ros.training.memory.compact_activations import (
    heat_map_bytes,
    prefix_tokens,
    tower_bytes,
)

_FLOAT32 = 4  # [byte]


@dataclass(frozen=True)
class PassSize:
    """Size of one forward and backward pass of one process."""

    samples: int  # B.
    pictures: int  # Of each sample.
    prompt: int  # [token], padded.
    targets: int  # [token], padded: text and FAST.
    flow_samples: int  # Chunks of the expert for each sample; 0: none.
    is_float32: bool  # False: autocast to bfloat16.
    recomputes: bool  # Layers keep only their inputs.
    trains_all: bool = True  # False: LoRA; pictures and embeddings need no gradient.
    queries: int = 0  # Of each sample, in all of its pictures; with grounding only.


@dataclass(frozen=True)
class Activations:
    """Bytes at the largest moment of a pass, by part."""

    vision: int
    language: int
    expert: int
    logits: int  # Of the targets, with their gradient.
    transient: int  # Of the layer that the backward pass is in.
    grounding: int = 0  # Heat maps.

    @property
    def total(self) -> int:
        """Sum of the parts; logits are gone when the layers' backward passes run."""
        kept = self.vision + self.grounding + self.language + self.expert
        return kept + max(self.logits, self.transient)


def activations(config: ModelConfig, size: PassSize) -> Activations:
    """Return the bytes that a pass keeps, at its longest prompts and targets."""
    s = _FLOAT32 if size.is_float32 else 2
    language = config.language
    positions = prefix_tokens(config, size.pictures) + size.prompt + size.targets  # S of a sample.
    tokens = size.samples * positions
    kv = 2 * s * language.kv_heads * language.head_dim  # Keys and values of a token, a layer.

    of_vision, of_grounding, widest_vision = _pictures(config, size)

    per_token = _decoder_layer(config, language.width, language.mlp_width, size.is_float32, False)
    kept = _FLOAT32 * language.width + kv if size.recomputes else per_token
    heads_per_key = language.heads // language.kv_heads
    mask = size.samples * heads_per_key * positions * positions * s
    of_language = tokens * (kept * language.depth + 3 * _FLOAT32 * language.width) + mask

    of_expert, widest_expert = 0, 0
    chunks = size.samples * size.flow_samples
    if config.has_expert and chunks:
        expert = config.required_expert()
        own = chunks * config.horizon
        per_action = _decoder_layer(config, expert.width, expert.mlp_width, size.is_float32, True)
        # Each layer concatenates the prefix's keys and values to its own; the rows are copies.
        joined = chunks * (positions + config.horizon) * kv
        copied = chunks * positions * kv
        widest_expert = own * per_action + joined
        each = own * _FLOAT32 * expert.width if size.recomputes else widest_expert
        mask = chunks * heads_per_key * config.horizon * (positions + config.horizon) * s
        of_expert = language.depth * (each + copied) + mask

    # Logits as product and float32, their log-softmax, and the gradient of each.
    of_logits = size.samples * size.targets * language.vocabulary * (2 * s + 3 * _FLOAT32)
    if size.is_float32:
        of_logits = size.samples * size.targets * language.vocabulary * 3 * _FLOAT32
    # A recomputed layer is there as a whole, and gradients of the widest activations beside it.
    widest = max(
        widest_vision,
        tokens * per_token,
        widest_expert,
    )
    transient = widest * (2 if size.recomputes else 1) // (1 if size.recomputes else 2)
    return Activations(of_vision, of_language, of_expert, of_logits, transient, of_grounding)


def _pictures(config: ModelConfig, size: PassSize) -> tuple[int, int, int]:
    """Bytes of the picture tower, of the heat maps, and of the tower's widest layer."""
    if not size.trains_all:
        return 0, 0, 0
    if config.compact_vision is not None:
        tower = tower_bytes(config, size.pictures, size.is_float32)
        heat = heat_map_bytes(config, size.pictures, size.queries, size.is_float32)
        return size.samples * tower, size.samples * heat, 0
    vision = config.vision
    patches = size.samples * size.pictures * vision.tokens
    per_patch = _vision_layer(vision.width, vision.mlp_width, size.is_float32)
    kept = _FLOAT32 * vision.width if size.recomputes else per_patch
    # Before the layers the pixels as float32, behind them the norm and the projected tokens.
    pixels = 3 * vision.patch_size**2 * _FLOAT32
    ends = pixels + 2 * _FLOAT32 * vision.width + 2 * _FLOAT32 * config.language.width
    return patches * (kept * vision.depth + ends), 0, patches * per_patch


def _decoder_layer(
    config: ModelConfig, width: int, mlp_width: int, is_float32: bool, adaptive: bool
) -> int:
    """Bytes that a layer of the language model or the expert keeps for a token."""
    language = config.language
    s = _FLOAT32 if is_float32 else 2
    queries = language.heads * language.head_dim
    keys = language.kv_heads * language.head_dim
    # Two norms: input and normalised values, W each; outputs are kept once in float32, or as
    # copies of the five maps that read them.
    norms = 2 * 2 * _FLOAT32 * width
    inputs = 2 * _FLOAT32 * width if is_float32 else 5 * 2 * width
    # Queries, keys, values, and the attended values in both layouts.
    attention = s * (3 * queries + 2 * keys)
    # Gate, its GELU, up, and their product.
    mlp = s * 4 * mlp_width
    gated = 2 * s * width if adaptive else 0  # Updates that a gate multiplies.
    return norms + inputs + attention + mlp + gated


def _vision_layer(width: int, mlp_width: int, is_float32: bool) -> int:
    """Bytes that a layer of the picture tower keeps for a patch."""
    s = _FLOAT32 if is_float32 else 2
    norms = 2 * _FLOAT32 * width
    inputs = 2 * _FLOAT32 * width if is_float32 else 4 * 2 * width
    attention = s * 5 * width
    return norms + inputs + attention + s * 2 * mlp_width
