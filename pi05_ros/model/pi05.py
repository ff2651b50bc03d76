"""π0.5 whole: one set of weights that reads a scene once and then writes text or draws actions.

pictures ─ VisionTower ┐
                       ├─ LanguageModel ─ hidden states ─ logits ─ boxes, subtask, FAST tokens
prompt, state ─ embed ─┘        │
                          keys and values of every layer
                                │
noise ─────────────────── ActionExpert ─ velocity ─ ten Euler steps ─ actions

π0 is the same but for its expert, and for the state, which only that expert reads (`tell_state`).
π0-FAST is the upper half alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pi05_ros.errors import Pi05Error
from pi05_ros.model import flow, masks
from pi05_ros.model.config import ModelConfig, Variant
from pi05_ros.model.expert import ActionExpert, Pi05Expert
from pi05_ros.model.language import LanguageModel
from pi05_ros.model.pi0_expert import Pi0Expert
from pi05_ros.model.transformer import LayerMemory
from pi05_ros.model.vision import VisionTower


class VariantError(Pi05Error):
    """A model was asked for what its variant does not do.

    Args:
        variant: Of the model.
        problem: What it lacks, and what to do instead, as one clause.
    """

    def __init__(self, variant: Variant, problem: str) -> None:
        self.variant = variant
        super().__init__(f"a model of the variant '{variant}' {problem}")


@dataclass(frozen=True)
class Context:
    """What the language model has read, as the expert and the decoder need it. S positions."""

    memory: tuple[LayerMemory, ...]  # One a layer.
    valid: Tensor | None = None  # (B, S) bool, False for padding; None: nothing is padded.
    targets: int = 0  # How many of the last positions are text or FAST targets, not prefix.
    has_state: bool = False  # π0: whether the expert's state token stands behind them all.

    @property
    def length(self) -> int:
        """S."""
        return self.memory[0].keys.shape[2]

    def detached(self) -> Context:
        """The same context, through which no gradient reaches the language model."""
        memory = tuple(LayerMemory(*(part.detach() for part in layer)) for layer in self.memory)
        return replace(self, memory=memory)

    def rows(self, chosen: Tensor) -> Context:
        """The chosen rows of the batch: (B,) bool, or indices, which may repeat."""
        memory = tuple(LayerMemory(*(part[chosen] for part in layer)) for layer in self.memory)
        valid = None if self.valid is None else self.valid[chosen]
        return replace(self, memory=memory, valid=valid)


class Pi05(nn.Module):
    """The model. Draws its weights at random; `checkpoint` loads trained ones.

    Where `config.has_expert` is False there is no `expert`, and what needs it raises VariantError.
    """

    expert: ActionExpert

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionTower(config.vision, config.language.width)
        self.language = LanguageModel(config.language)
        if config.has_expert:
            self.expert = Pi05Expert(config) if config.variant == "pi05" else Pi0Expert(config)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.vision.patch_embedding.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return self.vision.patch_embedding.weight.dtype

    def embed_images(self, images: Tensor) -> Tensor:
        """Pictures (N, 3, image_size, image_size) uint8 rgb → (N, tokens, W)."""
        weight = self.vision.patch_embedding.weight
        scaled = images.to(weight.device).to(torch.float32) / 255.0 * 2.0 - 1.0
        return self.vision(scaled.to(weight.dtype))

    def read(
        self,
        embeddings: Tensor,
        valid: Tensor | None = None,
        targets: int = 0,
        tail: int | None = None,
    ) -> tuple[Tensor, Context]:
        """Reads a whole sequence: pictures, prompt with state, and in training the targets.

        Args:
            embeddings: (B, S, W), the pictures' tokens first.
            valid: (B, S) bool, False for padding and for pictures of missing cameras; None: all
                is valid, and the pass needs no mask.
            targets: How many of the last positions are targets, which are read causally.
            tail: How many of the last hidden states are wanted; None: all. 0 leaves out what only
                they need. Where there is padding or a target, 0 or None.

        Returns:
            Normed hidden states (B, S, W), or (B, tail, W), and the context.
        """
        batch, length, _ = embeddings.shape
        if valid is None and not targets:
            positions = torch.arange(length, device=embeddings.device)
            hidden, memory = self.language(embeddings, positions, tail=tail)
            return hidden, Context(memory)
        if valid is None:
            valid = torch.ones(batch, length, dtype=torch.bool, device=embeddings.device)
        blocks = masks.blocks_of(length - targets, targets, embeddings.device)
        mask = self._mask(masks.sees(blocks, blocks, valid), embeddings.dtype)
        positions = masks.positions_of(valid)
        hidden, memory = self.language(embeddings, positions, mask=mask, tail=tail)
        return hidden, Context(memory, valid, targets)

    def read_tail(self, embeddings: Tensor, tail: int) -> tuple[Tensor, Context]:
        """Reads an unpadded prefix for its last `tail` hidden states only; 0 for actions.

        Args:
            embeddings: (B, S, W).
            tail: 0: the expert alone will use the context. 1: text will be decoded.

        Returns:
            Normed hidden states (B, tail, W), and the context.
        """
        return self.read(embeddings, tail=tail)

    def write(self, tokens: Tensor, context: Context) -> tuple[Tensor, Context]:
        """Appends text tokens (B, 1) to an unpadded context: logits (B, vocabulary), context."""
        if context.valid is not None or context.has_state:
            raise ValueError("text is written on an unpadded context without a state only")
        positions = torch.arange(context.length, context.length + 1, device=tokens.device)
        hidden, memory = self.language(
            self.language.embed(tokens), positions, memory=context.memory
        )
        return self.language.logits(hidden[:, -1]), Context(memory)

    def write_slot(self, token: Tensor, slot: Tensor, context: Context) -> Tensor:
        """`write` into a context with room: no shape changes from token to token.

        Args:
            token: (1, 1) id.
            slot: (1,) which position of the memory is its own. It is written in place.
            context: Of batch 1. `valid` (1, S) tells the positions in use, the token's included.

        Returns:
            Logits, (1, vocabulary).
        """
        if context.valid is None:
            raise ValueError("a context with room says which of its positions are valid")
        position = context.valid.sum(dim=1, keepdim=True) - 1
        hidden, _ = self.language(
            self.language.embed(token),
            position,
            memory=context.memory,
            mask=self._mask(context.valid[:, None], context.memory[0].keys.dtype),
            slots=slot,
        )
        return self.language.logits(hidden[:, -1])

    def tell_state(self, context: Context, state: Tensor) -> Context:
        """π0: gives the expert the robot's state, which the language model never reads.

        Args:
            context: What pictures and prompt were read into. Not changed.
            state: Normalised and padded, (B, action_dim).

        Returns:
            The context with the state's position at its end; for `velocity`, not for text.
        """
        expert = self._need_expert()
        if not isinstance(expert, Pi0Expert):
            raise VariantError(self.config.variant, "reads the state in its prompt")
        if context.has_state:
            raise ValueError("the context was told a state already")
        positions, mask = self._expert_sees(context, 1, state.device)
        memory = expert.remember_state(state, positions, context.memory, mask)
        valid = context.valid
        if valid is not None:
            valid = torch.cat([valid, valid.new_ones(len(valid), 1)], dim=1)
        return replace(context, memory=memory, valid=valid, has_state=True)

    def velocity(self, noisy: Tensor, modulation: Tensor, context: Context) -> Tensor:
        """The expert's prediction of ω − a.

        Args:
            noisy: a^τ, (B, horizon, action_dim).
            modulation: `modulate(tau)`, of the same batch or of batch 1.
            context: Of the same batch. For π0 it has been told the state.

        Returns:
            (B, horizon, action_dim) float32.

        Raises:
            VariantError: The model has no expert, or it is π0's and the context has no state.
        """
        expert = self._need_expert()
        if isinstance(expert, Pi0Expert) and not context.has_state:
            raise VariantError(self.config.variant, "acts on a state; call tell_state first")
        positions, mask = self._expert_sees(context, noisy.shape[1], noisy.device)
        return expert(noisy, modulation, positions, context.memory, mask)

    def sample_actions(
        self, context: Context, noise: Tensor, steps: int, modulation: Tensor | None = None
    ) -> Tensor:
        """Draws a chunk by following the flow from `noise` (B, horizon, action_dim).

        Args:
            context: What the scene was read into.
            noise: ω, float32.
            steps: Euler steps.
            modulation: `modulations(steps)`, where the caller keeps it; None: worked out here.

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
        """`modulate` at the times of `steps` Euler steps, which stand in dimension 1."""
        return self.modulate(flow.euler_times(steps))

    def modulate(self, tau: Tensor) -> Tensor:
        """`expert.modulate` at the times tau (B,), float64 where their last bit matters.

        Times (B, horizon) give each action its own.

        Raises:
            VariantError: The model has no expert.
        """
        expert = self._need_expert()
        return expert.modulate(tau.to(expert.action_in.weight.device))

    def _need_expert(self) -> ActionExpert:
        if not self.config.has_expert:
            raise VariantError(self.config.variant, "has no expert; it writes FAST tokens")
        return self.expert

    def _expert_sees(
        self, context: Context, tokens: int, device: torch.device
    ) -> tuple[Tensor, Tensor | None]:
        """Positions (B, tokens) or (tokens,) and mask of the expert's next tokens."""
        steps = torch.arange(tokens, device=device)
        if context.valid is None:
            return context.length + steps, None
        read = context.length - context.has_state  # Positions of the language model's.
        blocks = masks.blocks_of(read - context.targets, context.targets, device)
        if context.has_state:
            blocks = torch.cat([blocks, blocks.new_zeros(1)])  # Seen as the prefix is.
        seen = masks.expert_sees(blocks, context.valid, tokens)
        # The expert goes on where the prefix ends, whether targets follow it (training) or not.
        start = seen[:, 0, :-tokens].sum(dim=1, keepdim=True)
        return start + steps, self._mask(seen, context.memory[0].keys.dtype)

    def _mask(self, seen: Tensor, dtype: torch.dtype) -> Tensor:
        """A mask of (B, L, S) bool in the form that the layers take."""
        language = self.config.language
        return masks.attention_mask(seen, language.heads // language.kv_heads, dtype)


def draw_weights(model: Pi05, seed: int, adaptive_scale: float = 0.0) -> None:
    """Draws every weight afresh, in place, the same for the same seed.

    Matrices are normal with variance 1 / inputs, embeddings with variance 1 / width, biases and
    RMSNorm weights 0, LayerNorm weights 1.

    Args:
        model: On the CPU.
        seed: Of the drawing.
        adaptive_scale: Factor on the adaptive norms' matrices. 0, as training wants it, closes
            every gate of the expert; above 0 the whole expert takes part.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim >= 2:
                inputs = parameter.shape[1:].numel()
                scale = 1.0 / math.sqrt(inputs)
                if ".modulation." in name:
                    scale *= adaptive_scale
                parameter.normal_(0.0, 1.0, generator=generator).mul_(scale)
            else:
                layer_norm = name.startswith("vision") and "norm" in name
                parameter.fill_(1.0 if layer_norm and name.endswith("weight") else 0.0)
