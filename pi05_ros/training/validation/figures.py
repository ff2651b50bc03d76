"""Results of one validation: figures by name, and examples for the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.model.text.locations import Location


@dataclass(frozen=True)
class ChunkExample:
    """A predicted chunk beside the recorded one, in platform units."""

    names: tuple[str, ...]  # Of the entries.
    units: tuple[str, ...]
    rate_hz: float  # Of the rows.
    target: np.ndarray  # (H, D) float64.
    predicted: np.ndarray | None  # (H, D) float64; None: the FAST tokens were no chunk.
    valid: np.ndarray  # (H,) bool; False: behind the end of the recording.


@dataclass(frozen=True)
class AnswerExample:
    """A decoded answer beside the recorded one."""

    target: str  # The subtask, "done", or another text.
    predicted: str
    target_boxes: tuple[Location, ...] = ()
    predicted_boxes: tuple[Location, ...] = ()


@dataclass(frozen=True)
class Example:
    """One held-out sample with what the model gave for it."""

    source: str
    where: str  # Episode and row.
    prompt: str
    cameras: tuple[str, ...]  # Names of the pictures.
    pictures: np.ndarray  # (C, side, side, 3) uint8 rgb; black where the camera has none.
    answer: AnswerExample | None = None
    chunk: ChunkExample | None = None


class Figures(dict[str, float]):
    """Figures by name, "source/figure" and "loss".

    Args:
        values: The figures.
        examples: For the page of the run.
    """

    def __init__(self, values: dict[str, float], examples: tuple[Example, ...] = ()) -> None:
        super().__init__(values)
        self.examples = examples
