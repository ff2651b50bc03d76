"""Shapes of subtasks: present and earlier texts above the base, boxes as pyramids."""

from __future__ import annotations

import math
import textwrap
from collections import deque
from collections.abc import Mapping

import numpy as np

from pi05_ros.cameras.rotation import to_driver
from pi05_ros.inspection.colours import SOURCE_COLOURS, UNKNOWN_SOURCE, rgba
from pi05_ros.inspection.facts import SubtaskFacts
from pi05_ros.inspection.lens import Lens
from pi05_ros.inspection.shapes import Shape, ShapeKind
from pi05_ros.platforms.platform import Platform

_LETTER, _SMALL_LETTER = 0.07, 0.048  # Heights of capital letters [m].
_PITCH = 1.75  # Line pitch in heights of capitals.
_EARLIER = 4  # Earlier subtasks that are kept.
_EARLIER_S = 60.0  # Time for which they are shown [s].
_COLUMNS, _LINES = 36, 3  # Longer texts are wrapped and cut.
_EARLIER_COLUMNS = 60
_CUT = " ..."  # RViz's font has no ellipsis.
_LINE = 0.006  # [m]


class SubtaskHistory:
    """The present subtask and recent earlier ones."""

    def __init__(self) -> None:
        self.present: SubtaskFacts | None = None
        self._earlier: deque[tuple[int, SubtaskFacts]] = deque(maxlen=_EARLIER)

    def add(self, subtask: SubtaskFacts, now_ns: int) -> None:
        """Add a subtask; the previous one is kept as an earlier one if its text differs."""
        before, self.present = self.present, subtask
        if before is not None and before.text and before.text != subtask.text:
            self._earlier.appendleft((now_ns, before))

    def earlier(self, now_ns: int) -> list[tuple[float, SubtaskFacts]]:
        """Return earlier subtasks as (time since its end [s], subtask), the latest first."""
        ages = (((now_ns - ended) * 1e-9, subtask) for ended, subtask in self._earlier)
        return [(age, subtask) for age, subtask in ages if age < _EARLIER_S]


def subtask_shapes(
    history: SubtaskHistory, platform: Platform, now_ns: int, height: float
) -> list[Shape]:
    """Draw the subtask's text above the base, with earlier ones fading above it.

    Args:
        history: Present and earlier subtasks.
        platform: The robot.
        now_ns: Present time [ns].
        height: Height of the text above the floor [m].
    """
    subtask = history.present
    if subtask is None:
        return []
    frame = platform.base_frame
    text = f"{_wrapped(subtask.text or 'no subtask')}\n{source_line(subtask, now_ns)}"
    if subtask.model_text:
        text += f"\n{_wrapped(f'the model would: {subtask.model_text}')}"
    colour = rgba(SOURCE_COLOURS.get(subtask.source, UNKNOWN_SOURCE))
    colour[:3] = 0.35 * colour[:3] + 0.65  # Letters are thin: bright ones are read more easily.
    above = np.array([0.0, 0.0, height])
    shapes = [
        Shape("subtask", 0, ShapeKind.TEXT, frame, subtask.stamp_ns, above, colour, _LETTER,
              text, follows=True)
    ]  # fmt: skip
    lines = text.count("\n") + 1
    # A text's middle is at its point.
    bottom = height + _PITCH * (lines / 2 * _LETTER + 0.4 * _SMALL_LETTER)
    for place, (age, earlier) in enumerate(history.earlier(now_ns)):
        faint = rgba("#d8dae0", 0.75 * (1.0 - age / _EARLIER_S) * 0.75**place)
        point = np.array([0.0, 0.0, bottom + place * _PITCH * _SMALL_LETTER])
        shapes.append(
            Shape("subtask_history", place, ShapeKind.TEXT, frame, earlier.stamp_ns, point, faint,
                  _SMALL_LETTER, textwrap.shorten(earlier.text, _EARLIER_COLUMNS,
                                                  placeholder=_CUT), follows=True)
        )  # fmt: skip
    return shapes


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, max_lines=_LINES, placeholder=_CUT)


def source_line(subtask: SubtaskFacts, now_ns: int) -> str:
    """Describe source, score and age of a subtask: "model 0.93, 1.2 s ago"."""
    score = "" if math.isnan(subtask.score) else f" {subtask.score:.2f}"
    age = max(0.0, (now_ns - subtask.stamp_ns) * 1e-9)
    ago = f"{age:.1f} s ago" if age < 100 else f"{age / 60:.0f} min ago"
    return f"{subtask.source or 'nobody'}{score}, {ago}"


def box_shapes(
    subtask: SubtaskFacts,
    platform: Platform,
    lenses: Mapping[str, Lens],
    depths: Mapping[str, float],
    now_ns: int,
    longest: float,
) -> list[Shape]:
    """Draw boxes as pyramids in the optical frames of their cameras.

    They carry the stamp of the observation, so that a viewer places them by the camera's tf pose
    at that time.

    Args:
        subtask: The subtask with the boxes.
        platform: The robot.
        lenses: Lenses of its cameras, by name.
        depths: Length of the pyramids by camera [m].
        now_ns: Present time [ns].
        longest: Age above which boxes are not shown [s]; the tf buffer is limited, too.
    """
    age = (now_ns - subtask.stamp_ns) * 1e-9
    if age > longest:
        return []
    frames = {camera.name: camera.frame for camera in platform.cameras}
    colour = rgba(SOURCE_COLOURS.get(subtask.source, UNKNOWN_SOURCE))
    colour[3] = 1.0 - 0.8 * max(0.0, age) / longest
    shapes = []
    for number, box in enumerate(subtask.boxes):
        if box.camera not in lenses:
            continue
        corners = np.array(
            [
                (box.x_min, box.y_min),
                (box.x_max, box.y_min),
                (box.x_max, box.y_max),
                (box.x_min, box.y_max),
            ]
        )
        # A lens is that of the driver's picture, boxes are in the upright one.
        camera = platform.camera(box.camera)
        ends = lenses[box.camera].rays(to_driver(corners, camera.rotate)) * depths[box.camera]
        origin = np.zeros(3)
        edges = [point for end in ends for point in (origin, end)]
        rim = [point for k in range(4) for point in (ends[k], ends[(k + 1) % 4])]
        frame, stamp = frames[box.camera], subtask.stamp_ns
        shapes.append(
            Shape("boxes", number, ShapeKind.LINES, frame, stamp, np.array(edges + rim), colour,
                  _LINE)
        )  # fmt: skip
        if box.label.strip():
            # The y axis of an optical frame points down in the driver's picture.
            down = np.diff(to_driver(np.array([(0.0, 0.0), (0.0, 1.0)]), camera.rotate), axis=0)[0]
            top = (ends[0] + ends[1]) / 2 - 0.06 * np.array([*down, 0.0])
            bright = colour.copy()
            bright[:3] = 0.35 * bright[:3] + 0.65
            shapes.append(
                Shape("box_labels", number, ShapeKind.TEXT, frame, stamp, top, bright,
                      _SMALL_LETTER, box.label)
            )  # fmt: skip
    return shapes
