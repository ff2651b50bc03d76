"""The running model: one copy of the weights behind both heads, for threads that share it.

The planner asks for text, the policy for actions, each from its own thread. One of them computes
at a time. Actions go first: text is written token by token and gives way between two tokens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pi05_ros.errors import Pi05Error
from pi05_ros.inference.graph_passes import CudaCapture, GraphPasses
from pi05_ros.inference.image_cache import ImageCache, digest_of
from pi05_ros.inference.passes import Passes
from pi05_ros.inference.priority_lock import PriorityLock
from pi05_ros.model.checkpoint import Checkpoint
from pi05_ros.model.decoding import Decoded, decode
from pi05_ros.model.normalization import pad
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.prompts import PromptError
from pi05_ros.model.tokenizer import BEGIN, END, prompt_tokens

Execution = Literal["eager", "compiled", "graphs"]
NEVER = -1  # An end of sequence that no vocabulary holds.


class EngineError(Pi05Error):
    """The engine was given, or gave, something that must not be used."""


@dataclass(frozen=True)
class Times:
    """Where the time of one prediction went [s], measured with the device synchronised."""

    waited: float  # For the other head.
    vision: float  # Embedding those pictures that were not known yet.
    prefix: float  # Reading pictures, prompt and state.
    generation: float  # Euler steps, or tokens.
    total: float


@dataclass(frozen=True)
class TextResult:
    """What the high level wrote."""

    text: str
    decoded: Decoded
    times: Times


@dataclass(frozen=True)
class ActionResult:
    """What the low level drew."""

    actions: np.ndarray  # (horizon, action_dim) float32, normalised, finite.
    times: Times


class Pi05Engine:
    """Runs a checkpoint.

    Args:
        checkpoint: Model and tokenizer; the model is on its device already.
        execution: How the passes run. "eager": as they stand. "compiled": by torch.compile, see
            Passes. "graphs": compiled, and launched as CUDA graphs; on a GPU only. Both want
            `warm_up` before they are quick. None: "graphs" on a GPU, else "eager".
        threads: Of torch's operators on the CPU, for the whole process; None: as torch has it. On
            two cores beside a simulator take 1: with more, each waits for the one that the system
            has put aside, and a chunk takes seconds.
        seed: Of the noise and of drawn tokens. Each head has a generator of its own, so that
            one's results do not depend on how often the other is asked.
        temperature: Of text; 0 takes the likeliest token.

    Raises:
        EngineError: The device cannot do what `execution` wants.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        execution: Execution | None = None,
        threads: int | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        model = checkpoint.model.eval().requires_grad_(False)
        self._config = model.config
        self._tokenizer = checkpoint.tokenizer
        self._temperature = temperature
        self._device = model.device
        self._passes = make_passes(model, execution)
        self._lock = PriorityLock()
        self._text_lock = threading.Lock()
        self._pictures = ImageCache(self._passes.embed)
        self._noise_generator = torch.Generator().manual_seed(seed)
        self._text_generator = torch.Generator().manual_seed(seed)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the pictures that it takes."""
        return (self._config.vision.image_size,) * 2

    def warm_up(self, text_cameras: int, action_cameras: int) -> None:
        """Runs both heads in every shape that will come; draws from neither generator.

        Args:
            text_cameras: Cameras that text is written from; 0 where the head is not used.
            action_cameras: Cameras that actions are drawn from; 0 likewise.
        """
        side = self._config.vision.image_size
        black = torch.zeros(max(text_cameras, action_cameras), 3, side, side, dtype=torch.uint8)
        state = self._zero_state()
        with self._text_lock, self._lock.hold(urgent=False), torch.inference_mode():
            for count in range(1, len(black) + 1):
                self._passes.embed(black[:count])
            for count, length in self._passes.shapes(action_cameras):
                drawer = self._passes.read_for_actions(
                    self._passes.embed(black[:count]), _blank_prompt(length), state
                )
                drawer(torch.zeros(self._chunk_shape))
            for count, length in self._passes.shapes(text_cameras):
                read = self._passes.read_for_text(
                    self._passes.embed(black[:count]), _blank_prompt(length)
                )
                decode(*read, end=NEVER, limit=3)

    def write_text(self, images: Mapping[str, np.ndarray], prompt: str) -> TextResult:
        """Writes the answer to a prompt.

        Args:
            images: Camera name → (H, W, 3) uint8 rgb at `image_size`, in the order in which the
                weights know them. A missing camera is left out, which equals masking its picture.
            prompt: The whole prompt, from `model.prompts`.

        Raises:
            EngineError: A picture is not as wanted.
            PromptError: The prompt is too long.
        """
        watch = _Watch(self._device)
        pictures, digests, tokens = self._request(images, prompt)

        def give_way() -> None:
            watch.lap("generation")
            self._lock.give_way()
            watch.lap("waited")

        # One text at a time: what is written lies in the passes, and each gives way to actions.
        with self._text_lock, self._lock.hold(urgent=False), torch.inference_mode():
            watch.lap("waited")
            embedded = self._pictures.embed(pictures, digests)
            watch.lap("vision")
            self._lock.give_way()
            watch.lap("waited")
            read = self._passes.read_for_text(embedded, tokens)
            watch.lap("prefix")
            decoded = decode(
                *read,
                end=END,
                limit=self._config.max_text_tokens,
                temperature=self._temperature,
                generator=self._text_generator,
                between_tokens=give_way,
            )
            watch.lap("generation")
        return TextResult(self._tokenizer.decode(decoded.tokens), decoded, watch.times())

    def draw_actions(
        self,
        images: Mapping[str, np.ndarray],
        prompt: str,
        noise: Tensor | None = None,
        state: np.ndarray | None = None,
    ) -> ActionResult:
        """Draws a chunk of normalised actions.

        Args:
            images: As for `write_text`.
            prompt: The whole prompt, from `model.prompts`.
            noise: ω, (1, horizon, action_dim) float32; None: drawn.
            state: π0, which has no state in its prompt: (D,) normalised. None for π0.5.

        Raises:
            EngineError: A picture is not as wanted, or the weights give values that are not
                finite.
            PromptError: The prompt is too long.
            VariantError: The model has no expert, or lacks the state or wants none.
        """
        watch = _Watch(self._device)
        pictures, digests, tokens = self._request(images, prompt)
        told = None if state is None else self._padded(state)
        with self._lock.hold(urgent=True), torch.inference_mode():
            watch.lap("waited")
            embedded = self._pictures.embed(pictures, digests)
            watch.lap("vision")
            draw = self._passes.read_for_actions(embedded, tokens, told)
            watch.lap("prefix")
            if noise is None:
                noise = torch.randn(self._chunk_shape, generator=self._noise_generator)
            actions = draw(noise)[0].cpu().numpy()
            watch.lap("generation")
        if not np.isfinite(actions).all():
            raise EngineError(
                "the model drew actions that are not finite; its weights or statistics are broken"
            )
        return ActionResult(actions, watch.times())

    @property
    def _chunk_shape(self) -> tuple[int, int, int]:
        return 1, self._config.horizon, self._config.action_dim

    def _zero_state(self) -> Tensor | None:
        """What a warm-up tells π0."""
        return self._padded(np.zeros(0)) if self._config.variant == "pi0" else None

    def _padded(self, state: np.ndarray) -> Tensor:
        """A state (D,) as the model takes it, (1, action_dim) float32."""
        padded = pad(np.asarray(state, dtype=np.float32), self._config.action_dim)
        return torch.from_numpy(padded)[None]

    def _request(
        self, images: Mapping[str, np.ndarray], prompt: str
    ) -> tuple[list[np.ndarray], list[bytes], Tensor]:
        """Checks a request and does its part that needs no lock: pictures, digests, token ids."""
        if not images:
            raise EngineError("no picture was given; wanted at least one camera's")
        for camera, image in images.items():
            wanted = (*self.image_size, 3)
            if image.shape != wanted or image.dtype != np.uint8:
                raise EngineError(
                    f"camera '{camera}': wanted a picture of shape {wanted} uint8, found "
                    f"{image.shape} {image.dtype}; start camera_ingestion with the model's size"
                )
        pictures = list(images.values())
        tokens = prompt_tokens(self._tokenizer, prompt)
        if len(tokens) > self._config.max_prompt_tokens:
            raise PromptError(prompt, self._config.max_prompt_tokens, len(tokens))
        return pictures, [digest_of(picture) for picture in pictures], torch.tensor([tokens])


def make_passes(model: Pi05, execution: Execution | None = None) -> Passes:
    """The passes that run a model in the way of `execution`; see Pi05Engine.

    Raises:
        EngineError: The device cannot do it.
    """
    on_gpu = model.device.type == "cuda"
    if execution is None:
        execution = "graphs" if on_gpu else "eager"
    if execution != "graphs":
        return Passes(model, compiled=execution == "compiled")
    if not on_gpu:
        raise EngineError(
            f"execution 'graphs' wants the model on a CUDA device, found it on {model.device}; "
            "use 'compiled' or 'eager'"
        )
    return GraphPasses(model, CudaCapture())


def _blank_prompt(length: int) -> Tensor:
    """Ids (1, length) of a prompt that says nothing."""
    return torch.full((1, length), BEGIN)


class _Watch:
    """Adds up what the parts of one prediction take."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._parts = {"waited": 0.0, "vision": 0.0, "prefix": 0.0, "generation": 0.0}
        self._start = self._last = self._now()

    def lap(self, part: str) -> None:
        """Counts the time since the last lap to `part`."""
        now = self._now()
        self._parts[part] += now - self._last
        self._last = now

    def times(self) -> Times:
        """The sums."""
        return Times(**self._parts, total=self._last - self._start)

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
