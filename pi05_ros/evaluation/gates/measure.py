"""Runs a checkpoint at recorded moments, as the nodes run it, and collects the gates' values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pi05_ros.brain.interface import Brain
from pi05_ros.cameras.model_input import InputSizes
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.evaluation.gates.chunk_moments import GATES_OF_CHUNKS, ChunkMoments
from pi05_ros.evaluation.gates.episodes import GateError
from pi05_ros.evaluation.gates.plan_moments import (
    GATES_OF_POINTS,
    GATES_OF_TEXT,
    FindsPoints,
    PlanMoments,
)
from pi05_ros.evaluation.gates.results import Values
from pi05_ros.platforms.platform import Platform, load_platform

_NO_POINTS = "the checkpoint has no heat maps, and says no box of what it is to take"
_NO_TEXT = "the checkpoint says no subtasks"
_NO_ACTIONS = "the checkpoint does not act"


class Eye(FindsPoints, Protocol):
    """Heat maps of a checkpoint; see `grounder.Grounder`."""

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) of the pictures that it reads [pixel]."""


@dataclass(frozen=True)
class Measurement:
    """What was measured."""

    values: Values
    chunks: int  # Moments at which a chunk was predicted.
    plans: int  # Moments at which a subtask was predicted, or what it names was looked for.
    failed_chunks: int  # Chunks that could not be read from their FAST tokens.


def measure(
    episodes: Sequence[Episode],
    open_brain: Callable[[Platform], Brain] | None,
    eye: Eye | None,
    samples: int,
    cache: CacheFolder,
    on_moment: Callable[[int, int], None] = lambda done, total: None,
) -> Measurement:
    """Measure the gates at moments spread evenly over the episodes.

    Args:
        episodes: Of one robot or several.
        open_brain: Opens the checkpoint for a robot; None: it neither acts nor says subtasks yet.
        eye: The checkpoint's heat maps; None: its own boxes are compared.
        samples: Moments of chunks in all, and as many of plans.
        cache: Folder in which the moments of episodes are kept.
        on_moment: Called after each moment, with the number of those done and of all.

    Raises:
        GateError: There is neither brain nor eye, the chunks are too short, or the brain uses no
            pictures.
        Pi05Error: A sample cannot be read, or the checkpoint refuses it.
    """
    names = list(dict.fromkeys(episode.facts.platform for episode in episodes))
    share = max(1, samples // len(names))
    values, chunks, plans, failed, located = Values(), 0, 0, 0, 0
    for place, name in enumerate(names):
        platform = load_platform(name)
        own = [episode for episode in episodes if episode.facts.platform == name]
        brain = None if open_brain is None else open_brain(platform)
        frames = FrameCache(cache, InputSizes(*_picture_size(brain, eye)))
        acting = None
        if brain is not None:
            acting = ChunkMoments(platform, own, brain, frames, share, values)
        speaker = brain if brain is not None and brain.info.planner_cameras != () else None
        cameras = platform.planner_cameras
        if speaker is not None:
            cameras = speaker.info.cameras_of_planner(platform)
        planning = PlanMoments(platform, own, cameras, speaker, eye, frames, share, values)
        report = _Progress(on_moment, len(acting or ()) + len(planning), place, len(names)).advance
        if acting is not None:
            failed += acting.run(report)
            chunks += len(acting)
        planning.run(report)
        plans += len(planning)
        located += planning.located
        if speaker is None:
            _leave_out(values, GATES_OF_TEXT, _NO_TEXT)
    if open_brain is None:
        _leave_out(values, GATES_OF_CHUNKS, _NO_ACTIONS)
    if not located and (any(values.of(gate) for gate in GATES_OF_POINTS) or not plans):
        _leave_out(values, GATES_OF_POINTS, _NO_POINTS)
    return Measurement(values, chunks, plans, failed)


def _picture_size(brain: Brain | None, eye: Eye | None) -> tuple[int, int]:
    if brain is not None:
        if brain.info.image_size is None:
            raise GateError(f"{brain.info.name} uses no pictures: wanted a checkpoint")
        return brain.info.image_size
    if eye is None:
        raise GateError("the checkpoint neither acts nor sees: wanted one that was trained")
    return eye.picture_size


def _leave_out(values: Values, gates: Sequence[str], reason: str) -> None:
    for gate in gates:
        values.not_measured(gate, reason)


class _Progress:
    """Progress over the moments of robots, each taken as the same part of the whole."""

    def __init__(
        self, on_moment: Callable[[int, int], None], total: int, place: int, robots: int
    ) -> None:
        self._on_moment, self._total, self._robots = on_moment, total, robots
        self._done = place * total

    def advance(self) -> None:
        self._done += 1
        self._on_moment(self._done, self._total * self._robots)
