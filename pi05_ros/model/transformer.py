"""The decoder layer of Gemma (arXiv 2403.08295), shared by the language model and the expert.

The two stacks differ only in width and in their norm. A layer attends to a KV cache (keys and
values of earlier tokens) and to its own tokens. The paper's joint attention needs nothing else:
the language model runs first and never attends to the expert, so layer i of the expert is a layer
whose KV cache is the one of layer i of the language model. Text decoding uses the same cache.

Shapes: B batch, L new tokens, S cached tokens, H heads, K key-value heads, D head_dim, W width.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import LanguageConfig

NORM_EPSILON = 1e-6  # Gemma, and SigLIP's LayerNorm.
# Longest wavelength / 2π of the rotary positions (RoPE, arXiv 2104.09864).
ROPE_THETA = 10_000.0


class KVCache(NamedTuple):
    """Keys and values of one layer."""

    keys: Tensor  # (B, K, S, D), rotary positions applied.
    values: Tensor  # (B, K, S, D)


KVCaches: TypeAlias = tuple[KVCache, ...]  # One per layer.


class Norm(Protocol):
    """Interface of a layer's norms."""

    def __call__(self, x: Tensor, modulation: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return x (B, L, W) normalised, and the gate (B, 1 or L, W) of the residual; None: 1."""


class RMSNorm(nn.Module):
    """Root mean square norm, x / rms(x) · (1 + weight), computed in float32 as in Gemma.

    Args:
        width: W.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, modulation: Tensor | None = None) -> tuple[Tensor, None]:
        """Normalise x (B, L, W). `modulation` is for adaptive norms and must be None."""
        scale = 1.0 + self.weight.float()
        return F.rms_norm(x.float(), x.shape[-1:], scale, NORM_EPSILON).to(x.dtype), None


