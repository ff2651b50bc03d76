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
from pi05_ros.inference import points
from pi05_ros.inference.chunk_prefix import chunk_prefix_of
from pi05_ros.inference.graph_passes import make_passes
from pi05_ros.inference.image_cache import ImageCache
from pi05_ros.inference.priority_lock import PriorityLock
from pi05_ros.inference.request import EngineError, Request, RequestReader
from pi05_ros.inference.results import ActionResult, FastActionResult, TextResult
from pi05_ros.inference.stopwatch import Stopwatch
from pi05_ros.model.compact_vision import Pictures
from pi05_ros.model.decoding import decode
from pi05_ros.model.normalization import pad
from pi05_ros.model.text import action_text
from pi05_ros.model.text.tokenizer import BEGIN, END, prompt_tokens

NEVER = -1  # An end-of-sequence id that no vocabulary has.
_SEEN = 0.5  # Least probability that a thing is seen, to tell its place.


class Pi05Engine:
    """Runs a checkpoint.

    Args:
        checkpoint: Model and tokenizer; the model is on its device already.
        execution: How the passes run. "eager": as they are. "compiled": by torch.compile, see
            Passes. "graphs": compiled, and launched as CUDA graphs; on a GPU only. Both require
            `warm_up` before they are fast. "auto": "graphs" on a GPU, else "eager"; a model with a
            compact tower is "eager" everywhere.
        threads: Number of threads of torch's CPU operators, for the whole process; None: torch's
            default. Use 1 on two cores shared with a simulator: with more, each operator waits
            for a descheduled thread, and a chunk takes seconds.
        seed: Of the noise and of sampled tokens. Each head has its own generator, so that its
            results do not depend on calls of the other.
        temperature: Of text; 0: greedy decoding.

    Raises:
        ConfigError: The device or the model does not support `execution`.
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
        self._model, self._config = model, model.config
        self._tokenizer = checkpoint.tokenizer
        self._fast = checkpoint.fast
        self._temperature = temperature
        self._device, self._dtype = model.device, model.dtype
        captures = self._device.type == "cuda" and self._config.compact_vision is None
        self._execution: Execution = (
            execution if execution != "auto" else "graphs" if captures else "eager"
        )
        self._passes = make_passes(model, self._execution)
        self._lock = PriorityLock()
        self._text_lock = threading.Lock()
        self._reader = RequestReader(self._config, self._tokenizer)
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
        return self._config.picture_size

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
            most = max(text_cameras, action_cameras)
            black = torch.zeros(most, 3, *self._config.picture_size, dtype=torch.uint8)
            tower = self._config.compact_vision
            views = torch.arange(most) % (1 if tower is None else len(tower.views))
            embedded = [self._passes.embed(black[: n + 1], views[: n + 1]) for n in range(most)]
            for count, length in self._passes.shapes(text_cameras):
                self._warm_up_text(embedded[count - 1], _blank_prompt(length))
            for count, length in self._passes.shapes(action_cameras):
                pictures, prompt = (
                    self._pointed(embedded[count - 1], [BEGIN]),
                    _blank_prompt(length),
                )
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
        request = self._reader.text(images, prompt)

        def yield_to_urgent() -> None:
            watch.lap("generation")
            self._lock.yield_to_urgent()
            watch.lap("waited")

        # One text at a time, since the passes hold its cache while it yields to actions.
        with self._text_lock, self._lock.hold(urgent=False), torch.inference_mode():
            watch.lap("waited")
            embedded = self._embedded(request)
            watch.lap("vision")
            self._lock.yield_to_urgent()
            watch.lap("waited")
            logits, step = self._passes.prefill_for_text(embedded, torch.tensor([request.prompt]))
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
        query: str = "",
    ) -> ActionResult:
        """Sample a chunk of normalised actions.

        Args:
            images: As for `generate_text`.
            prompt: The whole prompt, from `model.text.prompts`.
            noise: ω, (1, horizon, action_dim) float32, used as it is; None: random, times the
                config's `noise_scale` unless the chunk is guided.
            state: (D,) normalised, for π0, which has no state in its prompt. None for π0.5.
            continuation: The chunk that the new one continues, with normalised actions
                (horizon, D); None: there is none. In the mode "rtc" the first actions are close to
                the committed ones, in "trained_rtc" they are the committed ones.
            query: The subtask as it is in the prompt, which a model with grounding looks for in
                the pictures. Not used by others.

        Raises:
            EngineError: A picture has the wrong shape or dtype, the query is missing, or the
                actions are not finite.
            PromptError: The prompt is too long.
            VariantError: The model has no expert, or the state is missing or not supported.
        """
        watch = Stopwatch(self._device)
        request = self._reader.actions(images, prompt, query)
        padded = None if state is None else self._padded(state)
        with self._lock.hold(urgent=True), torch.inference_mode():
            watch.lap("waited")
            embedded = self._embedded(request)
            watch.lap("vision")
            tokens = torch.tensor([request.prompt])
            sample = self._passes.prefill_for_actions(embedded, tokens, padded)
            watch.lap("prefix")
            prefix = None
            if continuation is not None:
                prefix = chunk_prefix_of(continuation, self._config.action_dim)
            if noise is None:
                noise = torch.randn(self._chunk_shape, generator=self._noise_generator)
                if prefix is None or prefix.trained:
                    noise *= self._config.noise_scale
                # Guidance starts from all of the noise: at its mean the action tokens are nearly
                # 0, and the gradient of their first norm is so large that chunks fly off.
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
        query: str = "",
    ) -> FastActionResult:
        """Decode a chunk of normalised actions as FAST tokens; as urgent as `sample_actions`.

        Args:
            images: As for `generate_text`.
            prompt: The whole prompt, from `model.text.prompts`.
            dims: Entries of the robot's actions, not padded.
            opening: Beginning of the answer: `action_text.OPENING` in π0-FAST, "" in π0.5, whose
                prompt ends with it.
            query: As for `sample_actions`.

        Raises:
            EngineError: A picture has the wrong shape or dtype, the query is missing, or the
                checkpoint has no FAST tokenizer.
            PromptError: The prompt is too long.
            DecodingError: The model's logits are not finite.
            FastError: The decoded tokens are not exactly one chunk.
        """
        if self._fast is None:
            raise EngineError(
                "wanted actions as FAST tokens; the checkpoint has no tokenizer of them"
            )
        watch = Stopwatch(self._device)
        request = self._reader.actions(images, prompt, query)
        with self._lock.hold(urgent=True), torch.inference_mode():
            watch.lap("waited")
            embedded = self._embedded(request)
            watch.lap("vision")
            logits, step = self._passes.prefill_for_text(
                embedded, torch.tensor([request.prompt]), urgent=True
            )
            watch.lap("prefix")
            decoded = decode(logits, step, end=END, limit=self._config.max_action_tokens)
            watch.lap("generation")
        horizon = self._config.horizon
        actions = action_text.decode_actions(
            self._tokenizer, self._fast, decoded.tokens, horizon, dims, opening
        )
        return FastActionResult(actions, decoded, watch.times())

    def find(
        self, images: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]
    ) -> dict[tuple[str, str], tuple[float, float]]:
        """Look for named things in pictures, with the heat maps of a model with grounding.

        Args:
            images: As for `generate_text`.
            names: Camera → what to look for in its picture, such as the labels of boxes.

        Returns:
            (camera, name) → x, y of the thing as fractions of the picture, x right, y down. What
            is more likely not seen than seen is left out.

        Raises:
            EngineError: A picture has the wrong shape or dtype, or one is missing.
            ValueError: The model has no grounding.
        """
        self._config.required_grounding()
        asked = {camera: [*dict.fromkeys(named)] for camera, named in names.items() if named}
        if not asked:
            return {}
        if missing := set(asked) - set(images):
            raise EngineError(f"no picture of {', '.join(sorted(missing))} to look for things in")
        encoded = [[self._tokenizer.encode(name) for name in named] for named in asked.values()]
        pictures, keys = self._reader.pictures({camera: images[camera] for camera in asked})
        with self._lock.hold(urgent=False), torch.inference_mode():
            embedded = self._pictures.embed(pictures, keys)
            places, seen = points.find(self._model, embedded, encoded)
        return {
            (camera, name): tuple(places[row, column].tolist())
            for row, (camera, named) in enumerate(asked.items())
            for column, name in enumerate(named)
            if seen[row, column] >= _SEEN
        }

    def _embedded(self, request: Request) -> Pictures:
        """Embed the pictures of a request, with the points of its query."""
        return self._pointed(self._pictures.embed(request.pictures, request.keys), request.query)

    def _pointed(self, pictures: Pictures, query: Sequence[int]) -> Pictures:
        """Put the points of a query before the pictures' tokens, if the model has points."""
        if self._config.grounding is None or not query:
            return pictures
        return points.with_points(self._model, pictures, query)

    @property
    def _chunk_shape(self) -> tuple[int, int, int]:
        return 1, self._config.horizon, self._config.action_dim

    def _warm_up_text(self, pictures: Pictures, prompt: Tensor, urgent: bool = False) -> None:
        """Prefill a scene and decode three tokens."""
        decode(*self._passes.prefill_for_text(pictures, prompt, urgent), end=NEVER, limit=3)

    def _zero_state(self) -> Tensor | None:
        """State for a warm-up: zeros for π0, None for the others."""
        return self._padded(np.zeros(0)) if self._config.variant == "pi0" else None

    def _padded(self, state: np.ndarray) -> Tensor:
        """Pad a state (D,) to (1, action_dim) float32."""
        padded = pad(np.asarray(state, dtype=np.float32), self._config.action_dim)
        return torch.from_numpy(padded)[None]


def _blank_prompt(length: int) -> Tensor:
    """Token ids (1, length) of a prompt without content, for a warm-up."""
    return torch.full((1, length), BEGIN)
