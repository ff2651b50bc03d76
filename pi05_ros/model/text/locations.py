"""Answer format of the high level: boxes in PaliGemma's detection syntax, newline, subtask.

    <loc0512><loc0100><loc0700><loc0420> plate ; <loc0300><loc0000><loc0420><loc0090> back: cup
    pick up the plate

A box is four locations, y_min x_min y_max x_max, each round(1023 · fraction) of the model-size
picture. PaliGemma's syntax is for one picture; here there are up to four, so a label may begin
with the name of its camera. Without it the box is the first camera's. Boxes may be missing; then
the answer is the subtask alone. The subtask "done" means that the task is finished.

A language model may decode any text, so `parse` accepts any text and never raises: invalid boxes
are left out, and the subtask is reduced to one printable line. It is never shortened: the first
part of a long answer is another instruction than the whole. `subtask_problem` refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pi05_ros.brain.label_text import DONE
from pi05_ros.model.text.tokenizer import LOCATIONS

MAX_LABEL = 64  # Characters (BoundingBox.msg).
# UTF-8, at worst one token per byte. The low level's prompt holds 200 tokens; in PaliGemma's
# vocabulary a state of 19 dimensions takes 76 (a space and three digits each), the rest 11.
MAX_SUBTASK_BYTES = 96

_BOX = re.compile(r"<loc(\d{4})><loc(\d{4})><loc(\d{4})><loc(\d{4})>([^<;\n]*)", re.ASCII)
_SPECIAL = re.compile(r"<(?:loc\d{4}|seg\d{3})>", re.ASCII)


@dataclass(frozen=True)
class Location:
    """A box in one camera's model-size picture: fractions of it, x right, y down."""

    camera: str
    label: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def moved_to(self, middle: tuple[float, float] | None) -> Location:
        """Return the box with its middle at (x, y), cut off at the picture's edges.

        None: it stays as it is.
        """
        if middle is None:
            return self
        across, down = (self.x_max - self.x_min) / 2.0, (self.y_max - self.y_min) / 2.0
        return replace(
            self,
            x_min=max(middle[0] - across, 0.0),
            y_min=max(middle[1] - down, 0.0),
            x_max=min(middle[0] + across, 1.0),
            y_max=min(middle[1] + down, 1.0),
        )


@dataclass(frozen=True)
class Answer:
    """Boxes and subtask, the answer of the high level."""

    subtask: str  # One printable line of any length; empty: there was none.
    locations: tuple[Location, ...] = ()

    @property
    def done(self) -> bool:
        """True if the subtask means that the task is finished."""
        return self.subtask.casefold() == DONE


def write(answer: Answer, cameras: Sequence[str]) -> str:
    """Format the answer as text, for training targets; the inverse of `parse` up to rounding.

    Raises:
        ValueError: A box is of no known camera, or leaves its picture.
    """
    boxes = []
    for location in answer.locations:
        corners = (location.y_min, location.x_min, location.y_max, location.x_max)
        if location.camera not in cameras:
            raise ValueError(f"no camera '{location.camera}' (valid: {', '.join(cameras)})")
        if not all(0.0 <= corner <= 1.0 for corner in corners):
            raise ValueError(f"the box of '{location.label}' leaves its picture: {corners}")
        tokens = "".join(f"<loc{round(corner * (LOCATIONS - 1)):04d}>" for corner in corners)
        camera = "" if location.camera == cameras[0] else f"{location.camera}: "
        boxes.append(f"{tokens} {camera}{location.label}")
    return "\n".join([" ; ".join(boxes), answer.subtask] if boxes else [answer.subtask])


def parse(text: str, cameras: Sequence[str]) -> Answer:
    """Parse the text that the model decoded.

    Args:
        text: Any text.
        cameras: Names that a label may begin with; the first is the default.

    Returns:
        The boxes that are complete and whose corners are in order, and the subtask: the text after
        the line of boxes, or the whole text if there is no such line.
    """
    first, _, rest = text.partition("\n")
    if not _SPECIAL.search(first):
        first, rest = "", text
    found = (_location(match, cameras) for match in _BOX.finditer(first))
    return Answer(_subtask(rest), tuple(location for location in found if location))


def _location(match: re.Match[str], cameras: Sequence[str]) -> Location | None:
    """Convert one match to a box; None if its corners are out of range or order."""
    corners = [int(group) / (LOCATIONS - 1) for group in match.groups()[:4]]
    y_min, x_min, y_max, x_max = corners
    if max(corners) > 1.0 or x_min > x_max or y_min > y_max:
        return None
    camera, colon, label = match[5].partition(":")
    if not colon or camera.strip() not in cameras:
        camera, label = cameras[0], match[5]
    return Location(camera.strip(), _printable(label)[:MAX_LABEL], x_min, y_min, x_max, y_max)


def subtask_problem(subtask: str) -> str:
    """Reason why a subtask is too long for the low level, as one clause; empty if it is not."""
    size = len(subtask.encode(errors="replace"))
    if size <= MAX_SUBTASK_BYTES:
        return ""
    return f"it has {size} bytes, at most {MAX_SUBTASK_BYTES} are allowed"


def _subtask(text: str) -> str:
    """Reduce text to one printable line, without special tokens."""
    return _printable(_SPECIAL.sub(" ", text))


def _printable(text: str) -> str:
    """Reduce text to one line: white space collapsed, control and broken characters removed."""
    kept = (c if c.isprintable() and c != "\ufffd" else " " if c.isspace() else "" for c in text)
    return " ".join("".join(kept).split())
