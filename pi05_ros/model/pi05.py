"""The whole π0.5 model: it encodes a scene once, then decodes text or samples actions.

pictures ─ VisionTower ┐
   (heat maps ─ points)┤
                       ├─ LanguageModel ─ hidden states ─ logits ─ boxes, subtask, FAST tokens
prompt, state ─ embed ─┘        │
                          keys and values of every layer
                                │
noise ─────────────────── ActionExpert ─ velocity ─ ten Euler steps ─ actions

A small model has a CompactTower, and may have a GroundingHead: heat maps of what the prompt names,
whose peaks are tokens before each picture's others.

π0 differs in its expert, and in the state, which is a token of that expert (`append_state_token`).
π0-FAST is the upper half alone.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from pi05_ros.errors import Pi05Error
from pi05_ros.model import flow, masks
from pi05_ros.model.compact_vision import CompactTower, FeatureMaps, Pictures
from pi05_ros.model.config import ModelConfig, Variant
from pi05_ros.model.context import Context
from pi05_ros.model.expert import ActionExpert, Pi05Expert
from pi05_ros.model.grounding import GroundingHead
from pi05_ros.model.language import LanguageModel
from pi05_ros.model.pi0_expert import Pi0Expert
from pi05_ros.model.vision import VisionTower


class VariantError(Pi05Error):
    """An operation that the model's variant does not support.

    Args:
        variant: Of the model.
        problem: The missing part and the alternative, as one clause.
    """

    def __init__(self, variant: Variant, problem: str) -> None:
        self.variant = variant
        super().__init__(f"a model of the variant '{variant}' {problem}")


class Pi05(nn.Module):
    """The model, with random weights; `checkpoints.checkpoint` loads trained ones.

    If `config.has_expert` is False there is no `expert`, and methods that need it raise
    VariantError.

    Args:
        config: Sizes and variant.
    """

    expert: ActionExpert
    vision: VisionTower | CompactTower
    grounding: GroundingHead

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        if config.compact_vision is None:
            self.vision = VisionTower(config.vision, config.language.width)
        else:
            self.vision = CompactTower(config.compact_vision, config.language.width)
        if config.grounding is not None:
            self.grounding = GroundingHead(config)
        self.language = LanguageModel(config.language)
        if config.has_expert:
            self.expert = Pi05Expert(config) if config.variant == "pi05" else Pi0Expert(config)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.language.embedding.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the weights."""
        return self.language.embedding.weight.dtype

    def embed_images(self, images: Tensor) -> Tensor:
        """Embed pictures with the SigLIP tower.

        Args:
            images: (N, 3, image_size, image_size) uint8 rgb.

        Returns:
            (N, tokens, W).

        Raises:
            ValueError: The model has a compact tower; see `embed_pictures`.
        """
        if not isinstance(self.vision, VisionTower):
            raise ValueError("a compact tower needs the camera of each picture: embed_pictures")
        return self.vision(self._scaled(images))

    def embed_pictures(self, images: Tensor, views: Tensor | None = None) -> Pictures:
        """Embed pictures with either tower.

        Args:
            images: (N, 3, height, width) uint8 rgb, of `config.picture_size`; a reduced picture is
                in the upper left corner.
            views: (N,) int64 from `config.view_of`; None: all of view 0.
        """
        if isinstance(self.vision, VisionTower):
            return Pictures(self.embed_images(images))
        if views is None:
            views = torch.zeros(len(images), dtype=torch.long)
        return self.vision(self._scaled(images), views.to(self.device))

    def ground(self, pictures: Pictures, queries: Tensor, valid: Tensor) -> list[Tensor]:
        """Compute heat maps of the same number of texts in each picture.

        Args:
            pictures: N pictures, from `embed_pictures`.
            queries: Ids of Q texts for each picture, (N, Q, L) int64.
            valid: (N, Q, L) bool, False for padding.

        Returns:
            For each of `pictures.maps` the logits (n, Q, POINTS, h · w + 1); see `grounding`.

        Raises:
            ValueError: The model has no grounding.
        """
        count, each = queries.shape[:2]
        which = torch.arange(count, device=queries.device).repeat_interleave(each)
        found = self.ground_pairs(pictures, which, queries.flatten(0, 1), valid.flatten(0, 1))
        # Pairs of a picture stand together, pictures of one size in the order of their rows.
        return [logits.unflatten(0, (-1, each)) for _, logits in found]

    def ground_pairs(
        self, pictures: Pictures, which: Tensor, queries: Tensor, valid: Tensor
    ) -> list[tuple[Tensor, Tensor]]:
        """Compute heat maps of pairs of a picture and a text.

        Args:
            pictures: N pictures, from `embed_pictures`.
            which: Picture of each of M pairs, (M,) int64.
            queries: Text of each, (M, L) int64.
            valid: (M, L) bool, False for padding.

        Returns:
            For each of `pictures.maps` its pairs, (m,) int64, and their logits
            (m, POINTS, h · w + 1).

        Raises:
            ValueError: The model has no grounding.
        """
        self.config.required_grounding()
        read = self.grounding.query(self.language.embed(queries), valid)
        found = []
        for maps in pictures.maps:
            pairs, inside = _pairs_of(maps, which, len(pictures.tokens))
            found.append((pairs, self.grounding(maps, inside, read[pairs])))
        return found

    def with_points(self, pictures: Pictures, query: Tensor, valid: Tensor) -> Pictures:
        """Put a token before each picture's others that tells where a text's things are in it.

        Args:
            pictures: N pictures.
            query: Ids of a text for each picture, (N, L) int64.
            valid: (N, L) bool; a picture without any token gets no token.
        """
        count, length, width = pictures.tokens.shape
        first = pictures.tokens.new_zeros(count, width)
        shown = valid.any(dim=1)
        which = shown.nonzero()[:, 0]
        found = self.ground_pairs(pictures, which, query[which], valid[which])
        for maps, (pairs, logits) in zip(pictures.maps, found, strict=True):
            _, inside = _pairs_of(maps, which, count)
            tokens = self.grounding.tokens(maps, inside, logits)
            first = first.index_put((which[pairs],), tokens.to(first.dtype))
        others = pictures.valid
        if others is None and len(which) < count:
            others = torch.ones(count, length, dtype=torch.bool, device=first.device)
        tokens = torch.cat([first[:, None], pictures.tokens], dim=1)
        if others is not None:
            others = torch.cat([shown[:, None], others], dim=1)
        return replace(pictures, tokens=tokens, valid=others)

    def _scaled(self, images: Tensor) -> Tensor:
        """Scale uint8 pictures to [-1, 1], on the device and in the dtype of the weights."""
        scaled = images.to(self.device).to(torch.float32) / 255.0 * 2.0 - 1.0
        return scaled.to(self.dtype)

    def prefill(
        self,
        embeddings: Tensor,
        valid: Tensor | None = None,
        targets: int = 0,
        tail: int | None = None,
    ) -> tuple[Tensor, Context]:
        """Run the language model over a whole sequence and fill its KV caches.

        The sequence is pictures, then the prompt with the state, and in training the targets.

        Args:
            embeddings: (B, S, W), the pictures' tokens first.
            valid: (B, S) bool, False for padding and for pictures of missing cameras; None: all
                positions are valid, and no mask is needed.
            targets: Number of last positions that are targets, with causal attention.
            tail: Number of last hidden states to return; None: all. 0: none, if only the expert
                uses the context; 1: if text is decoded next. With padding or targets only 0 or
                None.

        Returns:
            Normed hidden states (B, S, W), or (B, tail, W), and the context.
        """
        batch, length, _ = embeddings.shape
        if valid is None and not targets:
            positions = torch.arange(length, device=embeddings.device)
            hidden, caches = self.language(embeddings, positions, tail=tail)
            return hidden, Context(caches)
        if valid is None:
            valid = torch.ones(batch, length, dtype=torch.bool, device=embeddings.device)
        blocks = masks.blocks_of(length - targets, targets, embeddings.device)
        mask = self._mask(masks.block_causal_mask(blocks, blocks, valid), embeddings.dtype)
        positions = masks.positions_of(valid)
        hidden, caches = self.language(embeddings, positions, mask=mask, tail=tail)
        return hidden, Context(caches, valid, targets)

    def decode_step(self, tokens: Tensor, context: Context) -> tuple[Tensor, Context]:
        """Append one text token per row to an unpadded context.

        Args:
            tokens: (B, 1) ids.
            context: Not changed.

        Returns:
            Logits of the next token, (B, vocabulary), and the extended context.

        Raises:
            ValueError: The context is padded, or holds a state token.
        """
        if context.valid is not None or context.has_state:
            raise ValueError("text is decoded on an unpadded context without a state only")
        positions = torch.arange(context.length, context.length + 1, device=tokens.device)
        hidden, caches = self.language(
            self.language.embed(tokens), positions, caches=context.caches
        )
        return self.language.logits(hidden[:, -1]), Context(caches)

    def decode_step_at(self, token: Tensor, slot: Tensor, context: Context) -> Tensor:
        """Write one text token into a context of fixed size: shapes are the same for every token.

        Args:
            token: (1, 1) id.
            slot: (1,) position of the KV caches that is overwritten in place.
            context: Of batch 1. `valid` (1, S) marks the positions in use, the token's included.

        Returns:
            Logits of the next token, (1, vocabulary).

        Raises:
            ValueError: The context has no `valid`.
        """
        if context.valid is None:
            raise ValueError("wanted a context of fixed size with `valid`, found none")
        position = context.valid.sum(dim=1, keepdim=True) - 1
        hidden, _ = self.language(
            self.language.embed(token),
            position,
            caches=context.caches,
            mask=self._mask(context.valid[:, None], context.caches[0].keys.dtype),
            slots=slot,
        )
        return self.language.logits(hidden[:, -1])

    def append_state_token(self, context: Context, state: Tensor) -> Context:
        """Append the expert's state token to the context (π0 only).

        Args:
            context: Of pictures and prompt. Not changed.
            state: Normalised and padded, (B, action_dim).

        Returns:
            The context with the state token at its end; for `velocity`, not for text.

        Raises:
            VariantError: The model is not a π0.
            ValueError: The context has a state token already.
        """
        expert = self._need_expert()
        if not isinstance(expert, Pi0Expert):
            raise VariantError(self.config.variant, "reads the state in its prompt")
        if context.has_state:
            raise ValueError("the context has a state token already")
        positions, mask = self._expert_positions_and_mask(context, 1, state.device)
        caches = expert.append_state_token(state, positions, context.caches, mask)
        valid = context.valid
        if valid is not None:
            valid = torch.cat([valid, valid.new_ones(len(valid), 1)], dim=1)
        return replace(context, caches=caches, valid=valid, has_state=True)

    def velocity(self, noisy: Tensor, modulation: Tensor, context: Context) -> Tensor:
        """Predict ω − a with the expert.

        Args:
            noisy: a^τ, (B, horizon, action_dim).
            modulation: `modulate(tau)`, of the same batch or of batch 1.
            context: Of the same batch; for π0 from `append_state_token`.

        Returns:
            (B, horizon, action_dim) float32.

        Raises:
            VariantError: The model has no expert, or is a π0 and the context has no state token.
        """
        expert = self._need_expert()
        if isinstance(expert, Pi0Expert) and not context.has_state:
            raise VariantError(
                self.config.variant, "needs the state; call append_state_token first"
            )
        positions, mask = self._expert_positions_and_mask(context, noisy.shape[1], noisy.device)
        return expert(noisy, modulation, positions, context.caches, mask)

    def sample_actions(
        self, context: Context, noise: Tensor, steps: int, modulation: Tensor | None = None
    ) -> Tensor:
        """Sample a chunk by integrating the flow from noise.

        Args:
            context: Of the scene; for π0 from `append_state_token`.
            noise: ω, (B, horizon, action_dim) float32.
            steps: Euler steps.
            modulation: `modulations(steps)`, if precomputed; None: computed here.

        Returns:
            Normalised actions, (B, horizon, action_dim) float32.
        """
        if modulation is None:
            modulation = self.modulations(steps)
        return flow.integrate(
            lambda noisy, step: self.velocity(noisy, modulation[:, step : step + 1], context),
            noise,
            steps,
        )

    def modulations(self, steps: int) -> Tensor:
        """Return `modulate` at the times of `steps` Euler steps, which are dimension 1."""
        return self.modulate(flow.euler_times(steps))

    def modulate(self, tau: Tensor) -> Tensor:
        """Compute the expert's conditioning on flow times; see `ActionExpert.modulate`.

        Args:
            tau: (B,), or (B, horizon) with one time per action; float64 if possible.

        Raises:
            VariantError: The model has no expert.
        """
        expert = self._need_expert()
        return expert.modulate(tau.to(expert.action_in.weight.device))

    def _need_expert(self) -> ActionExpert:
        if not self.config.has_expert:
            raise VariantError(self.config.variant, "has no expert; it writes FAST tokens")
        return self.expert

    def _expert_positions_and_mask(
        self, context: Context, tokens: int, device: torch.device
    ) -> tuple[Tensor, Tensor | None]:
        """Return positions (B, tokens) or (tokens,), and mask, of the expert's next tokens."""
        steps = torch.arange(tokens, device=device)
        if context.valid is None:
            return context.length + steps, None
        length = context.length - context.has_state  # Positions of the language model.
        blocks = masks.blocks_of(length - context.targets, context.targets, device)
        if context.has_state:
            blocks = torch.cat([blocks, blocks.new_zeros(1)])  # The state counts as prefix.
        allowed = masks.expert_mask(blocks, context.valid, tokens)  # (B, tokens, S + tokens)
        # The expert's positions continue the prefix, whether targets follow it (training) or not.
        start = allowed[:, 0, :-tokens].sum(dim=1, keepdim=True)
        return start + steps, self._mask(allowed, context.caches[0].keys.dtype)

    def _mask(self, allowed: Tensor, dtype: torch.dtype) -> Tensor:
        """Convert a boolean mask (B, L, S) to the additive one that the layers take."""
        language = self.config.language
        return masks.attention_mask(allowed, language.heads // language.kv_heads, dtype)


def _pairs_of(maps: FeatureMaps, which: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return which pairs (M,) are of the pictures of some maps, and the place of each there."""
    place = torch.full((count,), -1, dtype=torch.long, device=which.device)
    place[maps.rows] = torch.arange(len(maps.rows), device=which.device)
    inside = place[which]
    pairs = (inside >= 0).nonzero()[:, 0]
    return pairs, inside[pairs]


def draw_weights(
    model: Pi05, seed: int, adaptive_scale: float = 0.0, only: str = "", gates: float = 0.0
) -> None:
    """Initialise weights at random, in place; reproducible by seed.

    Matrices are normal with variance 1 / inputs, embeddings with variance 1 / width, biases and
    RMSNorm weights 0, LayerNorm weights 1.

    Args:
        model: On the CPU.
        seed: Of the random generator.
        adaptive_scale: Factor on the adaptive norms' matrices. 0, for training, sets every gate of
            the expert to 0; above 0 the output depends on the whole expert.
        only: Beginning of the names of the weights to initialise ("expert."); "": all.
        gates: Value of the expert's gates at adaptive_scale 0. At 1 its layers act from the first
            step on, as those of a plain transformer.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith(only):
                continue
            if parameter.ndim >= 2:
                inputs = parameter.shape[1:].numel()
                scale = 1.0 / math.sqrt(inputs)
                if ".modulation." in name:
                    scale *= adaptive_scale
                parameter.normal_(0.0, 1.0, generator=generator).mul_(scale)
            else:
                layer_norm = name.startswith(("vision", "grounding")) and "norm" in name
                parameter.fill_(1.0 if layer_norm and name.endswith("weight") else 0.0)
                if ".modulation." in name:
                    parameter[-parameter.shape[0] // 3 :] = gates
