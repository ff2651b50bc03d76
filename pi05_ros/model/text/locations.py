"""The high level's answer as text: boxes in PaliGemma's detection syntax, a newline, the subtask.

    <loc0512><loc0100><loc0700><loc0420> plate ; <loc0300><loc0000><loc0420><loc0090> back: cup
    pick up the plate

A box is four locations, y_min x_min y_max x_max, each round(1023 · fraction) of the model-size
picture. PaliGemma sees one picture; we see four, so a label may begin with its camera. Without one
it is the first camera's. Boxes may be missing; then the answer is the subtask alone. The subtask
"done" says that the task is finished.

A language model may write anything, so `parse` takes anything and never raises: what is no box is
left out, and what is left of the rest is one printable line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pi05_ros.model.text.tokenizer import LOCATIONS

DONE = "done"
MAX_LABEL = 64  # Characters (BoundingBox.msg).
# UTF-8, at worst a token a byte. The low level's prompt holds 200 tokens; PaliGemma's vocabulary
# spells a state of 19 dimensions in 76 of them (a space and three digits each), the rest in 11.
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


@dataclass(frozen=True)
class Answer:
    """What the high level said."""

    subtask: str  # One printable line; empty: none was said.
    locations: tuple[Location, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the task is finished."""
        return self.subtask.casefold() == DONE


def write(answer: Answer, cameras: Sequence[str]) -> str:
    """The answer as text, the target of training; the inverse of `parse` up to rounding.

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
    """Reads whatever the model wrote.

    Args:
        text: Decoded tokens, any text at all.
        cameras: Names that a label may begin with; the first is the one that is not said.

    Returns:
        The boxes that are complete and whose corners are in order, and the subtask: what follows
        the line of boxes, or everything where there is no such line.
    """
    first, _, rest = text.partition("\n")
    if not _SPECIAL.search(first):
        first, rest = "", text
    found = (_location(match, cameras) for match in _BOX.finditer(first))
    return Answer(_subtask(rest), tuple(location for location in found if location))


def _location(match: re.Match[str], cameras: Sequence[str]) -> Location | None:
    """One box, or None when its corners are no box."""
    corners = [int(group) / (LOCATIONS - 1) for group in match.groups()[:4]]
    y_min, x_min, y_max, x_max = corners
    if max(corners) > 1.0 or x_min > x_max or y_min > y_max:
        return None
    camera, colon, label = match[5].partition(":")
    if not colon or camera.strip() not in cameras:
        camera, label = cameras[0], match[5]
    return Location(camera.strip(), _printable(label)[:MAX_LABEL], x_min, y_min, x_max, y_max)


def _subtask(text: str) -> str:
    """One printable line of at most MAX_SUBTASK_BYTES bytes, cut between characters."""
    line = _printable(_SPECIAL.sub(" ", text)).encode()[:MAX_SUBTASK_BYTES]
    return line.decode(errors="ignore").strip()


def _printable(text: str) -> str:
    """`text` as one line: white space collapsed, control and broken characters left out."""
    kept = (c if c.isprintable() and c != "\ufffd" else " " if c.isspace() else "" for c in text)
    return " ".join("".join(kept).split())
