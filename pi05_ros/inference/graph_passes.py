"""The model's passes as CUDA graphs: fixed shapes, fixed buffers, one launch a pass.

A flow step of the full model is hundreds of small kernels, and launching them one by one takes
longer than running them. A CUDA graph launches all at once, but only with the shapes and addresses
of its capture. Therefore prompts are padded to the next of a few lengths, each length has its own
buffers, and text is decoded in a cache of fixed size.

Buffers are allocated outside of the capture, so that graphs can share the memory pool of their
temporaries and still run in any order, one at a time.

Guided flows are not captured: they run kernel by kernel, on the KV caches that a graph has filled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from pi05_ros.brain.model_options import Execution
from pi05_ros.errors import ConfigError
from pi05_ros.inference.chunk_prefix import ChunkPrefix
from pi05_ros.inference.passes import ActionSampler, DecodeStep, Passes
from pi05_ros.model.compact_vision import Pictures
from pi05_ros.model.context import Context
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import PAD
from pi05_ros.model.transformer import KVCache, KVCaches

LENGTH_STEP = 64  # Between the lengths that prompts are padded to [token].

Launch = Callable[[], None]
Capture = Callable[[Launch], Launch]  # Captures the kernels of a launch; the result replays them.


class Replay:
    """A function of fixed shapes, captured once and replayed with new inputs.

    Args:
        function: Takes tensors, returns a sequence of tensors, and keeps no allocation.
        inputs: Example arguments; their copies are the input buffers of later calls.
        capture: Captures a launch.
    """

    def __init__(
        self,
        function: Callable[..., Sequence[Tensor]],
        inputs: Sequence[Tensor],
        capture: Capture,
    ) -> None:
        self._inputs = [tensor.clone() for tensor in inputs]
        self.outputs = [tensor.clone() for tensor in function(*self._inputs)]

        def launch() -> None:
            for buffer, result in zip(self.outputs, function(*self._inputs), strict=True):
                buffer.copy_(result)

        self._launch = capture(launch)

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        """Run the function. Returns the output buffers, valid until the next call."""
        for buffer, value in zip(self._inputs, inputs, strict=True):
            buffer.copy_(value)
        self._launch()
        return self.outputs


class CudaCapture:
    """Captures CUDA graphs that share one memory pool.

    Args:
        device: A CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, launch: Launch) -> Launch:
        """Capture `launch` and return its replay."""
        with torch.cuda.device(self._device):
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                launch()  # Set-up of libraries on a first call must not be captured.
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            # Other threads, such as the other head's, may use the GPU at the same time.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                launch()

        def replay() -> None:
            with torch.cuda.device(self._device):
                graph.replay()

        return replay


