"""Observations with the chunks and subtasks that a checkpoint gave for them, in one file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.errors import Pi05Error
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.platforms.platform import Platform, load_platform

# As near to one result on all machines as can be had.
REFERENCE = ModelOptions(device="cpu", dtype="float32", execution="eager", threads=1)
_IMAGES = "images/"  # Before a camera's name, in the file.


@dataclass(frozen=True)
class StoredObservations:
    """N observations of one robot at one task, and a checkpoint's answers to them."""

    platform: str  # A name, for `load_platform`.
    task: str
    subtasks: tuple[str, ...]  # N, of the low level.
    states: np.ndarray  # (N, D) float64, measured, platform units.
    images: Mapping[str, np.ndarray]  # Camera -> (N, H, W, 3) uint8 rgb at the model's size.
    chunks: np.ndarray  # (N, horizon, D) float64, platform units.
    answers: tuple[str, ...]  # N subtasks of the high level; with its problem, if it has one.

    def __post_init__(self) -> None:
        counts = {len(self.subtasks), len(self.states), len(self.chunks), len(self.answers)}
        counts |= {len(pictures) for pictures in self.images.values()}
        if len(counts) != 1 or counts == {0}:
            raise ValueError(f"wanted one or more of each, as many of each, found {counts}")

    def observation(self, number: int) -> Observation:
        """Return an observation."""
        robot, state = load_platform(self.platform), self.states[number]
        images = {camera: pictures[number] for camera, pictures in self.images.items()}
        return Observation(1, robot.names, state, np.full(robot.size, np.nan), images)

    def save(self, path: Path) -> None:
        """Write an .npz file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {
            field.name: np.asarray(getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.name != "images"
        }
        pictures = {f"{_IMAGES}{camera}": images for camera, images in self.images.items()}
        np.savez_compressed(path, **values, **pictures)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> StoredObservations:
        """Read what `save` wrote.

        Raises:
            Pi05Error: It is something else.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(
                    platform=str(file["platform"]),
                    task=str(file["task"]),
                    subtasks=tuple(map(str, file["subtasks"])),
                    states=file["states"],
                    images={
                        name.removeprefix(_IMAGES): file[name]
                        for name in file.files
                        if name.startswith(_IMAGES)
                    },
                    chunks=file["chunks"],
                    answers=tuple(map(str, file["answers"])),
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise Pi05Error(
                f"{path}: wanted stored observations, found something else ({error}); make them "
                "with benchmarks/stored_observations.py"
            ) from error


def answered(
    checkpoint: str,
    platform: Platform,
    task: str,
    moments: Sequence[tuple[Observation, str]],
    options: ModelOptions = REFERENCE,
) -> StoredObservations:
    """Run a checkpoint on observations.

    Args:
        checkpoint: See `checkpoints.shipped.named_checkpoint`.
        platform: The robot; one that has a name.
        task: Text for the high level.
        moments: Observations with all cameras, and the subtask of the low level at each.
        options: Of the model.

    Raises:
        Pi05Error: The checkpoint or a prediction failed.
    """
    brain = ModelBrain(platform, checkpoint, options)
    chunks, answers = [], []
    for observation, subtask in moments:
        brain.reseed(0)
        chunks.append(brain.predict_chunk(observation, subtask).actions)
        said = brain.predict_subtask(observation, task)
        answers.append(f"{said.text} ({said.problem})" if said.problem else said.text)
    observations = [observation for observation, _ in moments]
    return StoredObservations(
        platform.name,
        task,
        tuple(subtask for _, subtask in moments),
        np.stack([one.state for one in observations]),
        {
            camera: np.stack([one.images[camera] for one in observations])
            for camera in platform.camera_names
        },
        np.stack(chunks),
        tuple(answers),
    )


def again(
    checkpoint: str, stored: StoredObservations, options: ModelOptions = REFERENCE
) -> StoredObservations:
    """Run a checkpoint on stored observations; the result has its answers.

    Raises:
        Pi05Error: The checkpoint or a prediction failed.
    """
    moments = [(stored.observation(n), stored.subtasks[n]) for n in range(len(stored.states))]
    return answered(checkpoint, load_platform(stored.platform), stored.task, moments, options)


def largest_difference(one: StoredObservations, other: StoredObservations) -> float:
    """Return the largest absolute difference of two results' actions, in platform units."""
    return float(np.abs(one.chunks - other.chunks).max())
