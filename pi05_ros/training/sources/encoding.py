"""Samples of episodes and of the web as the model takes them: prompts, tokens, padded vectors.

Prompts, statistics and pictures are those of the running graph (`inference/model_brain`), so that
a model sees in training what it sees on the robot.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pi05_ros.cameras.model_input import reduced
from pi05_ros.errors import Pi05Error
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.normalization import CLIP, NormStats, clip_for_fast, pad
from pi05_ros.model.text import action_text, locations, prompts
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.locations import Answer, Location
from pi05_ros.model.text.tokenizer import END, Tokenizer, prompt_tokens
from pi05_ros.training.objective.batch import TrainingSample
from pi05_ros.training.recipes.recipe import AugmentationRecipe
from pi05_ros.training.sources.augmentation import draw_change
from pi05_ros.training.sources.queries import Queries, box_queries, subtask_query

Box = tuple[str, float, float, float, float]  # Label, x_min, y_min, x_max, y_max.
_FULL_SIZE_RATE = 0.85  # Share of the web's pictures that a compact tower sees as its first view.


class EncodingError(Pi05Error):
    """A sample that the model cannot take."""


def clip_limit(fast: FastTokenizer) -> float:
    """Return the magnitude to which the FAST targets of a tokenizer are clipped, normalised."""
    return min(CLIP, fast.limit)


@dataclass(frozen=True)
class RobotVectors:
    """State and actions of a row in platform units, with the robot's statistics."""

    stats: NormStats
    state: np.ndarray  # (D,) float64.
    actions: np.ndarray  # (H, D) float64.
    valid: np.ndarray  # (H,) bool; False: behind the end of the run of actions.


