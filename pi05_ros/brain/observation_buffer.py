"""Puts pictures, states and ground truth of the same moment together into an Observation."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from pi05_ros.brain.observation import Observation, SceneState
from pi05_ros.cameras.letterbox import Letterbox

# Older pictures are not thought about: the bridge would reject what comes of them [s].
_MAX_PICTURE_AGE = 1.0
# How far a state may lie from the pictures that it is put beside [s]; states come at 50 Hz.
MAX_STATE_SKEW = 0.06
# The same for ground truth, which comes at 20 Hz or more.
_MAX_SCENE_SKEW = 0.12


@dataclass(frozen=True)
class Pictures:
    """The valid pictures of one camera set."""

    stamp_ns: int  # Oldest acquisition time [ns].
    images: Mapping[str, np.ndarray]  # Camera -> (H, W, 3) uint8 rgb at the model's size.
    letterboxes: Mapping[str, Letterbox]  # Camera -> where its picture lies in the image.
    published_ns: int = 0  # When the set left camera_ingestion [ns]; 0: it did not say.
    arrival_ns: int = 0  # When the set came to the node that looks at it [ns].


@dataclass(frozen=True)
class StateSample:
    """One robot state, and what a chunk computed from it must carry back."""

    stamp_ns: int
    names: tuple[str, ...]
    measured: np.ndarray  # (D,) float64
    commanded: np.ndarray  # (D,) float64, NaN: nothing sent yet.
    session: int
    epoch: int
    mode: int = 0  # One of pi05_msgs/RobotState.MODE_*.
    commanded_ns: int = 0  # When `commanded` was sent [ns]; 0: nothing was yet.
    chunk_sequence: int = 0  # Of the chunk that `commanded` follows; 0: none.
    chunk_stamp_ns: int = 0  # Of its observation [ns].
    chunk_row: float = float("nan")  # Its row at that time, between two rows a fraction.


@dataclass(frozen=True)
class ObservationContext:
    """An observation with what belongs to it but is not for the brain's eyes."""

    observation: Observation
    state: StateSample
    pictures: Pictures


T = TypeVar("T")


class _Recent(Generic[T]):
    """The last few items with their stamps."""

    def __init__(self, size: int) -> None:
        self._items: deque[tuple[int, T]] = deque(maxlen=size)

    def add(self, stamp_ns: int, item: T) -> None:
        if self._items and stamp_ns < self._items[-1][0]:
            self._items.clear()  # Time jumped back: what was is no longer comparable.
        self._items.append((stamp_ns, item))

    def nearest(self, stamp_ns: int, max_skew: float) -> T | None:
        if not self._items:
            return None
        stamp, item = min(self._items, key=lambda entry: abs(entry[0] - stamp_ns))
        return item if abs(stamp - stamp_ns) * 1e-9 <= max_skew else None

    def newest(self) -> T | None:
        return self._items[-1][1] if self._items else None


class ObservationBuffer:
    """Holds the newest pictures and recent states; not thread-safe, its node holds one lock."""

    def __init__(self, cameras: Sequence[str], needs_scene: bool) -> None:
        """Makes an empty buffer.

        Args:
            cameras: Cameras that an observation must have.
            needs_scene: Whether an observation must carry ground truth.
        """
        self._cameras = tuple(cameras)
        self._needs_scene = needs_scene
        self._pictures: Pictures | None = None
        self._states: _Recent[StateSample] = _Recent(100)
        self._scenes: _Recent[SceneState] = _Recent(60)

    def add_pictures(self, pictures: Pictures) -> None:
        """Takes a camera set; the newest replaces the older one."""
        self._pictures = pictures

    def add_state(self, state: StateSample) -> None:
        """Takes a robot state."""
        self._states.add(state.stamp_ns, state)

    def add_scene(self, stamp_ns: int, scene: SceneState) -> None:
        """Takes the ground truth of a mock home at `stamp_ns`."""
        self._scenes.add(stamp_ns, scene)

    def problem(self, now_ns: int) -> str:
        """Why there is no observation at `now_ns`, as one clause; empty when there is one."""
        if self._states.newest() is None:
            return "no robot_state yet (is the control bridge active?)"
        if self._pictures is None:
            return "no camera_set yet (is camera_ingestion active?)"
        age = (now_ns - self._pictures.stamp_ns) * 1e-9
        if age > _MAX_PICTURE_AGE:
            return f"the newest pictures are {age:.1f} s old"
        missing = [name for name in self._cameras if name not in self._pictures.images]
        if missing:
            return f"no picture of {', '.join(missing)}"
        if self._states.nearest(self._pictures.stamp_ns, MAX_STATE_SKEW) is None:
            return "no robot_state of the time of the pictures"
        if (
            self._needs_scene
            and self._scenes.nearest(self._pictures.stamp_ns, _MAX_SCENE_SKEW) is None
        ):
            return "no ground truth of the time of the pictures (this brain works in a mock home)"
        return ""

    def latest(self, now_ns: int) -> ObservationContext | None:
        """The observation of the newest pictures; None when `problem` says why."""
        if self.problem(now_ns):
            return None
        pictures = self._pictures
        assert pictures is not None
        state = self._states.nearest(pictures.stamp_ns, MAX_STATE_SKEW)
        assert state is not None
        scene = None
        if self._needs_scene:
            scene = self._scenes.nearest(pictures.stamp_ns, _MAX_SCENE_SKEW)
        images = {name: pictures.images[name] for name in self._cameras}
        observation = Observation(
            stamp_ns=pictures.stamp_ns,
            names=state.names,
            state=state.measured,
            commanded=state.commanded,
            images=images,
            scene=scene,
        )
        return ObservationContext(observation, state, pictures)
