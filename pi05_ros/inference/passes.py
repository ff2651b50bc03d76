"""The model's passes over one scene, eager or compiled.

    embed                pictures → tokens             both heads; cached pictures are left out
    prefill_for_actions  pictures, prompt → sampler    noise → actions in ten flow steps,
                                                       optionally continuing another chunk
    prefill_for_text     pictures, prompt → decoder    token → logits of the next one

Sampler and decoder hold the KV caches of the scene: the prefix is computed once for all flow steps
and all tokens. Nothing is padded, so no mask is needed. `graph_passes` does the same in fixed
shapes, for CUDA graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Tensor

from pi05_ros.inference.chunk_prefix import ChunkPrefix
from pi05_ros.inference.text_cache import TextCache
from pi05_ros.model import flow
from pi05_ros.model.compact_vision import Pictures
from pi05_ros.model.context import Context
from pi05_ros.model.guidance import integrate_guided
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.transformer import KVCache, KVCaches

DecodeStep = Callable[[Tensor], Tensor]  # Token (1, 1) → logits (1, vocabulary) of the next one.
F = TypeVar("F", bound=Callable[..., Any])

FROZEN_PARAMETERS = 100_000_000  # Larger models are not frozen.


class ActionSampler(Protocol):
    """Samples normalised actions for a prefilled scene."""

    def __call__(self, noise: Tensor, prefix: ChunkPrefix | None = None) -> Tensor:
        """Integrate the flow.

        Args:
            noise: ω, (1, horizon, action_dim) float32.
            prefix: The chunk that the new one continues; None: there is none.

        Returns:
            (1, horizon, action_dim) float32 on the model's device.
        """


# Prompt lengths of the warm-up. torch.compile unifies symbols of equal size, so no other dimension
# may have the same size; a second length makes it compile the length as a symbol.
_WARM_UP_LENGTHS = (37, 59)


class Passes:
    """The passes as implemented in `Pi05`.

    Args:
        model: The model. Not changed.
        compiled: Whether to compile the passes with torch.compile. On the CPU this requires a C++
            compiler. The first calls take tens of seconds and must run within `compiling`. Prompt
            lengths are symbolic, and text is decoded in a cache of fixed size: after a warm-up, a
            new prompt causes no compilation.
    """

    def __init__(self, model: Pi05, *, compiled: bool = False) -> None:
        self._model = model
        self._compiled = compiled
        self._modulations: list[Tensor] = []  # Of each flow step.
        if model.config.has_expert:
            # Never in inference mode: guidance uses them in a pass with gradients.
            with torch.inference_mode(False), torch.no_grad():
                steps = model.modulations(model.config.flow_steps).split(1, dim=1)
                self._modulations = [step.clone() for step in steps]
                one = torch.ones(1, dtype=torch.float64)
                self._clean = model.modulate(one)  # Of prefix actions.
        self._embed = self._prepare(self._embed_pass)
        self._prefill_caches = self._prepare(self._prefill_caches_pass)
        self._prefill_text = self._prepare(self._prefill_text_pass)
        self._velocity = self._prepare(self._velocity_pass)
        self._prefixed_velocity = self._prepare(self._prefixed_velocity_pass)
        self._decode_step_at = self._prepare(self._decode_step_at_pass, dynamic=False)
        self._text_caches: dict[bool, TextCache] = {}  # Key: whether the text is urgent.

    def shapes(self, cameras: int) -> Iterator[tuple[int, int]]:
        """Yield the numbers of pictures and prompt tokens that a warm-up must run, once each."""
        if not self._compiled:
            yield cameras, _WARM_UP_LENGTHS[0]
            return
        for count in range(cameras, 0, -1):  # Size 1 is specialised.
            for length in _WARM_UP_LENGTHS:
                yield count, length

    def embed(self, images: Tensor, views: Tensor | None = None) -> Pictures:
        """Embed pictures.

        Args:
            images: (N, 3, H, W) uint8; reduced ones are in the upper left corner.
            views: (N,) int64 from `ModelConfig.view_of`; None: all of view 0. SigLIP does not
                tell cameras apart.
        """
        if self._model.config.compact_vision is not None:
            return self._model.embed_pictures(images, views)
        # Always the same strides: torch.compile would compile again for others.
        return Pictures(self._embed(images.to(self._model.device).contiguous()))

    def prefill_for_actions(
        self, pictures: Pictures, tokens: Tensor, state: Tensor | None = None
    ) -> ActionSampler:
        """Prefill the KV caches with a scene, for the expert.

        Args:
            pictures: Embedded.
            tokens: Ids of the prompt, (1, L).
            state: π0: normalised and padded, (1, action_dim) float32. None for π0.5, which has it
                in its prompt.

        Returns:
            The sampler of actions for the scene.
        """
        device = self._model.device
        context = Context(self._prefill_caches(valid_tokens(pictures), tokens.to(device)))
        if state is not None:
            context = self._model.append_state_token(context, state.to(device))

        def sample(noise: Tensor, prefix: ChunkPrefix | None = None) -> Tensor:
            noise = noise.to(device)
            if prefix is None:
                return self._integrate(noise, context)
            actions, weights = prefix.actions.to(device), prefix.weights.to(device)
            integrate = self._integrate_prefixed if prefix.trained else self._integrate_guided
            return integrate(noise, actions, weights, context)

        return sample

    def prefill_for_text(
        self, pictures: Pictures, tokens: Tensor, urgent: bool = False
    ) -> tuple[Tensor, DecodeStep]:
        """Prefill the KV caches with a scene, for text.

        Args:
            pictures: Embedded.
            tokens: Ids of the prompt, (1, L).
            urgent: Whether it may be called while other text is being decoded; it then has
                separate buffers.

        Returns:
            Logits (1, vocabulary) of the first token, and the decode step.
        """
        shown = valid_tokens(pictures)
        logits, caches = self._prefill_text(shown, tokens.to(self._model.device))
        if self._compiled:
            return logits, self._fixed_size_step(caches, shown, tokens, urgent)

        def decode_step(token: Tensor) -> Tensor:
            nonlocal caches
            next_logits, caches = self._decode_step_pass(token, caches)
            return next_logits

        return logits, decode_step

    def _fixed_size_step(
        self, caches: KVCaches, pictures: Tensor, tokens: Tensor, urgent: bool
    ) -> DecodeStep:
        """Make a decode step on a cache whose shape does not depend on the prompt."""
        config, used = self._model.config, caches[0].keys.shape[2]
        capacity = used - tokens.shape[1] + config.max_prompt_tokens + self._max_new_tokens
        cache = self._text_caches.get(urgent)
        if cache is None or cache.capacity < capacity:
            cache = self._text_caches[urgent] = TextCache(caches, capacity)
        cache.fill(caches)
        slot = used

        def decode_step(token: Tensor) -> Tensor:
            nonlocal slot
            position = torch.tensor([slot], device=token.device)
            slot += 1
            return self._decode_step_at(token, position, cache.valid, cache.caches)

        return decode_step

    def _integrate(self, noise: Tensor, context: Context) -> Tensor:
        """Integrate the flow in the config's number of Euler steps."""
        return flow.integrate(
            lambda noisy, step: self._velocity(
                noisy, self._modulations[step], context.caches, context.valid, context.has_state
            ),
            noise,
            len(self._modulations),
        )

    def _integrate_prefixed(
        self, noise: Tensor, actions: Tensor, weights: Tensor, context: Context
    ) -> Tensor:
        """Integrate the flow with prefix actions at time 1, without noise (arXiv 2512.05964).

        The prefix is given by a mask, not by a shape, so one compiled kernel serves every length.
        """
        known = weights[..., :1] > 0.0  # (1, horizon, 1)
        sampled = flow.integrate(
            lambda noisy, step: self._prefixed_velocity(
                torch.where(known, actions, noisy),
                self._modulations[step],
                self._clean,
                known,
                context.caches,
                context.valid,
                context.has_state,
            ),
            noise,
            len(self._modulations),
        )
        return torch.where(known, actions, sampled)

    def _integrate_guided(
        self, noise: Tensor, actions: Tensor, weights: Tensor, context: Context
    ) -> Tensor:
        """Integrate the flow guided to `actions`; always eager, for the gradients."""
        with torch.inference_mode(False):
            # Copies, because tensors created in inference mode cannot take part in autograd.
            caches = tuple(KVCache(*(part.clone() for part in layer)) for layer in context.caches)
            valid = None if context.valid is None else context.valid.clone()
        return integrate_guided(
            lambda noisy, step: self._velocity_pass(
                noisy, self._modulations[step], caches, valid, context.has_state
            ),
            noise,
            len(self._modulations),
            actions,
            weights,
        )

    def _embed_pass(self, images: Tensor) -> Tensor:
        return self._model.embed_images(images)

    def _prefill_caches_pass(self, pictures: Tensor, tokens: Tensor) -> KVCaches:
        return self._model.prefill(self._sequence(pictures, tokens), tail=0)[1].caches

    def _prefill_text_pass(self, pictures: Tensor, tokens: Tensor) -> tuple[Tensor, KVCaches]:
        hidden, context = self._model.prefill(self._sequence(pictures, tokens), tail=1)
        return self._model.language.logits(hidden[:, -1]), context.caches

    def _velocity_pass(
        self,
        noisy: Tensor,
        modulation: Tensor,
        caches: KVCaches,
        valid: Tensor | None,
        has_state: bool,
    ) -> Tensor:
        context = Context(caches, valid, has_state=has_state)
        return self._model.velocity(noisy, modulation, context)

    def _prefixed_velocity_pass(
        self,
        noisy: Tensor,
        modulation: Tensor,
        clean: Tensor,
        known: Tensor,
        caches: KVCaches,
        valid: Tensor | None,
        has_state: bool,
    ) -> Tensor:
        by_row = torch.where(known, clean, modulation)  # (..., 1, horizon, width)
        return self._velocity_pass(noisy, by_row, caches, valid, has_state)

    def _decode_step_pass(self, token: Tensor, caches: KVCaches) -> tuple[Tensor, KVCaches]:
        logits, context = self._model.decode_step(token, Context(caches))
        return logits, context.caches

    def _decode_step_at_pass(
        self, token: Tensor, slot: Tensor, valid: Tensor, caches: KVCaches
    ) -> Tensor:
        valid.index_fill_(1, slot, True)
        return self._model.decode_step_at(token, slot, Context(caches, valid))

    @property
    def _max_new_tokens(self) -> int:
        """Maximum number of tokens decoded for one scene."""
        return max(self._model.config.max_text_tokens, self._model.config.max_action_tokens)

    def _sequence(self, pictures: Tensor, tokens: Tensor) -> Tensor:
        """Concatenate the pictures' `valid_tokens` and prompt ids (1, L) to (1, S, W)."""
        text = self._model.language.embed(tokens)
        return torch.cat([pictures.flatten(0, 1)[None], text], dim=1)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Set compiler options for the CPU within the block; for one warm-up at a time."""
        if not self._compiled or self._model.device.type != "cpu":
            yield
            return
        from torch._inductor import config as inductor  # Takes seconds to import.

        # The C++ wrapper saves a fifth of a flow step. Freezing packs copies of the weights for
        # the processor, so it is limited to models that are small against the memory.
        size = sum(parameter.numel() for parameter in self._model.parameters())
        with inductor.patch(cpp_wrapper=True, freezing=size < FROZEN_PARAMETERS):
            yield

    def _prepare(self, function: F, dynamic: bool = True) -> F:
        """Return the function, compiled if the passes are."""
        if not self._compiled:
            return function
        compile_: Any = torch.compile  # Its types lack `isolate_recompiles`.
        compiled = compile_(
            function,
            dynamic=dynamic,
            fullgraph=True,
            isolate_recompiles=True,  # Frozen weights of other engines are in other kernels.
        )
        return cast(F, compiled)


def valid_tokens(pictures: Pictures) -> Tensor:
    """Return the tokens of pictures in their order: (N, tokens, W), without padding (1, S, W)."""
    if pictures.valid is None:
        return pictures.tokens
    return pictures.tokens[pictures.valid][None]
