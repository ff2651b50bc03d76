"""The running model: one copy of the weights for both heads, shared by several threads.

The planner requests text, the policy actions, each from its own thread. One request runs at a
time. Actions have priority: text decoding yields to them between two tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from pi05_ros.brain.continuation import Continuation, ContinuationMode
from pi05_ros.brain.model_options import Execution, ExecutionChoice
from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.errors import Pi05Error
from pi05_ros.inference.chunk_prefix import chunk_prefix_of
from pi05_ros.inference.graph_passes import make_passes
from pi05_ros.inference.image_cache import ImageCache, digest_of
from pi05_ros.inference.priority_lock import PriorityLock
from pi05_ros.inference.results import ActionResult, FastActionResult, TextResult
from pi05_ros.inference.stopwatch import Stopwatch
from pi05_ros.model.decoding import decode
from pi05_ros.model.normalization import pad
from pi05_ros.model.text import action_text
from pi05_ros.model.text.prompts import fitting_tokens
from pi05_ros.model.text.tokenizer import BEGIN, END, prompt_tokens

NEVER = -1  # An end-of-sequence id that no vocabulary has.


class EngineError(Pi05Error):
    """An input that the engine does not accept, or an output that must not be used."""


class Pi05Engine:
    """Runs a checkpoint.

    Args:
        checkpoint: Model and tokenizer; the model is on its device already.
        execution: How the passes run. "eager": as they are. "compiled": by torch.compile, see
            Passes. "graphs": compiled, and launched as CUDA graphs; on a GPU only. Both require
            `warm_up` before they are fast. "auto": "graphs" on a GPU, else "eager".
        threads: Number of threads of torch's CPU operators, for the whole process; None: torch's
            default. Use 1 on two cores shared with a simulator: with more, each operator waits
            for a descheduled thread, and a chunk takes seconds.
        seed: Of the noise and of sampled tokens. Each head has its own generator, so that its
            results do not depend on calls of the other.
        temperature: Of text; 0: greedy decoding.

    Raises:
        ConfigError: The device does not support `execution`.
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

    def reseed(self, seed: int) -> None:
        """Restart both random generators, as if the engine was new with this seed."""
        with self._text_lock, self._lock.hold(urgent=False):
            self._noise_generator.manual_seed(seed)
            self._text_generator.manual_seed(seed)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the input pictures."""
        return (self._config.vision.image_size,) * 2

    @property
    def description(self) -> str:
        """Dtype, device and execution mode, for logs."""
        dtype = str(self._dtype).removeprefix("torch.")
        return f"{dtype} on {self._device}, {self._execution}"

    def warm_up(
        self, text_cameras: int, action_cameras: int, continuation: ContinuationMode | None = None
    ) -> None:
        """Run both heads once in every shape; uses neither random generator.

        Args:
            text_cameras: Number of cameras for text; 0 if that head is not used.
            action_cameras: Number of cameras for actions; 0 if that head is not used.
            continuation: Mode in which chunks will continue others; None: they will not.
        """
        with (
            self._text_lock,
            self._lock.hold(urgent=False),
            self._passes.compiling(),
            torch.inference_mode(),
        ):
            # Created in inference mode, as later inputs: torch.compile guards on it.
            side, most = self._config.vision.image_size, max(text_cameras, action_cameras)
            black = torch.zeros(most, 3, side, side, dtype=torch.uint8)
            embedded = [self._passes.embed(black[: n + 1]) for n in range(most)]
            for count, length in self._passes.shapes(text_cameras):
                self._warm_up_text(embedded[count - 1], _blank_prompt(length))
            for count, length in self._passes.shapes(action_cameras):
                pictures, prompt = embedded[count - 1], _blank_prompt(length)
                if self._config.has_expert:
                    sample = self._passes.prefill_for_actions(pictures, prompt, self._zero_state())
                    sample(torch.zeros(self._chunk_shape))
                    if continuation is not None:
                        old = np.zeros((self._config.horizon, 1))
                        prefix = chunk_prefix_of(
                            Continuation(old, 1, 1, continuation), self._config.action_dim
                        )
                        sample(torch.zeros(self._chunk_shape), prefix)
                if self._fast is not None:
                    self._warm_up_text(pictures, prompt, urgent=True)

    def prompt_problem(self, prompt: str) -> str:
        """Reason why a prompt is too long, as one clause; empty if it is not."""
        found = len(prompt_tokens(self._tokenizer, prompt))
        longest = self._config.max_prompt_tokens
        if found <= longest:
            return ""
        return f"its prompt has {found} tokens, at most {longest} are allowed; use fewer words"

    def generate_text(
        self, images: Mapping[str, np.ndarray], prompt: str, stop_after: int | None = None
    ) -> TextResult:
        """Decode the answer to a prompt.

        Args:
            images: Camera name → (H, W, 3) uint8 rgb at `image_size`, in the order of the
                weights' inputs. A missing camera is left out, which equals masking its picture.
            prompt: The whole prompt, from `model.text.prompts`.
            stop_after: Tokens after which the answer is finished; see `decode`.

        Raises:
            EngineError: A picture has the wrong shape or dtype, or there is none.
            PromptError: The prompt is too long.
            DecodingError: The model's logits are not finite.
        """
        watch = Stopwatch(self._device)
        pictures, digests, tokens = self._request(images, prompt)

        def yield_to_urgent() -> None:
            watch.lap("generation")
            self._lock.yield_to_urgent()
            watch.lap("waited")

        # One text at a time, since the passes hold its cache while it yields to actions.
        with self._text_lock, self._lock.hold(urgent=False), torch.inference_mode():
            watch.lap("waited")
            embedded = self._pictures.embed(pictures, digests)
            watch.lap("vision")
            self._lock.yield_to_urgent()
            watch.lap("waited")
            logits, step = self._passes.prefill_for_text(embedded, torch.tensor([tokens]))
            watch.lap("prefix")
            decoded = decode(
                logits,
                step,
                end=END,
                limit=self._config.max_text_tokens,
                temperature=self._temperature,
                generator=self._text_generator,
                between_tokens=yield_to_urgent,
                stop_after=stop_after,
            )
            watch.lap("generation")
        return TextResult(self._tokenizer.decode(decoded.tokens), decoded, watch.times())

    def sample_actions(
        self,
        images: Mapping[str, np.ndarray],
        prompt: str,
        noise: Tensor | None = None,
        state: np.ndarray | None = None,
        continuation: Continuation | None = None,
    ) -> ActionResult:
        """Sample a chunk of normalised actions.

        Args:
            images: As for `generate_text`.
            prompt: The whole prompt, from `model.text.prompts`.
            noise: ω, (1, horizon, action_dim) float32; None: random.
            state: (D,) normalised, for π0, which has no state in its prompt. None for π0.5.
            continuation: The chunk that the new one continues, with normalised actions
                (horizon, D); None: there is none. In the mode "rtc" the first actions are close to
                the committed ones, in "trained_rtc" they are the committed ones.

        Raises:
            EngineError: A picture has the wrong shape or dtype, or the actions are not finite.
            PromptError: The prompt is too long.
            VariantError: The model has no expert, or the state is missing or not supported.
        """
        watch = Stopwatch(self._device)
        pictures, digests, tokens = self._request(images, prompt)
        padded = None if state is None else self._padded(state)
        with self._lock.hold(urgent=True), torch.inference_mode():
            watch.lap("waited")
            embedded = self._pictures.embed(pictures, digests)
            watch.lap("vision")
            sample = self._passes.prefill_for_actions(embedded, torch.tensor([tokens]), padded)
            watch.lap("prefix")
            if noise is None:
                noise = torch.randn(self._chunk_shape, generator=self._noise_generator)
            prefix = None
            if continuation is not None:
                prefix = chunk_prefix_of(continuation, self._config.action_dim)
            actions = sample(noise, prefix)[0].cpu().numpy()
            watch.lap("generation")
        if not np.isfinite(actions).all():
            raise EngineError(
                "the model gave actions that are not finite; its weights or statistics are broken"
            )
        return ActionResult(actions, watch.times())

    def generate_actions(
        self,
        images: Mapping[str, np.ndarray],
        prompt: str,
        dims: int,
        opening: str = action_text.OPENING,
    ) -> FastActionResult:
        """Decode a chunk of normalised actions as FAST tokens; as urgent as `sample_actions`.

        Args:
            images: As for `generate_text`.
            prompt: The whole prompt, from `model.text.prompts`.
            dims: Entries of the robot's actions, not padded.
            opening: Beginning of the answer: `action_text.OPENING` in π0-FAST, "" in π0.5, whose
                prompt ends with it.

        Raises:
            EngineError: A picture has the wrong shape or dtype, or the checkpoint has no FAST
                tokenizer.
            PromptError: The prompt is too long.
            DecodingError: The model's logits are not finite.
            FastError: The decoded tokens are not exactly one chunk.
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
            logits, step = self._passes.prefill_for_text(
                embedded, torch.tensor([tokens]), urgent=True
            )
            watch.lap("prefix")
            decoded = decode(logits, step, end=END, limit=self._config.max_action_tokens)
            watch.lap("generation")
        horizon = self._config.horizon
        actions = action_text.decode_actions(
            self._tokenizer, self._fast, decoded.tokens, horizon, dims, opening
        )
        return FastActionResult(actions, decoded, watch.times())

    @property
    def _chunk_shape(self) -> tuple[int, int, int]:
        return 1, self._config.horizon, self._config.action_dim

    def _warm_up_text(self, pictures: Tensor, prompt: Tensor, urgent: bool = False) -> None:
        """Prefill a scene and decode three tokens."""
        decode(*self._passes.prefill_for_text(pictures, prompt, urgent), end=NEVER, limit=3)

    def _zero_state(self) -> Tensor | None:
        """State for a warm-up: zeros for π0, None for the others."""
        return self._padded(np.zeros(0)) if self._config.variant == "pi0" else None

    def _padded(self, state: np.ndarray) -> Tensor:
        """Pad a state (D,) to (1, action_dim) float32."""
        padded = pad(np.asarray(state, dtype=np.float32), self._config.action_dim)
        return torch.from_numpy(padded)[None]

    def _request(
        self, images: Mapping[str, np.ndarray], prompt: str
    ) -> tuple[list[np.ndarray], list[bytes], Sequence[int]]:
        """Check a request and prepare its inputs without the lock.

        Returns:
            Pictures, their digests, and the ids of the prompt.
        """
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
    """Token ids (1, length) of a prompt without content, for a warm-up."""
    return torch.full((1, length), BEGIN)