class Attention(nn.Module):
    """Grouped-query attention with rotary positions; no biases.

    Args:
        width: W.
        heads: H, of the queries.
        kv_heads: K, of keys and values; divides H.
        head_dim: D.
    """

    def __init__(self, width: int, heads: int, kv_heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, head_dim
        self.query = nn.Linear(width, heads * head_dim, bias=False)
        self.key = nn.Linear(width, kv_heads * head_dim, bias=False)
        self.value = nn.Linear(width, kv_heads * head_dim, bias=False)
        self.output = nn.Linear(heads * head_dim, width, bias=False)

    def append(
        self,
        x: Tensor,
        rotation: Tensor,
        cache: KVCache | None,
        slots: Tensor | None = None,
    ) -> KVCache:
        """Append the keys and values of new tokens to a KV cache.

        Args:
            x: New tokens, (B, L, W).
            rotation: From `rotation_of` their positions.
            cache: Of earlier tokens, S positions; None: there are none. Unchanged without `slots`.
            slots: (L,) int64 positions of `cache` that are overwritten in place, instead of
                appending; for caches of a fixed size.

        Returns:
            A new cache of S + L positions; with `slots`, `cache` itself.
        """
        keys = rotate(self._split(self.key(x), self.kv_heads), rotation)  # (B, K, L, D)
        values = self._split(self.value(x), self.kv_heads)  # (B, K, L, D)
        if cache is None:
            return KVCache(keys, values)
        if slots is not None:
            cache.keys.index_copy_(2, slots, keys)
            cache.values.index_copy_(2, slots, values)
            return cache
        return KVCache(
            torch.cat([cache.keys, keys], dim=2), torch.cat([cache.values, values], dim=2)
        )

    def forward(self, x: Tensor, rotation: Tensor, cache: KVCache, mask: Tensor | None) -> Tensor:
        """Attend from x (B, L, W) to all of `cache`, which includes the keys of x: (B, L, W)."""
        batch, length, _ = x.shape
        queries = rotate(self._split(self.query(x), self.heads), rotation)  # (B, H, L, D)
        # Heads that share keys are concatenated along the queries, so that no key is copied.
        queries = queries.reshape(batch, self.kv_heads, -1, self.head_dim)  # (B, K, H/K·L, D)
        mixed = F.scaled_dot_product_attention(queries, cache.keys, cache.values, mask)
        mixed = mixed.reshape(batch, self.heads, length, self.head_dim)
        mixed = mixed.transpose(1, 2)  # (B, L, H, D)
        return self.output(mixed.reshape(batch, length, -1))

    def _split(self, x: Tensor, heads: int) -> Tensor:
        """Split x (B, L, heads · D) into heads, (B, heads, L, D)."""
        return x.unflatten(-1, (heads, self.head_dim)).transpose(1, 2)


class GatedMLP(nn.Module):
    """GeGLU, down(gelu(gate(x)) · up(x)), with the tanh form of GELU as Gemma was trained.

    Args:
        width: W.
        hidden: Width between the two linear maps.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the MLP to each token: (B, L, W) → (B, L, W)."""
        return self.down(F.gelu(self.gate(x), approximate="tanh") * self.up(x))


class DecoderLayer(nn.Module):
    """A pre-norm decoder layer: norm, attention, residual; norm, MLP, residual.

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
        cache: KVCache | None = None,
        mask: Tensor | None = None,
        modulation: tuple[Tensor | None, Tensor | None] = (None, None),
        tail: int | None = None,
        slots: Tensor | None = None,
    ) -> tuple[Tensor, KVCache]:
        """Run the layer.

        Args:
            x: Tokens, (B, L, W).
            rotation: From `rotation_of` their positions.
            cache: Of earlier tokens, or None.
            mask: From `masks.attention_mask`; None: every token attends to all.
            modulation: Inputs of the two adaptive norms; None for plain norms.
            tail: Number of last tokens to return; None: all. The others only add their keys and
                values to the cache. With 0, attention and MLP are not run.
            slots: Positions of `cache` to overwrite; None: append. See `Attention.append`.

        Returns:
            The last `tail` tokens, (B, tail, W), and the cache with all of x appended.

        Raises:
            ValueError: Both `mask` and a positive `tail` are given.
        """
        normed, gate = self.attention_norm(x, modulation[0])
        cache = self.attention.append(normed, rotation, cache, slots)
        if tail is not None:
            if tail > 0 and mask is not None:
                raise ValueError("tail and mask cannot be combined")
            x, normed = (tensor[:, tensor.shape[1] - tail :] for tensor in (x, normed))
            rotation = rotation[..., rotation.shape[-2] - tail :, :]
            if tail == 0:
                return x, cache
        x = _residual(x, self.attention(normed, rotation, cache, mask), gate)
        normed, gate = self.mlp_norm(x, modulation[1])
        return _residual(x, self.mlp(normed), gate), cache


def rotation_of(positions: Tensor, head_dim: int) -> Tensor:
    """Return the cosines and sines that rotate queries and keys to their positions.

    Args:
        positions: (B, L) or (L,) integers.
        head_dim: D.

    Returns:
        (2, B, 1, L, D) or (2, 1, L, D) float32: cosines, then sines, those of the first half of
        each vector negated.
    """
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32)
    frequencies = torch.exp(exponents * (-math.log(ROPE_THETA) / head_dim))
    angles = positions[..., None, :, None].float() * frequencies
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cosines, cosines], dim=-1), torch.cat([-sines, sines], dim=-1)])


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate the pairs (x_i, x_{i + D/2}) of x (B, heads, L, D) by their angles, in float32."""
    cosines, sines = rotation
    wide = x.float()
    return (wide * cosines + wide.roll(x.shape[-1] // 2, dims=-1) * sines).to(x.dtype)


def _residual(x: Tensor, update: Tensor, gate: Tensor | None) -> Tensor:
    """Return x + gate · update, (B, L, W)."""
    return x + update if gate is None else x + gate * update
