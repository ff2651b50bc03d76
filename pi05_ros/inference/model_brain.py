"""π0.5 as the robot's brain: an observation in, a subtask or a chunk of actions out.

The steps are: normalise the state with the checkpoint's statistics, format the prompt, run the
engine, and convert the actions back to units with the same statistics. The checkpoint defines
which actions are relative to the state; the chunks returned here are always absolute.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from pi05_ros.brain.continuation import Continuation, ContinuationError, ContinuationMode
from pi05_ros.brain.interface import (
    Box,
    BrainInfo,
    ChunkPrediction,
    PastSubtask,
    SubtaskPrediction,
)
from pi05_ros.brain.model_options import ExecutionChoice, ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.brain.timings import Times
from pi05_ros.checkpoints.checkpoint import CheckpointError, open_checkpoint
from pi05_ros.errors import Pi05Error
from pi05_ros.inference.compatibility import cameras_for, stats_for
from pi05_ros.inference.devices import device_of, dtype_of
from pi05_ros.inference.engine import Pi05Engine
from pi05_ros.model.text import action_text, locations, prompts
from pi05_ros.platforms.platform import Platform

_log = logging.getLogger(__name__)

# Weights drawn at random never end an answer. So many tokens of theirs count as whole, so that a
# graph without trained weights still runs every path; 8 of the longest pieces are below 96 bytes.
_RANDOM_TOKENS = 8


class ObservationError(Pi05Error):
    """An observation of another robot, with values that are not finite, or without pictures."""


class ModelBrain:
    """Implements the Brain protocol with a model.

    Args:
        platform: The robot.
        checkpoint: See `checkpoints.shipped.named_checkpoint`.
        options: Device, dtype, execution, seed; None: the defaults.

    Raises:
        CheckpointError: The checkpoint cannot be read, or was not trained for this platform.
        ConfigError: There is no such device.
    """

    def __init__(
        self, platform: Platform, checkpoint: str = "", options: ModelOptions | None = None
    ) -> None:
        options = options or ModelOptions()
        device = device_of(options.device)
        opened = open_checkpoint(checkpoint, dtype_of(options.dtype, device), device)
        config, training = opened.model.config, opened.training
        self._platform = platform
        self._stats = stats_for(opened, platform)
        self._planner_cameras, self._policy_cameras = cameras_for(opened, platform)
        self._variant = config.variant
        self._predicts_text = training.text or opened.is_random
        self._grounds = config.grounding is not None
        self._stop_after = _RANDOM_TOKENS if opened.is_random else None
        # Weights trained for both use the flow: it is faster, and the aim of post-training.
        self._decodes_actions = not config.has_expert or (training.fast and not training.flow)
        if self._decodes_actions and opened.fast is None:
            raise CheckpointError(
                opened.source, "acts in FAST tokens, but has no fast_tokenizer.json to read them"
            )
        self._engine = Pi05Engine(
            opened,
            execution=cast(ExecutionChoice, options.execution),
            threads=options.threads or None,
            seed=options.seed,
            temperature=options.temperature,
        )
        modes: tuple[ContinuationMode, ...] = ()
        max_prefix = 0
        if not self._decodes_actions:  # Every flow can be guided; FAST tokens can not.
            max_prefix = training.max_prefix
            modes = ("trained_rtc", "rtc") if max_prefix else ("rtc",)  # trained_rtc: no gradient.
            if opened.is_random:  # Untrained in any case, so both modes are allowed.
                max_prefix, modes = config.horizon - 1, ("rtc", "trained_rtc")
        self._missing: set[str] = set()  # Cameras whose absence was logged.
        self.subtask_times: Times | None = None  # Of the last prediction.
        self.info = BrainInfo(
            name="model",
            checkpoint=opened.source,
            description=f"{opened.description} ({self._engine.description})",
            subtask_source="model" if self._predicts_text else "implicit",
            image_size=self._engine.image_size,
            needs_scene=False,
            horizon=config.horizon,
            period=platform.period,
            continuations=modes,
            max_prefix=max_prefix,
            # Weights without text are not run for a subtask: they need no camera for it.
            planner_cameras=self._planner_cameras if self._predicts_text else (),
            policy_cameras=self._policy_cameras,
            history=training.history,
        )
        if opened.is_random:
            _log.warning("%s", opened.description)
        elif not self._predicts_text:
            _log.warning(
                "%s was not trained to predict subtasks: the task is used as the subtask",
                opened.source,
            )

    def warm_up(self, continuation: ContinuationMode | None = None) -> None:
        """Run both heads once in every shape.

        Args:
            continuation: Mode in which chunks will continue others; None: they will not.

        Raises:
            ContinuationError: The model does not support this mode.
        """
        if continuation is not None:
            self._check_mode(continuation)
        text_cameras = len(self._planner_cameras) if self._predicts_text else 0
        self._engine.warm_up(text_cameras, len(self._policy_cameras), continuation)

    def reseed(self, seed: int) -> None:
        """Restart the random numbers: what follows does not depend on earlier predictions."""
        self._engine.reseed(seed)

    def begin_task(self, task: str) -> None:
        """Do nothing: each prediction depends on its own observation only."""

    def predict_subtask(
        self, observation: Observation, task: str, history: Sequence[PastSubtask] = ()
    ) -> SubtaskPrediction:
        """Predict boxes and a subtask from the planner's cameras (high level).

        Weights that were not trained for it, such as the public ones, are not run: the subtask is
        the task.

        Args:
            observation: Current state and pictures.
            task: Text of the task.
            history: At most `info.history` earlier subtasks, oldest first. Those for which the
                prompt has no room are left out, the oldest first.

        Raises:
            ObservationError: The observation is of another robot, not finite, or without pictures.
            EngineError: See Pi05Engine.
            DecodingError: See Pi05Engine.
            PromptError: The task is too long.
        """
        if not self._predicts_text:
            return SubtaskPrediction(text=task)
        cameras = self._planner_cameras
        images = self._images(observation, cameras)
        prompt = self._high_level(task, self._normalized_state(observation), history)
        result = self._engine.generate_text(images, prompt, self._stop_after)
        self.subtask_times = result.times
        answer = locations.parse(result.text, cameras)
        if not result.decoded.finished:
            problem = f"it was cut at {len(result.decoded.tokens)} tokens, before its end"
        else:
            problem = locations.subtask_problem(answer.subtask)
            problem = problem or self.subtask_problem(answer.subtask)
        if problem:  # Neither a part of a subtask nor "done" from a cut answer is believed.
            return SubtaskPrediction(answer.subtask, score=result.decoded.score, problem=problem)
        return SubtaskPrediction(
            text=answer.subtask,
            boxes=self._boxes(answer.locations, images),
            score=result.decoded.score,
            done=answer.done,
        )

    def _boxes(
        self, located: Sequence[locations.Location], images: Mapping[str, np.ndarray]
    ) -> tuple[Box, ...]:
        """Boxes of the given pictures; with grounding, moved to where their things are seen."""
        shown = [box for box in located if box.camera in images]
        if self._grounds:
            # Of two boxes with one label in a picture, a heat map does not tell which is which.
            counts = Counter((box.camera, box.label) for box in shown if box.label)
            names: dict[str, list[str]] = {}
            for (camera, label), count in counts.items():
                if count == 1:
                    names.setdefault(camera, []).append(label)
            found = self._engine.find(images, names)
            shown = [box.moved_to(found.get((box.camera, box.label))) for box in shown]
        return tuple(Box(**vars(box)) for box in shown)

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        """Predict a chunk of actions from the policy's cameras and the subtask (low level).

        With a continuation the chunk continues the old one. Relative actions are differences to
        the current state, so the old chunk is normalised at that state. The committed rows of the
        result are copied from the old chunk.

        Args:
            observation: Current state and pictures.
            subtask: Text of the subtask.
            continuation: The chunk to continue, in platform units; None: there is none.

        Returns:
            Actions (horizon, D) float64, absolute targets in platform units, finite and within the
            platform's limits.

        Raises:
            ContinuationError: The model does not support the mode or the number of committed rows,
                or the chunk has another shape.
            ObservationError: The observation is of another robot, not finite, or without pictures.
            EngineError: See Pi05Engine.
            PromptError: The subtask is too long.
            FastError: The decoded tokens are not exactly one chunk.
        """
        if continuation is not None:
            self._check(continuation)
        images = self._images(observation, self._policy_cameras)
        state = self._normalized_state(observation)
        prompt = prompts.low_level(subtask, state, self._variant)
        if self._decodes_actions:
            opening = "" if self._variant == "pi05" else action_text.OPENING
            decoded = self._engine.generate_actions(
                images, prompt, self._platform.size, opening, query=prompts.query(subtask)
            )
            times, actions = decoded.times, decoded.actions
        else:
            sampled = self._engine.sample_actions(
                images,
                prompt,
                state=state if self._variant == "pi0" else None,
                continuation=self._normalized(continuation, observation),
                query=prompts.query(subtask),
            )
            times, actions = sampled.times, sampled.actions[:, : self._platform.size]
        actions = self._stats.unnormalize_actions(actions, observation.state)
        actions = np.clip(actions, self._platform.lower, self._platform.upper)
        if continuation is not None:
            actions[: continuation.committed] = continuation.actions[: continuation.committed]
        return ChunkPrediction(actions, times)

    def _high_level(self, task: str, state: np.ndarray, history: Sequence[PastSubtask]) -> str:
        """Format the prompt of the high level with as much of the history as fits."""
        past = [prompts.past_subtask(p.text, p.outcome, p.duration) for p in history]
        past = past[-self.info.history :] if self.info.history else []
        for first in range(len(past)):
            prompt = prompts.high_level(task, state, past[first:])
            if not self._engine.prompt_problem(prompt):
                return prompt
        return prompts.high_level(task, state)

    def task_problem(self, task: str) -> str:
        """Reason why a task fits into no prompt, as one clause; empty if it fits.

        Weights without subtasks get the task as their subtask.
        """
        if not self._predicts_text:
            return self.subtask_problem(task)
        return self._engine.prompt_problem(prompts.high_level(task, self._longest_state))

    def subtask_problem(self, subtask: str) -> str:
        """Reason why a subtask does not fit into the low level's prompt; empty if it fits."""
        prompt = prompts.low_level(subtask, self._longest_state, self._variant)
        return self._engine.prompt_problem(prompt)

    def close(self) -> None:
        """Free the weights."""
        del self._engine

    @property
    def _longest_state(self) -> np.ndarray:
        """A normalised state (D,) whose text is as long as a state's can be: three digits each."""
        return np.ones(self._platform.size)

    def _check_mode(self, mode: ContinuationMode) -> None:
        if mode not in self.info.continuations:
            modes = ", ".join(self.info.continuations) or "none"
            raise ContinuationError(
                f"{self.info.checkpoint} goes on from chunks in the modes: {modes}; found '{mode}'"
            )

    def _check(self, continuation: Continuation) -> None:
        """Raise ContinuationError if the model cannot continue the chunk."""
        self._check_mode(continuation.mode)
        wanted = self.info.horizon, self._platform.size
        if continuation.actions.shape != wanted:
            raise ContinuationError(
                f"wanted a chunk of {wanted} to go on from, found {continuation.actions.shape}"
            )
        most = self.info.max_prefix
        if continuation.mode == "trained_rtc" and continuation.committed > most:
            raise ContinuationError(
                f"{self.info.checkpoint} was trained to go on from at most {most} committed rows, "
                f"found {continuation.committed}; take rtc, or a chunk that comes sooner"
            )

    def _normalized(
        self, continuation: Continuation | None, observation: Observation
    ) -> Continuation | None:
        """Normalise the continuation; relative actions are differences to the current state."""
        if continuation is None:
            return None
        actions = self._stats.normalize_actions(continuation.actions, observation.state)
        return dataclasses.replace(continuation, actions=actions)

    def _normalized_state(self, observation: Observation) -> np.ndarray:
        """Check and normalise the measured state, (D,) float64."""
        if observation.names != self._platform.names:
            raise ObservationError(
                f"wanted the layout of {self._platform.name} ({', '.join(self._platform.names)}), "
                f"found ({', '.join(observation.names)})"
            )
        broken = [
            name
            for name, value in zip(observation.names, observation.state, strict=True)
            if not np.isfinite(value)
        ]
        if broken:
            raise ObservationError(
                f"the measured state of {', '.join(broken)} is not finite; check its joint state"
            )
        return self._stats.normalize_state(observation.state)

    def _images(self, observation: Observation, cameras: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return the available pictures of `cameras`, in that order; log missing ones once."""
        images = {name: observation.images[name] for name in cameras if name in observation.images}
        if not images:
            raise ObservationError(f"no picture of {', '.join(cameras)}; check camera_ingestion")
        missing = set(cameras) - set(images)
        if missing - self._missing:
            _log.warning("no picture of %s: the model runs without", ", ".join(sorted(missing)))
        self._missing = (self._missing - set(images)) | missing
        return images
