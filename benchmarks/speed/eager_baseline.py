"""Plain eager torch implementation of π0.5 after the paper, the baseline of the benchmark.

It computes the same numbers as `Pi05` from the same tensors, by name, in the way of the public
PyTorch code:

* one pass over all cameras in a batch, one over the prefix, a key-value cache for both heads;
* the cache is extended by concatenation; shared keys are repeated for each head;
* attention is matmul, mask, softmax in float32, matmul; RMSNorm and rotary positions are separate
  operations; the mask and the rotary angles are computed once per pass, not per layer;
* every flow step embeds its time, runs the time MLP and every layer's adaptive projection;
* with `padded`, as in the public code: the prompt is padded to `max_prompt_tokens`, every camera
  has its slot, and masks exclude padding. Without, nothing is padded or masked.

A compact tower and its heat maps are the model's own modules, called for all cameras at once, and
padding is of the prompt alone.

It is not slow on purpose: no loop over heads, tokens or batches, no unnecessary copy, no autograd,
one synchronisation per token. It does not fuse, compile, skip unused results, or cache anything
between requests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pi05_ros.cameras.model_input import reduced
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import PAD

from .implementations import ChunkRun, Pictures, TextRun
from .timing import Watch
from .workload import Workload

Cache = list[tuple[Tensor, Tensor]]  # Per layer: keys and values, (1, K, S, D).


@dataclass(frozen=True)
class _Prefix:
    """A prefilled scene."""

    hidden: Tensor  # (1, S, W), normed.
    cache: Cache
    valid: Tensor | None  # (1, S) bool; None: nothing is padded.
    last: int  # Index of the last token of the prompt.


class EagerBaseline:
    """The baseline as an Implementation.

    Args:
        model: Sizes and weights; the tensors are shared if the dtype is the same.
        workload: The request.
        padded: Whether prompt and cameras are padded, as in the public code.
        dtype: Of weights and arithmetic; None: the model's.
    """

    def __init__(
        self, model: Pi05, workload: Workload, *, padded: bool, dtype: torch.dtype | None = None
    ) -> None:
        self.name = "baseline, padded" if padded else "baseline, not padded"
        self._workload = workload
        self._config = model.config
        self._model = model
        self._padded = padded
        self._weights = {
            name: parameter.detach().to(dtype or parameter.dtype)
            for name, parameter in model.named_parameters()
        }
        embedding = self._weights["language.embedding.weight"]
        self._device, self._dtype = embedding.device, embedding.dtype

    # Interface

    @torch.inference_mode()
    def chunk(self, pictures: Pictures) -> ChunkRun:
        """See Implementation."""
        watch = Watch(self._device)
        embedded = self.embed_pictures(pictures, points=True)
        watch.lap("pictures")
        prefix = self.prefill(embedded)
        watch.lap("prefix")
        x = self._workload.noise.to(self._device)
        steps = self._config.flow_steps
        for step in range(steps):
            time = torch.tensor([1.0 - step / steps], dtype=torch.float32, device=self._device)
            x = x - self.velocity(x, time, prefix) / steps
        actions = x[0].cpu()
        watch.lap("generation")
        return ChunkRun(actions, watch.laps())

    @torch.inference_mode()
    def text(self, pictures: Pictures, keep_logits: bool = False) -> TextRun:
        """See Implementation."""
        watch = Watch(self._device)
        embedded = self.embed_pictures(pictures)
        watch.lap("pictures")
        prefix = self.prefill(embedded)
        watch.lap("prefix")
        cache, valid = prefix.cache, prefix.valid
        hidden = prefix.hidden[:, prefix.last]
        tokens: list[int] = []
        kept: list[Tensor] = []
        while True:
            logits = F.linear(hidden, self._weights["language.embedding.weight"]).float()
            tokens.append(int(logits.argmax()))
            if keep_logits:
                kept.append(logits[0].cpu())
            if len(tokens) == self._workload.tokens:
                break
            hidden, cache, valid = self.decode_step(tokens[-1], cache, valid)
        watch.lap("generation")
        return TextRun.of_logits(tokens, watch.laps(), kept)

    # Parts, in the order in which they run

    def embed_pictures(self, pictures: Pictures, points: bool = False) -> Tensor:
        """Embed pictures as (1, cameras · tokens, W); with `padded`, free slots are black.

        Args:
            pictures: By camera.
            points: Whether pictures of a model with heat maps have point tokens.
        """
        if self._config.compact_vision is not None:
            return self._embed_compact(pictures, points)
        images = list(pictures.values())
        if self._padded:
            images += [np.zeros_like(images[0])] * (self._workload.slots - len(images))
        batch = torch.from_numpy(np.stack(images)).to(self._device)
        batch = batch.permute(0, 3, 1, 2).to(torch.float32) / 255.0 * 2.0 - 1.0
        w, config = self._weights, self._config.vision
        x = F.conv2d(
            batch.to(self._dtype),
            w["vision.patch_embedding.weight"],
            w["vision.patch_embedding.bias"],
            stride=config.patch_size,
        )
        x = x.flatten(2).transpose(1, 2) + w["vision.position_embedding"]  # (N, T, W)
        for index in range(config.depth):
            layer = f"vision.layers.{index}."
            normed = self._layer_norm(x, layer + "attention_norm")
            queries, keys, values = (
                self._linear(normed, layer + f"attention.{name}")
                .unflatten(-1, (config.heads, -1))
                .transpose(1, 2)
                for name in ("query", "key", "value")
            )
            mixed = _attend(queries, keys, values, None).transpose(1, 2).flatten(2)
            x = x + self._linear(mixed, layer + "attention.output")
            normed = self._layer_norm(x, layer + "mlp_norm")
            hidden = F.gelu(self._linear(normed, layer + "mlp_in"), approximate="tanh")
            x = x + self._linear(hidden, layer + "mlp_out")
        x = self._linear(self._layer_norm(x, "vision.norm"), "vision.projector")
        return x.flatten(0, 1)[None]

    def _embed_compact(self, pictures: Pictures, points: bool) -> Tensor:
        """Embed pictures with a compact tower, (1, S, W)."""
        images = np.zeros((len(pictures), *self._config.picture_size, 3), np.uint8)
        for row, (camera, picture) in enumerate(pictures.items()):
            small = reduced(picture, self._config.reduction_of(camera))
            images[row, : small.shape[0], : small.shape[1]] = small
        batch = torch.from_numpy(images).permute(0, 3, 1, 2)
        embedded = self._model.embed_pictures(batch, torch.tensor(self._workload.views))
        if points and self._config.grounding is not None:
            query = torch.tensor([self._workload.ids[1:]] * len(images), device=self._device)
            valid = torch.ones_like(query, dtype=torch.bool)
            embedded = self._model.with_points(embedded, query, valid)
        if embedded.valid is None:
            return embedded.tokens.flatten(0, 1)[None]
        return embedded.tokens[embedded.valid][None]

    def prefill(self, embedded: Tensor) -> _Prefix:
        """Prefill the cache with embedded pictures (1, P, W) and the prompt."""
        ids, config = list(self._workload.ids), self._config
        last = embedded.shape[1] + len(ids) - 1
        valid = None
        if self._padded:
            present = embedded.shape[1]
            if config.compact_vision is None:
                present = self._workload.cameras * config.vision.tokens
            padding = config.max_prompt_tokens - len(ids)
            ids += [PAD] * padding
            flags = torch.ones(1, embedded.shape[1] + len(ids), dtype=torch.bool)
            flags[:, present : embedded.shape[1]] = False
            flags[:, last + 1 :] = False
            valid = flags.to(self._device)
        x = torch.cat([embedded, self._embed(ids)], dim=1)
        if valid is None:
            positions = torch.arange(x.shape[1], device=self._device)[None]
            hidden, cache = self._language(x, positions, None, None)
        else:
            positions = valid.cumsum(dim=1) - 1
            hidden, cache = self._language(x, positions, _bias(valid[:, None, None]), None)
        return _Prefix(hidden, cache, valid, last)

    def decode_step(
        self, token: int, cache: Cache, valid: Tensor | None
    ) -> tuple[Tensor, Cache, Tensor | None]:
        """Append one token: return its hidden state (1, W), the cache and the mask."""
        if valid is None:
            position = torch.tensor([[cache[0][0].shape[2]]], device=self._device)
            bias = None
        else:
            position = valid.sum(dim=1, keepdim=True)
            valid = torch.cat([valid, valid.new_ones(1, 1)], dim=1)
            bias = _bias(valid[:, None, None])
        hidden, cache = self._language(self._embed([token]), position, bias, cache)
        return hidden[:, -1], cache, valid

    def velocity(self, noisy: Tensor, time: Tensor, prefix: _Prefix) -> Tensor:
        """Predict ω − a for noisy actions (1, horizon, dim) at time t (1,), 1 being noise."""
        w, config = self._weights, self._config
        condition = _time_embedding(time, config.required_expert().width).to(self._dtype)
        condition = F.silu(self._linear(condition, "expert.time_in"))
        condition = F.silu(self._linear(condition, "expert.time_out"))[:, None]  # (1, 1, W)
        x = self._linear(noisy.to(self._dtype), "expert.action_in")
        horizon, length = noisy.shape[1], prefix.cache[0][0].shape[2]
        steps = torch.arange(horizon, device=self._device)[None]
        bias = None
        if prefix.valid is None:
            positions = length + steps
        else:
            positions = prefix.valid.sum(dim=1, keepdim=True) + steps
            allowed = torch.cat([prefix.valid, prefix.valid.new_ones(1, horizon)], dim=1)
            bias = _bias(allowed[:, None, None])
        angles = _angles(positions, config.language.head_dim, self._dtype)
        for index, past in enumerate(prefix.cache):
            layer = f"expert.layers.{index}."
            normed, gate = self._adaptive_norm(x, condition, layer + "attention_norm")
            mixed, _ = self._attention(normed, layer, angles, bias, past)
            x = x + gate * mixed
            normed, gate = self._adaptive_norm(x, condition, layer + "mlp_norm")
            x = x + gate * self._mlp(normed, layer)
        x, _ = self._adaptive_norm(x, condition, "expert.norm")
        return F.linear(x, w["expert.action_out.weight"], w["expert.action_out.bias"]).float()

    # Layers

    def _language(
        self, x: Tensor, positions: Tensor, bias: Tensor | None, cache: Cache | None
    ) -> tuple[Tensor, Cache]:
        """Run all layers of the language model on new tokens (1, L, W)."""
        angles = _angles(positions, self._config.language.head_dim, self._dtype)
        extended: Cache = []
        for index in range(self._config.language.depth):
            layer = f"language.layers.{index}."
            past = cache[index] if cache else None
            normed = self._rms_norm(x, layer + "attention_norm")
            mixed, present = self._attention(normed, layer, angles, bias, past)
            extended.append(present)
            x = x + mixed
            x = x + self._mlp(self._rms_norm(x, layer + "mlp_norm"), layer)
        return self._rms_norm(x, "language.norm"), extended

    def _attention(
        self,
        x: Tensor,
        layer: str,
        angles: tuple[Tensor, Tensor],
        bias: Tensor | None,
        past: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Attend from x (1, L, W) to the cache and to itself."""
        config = self._config.language
        queries, keys, values = (
            self._linear(x, f"{layer}attention.{name}")
            .unflatten(-1, (-1, config.head_dim))
            .transpose(1, 2)
            for name in ("query", "key", "value")
        )
        queries, keys = _rotate(queries, angles), _rotate(keys, angles)
        if past is not None:
            keys = torch.cat([past[0], keys], dim=2)
            values = torch.cat([past[1], values], dim=2)
        repeats = config.heads // config.kv_heads
        mixed = _attend(queries, _repeat(keys, repeats), _repeat(values, repeats), bias)
        mixed = mixed.transpose(1, 2).flatten(2)
        return self._linear(mixed, layer + "attention.output"), (keys, values)

    def _mlp(self, x: Tensor, layer: str) -> Tensor:
        gate = F.gelu(self._linear(x, layer + "mlp.gate"), approximate="tanh")
        return self._linear(gate * self._linear(x, layer + "mlp.up"), layer + "mlp.down")

    def _embed(self, ids: list[int]) -> Tensor:
        """Embed token ids as (1, L, W)."""
        tokens = torch.tensor([ids], device=self._device)
        embedded = F.embedding(tokens, self._weights["language.embedding.weight"])
        return embedded * math.sqrt(self._config.language.width)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._weights[name + ".weight"], self._weights.get(name + ".bias"))

    def _layer_norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[name + ".weight"], self._weights[name + ".bias"]
        return F.layer_norm(x, x.shape[-1:], weight, bias, 1e-6)

    def _rms_norm(self, x: Tensor, name: str) -> Tensor:
        return (_normed(x) * (1.0 + self._weights[name + ".weight"].float())).to(x.dtype)

    def _adaptive_norm(self, x: Tensor, condition: Tensor, name: str) -> tuple[Tensor, Tensor]:
        """Return normed tokens and the gate of the residual."""
        modulation = self._linear(condition, name + ".modulation")
        scale, shift, gate = modulation.chunk(3, dim=-1)
        return (_normed(x) * (1.0 + scale.float()) + shift.float()).to(x.dtype), gate


