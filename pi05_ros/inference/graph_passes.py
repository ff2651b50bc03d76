"""The model's passes as CUDA graphs: fixed shapes, fixed buffers, one launch a pass.

A flow step of the full model is hundreds of small kernels, and launching them one by one takes a
GPU longer than running them. A graph launches all at once, but knows only the shapes and addresses
that it was recorded with. So a prompt is padded to the next of a few lengths, each length has its
own buffers, and text is written into a cache that has room for all of it.

Buffers are allocated outside of the recording, so that graphs may share the caches of their
temporaries and still run in any order, one at a time.

What is guided is not recorded: it runs kernel by kernel, on what a graph has read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from pi05_ros.brain.model_options import Execution
from pi05_ros.errors import ConfigError
from pi05_ros.inference.leads import Lead
from pi05_ros.inference.passes import Drawer, Passes, Writer
from pi05_ros.inference.text_cache import KVCaches
from pi05_ros.model.pi05 import Context, Pi05
from pi05_ros.model.text.tokenizer import PAD
from pi05_ros.model.transformer import KVCache

LENGTH_STEP = 64  # Between the lengths that prompts are padded to [token].

Launch = Callable[[], None]
Capture = Callable[[Launch], Launch]  # Records what a function does; the result does it again.


class Replay:
    """A function of fixed shapes, recorded once.

    Args:
        function: Takes tensors, returns a sequence of tensors, and allocates nothing that lasts.
        inputs: The first arguments; they become the buffers that later ones are copied to.
        capture: Records a launch.
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
        """Runs it: the output buffers, which hold until the next call."""
        for buffer, value in zip(self._inputs, inputs, strict=True):
            buffer.copy_(value)
        self._launch()
        return self.outputs


