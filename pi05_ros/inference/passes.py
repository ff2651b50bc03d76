"""The model's passes over one scene, plain or compiled.

    embed             pictures → tokens                  (both heads, known pictures left out)
    read_for_actions  pictures, prompt → a drawer        noise → actions, ten flow steps,
                                                         which may go on from another chunk
    read_for_text     pictures, prompt → a writer        token → logits of the next one

What was read stays in the drawer and in the writer as keys and values: it is read once for all
flow steps and all tokens. Nothing is padded, so nothing is masked. `graph_passes` does the same in
fixed shapes, for CUDA graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Tensor

from pi05_ros.inference.leads import Lead
from pi05_ros.inference.text_cache import KVCaches, TextCache
from pi05_ros.model import flow
from pi05_ros.model.guidance import integrate_guided
from pi05_ros.model.pi05 import Context, Pi05
from pi05_ros.model.transformer import KVCache

Writer = Callable[[Tensor], Tensor]  # A token (1, 1) → logits (1, vocabulary) of the next one.
F = TypeVar("F", bound=Callable[..., Any])

FROZEN_PARAMETERS = 100_000_000  # Larger models are not frozen.


class Drawer(Protocol):
    """Draws normalised actions for a scene that was read."""

    def __call__(self, noise: Tensor, lead: Lead | None = None) -> Tensor:
        """Follows the flow.

        Args:
            noise: ω, (1, horizon, action_dim) float32.
            lead: What the chunk goes on from; None: nothing.

        Returns:
            (1, horizon, action_dim) float32 on the model's device.
        """


# Prompts of these lengths are compiled first. torch takes equal sizes for one symbol, so that each
# length differs from whatever else may be as long, and a second one tells them apart.
_WARM_UP_LENGTHS = (37, 59)


class Passes:
    """The passes as they stand in `Pi05`.

    Args:
        model: The weights. Not changed.
        compiled: Whether torch.compile makes kernels of the passes. A C++ compiler is wanted on
            the CPU, and `compiling` around the first calls, which take tens of seconds. Lengths of
            prompts are symbols to it, and text is written into a cache that has room for all of
            it: after a warm-up, a new prompt compiles nothing.
    """

    def __init__(self, model: Pi05, *, compiled: bool = False) -> None:
        self._model = model
        self._compiled = compiled
        self._modulations: list[Tensor] = []  # What the expert is told in each flow step.
        if model.config.has_expert:
            # Not in inference mode, wherever the caller is: guidance takes gradients beside them.
            with torch.inference_mode(False), torch.no_grad():
                steps = model.modulations(model.config.flow_steps).split(1, dim=1)
                self._modulations = [step.clone() for step in steps]
                self._clean = model.modulate(torch.ones(1, dtype=torch.float64))  # Of known rows.
        self._embed = self._prepare(self._embed_pass)
        self._read_memory = self._prepare(self._read_memory_pass)
        self._read_text = self._prepare(self._read_text_pass)
        self._velocity = self._prepare(self._velocity_pass)
        self._led_velocity = self._prepare(self._led_velocity_pass)
        self._write_slot = self._prepare(self._write_slot_pass, dynamic=False)
        self._caches: dict[bool, TextCache] = {}  # Of urgent and of patient text.

    def shapes(self, cameras: int) -> Iterator[tuple[int, int]]:
        """Numbers of pictures and of prompt tokens that a warm-up must have run, once each."""
        if not self._compiled:
            yield cameras, _WARM_UP_LENGTHS[0]
            return
        for count in range(cameras, 0, -1):  # torch makes kernels of their own for one picture.
            for length in _WARM_UP_LENGTHS:
                yield count, length

    def embed(self, images: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) uint8 → (N, tokens, W)."""
        # One layout in caches: for another one torch would compile again.
        return self._embed(images.to(self._model.device).contiguous())

    def read_for_actions(
        self, pictures: Tensor, tokens: Tensor, state: Tensor | None = None
    ) -> Drawer:
        """Reads a scene for the expert.

        Args:
            pictures: Embedded, (N, tokens, W).
            tokens: Ids of the prompt, (1, L).
            state: π0: normalised and padded, (1, action_dim) float32. π0.5 has it in its prompt.

        Returns:
            Draws actions for the scene.
        """
        device = self._model.device
        context = Context(self._read_memory(pictures, tokens.to(device)))
        if state is not None:
            context = self._model.append_state_token(context, state.to(device))

        def draw(noise: Tensor, lead: Lead | None = None) -> Tensor:
            noise = noise.to(device)
            if lead is None:
                return self._integrate(noise, context)
            rows, weights = lead.rows.to(device), lead.weights.to(device)
            follow = self._integrate_led if lead.trained else self._integrate_guided
            return follow(noise, rows, weights, context)

        return draw

    def read_for_text(
        self, pictures: Tensor, tokens: Tensor, urgent: bool = False
    ) -> tuple[Tensor, Writer]:
        """Reads a scene for text.

        Args:
            pictures: Embedded, (N, tokens, W).
            tokens: Ids of the prompt, (1, L).
            urgent: Whether it may be asked for while other text is being written.

        Returns:
            Logits (1, vocabulary) of the first token, and the writer.
        """
        logits, caches = self._read_text(pictures, tokens.to(self._model.device))
        if self._compiled:
            return logits, self._cached_writer(caches, pictures, tokens, urgent)

        def write(token: Tensor) -> Tensor:
            nonlocal caches
            following, caches = self._write_pass(token, caches)
            return following

        return logits, write

    def _cached_writer(
        self, caches: KVCaches, pictures: Tensor, tokens: Tensor, urgent: bool
    ) -> Writer:
        """A writer into a cache of one shape, whatever was read."""
        config, used = self._model.config, caches[0].keys.shape[2]
        capacity = used - tokens.shape[1] + config.max_prompt_tokens + self._room
        cache = self._caches.get(urgent)
        if cache is None or cache.capacity < capacity:
            cache = self._caches[urgent] = TextCache(caches, capacity)
        cache.fill(caches)
        slot = used

        def write(token: Tensor) -> Tensor:
            nonlocal slot
            at = torch.tensor([slot], device=token.device)
            slot += 1
            return self._write_slot(token, at, cache.seen, cache.caches)

        return write

    def _integrate(self, noise: Tensor, context: Context) -> Tensor:
        """Ten Euler steps."""
        return flow.integrate(
            lambda noisy, step: self._velocity(
                noisy, self._modulations[step], context.caches, context.valid, context.has_state
            ),
            noise,
            len(self._modulations),
        )

    def _integrate_led(
        self, noise: Tensor, rows: Tensor, weights: Tensor, context: Context
    ) -> Tensor:
        """Ten Euler steps, in which the known rows stand at time 1, clean (arXiv 2512.05964).

        How many there are is a value and no shape: one kernel knows them all.
        """
        known = weights[..., :1] > 0.0  # (1, horizon, 1)
        drawn = flow.integrate(
            lambda noisy, step: self._led_velocity(
                torch.where(known, rows, noisy),
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
        return torch.where(known, rows, drawn)

    def _integrate_guided(
        self, noise: Tensor, rows: Tensor, weights: Tensor, context: Context
    ) -> Tensor:
        """Ten guided Euler steps. They run as they stand: kernels made here know no gradient."""
        with torch.inference_mode(False):
            # Copies: tensors of inference mode take part in no gradient.
            caches = tuple(KVCache(*(part.clone() for part in m)) for m in context.caches)
            valid = None if context.valid is None else context.valid.clone()
        return integrate_guided(
            lambda noisy, step: self._velocity_pass(
                noisy, self._modulations[step], caches, valid, context.has_state
            ),
            noise,
            len(self._modulations),
            rows,
            weights,
        )

    def _embed_pass(self, images: Tensor) -> Tensor:
        return self._model.embed_images(images)

    def _read_memory_pass(self, pictures: Tensor, tokens: Tensor) -> KVCaches:
        return self._model.prefill(self._sequence(pictures, tokens), tail=0)[1].caches

    def _read_text_pass(self, pictures: Tensor, tokens: Tensor) -> tuple[Tensor, KVCaches]:
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

    def _led_velocity_pass(
        self,
        noisy: Tensor,
        modulation: Tensor,
        clean: Tensor,
        known: Tensor,
        caches: KVCaches,
        valid: Tensor | None,
        has_state: bool,
    ) -> Tensor:
        each = torch.where(known, clean, modulation)  # (..., 1, horizon, width)
        return self._velocity_pass(noisy, each, caches, valid, has_state)

    def _write_pass(self, token: Tensor, caches: KVCaches) -> tuple[Tensor, KVCaches]:
        logits, context = self._model.decode_step(token, Context(caches))
        return logits, context.caches

    def _write_slot_pass(
        self, token: Tensor, slot: Tensor, seen: Tensor, caches: KVCaches
    ) -> Tensor:
        seen.index_fill_(1, slot, True)
        return self._model.decode_step_at(token, slot, Context(caches, seen))

    @property
    def _room(self) -> int:
        """Most tokens that will be written to one scene."""
        return max(self._model.config.max_text_tokens, self._model.config.max_action_tokens)

    def _sequence(self, pictures: Tensor, tokens: Tensor) -> Tensor:
        """Embedded pictures (N, tokens, W) and prompt ids (1, L) → (1, S, W)."""
        text = self._model.language.embed(tokens)
        return torch.cat([pictures.flatten(0, 1)[None], text], dim=1)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Within it, what is compiled for a CPU is made for it; to be held by one warm-up."""
        if not self._compiled or self._model.device.type != "cpu":
            yield
            return
        from torch._inductor import config as inductor  # Takes seconds to import.

        # Kernels that C++ calls instead of Python save a fifth of a flow step. Frozen weights are
        # packed for the processor, in copies: not for models that fill the caches.
        size = sum(parameter.numel() for parameter in self._model.parameters())
        with inductor.patch(cpp_wrapper=True, freezing=size < FROZEN_PARAMETERS):
            yield

    def _prepare(self, function: F, dynamic: bool = True) -> F:
        """The function, or what torch.compile makes of it."""
        if not self._compiled:
            return function
        compile_: Any = torch.compile  # Its types lack `isolate_recompiles`.
        compiled = compile_(
            function,
            dynamic=dynamic,
            fullgraph=True,
            isolate_recompiles=True,  # Other engines' kernels hold other weights.
        )
        return cast(F, compiled)
