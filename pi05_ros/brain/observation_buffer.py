"""Buffer that assembles pictures, states and ground truth of one time into an Observation."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from pi05_ros.brain.observation import Observation, SceneState
from pi05_ros.cameras.letterbox import Letterbox

# Older pictures are not used: the bridge would reject a chunk computed from them [s].
_MAX_PICTURE_AGE = 1.0
# Largest time between a state and the pictures that it is combined with [s]; states are at 50 Hz.
MAX_STATE_SKEW = 0.06
# The same for ground truth, which is published at 20 Hz or more.
_MAX_SCENE_SKEW = 0.12
# An optional camera is left out only after this long without a picture: one lost picture is no
# reason to run without it [s].
LEAVE_OUT_AFTER = 1.0


@dataclass(frozen=True)
class Pictures:
    """The valid pictures of one camera set."""

    stamp_ns: int  # Oldest acquisition time, of the cameras that the observation has [ns].
    images: Mapping[str, np.ndarray]  # Camera -> (H, W, 3) uint8 rgb at the model's size.
    letterboxes: Mapping[str, Letterbox]  # Camera -> where its picture lies in the image.
    published_ns: int = 0  # When camera_ingestion published the set [ns]; 0: unknown.
    arrival_ns: int = 0  # When the set was received [ns].
    stamps_ns: Mapping[str, int] = field(default_factory=dict)  # Camera -> acquisition time [ns].


@dataclass(frozen=True)
class StateSample:
    """One robot state, with the identifiers that a chunk computed from it must return."""

    stamp_ns: int
    names: tuple[str, ...]
    measured: np.ndarray  # (D,) float64
    commanded: np.ndarray  # (D,) float64, NaN: nothing sent yet.
    session: int
    epoch: int
    mode: int = 0  # One of pi05_msgs/RobotState.MODE_*.
    commanded_ns: int = 0  # When `commanded` was sent [ns]; 0: nothing sent yet.
    chunk_sequence: int = 0  # Of the chunk that `commanded` follows; 0: none.
    chunk_stamp_ns: int = 0  # Of its observation [ns].
    chunk_row: float = float("nan")  # Its row at that time, between two rows a fraction.
    control_source: int = 0  # One of pi05_msgs/RobotState.CONTROL_*: whose actions they are.


@dataclass(frozen=True)
class ObservationContext:
    """An observation with the messages that it was assembled from."""

    observation: Observation
    state: StateSample
    pictures: Pictures
    left_out: tuple[str, ...] = ()  # Optional cameras that have had no picture for a while.


T = TypeVar("T")


class _Recent(Generic[T]):
    """The last few items with their stamps."""

    def __init__(self, size: int) -> None:
        self._items: deque[tuple[int, T]] = deque(maxlen=size)

    def add(self, stamp_ns: int, item: T) -> None:
        if self._items and stamp_ns < self._items[-1][0]:
            self._items.clear()  # Time jumped back: older stamps are not comparable.
        self._items.append((stamp_ns, item))

    def nearest(self, stamp_ns: int, max_skew: float) -> T | None:
        if not self._items:
            return None
        stamp, item = min(self._items, key=lambda entry: abs(entry[0] - stamp_ns))
        return item if abs(stamp - stamp_ns) * 1e-9 <= max_skew else None

    def newest(self) -> T | None:
        return self._items[-1][1] if self._items else None


class ObservationBuffer:
    """Holds the newest pictures and recent states; not thread-safe, its node holds one lock.

    Args:
        cameras: Cameras of an observation, in its order; (): it has no pictures, and is of the
            time of the newest state.
        needs_scene: Whether an observation must carry ground truth.
        optional: Those of the cameras that are left out while they have no picture. At least one
            camera must have one.
    """

    def __init__(
        self, cameras: Sequence[str], needs_scene: bool, optional: Collection[str] = ()
    ) -> None:
        self._cameras = tuple(cameras)
        self._optional = frozenset(optional)
        self._seen_ns: dict[str, int] = {}  # Optional camera → stamp of the set that last had it.
        self._needs_scene = needs_scene
        self._pictures: Pictures | None = None
        self._states: _Recent[StateSample] = _Recent(100)
        self._scenes: _Recent[SceneState] = _Recent(60)

    def add_pictures(self, pictures: Pictures) -> None:
        """Store a camera set in place of the previous one."""
        if self._pictures is not None and pictures.stamp_ns < self._pictures.stamp_ns:
            self._seen_ns.clear()  # Time jumped back: older stamps are not comparable.
        self._pictures = pictures
        for name in self._optional:
            if name in pictures.images or name not in self._seen_ns:
                self._seen_ns[name] = pictures.stamp_ns

    def add_state(self, state: StateSample) -> None:
        """Store a robot state."""
        self._states.add(state.stamp_ns, state)

    def add_scene(self, stamp_ns: int, scene: SceneState) -> None:
        """Store the ground truth of a mock home at `stamp_ns`."""
        self._scenes.add(stamp_ns, scene)

    def problem(self, now_ns: int) -> str:
        """Reason why there is no observation at `now_ns`, as one clause; empty if there is one."""
        newest = self._states.newest()
        if newest is None:
            return "no robot_state yet (is the control bridge active?)"
        if not self._cameras:
            age = (now_ns - newest.stamp_ns) * 1e-9
            if age > _MAX_PICTURE_AGE:
                return f"the newest robot_state is {age:.1f} s old"
            return self._scene_problem(newest.stamp_ns)
        if self._pictures is None:
            return "no camera_set yet (is camera_ingestion active?)"
        age = (now_ns - self._pictures.stamp_ns) * 1e-9
        if age > _MAX_PICTURE_AGE:
            return f"the newest pictures are {age:.1f} s old"
        missing = [name for name in self._cameras if name not in self._pictures.images]
        left_out = self._left_out(self._pictures)
        if len(missing) == len(self._cameras) or set(missing) - set(left_out):
            return f"no picture of {', '.join(missing)}"
        if self._states.nearest(self._pictures.stamp_ns, MAX_STATE_SKEW) is None:
            return "no robot_state of the time of the pictures"
        return self._scene_problem(self._pictures.stamp_ns)

    def latest(self, now_ns: int) -> ObservationContext | None:
        """Return the observation of the newest pictures; None if `problem` is not empty."""
        if self.problem(now_ns):
            return None
        if self._cameras:
            pictures = self._pictures
            assert pictures is not None
            state = self._states.nearest(pictures.stamp_ns, MAX_STATE_SKEW)
            assert state is not None
        else:
            state = self._states.newest()
            assert state is not None
            pictures = Pictures(state.stamp_ns, {}, {}, arrival_ns=now_ns)
        scene = None
        if self._needs_scene:
            scene = self._scenes.nearest(pictures.stamp_ns, _MAX_SCENE_SKEW)
        images = {name: pictures.images[name] for name in self._cameras if name in pictures.images}
        observation = Observation(
            stamp_ns=pictures.stamp_ns,
            names=state.names,
            state=state.measured,
            commanded=state.commanded,
            images=images,
            scene=scene,
        )
        return ObservationContext(observation, state, pictures, self._left_out(pictures))

    def _left_out(self, pictures: Pictures) -> tuple[str, ...]:
        """Optional cameras that have had no picture for a while, in the cameras' order."""
        since = pictures.stamp_ns - round(LEAVE_OUT_AFTER * 1e9)
        return tuple(
            name
            for name in self._cameras
            if name in self._optional
            and name not in pictures.images
            and self._seen_ns[name] < since
        )

    def _scene_problem(self, stamp_ns: int) -> str:
        """Reason why there is no ground truth at a time, as one clause; empty if there is."""
        if self._needs_scene and self._scenes.nearest(stamp_ns, _MAX_SCENE_SKEW) is None:
            return "no ground truth of the time of the pictures (this brain works in a mock home)"
        return ""