@dataclass(frozen=True)
class Encoder:
    """Encodes samples for one model. It can be pickled.

    Args:
        config: Sizes and variant.
        tokenizer: Of the model.
        fast: Tokenizer of actions; None: no FAST targets.
        augmentation: Changes of pictures.
    """

    config: ModelConfig
    tokenizer: Tokenizer
    fast: FastTokenizer | None
    augmentation: AugmentationRecipe

    def low_level(
        self,
        images: Mapping[str, np.ndarray],
        cameras: Sequence[str],
        text: str,
        vectors: RobotVectors,
        targets: Collection[Literal["fast", "flow"]],
        draw: np.random.Generator | None,
    ) -> TrainingSample:
        """Encode pictures, a subtask and the actions behind a row.

        Args:
            images: Camera -> (side, side, 3) uint8; a missing camera is masked.
            cameras: In the order of the model's pictures.
            text: The subtask.
            vectors: State and actions.
            targets: "fast": FAST tokens; "flow": actions for the expert.
            draw: Random numbers of the augmentation; None: pictures and state are not changed.

        Raises:
            EncodingError: Values are not finite, the state is outside of the prompt's format, or a
                chunk does not fit.
        """
        stats = vectors.stats
        self._check(vectors)
        state = stats.normalize_state(vectors.state)
        actions = stats.normalize_actions(vectors.actions, vectors.state)
        if draw is not None and self.augmentation.state_noise:
            state = state + draw.normal(0.0, self.augmentation.state_noise, state.shape)
        pictures, present, _ = self._pictures(images, cameras, (), draw)
        prompt = self._low_level_prompt(text, state)
        sample = TrainingSample(
            pictures,
            prompt,
            cameras=present,
            state=self._state(state),
            views=self._views(cameras),
        )
        if self.config.grounding is not None:
            sample = replace(sample, queries=(self.tokenizer.encode(text),), pointed=True)
        if "fast" in targets:
            # Behind the end of a run too: decoding wants whole chunks, and rows there say that the
            # robot keeps its place and its base stands.
            tokens, clipped = self._fast(actions)
            sample = replace(sample, fast=tokens, clipped=clipped)
        if "flow" in targets:
            padded = pad(actions, self.config.action_dim)
            # Padded entries are trained to be 0, as in openpi: inference samples them too, and
            # feeds them back at each Euler step. Without a weight they drift, and the others with
            # them.
            weights = np.zeros_like(padded)
            weights[vectors.valid] = 1.0
            sample = replace(
                sample,
                actions=torch.from_numpy(padded.astype(np.float32)),
                action_weights=torch.from_numpy(weights.astype(np.float32)),
            )
        return sample

    def with_text(
        self, sample: TrainingSample, text: str, vectors: RobotVectors
    ) -> TrainingSample:
        """Return a sample of the low level with another subtask at the same state.

        Raises:
            EncodingError: The prompt is too long.
        """
        prompt = self._low_level_prompt(text, vectors.stats.normalize_state(vectors.state))
        queries = (self.tokenizer.encode(text),) if sample.queries else ()
        return replace(sample, prompt=prompt, queries=queries)

    def high_level(
        self,
        images: Mapping[str, np.ndarray],
        cameras: Sequence[str],
        task: str,
        normalized_state: np.ndarray,
        answer: Answer,
        draw: np.random.Generator | None,
        past: Sequence[str] = (),
    ) -> TrainingSample:
        """Encode pictures, a task, and the boxes and the subtask that are to be said.

        Args:
            images: Camera -> (side, side, 3) uint8.
            cameras: In the order of the model's pictures.
            task: The task.
            normalized_state: (D,).
            answer: Boxes in the model's pictures, and the subtask or "done".
            draw: Random numbers of the augmentation; None: pictures are not changed.
            past: Earlier subtasks, from `prompts.past_subtask`.

        Raises:
            EncodingError: The answer does not fit.
        """
        pictures, present, boxes = self._pictures(images, cameras, answer.locations, draw)
        prompt = prompts.high_level(task, normalized_state, past)
        text = locations.write(Answer(answer.subtask, boxes), tuple(cameras))
        sample = TrainingSample(
            pictures,
            self._prompt(prompt),
            text=self._text(text),
            cameras=present,
            state=self._state(normalized_state),
            views=self._views(cameras),
        )
        if answer.done:
            return sample
        return self._with_queries(sample, subtask_query(answer.subtask, boxes, cameras))

    def web(
        self,
        image: np.ndarray,
        prompt: str,
        answer: str,
        boxes: Sequence[Box],
        draw: np.random.Generator | None,
        *,
        says_boxes: bool = True,
        counts: Mapping[str, int] | None = None,
    ) -> TrainingSample:
        """Encode one picture, a question and its answer.

        With a compact tower the picture is taken as one of any camera.

        Args:
            image: (height, width, 3) uint8, of the model's size.
            prompt: The whole prompt.
            answer: Text behind the boxes; may be empty with boxes.
            boxes: Label and corners of what is known of the picture, fractions of it.
            draw: Random numbers of the augmentation; None: the picture is not changed.
            says_boxes: Whether the answer begins with the boxes. Otherwise they are only looked
                for by the grounding.
            counts: How often each label occurs in all pictures.

        Raises:
            EncodingError: The answer does not fit.
        """
        cameras = (self._web_camera(draw),)
        located = [Location(cameras[0], *box) for box in boxes]
        pictures, present, kept = self._pictures({cameras[0]: image}, cameras, located, draw)
        text = locations.write(Answer(answer, kept if says_boxes else ()), cameras)
        sample = TrainingSample(
            pictures,
            self._prompt(prompt),
            text=self._text(text),
            cameras=present,
            state=self._state(np.zeros(0)),
            views=self._views(cameras),
        )
        chosen = draw if draw is not None else np.random.default_rng(0)
        return self._with_queries(sample, box_queries(kept, cameras, counts or {}, chosen))

    def _web_camera(self, draw: np.random.Generator | None) -> str:
        """Draw the camera that a picture of the web is taken as one of."""
        tower = self.config.compact_vision
        if tower is None:
            return "web"
        if draw is None or draw.random() < _FULL_SIZE_RATE:
            return tower.views[0]
        return tower.views[int(draw.integers(len(tower.views)))]

    def _views(self, cameras: Sequence[str]) -> tuple[int, ...]:
        """Views of the cameras; () in a model that does not tell them apart."""
        if self.config.compact_vision is None:
            return ()
        return tuple(self.config.view_of(camera) for camera in cameras)

    def _with_queries(self, sample: TrainingSample, queries: Queries | None) -> TrainingSample:
        """Add texts whose things are looked for, if the model does."""
        if self.config.grounding is None or queries is None:
            return sample
        encoded = tuple(self.tokenizer.encode(text) for text in queries.texts)
        return replace(sample, queries=encoded, points=queries.points)

    def _pictures(
        self,
        images: Mapping[str, np.ndarray],
        cameras: Sequence[str],
        boxes: Sequence[Location],
        draw: np.random.Generator | None,
    ) -> tuple[Tensor, Tensor, tuple[Location, ...]]:
        """Stack pictures (C, 3, height, width), mask missing ones, and move the boxes.

        Reduced pictures are in the upper left corner.
        """
        size = self.config.picture_size
        stacked = np.zeros((len(cameras), *size, 3), dtype=np.uint8)
        present = torch.zeros(len(cameras), dtype=torch.bool)
        kept: list[Location] = []
        for index, camera in enumerate(cameras):
            own = [box for box in boxes if box.camera == camera]
            picture = images.get(camera)
            if picture is None:
                continue
            picture = self._of_its_size(camera, picture)
            height, width = picture.shape[:2]
            present[index] = True
            if draw is None:
                stacked[index, :height, :width] = picture
                kept += own
                continue
            change = draw_change(self.augmentation, camera, draw)
            stacked[index, :height, :width] = change.apply(picture)
            for box in own:
                moved = change.move((box.x_min, box.y_min, box.x_max, box.y_max))
                if moved is not None:
                    kept.append(Location(camera, box.label, *moved))
        if not present.any():
            raise EncodingError(f"there is no picture of {', '.join(cameras)}")
        return torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous(), present, tuple(kept)

    def _of_its_size(self, camera: str, picture: np.ndarray) -> np.ndarray:
        """Reduce a picture of the model's size to that of its camera, unless it is reduced."""
        size, reduction = self.config.picture_size, self.config.reduction_of(camera)
        if picture.shape == (*size, 3):
            return reduced(picture, reduction)
        if picture.shape == (size[0] // reduction, size[1] // reduction, 3):
            return picture
        raise EncodingError(
            f"camera '{camera}': wanted a picture of {(*size, 3)}, found {picture.shape}; the "
            f"model's pictures have {size[0]} x {size[1]} pixels"
        )

    def _low_level_prompt(self, text: str, normalized_state: np.ndarray) -> list[int]:
        return self._prompt(prompts.low_level(text, normalized_state, self.config.variant))

    def _prompt(self, text: str) -> list[int]:
        tokens = list(prompt_tokens(self.tokenizer, text))
        if len(tokens) > self.config.max_prompt_tokens:
            raise EncodingError(
                f"wanted a prompt of at most {self.config.max_prompt_tokens} tokens, found "
                f"{len(tokens)}: {text[:60]!r}"
            )
        return tokens

    def _text(self, text: str) -> list[int]:
        tokens = [*self.tokenizer.encode(text), END]
        if len(tokens) > self.config.max_text_tokens:
            raise EncodingError(
                f"wanted an answer of at most {self.config.max_text_tokens} tokens, found "
                f"{len(tokens)}: {text[:60]!r}"
            )
        return tokens

    def _fast(self, actions: np.ndarray) -> tuple[list[int], int]:
        """Encode a chunk (H, D); also return the number of values that are clipped."""
        if self.fast is None:
            raise EncodingError("FAST targets are wanted and there is no FAST tokenizer")
        opening = action_text.OPENING if self.config.variant == "pi0_fast" else ""
        limited, beyond = clip_for_fast(actions, clip_limit(self.fast))
        tokens = action_text.encode_actions(self.tokenizer, self.fast, limited, opening)
        if len(tokens) > self.config.max_action_tokens:
            raise EncodingError(
                f"wanted a chunk of at most {self.config.max_action_tokens} FAST tokens, found "
                f"{len(tokens)}"
            )
        return tokens, int(beyond.sum())

    def _state(self, normalized: np.ndarray) -> Tensor | None:
        """State token of π0; None in the other variants."""
        if self.config.variant != "pi0":
            return None
        return torch.from_numpy(pad(normalized, self.config.action_dim).astype(np.float32))

    def _check(self, vectors: RobotVectors) -> None:
        horizon, width = vectors.actions.shape
        if horizon != self.config.horizon or width > self.config.action_dim:
            raise EncodingError(
                f"wanted a chunk of {self.config.horizon} rows of at most "
                f"{self.config.action_dim} entries, found {vectors.actions.shape}"
            )
        if not vectors.valid.any():
            raise EncodingError("no row of the chunk is valid")
        if not (np.isfinite(vectors.state).all() and np.isfinite(vectors.actions).all()):
            raise EncodingError("the state or an action is not finite")
