"""The running model: one copy of the weights behind both heads, for threads that share it.

The planner asks for text, the policy for actions, each from its own thread. One of them computes
at a time. Actions go first: text is written token by token and gives way between two tokens.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.errors import Pi05Error
from pi05_ros.inference.image_cache import ImageCache, digest_of
from pi05_ros.inference.priority_lock import PriorityLock
from pi05_ros.model.checkpoint import Checkpoint
from pi05_ros.model.decoding import Decoded, decode_text
from pi05_ros.model.tokenizer import END, prompt_tokens


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
        checkpoint: Model and tokenizer; the model is on `device` already.
        threads: Of torch's operators on the CPU, for the whole process; None: as torch has it. On
            two cores beside a simulator take 1: with more, each waits for the one that the system
            has put aside, and a chunk takes seconds.
        seed: Of the noise and of drawn tokens. Each head has a generator of its own, so that
            one's results do not depend on how often the other is asked.
        temperature: Of text; 0 takes the likeliest token.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        threads: int | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._model = checkpoint.model.eval().requires_grad_(False)
        self._tokenizer = checkpoint.tokenizer
        self._config = checkpoint.model.config
        self._temperature = temperature
        self._device = next(self._model.parameters()).device
        self._lock = PriorityLock()
        self._pictures = ImageCache(self._model.embed_images)
        self._noise_generator = torch.Generator().manual_seed(seed)
        self._text_generator = torch.Generator().manual_seed(seed)
        with torch.inference_mode():
            self._modulation = self._model.modulations(self._config.flow_steps)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the pictures that it takes."""
        return (self._config.vision.image_size,) * 2

    def warm_up(self, cameras: int) -> None:
        """Runs both heads once on black pictures; draws from neither generator."""
        black = np.zeros((*self.image_size, 3), dtype=np.uint8)
        images = {f"camera {index}": black for index in range(cameras)}
        shape = (1, self._config.horizon, self._config.action_dim)
        self.draw_actions(images, "warm up", torch.zeros(shape))
        self._write_text(images, "warm up", limit=2, temperature=0.0)
        self._pictures.clear()

    def write_text(self, images: Mapping[str, np.ndarray], prompt: str) -> TextResult:
        """Writes the answer to a prompt.

        Args:
            images: Camera name → (H, W, 3) uint8 rgb at `image_size`, in the order in which the
                weights know them. A missing camera is left out, which equals masking its picture.
            prompt: The whole prompt, from `model.prompts`.

        Raises:
            EngineError: A picture is not as wanted, or the prompt is too long.
        """
        return self._write_text(images, prompt, self._config.max_text_tokens, self._temperature)

    def draw_actions(
        self, images: Mapping[str, np.ndarray], prompt: str, noise: Tensor | None = None
    ) -> ActionResult:
        """Draws a chunk of normalised actions.

        Args:
            images: As for `write_text`.
            prompt: The whole prompt, from `model.prompts`.
            noise: ω, (1, horizon, action_dim) float32; None: drawn.

        Raises:
            EngineError: A picture is not as wanted, the prompt is too long, or the weights give
                values that are not finite.
        """
        watch = _Watch(self._device)
        request = self._request(images, prompt)
        with self._lock.hold(urgent=True), torch.inference_mode():
            watch.lap("waited")
            pictures = self._pictures.embed(*request[:2])
            watch.lap("vision")
            _, context = self._model.read_tail(self._sequence(pictures, request[2]), tail=0)
            watch.lap("prefix")
            if noise is None:
                shape = (1, self._config.horizon, self._config.action_dim)
                noise = torch.randn(shape, generator=self._noise_generator)
            drawn = self._model.sample_actions(
                context, noise.to(self._device), self._config.flow_steps, self._modulation
            )
            actions = drawn[0].cpu().numpy()
            watch.lap("generation")
        if not np.isfinite(actions).all():
            raise EngineError(
                "the model drew actions that are not finite; its weights or statistics are broken"
            )
        return ActionResult(actions, watch.times())

    def _write_text(
        self, images: Mapping[str, np.ndarray], prompt: str, limit: int, temperature: float
    ) -> TextResult:
        watch = _Watch(self._device)
        request = self._request(images, prompt)

        def give_way() -> None:
            watch.lap("generation")
            self._lock.give_way()
            watch.lap("waited")

        with self._lock.hold(urgent=False), torch.inference_mode():
            watch.lap("waited")
            pictures = self._pictures.embed(*request[:2])
            watch.lap("vision")
            self._lock.give_way()
            watch.lap("waited")
            read = self._model.read_tail(self._sequence(pictures, request[2]), tail=1)
            watch.lap("prefix")
            decoded = decode_text(
                self._model,
                *read,
                end=END,
                limit=limit,
                temperature=temperature,
                generator=self._text_generator,
                between_tokens=give_way,
            )
            watch.lap("generation")
        return TextResult(self._tokenizer.decode(decoded.tokens), decoded, watch.times())

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
        tokens = prompt_tokens(self._tokenizer, prompt)
        if len(tokens) > self._config.max_prompt_tokens:
            raise EngineError(
                f"the prompt has {len(tokens)} tokens, at most {self._config.max_prompt_tokens} "
                f"fit; give a shorter text (it begins with {prompt[:60]!r})"
            )
        pictures = list(images.values())
        return pictures, [digest_of(picture) for picture in pictures], torch.tensor([tokens])

    def _sequence(self, pictures: Tensor, tokens: Tensor) -> Tensor:
        """Embedded pictures (N, tokens, W) and prompt ids (1, L) as one sequence (1, S, W)."""
        text = self._model.language.embed(tokens.to(self._device))
        return torch.cat([pictures.flatten(0, 1)[None], text], dim=1)


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