def _normed(x: Tensor) -> Tensor:
    """Return x / rms(x) in float32."""
    x = x.float()
    return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-6)


def _bias(allowed: Tensor) -> Tensor:
    """Convert a boolean mask to an additive one: 0 where allowed, -inf elsewhere, float32."""
    return torch.zeros(allowed.shape, device=allowed.device).masked_fill(~allowed, -torch.inf)


def _repeat(x: Tensor, repeats: int) -> Tensor:
    """Repeat heads, (1, K, S, D) → (1, K · repeats, S, D)."""
    return x if repeats == 1 else x.repeat_interleave(repeats, dim=1)


def _attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """Softmax attention of (N, H, L, D) to (N, H, S, D)."""
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    if bias is not None:
        scores = scores + bias
    return scores.softmax(dim=-1, dtype=torch.float32).to(queries.dtype) @ values


def _angles(positions: Tensor, head_dim: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines (1, 1, L, D) of positions (1, L), each half holding the same angles."""
    exponents = torch.arange(0, head_dim, 2, device=positions.device).float() / head_dim
    angles = positions[..., None].float() / 10_000.0**exponents
    angles = torch.cat([angles, angles], dim=-1)[:, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _rotate(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Apply rotary positions to x (1, H, L, D)."""
    first, second = x.chunk(2, dim=-1)
    return x * angles[0] + torch.cat([-second, first], dim=-1) * angles[1]


def _time_embedding(time: Tensor, width: int) -> Tensor:
    """Sines, then cosines of t (1,) at periods from 4e-3 to 4, in float64: (1, width)."""
    fractions = torch.linspace(0, 1, width // 2, dtype=torch.float64, device=time.device)
    angles = time.double()[:, None] * 2 * math.pi / (4e-3 * (4.0 / 4e-3) ** fractions)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
