"""The running model: one copy of the weights behind both heads, for threads that share it.

The planner asks for text, the policy for actions, each from its own thread. One of them computes
at a time. Actions go first: text is written token by token and gives way between two tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.brain.continuation import Continuation, ContinuationMode
from pi05_ros.brain.model_options import Execution, ExecutionChoice
from pi05_ros.brain.timings import Times
from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.errors import Pi05Error
from pi05_ros.inference.graph_passes import make_passes
from pi05_ros.inference.image_cache import ImageCache, digest_of
from pi05_ros.inference.leads import lead_of
from pi05_ros.inference.priority_lock import PriorityLock
from pi05_ros.inference.stopwatch import Stopwatch
from pi05_ros.model.decoding import Decoded, decode
from pi05_ros.model.normalization import pad
from pi05_ros.model.text import action_text
from pi05_ros.model.text.prompts import fitting_tokens
from pi05_ros.model.text.tokenizer import BEGIN, END

NEVER = -1  # An end of sequence that no vocabulary holds.


class EngineError(Pi05Error):
    """The engine was given, or gave, something that must not be used."""


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


@dataclass(frozen=True)
class WrittenActions:
    """What the low level wrote in FAST tokens."""

    actions: np.ndarray  # (horizon, dims) float32, normalised, finite.
    decoded: Decoded
    times: Times


class Pi05Engine:
    """Runs a checkpoint.

    Args:
        checkpoint: Model and tokenizer; the model is on its device already.
        execution: How the passes run. "eager": as they stand. "compiled": by torch.compile, see
            Passes. "graphs": compiled, and launched as CUDA graphs; on a GPU only. Both want
            `warm_up` before they are quick. "auto": "graphs" on a GPU, else "eager".
        threads: Of torch's operators on the CPU, for the whole process; None: as torch has it. On
            two cores beside a simulator take 1: with more, each waits for the one that the system
            has put aside, and a chunk takes seconds.
        seed: Of the noise and of drawn tokens. Each head has a generator of its own, so that
            one's results do not depend on how often the other is asked.
        temperature: Of text; 0 takes the likeliest token.

    Raises:
        ConfigError: The device cannot do what `execution` wants.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        execution: ExecutionChoice = "auto",
        threads: int | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        model = checkpoint.model.eval().requires_grad_(False)
        self._config = model.config
        self._tokenizer = checkpoint.tokenizer
        self._fast = checkpoint.fast
        self._temperature = temperature
        self._device, self._dtype = model.device, model.dtype
        on_gpu = self._device.type == "cuda"
        self._execution: Execution = (
            execution if execution != "auto" else "graphs" if on_gpu else "eager"
        )
        self._passes = make_passes(model, self._execution)
        self._lock = PriorityLock()
        self._text_lock = threading.Lock()
        self._pictures = ImageCache(self._passes.embed)
        self._noise_generator = torch.Generator().manual_seed(seed)
        self._text_generator = torch.Generator().manual_seed(seed)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the pictures that it takes."""
        return (self._config.vision.image_size,) * 2

    @property
    def description(self) -> str:
        """How it runs, for logs and people."""
        dtype = str(self._dtype).removeprefix("torch.")
        return f"{dtype} on {self._device}, {self._execution}"

    def warm_up(
        self, text_cameras: int, action_cameras: int, continuation: ContinuationMode | None = None
    ) -> None:
        """Runs both heads in every shape that will come; draws from neither generator.

        Args:
            text_cameras: Cameras that text is written from; 0 where the head is not used.
            action_cameras: Cameras that actions are drawn from; 0 likewise.
            continuation: The mode in which chunks will go on from others; None: they will not.
        """
        with (
            self._text_lock,
            self._lock.hold(urgent=False),
            self._passes.compiling(),
            torch.inference_mode(),
        ):
            # Made here, in inference mode, as all that comes later: torch tells the two apart.
            side, most = self._config.vision.image_size, max(text_cameras, action_cameras)
            black = torch.zeros(most, 3, side, side, dtype=torch.uint8)
            embedded = [self._passes.embed(black[: n + 1]) for n in range(most)]
            for count, length in self._passes.shapes(text_cameras):
                self._try_text(embedded[count - 1], _blank_prompt(length))
            for count, length in self._passes.shapes(action_cameras):
                pictures, prompt = embedded[count - 1], _blank_prompt(length)
                if self._config.has_expert:
                    draw = self._passes.read_for_actions(pictures, prompt, self._zero_state())
                    draw(torch.zeros(self._chunk_shape))
                    if continuation is not None:
                        held = np.zeros((self._config.horizon, 1))
                        lead = lead_of(
                            Continuation(held, 1, 1, continuation), self._config.action_dim
                        )
                        draw(torch.zeros(self._chunk_shape), lead)
                if self._fast is not None:
                    self._try_text(pictures, prompt, urgent=True)

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
        watch = Stopwatch(self._device)
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
            read = self._passes.read_for_text(embedded, torch.tensor([tokens]))
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
        continuation: Continuation | None = None,
    ) -> ActionResult:
        """Draws a chunk of normalised actions.

        Args:
            images: As for `write_text`.
            prompt: The whole prompt, from `model.prompts`.
            noise: ω, (1, horizon, action_dim) float32; None: drawn.
            state: π0, which has no state in its prompt: (D,) normalised. None for π0.5.
            continuation: What the chunk goes on from, its actions (horizon, D) normalised; None:
                nothing. In the mode "rtc" the first rows come near the committed ones, in
                "trained_rtc" they are the committed ones.

        Raises:
            EngineError: A picture is not as wanted, or the weights give values that are not
                finite.
            PromptError: The prompt is too long.
            VariantError: The model has no expert, or lacks the state or wants none.
        """
        watch = Stopwatch(self._device)
        pictures, digests, tokens = self._request(images, prompt)
        told = None if state is None else self._padded(state)
        with self._lock.hold(urgent=True), torch.inference_mode():
            watch.lap("waited")
            embedded = self._pictures.embed(pictures, digests)
            watch.lap("vision")
            draw = self._passes.read_for_actions(embedded, torch.tensor([tokens]), told)
            watch.lap("prefix")
            if noise is None:
                noise = torch.randn(self._chunk_shape, generator=self._noise_generator)
            lead = None if continuation is None else lead_of(continuation, self._config.action_dim)
            actions = draw(noise, lead)[0].cpu().numpy()
            watch.lap("generation")
        if not np.isfinite(actions).all():
            raise EngineError(
                "the model drew actions that are not finite; its weights or statistics are broken"
            )
        return ActionResult(actions, watch.times())

    def write_actions(
        self,
        images: Mapping[str, np.ndarray],
        prompt: str,
        dims: int,
        opening: str = action_text.OPENING,
    ) -> WrittenActions:
        """Writes a chunk of normalised actions as FAST tokens; they go as first as drawn ones.

        Args:
            images: As for `write_text`.
            prompt: The whole prompt, from `model.prompts`.
            dims: Entries of the robot's actions, not padded.
            opening: What the answer begins with: `action_text.OPENING` in π0-FAST, "" in π0.5,
                whose prompt ends with it.

        Raises:
            EngineError: A picture is not as wanted, or the checkpoint has no FAST tokenizer.
            PromptError: The prompt is too long.
            FastError: What was written is not one whole chunk.
        """
        if self._fast is None:
            raise EngineError(
                "wanted actions as FAST tokens; the checkpoint has no tokenizer of them"
            )
        watch = Stopwatch(self._device)
        pictures, digests, tokens = self._request(images, prompt)
        with self._lock.hold(urgent=True), torch.inference_mode():
            watch.lap("waited")
            embedded = self._pictures.embed(pictures, digests)
            watch.lap("vision")
            read = self._passes.read_for_text(embedded, torch.tensor([tokens]), urgent=True)
            watch.lap("prefix")
            decoded = decode(*read, end=END, limit=self._config.max_action_tokens)
            watch.lap("generation")
        horizon = self._config.horizon
        actions = action_text.decode_actions(
            self._tokenizer, self._fast, decoded.tokens, horizon, dims, opening
        )
        return WrittenActions(actions, decoded, watch.times())

    @property
    def _chunk_shape(self) -> tuple[int, int, int]:
        return 1, self._config.horizon, self._config.action_dim

    def _try_text(self, pictures: Tensor, prompt: Tensor, urgent: bool = False) -> None:
        """Reads a scene and writes some tokens."""
        decode(*self._passes.read_for_text(pictures, prompt, urgent), end=NEVER, limit=3)

    def _zero_state(self) -> Tensor | None:
        """What a warm-up tells π0."""
        return self._padded(np.zeros(0)) if self._config.variant == "pi0" else None

    def _padded(self, state: np.ndarray) -> Tensor:
        """A state (D,) as the model takes it, (1, action_dim) float32."""
        padded = pad(np.asarray(state, dtype=np.float32), self._config.action_dim)
        return torch.from_numpy(padded)[None]

    def _request(
        self, images: Mapping[str, np.ndarray], prompt: str
    ) -> tuple[list[np.ndarray], list[bytes], Sequence[int]]:
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
        tokens = fitting_tokens(self._tokenizer, prompt, self._config.max_prompt_tokens)
        return pictures, [digest_of(picture) for picture in pictures], tokens


def _blank_prompt(length: int) -> Tensor:
    """Ids (1, length) of a prompt that says nothing."""
    return torch.full((1, length), BEGIN)