class CudaCapture:
    """Records CUDA graphs that share one pool of caches.

    Args:
        device: A CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, launch: Launch) -> Launch:
        """Records `launch`."""
        with torch.cuda.device(self._device):
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                launch()  # What libraries set up on a first call must not be recorded.
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            # Other threads, such as the other head's, may use the GPU meanwhile.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                launch()

        def replay() -> None:
            with torch.cuda.device(self._device):
                graph.replay()

        return replay


class GraphPasses(Passes):
    """`Passes` in fixed shapes.

    What a drawer or a writer holds lies in buffers: it is good until the next scene of the same
    shape is read for the same head.

    Args:
        model: The weights, on the GPU.
        capture: How a launch is recorded; `CudaCapture` on a GPU.
        compiled: Whether torch.compile makes the kernels that are recorded.
    """

    def __init__(self, model: Pi05, capture: Capture, *, compiled: bool = True) -> None:
        super().__init__(model, compiled=compiled)
        self._capture = capture
        self._read_padded_memory = self._prepare(self._read_padded_memory_pass)
        self._read_padded_text = self._prepare(self._read_padded_text_pass)
        self._write_slot = self._prepare(self._write_slot_pass)  # Each scene has its own length.
        longest = model.config.max_prompt_tokens
        self._lengths = tuple(range(longest, 0, -LENGTH_STEP))[::-1]
        self._embeddings: dict[int, Replay] = {}  # By number of pictures.
        # By number of pictures and length of the prompt: reading, and what follows it.
        self._action_scenes: dict[tuple[int, int], tuple[Replay, Replay]] = {}
        self._led_scenes: dict[tuple[int, int], Replay] = {}  # Likewise, for chunks that go on.
        self._text_scenes: dict[tuple[bool, int, int], tuple[Replay, Replay, Tensor]] = {}

    def shapes(self, cameras: int) -> Iterator[tuple[int, int]]:
        """All that there are: after a warm-up nothing is recorded any more."""
        for count in range(cameras, 0, -1):
            for length in self._lengths:
                yield count, length

    def embed(self, images: Tensor) -> Tensor:
        """See Passes."""
        images = images.to(self._model.device).contiguous()
        if len(images) not in self._embeddings:
            self._embeddings[len(images)] = Replay(
                lambda batch: [self._embed(batch)], [images], self._capture
            )
        return self._embeddings[len(images)](images)[0].clone()  # Kept by others.

    def read_for_actions(
        self, pictures: Tensor, tokens: Tensor, state: Tensor | None = None
    ) -> Drawer:
        """See Passes."""
        padded, valid = self._pad(pictures, tokens)
        inputs = [pictures, padded, valid]
        key = len(pictures), padded.shape[1]
        if key not in self._action_scenes:
            self._action_scenes[key] = self._record_actions(inputs, state)
        read, draw = self._action_scenes[key]
        read(*inputs)
        told = [] if state is None else [state.to(valid.device)]

        def draw_any(noise: Tensor, lead: Lead | None = None) -> Tensor:
            if lead is None:
                return draw(noise, valid, *told)[0].clone()
            rows, weights = lead.rows.to(valid.device), lead.weights.to(valid.device)
            if not lead.trained:
                context = self._told(_layers(read.outputs), valid, told)
                return self._integrate_guided(noise.to(valid.device), rows, weights, context)
            led = [noise, rows, weights, valid, *told]
            if key not in self._led_scenes:
                self._led_scenes[key] = self._record_led(_layers(read.outputs), led)
            return self._led_scenes[key](*led)[0].clone()

        return draw_any

    def read_for_text(
        self, pictures: Tensor, tokens: Tensor, urgent: bool = False
    ) -> tuple[Tensor, Writer]:
        """See Passes. Urgent and patient text have buffers of their own."""
        padded, valid = self._pad(pictures, tokens)
        last = valid.sum(dim=1) - 1  # Of the prompt's tokens, (1,).
        inputs = [pictures, padded, valid, last]
        key = urgent, len(pictures), padded.shape[1]
        if key not in self._text_scenes:
            self._text_scenes[key] = self._record_text(inputs)
        read, write, seen = self._text_scenes[key]
        logits = read(*inputs)[0].clone()
        seen.copy_(F.pad(valid, (0, seen.shape[1] - valid.shape[1])))
        slot = torch.tensor([valid.shape[1] - 1], device=valid.device)

        def write_next(token: Tensor) -> Tensor:
            slot.add_(1)
            return write(token, slot)[0].clone()

        return logits, write_next

    def _record_actions(self, inputs: list[Tensor], state: Tensor | None) -> tuple[Replay, Replay]:
        """Reading, and the whole flow on what was read."""
        config, valid = self._model.config, inputs[2]
        read = Replay(self._read_padded_memory, inputs, self._capture)
        caches = _layers(read.outputs)

        def draw(noise: Tensor, valid: Tensor, *told: Tensor) -> list[Tensor]:
            return [self._integrate(noise, self._told(caches, valid, told))]

        noise = torch.zeros(1, config.horizon, config.action_dim, device=valid.device)
        told = [] if state is None else [state.to(valid.device)]
        return read, Replay(draw, [noise, valid, *told], self._capture)

    def _record_led(self, caches: KVCaches, inputs: Sequence[Tensor]) -> Replay:
        """The whole flow on what was read, going on from rows that are known."""

        def draw(
            noise: Tensor, rows: Tensor, weights: Tensor, valid: Tensor, *told: Tensor
        ) -> list[Tensor]:
            context = self._told(caches, valid, told)
            return [self._integrate_led(noise, rows, weights, context)]

        device = inputs[-1].device
        return Replay(draw, [tensor.to(device) for tensor in inputs], self._capture)

    def _told(self, caches: KVCaches, valid: Tensor, states: Sequence[Tensor]) -> Context:
        """What was read, and for π0 the state."""
        context = Context(caches, valid)
        for state in states:
            context = self._model.append_state_token(context, state)
        return context

    def _record_text(self, inputs: list[Tensor]) -> tuple[Replay, Replay, Tensor]:
        """Reading into a cache with room for text, a token, and which of its slots are seen."""
        valid = inputs[2]
        read = Replay(self._read_padded_text, inputs, self._capture)
        caches = _layers(read.outputs[1:])
        seen = F.pad(valid, (0, self._room))
        first = torch.tensor([valid.shape[1]], device=valid.device)
        token = torch.full((1, 1), PAD, device=valid.device)
        write = Replay(
            lambda token, slot: [self._write_slot(token, slot, seen, caches)],
            [token, first],
            self._capture,
        )
        return read, write, seen

    def _pad(self, pictures: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Prompt ids (1, L) padded to the next length, and which of all positions are no padding.

        Returns:
            (1, length) int64 and (1, S) bool, S with the pictures' tokens.
        """
        tokens = tokens.to(self._model.device)
        used = tokens.shape[1]
        length = next(length for length in self._lengths if length >= used)
        seen = pictures.shape[0] * pictures.shape[1] + used
        valid = torch.arange(seen - used + length, device=tokens.device) < seen
        return F.pad(tokens, (0, length - used), value=PAD), valid[None]

    def _read_padded_memory_pass(
        self, pictures: Tensor, tokens: Tensor, valid: Tensor
    ) -> list[Tensor]:
        sequence = self._sequence(pictures, tokens)
        return _tensors(self._model.prefill(sequence, valid, tail=0)[1].caches)

    def _read_padded_text_pass(
        self, pictures: Tensor, tokens: Tensor, valid: Tensor, last: Tensor
    ) -> list[Tensor]:
        hidden, context = self._model.prefill(self._sequence(pictures, tokens), valid)
        logits = self._model.language.logits(hidden.index_select(1, last)[:, 0])
        return [
            logits,
            *(F.pad(tensor, (0, 0, 0, self._room)) for tensor in _tensors(context.caches)),
        ]


def _tensors(caches: KVCaches) -> list[Tensor]:
    """Keys and values of each layer, one after the other."""
    return [tensor for layer in caches for tensor in layer]


def _layers(tensors: Sequence[Tensor]) -> KVCaches:
    """The inverse of `_tensors`."""
    return tuple(map(KVCache, tensors[::2], tensors[1::2]))


def make_passes(model: Pi05, execution: Execution) -> Passes:
    """The passes that run a model in the way of `execution`; see Pi05Engine.

    Raises:
        ConfigError: The device cannot do it.
    """
    if execution != "graphs":
        return Passes(model, compiled=execution == "compiled")
    if model.device.type != "cuda":
        raise ConfigError(
            "execution 'graphs'",
            f"wants the model on a CUDA device, found it on {model.device}; "
            "take 'compiled' or 'eager'",
        )
    return GraphPasses(model, CudaCapture(model.device))