class GraphPasses(Passes):
    """`Passes` in fixed shapes.

    Samplers and decode steps use shared buffers: they are valid until the next scene of the same
    shape is prefilled for the same head.

    Args:
        model: The model, on the GPU.
        capture: Captures a launch; `CudaCapture` on a GPU.
        compiled: Whether the captured kernels are compiled with torch.compile.
    """

    def __init__(self, model: Pi05, capture: Capture, *, compiled: bool = True) -> None:
        super().__init__(model, compiled=compiled)
        self._capture = capture
        self._prefill_padded_caches = self._prepare(self._prefill_padded_caches_pass)
        self._prefill_padded_text = self._prepare(self._prefill_padded_text_pass)
        self._decode_step_at = self._prepare(self._decode_step_at_pass)  # Capacities differ.
        longest = model.config.max_prompt_tokens
        self._lengths = tuple(range(longest, 0, -LENGTH_STEP))[::-1]
        self._embeddings: dict[int, Replay] = {}  # By number of pictures.
        # By number of pictures and length of the prompt: prefill, and sampling or decode step.
        self._action_scenes: dict[tuple[int, int], tuple[Replay, Replay]] = {}
        self._prefixed_scenes: dict[tuple[int, int], Replay] = {}  # With prefix.
        self._text_scenes: dict[tuple[bool, int, int], tuple[Replay, Replay, Tensor]] = {}

    def shapes(self, cameras: int) -> Iterator[tuple[int, int]]:
        """Yield all shapes: after a warm-up nothing is captured any more."""
        for count in range(cameras, 0, -1):
            for length in self._lengths:
                yield count, length

    def embed(self, images: Tensor, views: Tensor | None = None) -> Pictures:
        """See Passes; for SigLIP, which does not tell cameras apart."""
        images = images.to(self._model.device).contiguous()
        if len(images) not in self._embeddings:
            self._embeddings[len(images)] = Replay(
                lambda batch: [self._embed(batch)], [images], self._capture
            )
        return Pictures(self._embeddings[len(images)](images)[0].clone())  # Callers keep it.

    def prefill_for_actions(
        self, pictures: Pictures, tokens: Tensor, state: Tensor | None = None
    ) -> ActionSampler:
        """See Passes."""
        padded, valid = self._pad(pictures.tokens, tokens)
        inputs = [pictures.tokens, padded, valid]
        key = len(pictures.tokens), padded.shape[1]
        if key not in self._action_scenes:
            self._action_scenes[key] = self._capture_actions(inputs, state)
        prefill, sample = self._action_scenes[key]
        prefill(*inputs)
        states = [] if state is None else [state.to(valid.device)]

        def sample_any(noise: Tensor, prefix: ChunkPrefix | None = None) -> Tensor:
            if prefix is None:
                return sample(noise, valid, *states)[0].clone()
            actions, weights = prefix.actions.to(valid.device), prefix.weights.to(valid.device)
            caches = _layers(prefill.outputs)
            if not prefix.trained:
                context = self._context(caches, valid, states)
                return self._integrate_guided(noise.to(valid.device), actions, weights, context)
            arguments = [noise, actions, weights, valid, *states]
            if key not in self._prefixed_scenes:
                self._prefixed_scenes[key] = self._capture_prefixed(caches, arguments)
            return self._prefixed_scenes[key](*arguments)[0].clone()

        return sample_any

    def prefill_for_text(
        self, pictures: Pictures, tokens: Tensor, urgent: bool = False
    ) -> tuple[Tensor, DecodeStep]:
        """See Passes. Urgent and other text have separate buffers."""
        padded, valid = self._pad(pictures.tokens, tokens)
        last = valid.sum(dim=1) - 1  # Of the prompt's tokens, (1,).
        inputs = [pictures.tokens, padded, valid, last]
        key = urgent, len(pictures.tokens), padded.shape[1]
        if key not in self._text_scenes:
            self._text_scenes[key] = self._capture_text(inputs)
        prefill, decode_step, used = self._text_scenes[key]
        logits = prefill(*inputs)[0].clone()
        used.copy_(F.pad(valid, (0, used.shape[1] - valid.shape[1])))
        slot = torch.tensor([valid.shape[1] - 1], device=valid.device)

        def decode_next(token: Tensor) -> Tensor:
            slot.add_(1)
            return decode_step(token, slot)[0].clone()

        return logits, decode_next

    def _capture_actions(
        self, inputs: list[Tensor], state: Tensor | None
    ) -> tuple[Replay, Replay]:
        """Capture the prefill, and the whole flow on its KV caches."""
        config, valid = self._model.config, inputs[2]
        prefill = Replay(self._prefill_padded_caches, inputs, self._capture)
        caches = _layers(prefill.outputs)

        def sample(noise: Tensor, valid: Tensor, *states: Tensor) -> list[Tensor]:
            return [self._integrate(noise, self._context(caches, valid, states))]

        noise = torch.zeros(1, config.horizon, config.action_dim, device=valid.device)
        states = [] if state is None else [state.to(valid.device)]
        return prefill, Replay(sample, [noise, valid, *states], self._capture)

    def _capture_prefixed(self, caches: KVCaches, inputs: Sequence[Tensor]) -> Replay:
        """Capture the whole flow with prefix actions, on prefilled KV caches."""

        def sample(
            noise: Tensor, actions: Tensor, weights: Tensor, valid: Tensor, *states: Tensor
        ) -> list[Tensor]:
            context = self._context(caches, valid, states)
            return [self._integrate_prefixed(noise, actions, weights, context)]

        device = inputs[-1].device
        return Replay(sample, [tensor.to(device) for tensor in inputs], self._capture)

    def _context(self, caches: KVCaches, valid: Tensor, states: Sequence[Tensor]) -> Context:
        """Make the context of prefilled KV caches, for π0 with the state token (none or one)."""
        context = Context(caches, valid)
        for state in states:
            context = self._model.append_state_token(context, state)
        return context

    def _capture_text(self, inputs: list[Tensor]) -> tuple[Replay, Replay, Tensor]:
        """Capture the prefill and one decode step.

        Returns:
            Prefill, decode step, and the mask of used positions, (1, S + new tokens) bool.
        """
        valid = inputs[2]
        prefill = Replay(self._prefill_padded_text, inputs, self._capture)
        caches = _layers(prefill.outputs[1:])
        used = F.pad(valid, (0, self._max_new_tokens))
        first = torch.tensor([valid.shape[1]], device=valid.device)
        token = torch.full((1, 1), PAD, device=valid.device)
        decode_step = Replay(
            lambda token, slot: [self._decode_step_at(token, slot, used, caches)],
            [token, first],
            self._capture,
        )
        return prefill, decode_step, used

    def _pad(self, pictures: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Pad prompt ids (1, L) to the next length.

        Returns:
            Ids, (1, length) int64, and the mask of positions that are no padding, (1, S) bool; S
            includes the pictures' tokens.
        """
        tokens = tokens.to(self._model.device)
        used = tokens.shape[1]
        length = next(length for length in self._lengths if length >= used)
        total = pictures.shape[0] * pictures.shape[1] + used
        valid = torch.arange(total - used + length, device=tokens.device) < total
        return F.pad(tokens, (0, length - used), value=PAD), valid[None]

    def _prefill_padded_caches_pass(
        self, pictures: Tensor, tokens: Tensor, valid: Tensor
    ) -> list[Tensor]:
        sequence = self._sequence(pictures, tokens)
        return _tensors(self._model.prefill(sequence, valid, tail=0)[1].caches)

    def _prefill_padded_text_pass(
        self, pictures: Tensor, tokens: Tensor, valid: Tensor, last: Tensor
    ) -> list[Tensor]:
        hidden, context = self._model.prefill(self._sequence(pictures, tokens), valid)
        logits = self._model.language.logits(hidden.index_select(1, last)[:, 0])
        return [
            logits,
            *(
                F.pad(tensor, (0, 0, 0, self._max_new_tokens))
                for tensor in _tensors(context.caches)
            ),
        ]


def _tensors(caches: KVCaches) -> list[Tensor]:
    """Flatten KV caches: keys and values of each layer in turn."""
    return [tensor for layer in caches for tensor in layer]


def _layers(tensors: Sequence[Tensor]) -> KVCaches:
    """Invert `_tensors`."""
    return tuple(map(KVCache, tensors[::2], tensors[1::2]))


def make_passes(model: Pi05, execution: Execution) -> Passes:
    """Make the passes of a model for an execution mode; see Pi05Engine.

    Raises:
        ConfigError: The device or the model does not support it.
    """
    if model.config.compact_vision is not None and execution != "eager":
        raise ConfigError(
            f"execution '{execution}'",
            f"the model '{model.config.name}' has a compact tower, whose pictures differ in size: "
            "take 'eager' or 'auto'",
        )
    if execution != "graphs":
        return Passes(model, compiled=execution == "compiled")
    if model.device.type != "cuda":
        raise ConfigError(
            "execution 'graphs'",
            f"wants the model on a CUDA device, found it on {model.device}; "
            "take 'compiled' or 'eager'",
        )
    return GraphPasses(model, CudaCapture(model.device))
