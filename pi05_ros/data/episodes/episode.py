"""The interface of an episode, whatever it was read from.

docs/design/episodes.md describes rows, times, labels and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from pi05_ros.data.bags.facts import EpisodeFacts

# As in pi05_msgs/RobotState.msg; data imports no generated messages.
MODE_UNKNOWN = 0
MODE_RUNNING = 1
MODE_HOLDING = 2
MODE_DISARMED = 3
MODE_FAULTED = 4
MODE_STOPPED = 5

# Whose actions a row follows, as in the same message.
CONTROL_NONE = 0
CONTROL_POLICY = 1
CONTROL_TELEOP = 2
CONTROL_DISTURBANCE = 3  # Collected episodes only: such rows do not train.


@dataclass(frozen=True)
class PictureBox:
    """Bounding box of an object in the driver's picture, upright (pi05_msgs/BoundingBox).

    Corners are fractions of that picture, 0 to 1, x to the right and y down. The brain's boxes are
    fractions of the model's input instead.
    """

    camera: str
    label: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float | None = None  # 0 to 1; None: the source gives none (NaN in the message).


@dataclass(frozen=True)
class SubtaskLabel:
    """The subtask of rows `start_row` to `stop_row` (exclusive).

    The labels of an episode are in the order of time and do not overlap. Rows before the first
    label, and those in which the subtask was empty, have none.
    """

    start_row: int
    stop_row: int
    text: str  # Never empty.
    source: str  # Subtask.SOURCE_*: "model", "human", "external", "implicit".
    task: str = ""
    score: float | None = None  # Mean token probability, 0 to 1; None: the source gives none.
    boxes: tuple[PictureBox, ...] = ()
    model_text: str = ""  # The model's prediction during a human's subtask; "": none.
    id: int = 0  # Subtask.id; 0: unknown.

    def __post_init__(self) -> None:
        if not 0 <= self.start_row < self.stop_row:
            raise ValueError(f"rows {self.start_row} to {self.stop_row} are not a valid range")
        if not self.text:
            raise ValueError("a label needs a text; rows without a subtask have no label")


# Kinds of a plan.
PLAN = "plan"  # An answer to the task: of the model, another planner, or somebody's label.
SPOKEN = "spoken"  # An operator's instruction, in place of the model's answer.


@dataclass(frozen=True)
class Plan:
    """What the high level should answer to the observation of a time.

    Times are those of observations: an answer that took 0.6 s belongs to the picture before.
    """

    stamp_ns: int  # Acquisition time of its picture; of a spoken one, when it was said [ns].
    task: str  # "": the episode's.
    text: str  # The subtask; "": the task is done.
    source: str  # Subtask.SOURCE_*.
    kind: str = PLAN  # PLAN or SPOKEN.
    done: bool = False  # The task is finished.
    boxes: tuple[PictureBox, ...] = ()
    score: float | None = None  # Mean token probability, 0 to 1; None: the source gives none.
    model_text: str = ""  # The model's answer in place of a spoken one ("done"); "": not known.
    subtask_id: int = 0  # Subtask.id that stood afterwards; 0: unknown.

    def __post_init__(self) -> None:
        if self.done == bool(self.text):
            raise ValueError(
                f"a plan has a subtask or is done, one of both: text {self.text!r}, done "
                f"{self.done}"
            )


@dataclass(frozen=True)
class DeviceSpan:
    """Rows `start_row` to `stop_row` (exclusive) in which a device of the operator had control."""

    start_row: int
    stop_row: int
    device: str  # TeleopCommand.device: "leader", "gamepad", "hand_pose" or "page".


class Episode(Protocol):
    """One run of a robot, with lazy random access. It can be pickled, and read by many threads.

    T is the number of rows and D the size of the robot's vectors (`facts.names`, `facts.units`).
    """

    @property
    def facts(self) -> EpisodeFacts:
        """The episode's facts: task, platform, layout, outcome."""
        ...

    @property
    def source(self) -> Path:
        """Path of the bag or dataset that the episode was read from."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of the content with its labels, letters and digits."""
        ...

    @property
    def recording_fingerprint(self) -> str:
        """Hash of the content as recorded: labels given afterwards do not change it.

        It names the cache entries of decoded pictures.
        """
        ...

    @property
    def rate_hz(self) -> float:
        """Nominal rate of the rows [Hz]."""
        ...

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras that have pictures."""
        ...

    def __len__(self) -> int:
        """Number of rows, T."""
        ...

    @property
    def times_ns(self) -> np.ndarray:
        """Time of measurement of each row, (T,) int64 [ns], rising, on the robot's clock."""
        ...

    @property
    def states(self) -> np.ndarray:
        """Measured states, (T, D) float64, platform units; non-finite values are kept."""
        ...

    @property
    def actions(self) -> np.ndarray:
        """Commands after limiting, (T, D) float64, platform units; NaN: nothing sent yet."""
        ...

    @property
    def modes(self) -> np.ndarray:
        """Mode of the bridge, (T,) uint8, of MODE_*."""
        ...

    @property
    def control_sources(self) -> np.ndarray:
        """Whose actions each row follows, (T,) uint8, of CONTROL_*."""
        ...

    @property
    def devices(self) -> tuple[DeviceSpan, ...]:
        """Spans of the operator's devices, in order, without overlap; (): none, or not known."""
        ...

    @property
    def labels(self) -> tuple[SubtaskLabel, ...]:
        """Labels in the order of time."""
        ...

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Recorded answers of the high level, in the order of their stamps; (): none."""
        ...

    def frame_times_ns(self, camera: str) -> np.ndarray:
        """Acquisition time of each picture, (N,) int64 [ns], rising.

        Raises:
            KeyError: There is no such camera.
        """
        ...

    def frame_of_row(self, camera: str) -> np.ndarray:
        """Index of the newest picture not later than each row, (T,) int64; -1: none yet."""
        ...

    def picture(self, camera: str, index: int) -> np.ndarray:
        """Decode a picture, upright and at the driver's size, (h, w, 3) uint8 rgb.

        Raises:
            Pi05Error: The picture cannot be decoded.
        """
        ...

    def pictures(self, camera: str, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yield pictures `start` to `stop` (exclusive) in order, faster than one by one."""
        ...


@dataclass(frozen=True, eq=False)
class EpisodeSample:
    """Training sample of the low level: one row, with the actions of the rows after it."""

    images: Mapping[str, np.ndarray]  # Camera -> (224, 224, 3) uint8 rgb, as on the live path.
    state: np.ndarray  # (D,) float64, platform units.
    actions: np.ndarray  # (H, A) float64, absolute, platform units; A is D, but for robots of
    # other stacks whose actions have entries of their own. Behind the last valid row it
    # repeats, with velocities of 0.
    action_valid: np.ndarray  # (H,) bool; False: behind the end of the run of actions.
    subtask: str
    task: str
    source: str  # Source of the subtask: Subtask.SOURCE_*.
    boxes: tuple[PictureBox, ...]  # In the driver's pictures.
    time_ns: int  # Time of the row [ns].
    picture_times_ns: Mapping[str, int]  # Camera -> acquisition time of its picture [ns].
    control_source: int  # One of CONTROL_*.
    episode: int  # Index of the episode.
    row: int  # Index of the row in the episode.
