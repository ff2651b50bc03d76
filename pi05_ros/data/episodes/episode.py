"""What an episode is to whoever trains on it or looks at it, wherever it was read from.

Rows, times, labels and pictures: docs/design/episodes.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from pi05_ros.data.bags.facts import EpisodeFacts

# As in pi05_msgs/RobotState.msg; data knows no generated messages.
MODE_UNKNOWN = 0
MODE_RUNNING = 1
MODE_HOLDING = 2
MODE_DISARMED = 3
MODE_FAULTED = 4
MODE_STOPPED = 5


@dataclass(frozen=True)
class PictureBox:
    """One object in the driver's picture of one camera (pi05_msgs/BoundingBox).

    Corners are fractions of that picture, 0 to 1, x to the right and y downwards.
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
    """What the robot was doing, in words, in rows `start_row` to `stop_row` (not included).

    The labels of an episode are in the order of time and do not overlap. Rows before the first
    label, and those in which a task's subtask was empty, have none.
    """

    start_row: int
    stop_row: int
    text: str  # Never empty.
    source: str  # Subtask.SOURCE_*: "model", "human", "external", "implicit".
    task: str = ""
    score: float | None = None  # Mean token probability, 0 to 1; None: the source gives none.
    boxes: tuple[PictureBox, ...] = ()
    model_text: str = ""  # What the model would have said while a human's subtask stood; "": -.
    id: int = 0  # Subtask.id; 0: unknown.

    def __post_init__(self) -> None:
        if not 0 <= self.start_row < self.stop_row:
            raise ValueError(f"rows {self.start_row} to {self.stop_row} are no span of rows")
        if not self.text:
            raise ValueError("a label says something; where nothing was said there is no label")


class Episode(Protocol):
    """One run of a robot: lazy, at random access. It can be pickled, and read by many threads.

    T is the number of rows and D the size of the robot's vectors (`facts.names`, `facts.units`).
    """

    @property
    def facts(self) -> EpisodeFacts:
        """What the episode says of itself: task, platform, layout, outcome."""
        ...

    @property
    def source(self) -> Path:
        """Bag or dataset that it was read from."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes when the content does; caches are named after it. Letters and digits."""
        ...

    @property
    def rate_hz(self) -> float:
        """Rows per second, as they were meant to come [Hz]."""
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
        """When each row was measured, (T,) int64 [ns], rising, on the robot's clock."""
        ...

    @property
    def states(self) -> np.ndarray:
        """Measured, (T, D) float64, platform units; not finite: a fault, kept to be seen."""
        ...

    @property
    def actions(self) -> np.ndarray:
        """Commanded after limiting, (T, D) float64; NaN: nothing was sent yet."""
        ...

    @property
    def modes(self) -> np.ndarray:
        """What the bridge was doing, (T,) uint8, of MODE_*."""
        ...

    @property
    def labels(self) -> tuple[SubtaskLabel, ...]:
        """What was being done, in the order of time."""
        ...

    def frame_times_ns(self, camera: str) -> np.ndarray:
        """When each picture was taken, (N,) int64 [ns], rising.

        Raises:
            KeyError: There is no such camera.
        """
        ...

    def frame_of_row(self, camera: str) -> np.ndarray:
        """The newest picture that is not later than each row, (T,) int64; -1: none yet."""
        ...

    def picture(self, camera: str, index: int) -> np.ndarray:
        """A picture as the driver gave it, (h, w, 3) uint8 rgb.

        Raises:
            Pi05Error: It cannot be decoded.
        """
        ...

    def pictures(self, camera: str, start: int, stop: int) -> Iterator[np.ndarray]:
        """Pictures `start` to `stop` (not included) in order: cheaper than one by one."""
        ...


@dataclass(frozen=True, eq=False)
class EpisodeSample:
    """What the low level is trained on: one row, with the rows after it."""

    images: Mapping[str, np.ndarray]  # Camera -> (224, 224, 3) uint8 rgb, as the live path's.
    state: np.ndarray  # (D,) float64, platform units.
    actions: np.ndarray  # (H, D) float64, absolute, platform units; the last valid row held.
    action_valid: np.ndarray  # (H,) bool; False: past the end of what was done.
    subtask: str
    task: str
    source: str  # Who said the subtask: Subtask.SOURCE_*.
    boxes: tuple[PictureBox, ...]  # Of the driver's pictures.
    time_ns: int  # Of the row [ns].
    episode: int  # Which of the episodes that the samples were made of.
    row: int  # Which of its rows.
