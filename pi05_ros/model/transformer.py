"""The decoder layer of Gemma (arXiv 2403.08295), shared by the language model and the expert.

Both stacks differ in width and in their norm only. A layer attends to `memory`, the keys and
values of what came before, and to its own tokens. That one rule is the whole of the paper's joint
attention: the language model runs first and never sees the expert, so the expert's layer i is a
layer whose memory is the language model's layer i. It also is the cache of text decoding.

Shapes: B batch, L new tokens, S tokens in memory, H heads, K key-value heads, D head_dim, W width.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import LanguageConfig

NORM_EPSILON = 1e-6  # Gemma, and SigLIP's LayerNorm.
ROTARY_PERIOD = (
    10_000.0  # Longest wavelength / 2π of the rotary positions (RoPE, arXiv 2104.09864).
)


class LayerMemory(NamedTuple):
    """Keys and values of one layer."""

    keys: Tensor  # (B, K, S, D), positions rotated in.
    values: Tensor  # (B, K, S, D)


class Norm(Protocol):
    """What a layer needs of its norms."""

    def __call__(self, x: Tensor, modulation: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns x (B, L, W) normalised, and the gate (B, 1, W) of the residual; None: 1."""


class RMSNorm(nn.Module):
    """x / rms(x) · (1 + weight), computed in float32 (Gemma counts its weight from 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, modulation: Tensor | None = None) -> tuple[Tensor, None]:
        """Normalises x (B, L, W). `modulation` is for adaptive norms and must be None."""
        scale = 1.0 + self.weight.float()
        return F.rms_norm(x.float(), x.shape[-1:], scale, NORM_EPSILON).to(x.dtype), None


class Attention(nn.Module):
    """Grouped-query attention with rotary positions; no biases."""

    def __init__(self, width: int, heads: int, kv_heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, head_dim
        self.query = nn.Linear(width, heads * head_dim, bias=False)
        self.key = nn.Linear(width, kv_heads * head_dim, bias=False)
        self.value = nn.Linear(width, kv_heads * head_dim, bias=False)
        self.output = nn.Linear(heads * head_dim, width, bias=False)

    def remember(
        self,
        x: Tensor,
        rotation: Tensor,
        memory: LayerMemory | None,
        slots: Tensor | None = None,
    ) -> LayerMemory:
        """The memory with the keys and values of x (B, L, W).

        They stand at its end, (B, K, S + L, D). Where `slots` (L,) are given, they are written
        into these of its S positions instead, in place.
        """
        keys = rotate(self._split(self.key(x), self.kv_heads), rotation)  # (B, K, L, D)
        values = self._split(self.value(x), self.kv_heads)
        if memory is None:
            return LayerMemory(keys, values)
        if slots is not None:
            memory.keys.index_copy_(2, slots, keys)
            memory.values.index_copy_(2, slots, values)
            return memory
        return LayerMemory(
            torch.cat([memory.keys, keys], dim=2), torch.cat([memory.values, values], dim=2)
        )

    def forward(
        self, x: Tensor, rotation: Tensor, memory: LayerMemory, mask: Tensor | None
    ) -> Tensor:
        """Attends from x (B, L, W) to all of `memory` (its own keys included): (B, L, W)."""
        batch, length, _ = x.shape
        queries = rotate(self._split(self.query(x), self.heads), rotation)  # (B, H, L, D)
        # The heads that share keys are laid end to end, so that no key is copied.
        queries = queries.reshape(batch, self.kv_heads, -1, self.head_dim)  # (B, K, H/K·L, D)
        mixed = F.scaled_dot_product_attention(queries, memory.keys, memory.values, mask)
        mixed = mixed.reshape(batch, self.heads, length, self.head_dim).transpose(1, 2)
        return self.output(mixed.reshape(batch, length, -1))

    def _split(self, x: Tensor, heads: int) -> Tensor:
        """(B, L, heads · D) → (B, heads, L, D)."""
        return x.unflatten(-1, (heads, self.head_dim)).transpose(1, 2)


class GatedMLP(nn.Module):
    """down(gelu(gate(x)) · up(x)): GeGLU with the tanh form of GELU, as Gemma was trained."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, W) → (B, L, W)."""
        return self.down(F.gelu(self.gate(x), approximate="tanh") * self.up(x))


class DecoderLayer(nn.Module):
    """Norm, attention, residual; norm, MLP, residual.

    Args:
        width: W of this stack.
        mlp_width: Hidden width of its MLP.
        language: The language model's config: heads and head_dim are the same in both stacks.
        norm: Class of the two norms, called with the width.
    """

    def __init__(
        self, width: int, mlp_width: int, language: LanguageConfig, norm: type[nn.Module]
    ) -> None:
        super().__init__()
        self.attention_norm = norm(width)
        self.attention = Attention(width, language.heads, language.kv_heads, language.head_dim)
        self.mlp_norm = norm(width)
        self.mlp = GatedMLP(width, mlp_width)

    def forward(
        self,
        x: Tensor,
        rotation: Tensor,
        memory: LayerMemory | None = None,
        mask: Tensor | None = None,
        modulation: tuple[Tensor | None, Tensor | None] = (None, None),
        tail: int | None = None,
        slots: Tensor | None = None,
    ) -> tuple[Tensor, LayerMemory]:
        """Runs the layer.

        Args:
            x: Tokens, (B, L, W).
            rotation: Of their positions, from `rotation_of`.
            memory: Of earlier tokens, or None.
            mask: From `masks.attention_mask`; None: every token sees all.
            modulation: What the two norms adapt to; None for plain norms.
            tail: How many of the last tokens are wanted; None: all. The rest then only leave
                their keys and values. With 0, attention and MLP are not run at all.
            slots: Where in `memory` the tokens stand; None: at its end. See `Attention.remember`.

        Returns:
            The last `tail` tokens, (B, tail, W), and the memory with all of x in it.
        """
        normed, gate = self.attention_norm(x, modulation[0])
        memory = self.attention.remember(normed, rotation, memory, slots)
        if tail is not None:
            if tail > 0 and mask is not None:
                raise ValueError("tail and mask cannot be combined")
            x, normed = (tensor[:, tensor.shape[1] - tail :] for tensor in (x, normed))
            rotation = rotation[..., rotation.shape[-2] - tail :, :]
            if tail == 0:
                return x, memory
        x = _residual(x, self.attention(normed, rotation, memory, mask), gate)
        normed, gate = self.mlp_norm(x, modulation[1])
        return _residual(x, self.mlp(normed), gate), memory


def rotation_of(positions: Tensor, head_dim: int) -> Tensor:
    """Cosines and sines that rotate queries and keys to their positions.

    Args:
        positions: (B, L) or (L,) integers.
        head_dim: D.

    Returns:
        (2, B, 1, L, D) or (2, 1, L, D) float32: cosines, then sines, those of the first half of
        each vector negated.
    """
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32)
    frequencies = torch.exp(exponents * (-math.log(ROTARY_PERIOD) / head_dim))
    angles = positions[..., None, :, None].float() * frequencies
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cosines, cosines], dim=-1), torch.cat([-sines, sines], dim=-1)])


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotates the pairs (x_i, x_{i + D/2}) of x (B, heads, L, D) by their angles, in float32."""
    cosines, sines = rotation
    wide = x.float()
    return (wide * cosines + wide.roll(x.shape[-1] // 2, dims=-1) * sines).to(x.dtype)


def _residual(x: Tensor, update: Tensor, gate: Tensor | None) -> Tensor:
    """x + gate · update, (B, L, W)."""
    return x + update if gate is None else x + gate * update
