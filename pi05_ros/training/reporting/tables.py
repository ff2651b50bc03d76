"""Tables of a run's page: figures of the validations, and shares of the sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pi05_ros.training.reporting.history import History

# Figure of a source -> its name on the page, and its factor there.
LABELS = {
    "loss": ("loss", 1.0),
    "text": ("loss of text [nat/token]", 1.0),
    "fast": ("loss of FAST tokens [nat/token]", 1.0),
    "flow": ("loss of the flow", 1.0),
    "grounding": ("loss of the heat maps [nat]", 1.0),
    "point_px": ("points: median error [px of 112]", 1.0),
    "point_within": ("points within 3 px of 112 [%]", 100.0),
    "token_accuracy": ("text tokens right [%]", 100.0),
    "fast_token_accuracy": ("FAST tokens right [%]", 100.0),
    "subtask_exact": ("subtask right, letter by letter [%]", 100.0),
    "done_precision": ("“done”: precision [%]", 100.0),
    "done_recall": ("“done”: recall [%]", 100.0),
    "box_iou": ("overlap of boxes, IoU [%]", 100.0),
    "box_precision": ("boxes that are of something [%]", 100.0),
    "fast_decoded": ("chunks whose FAST tokens are whole [%]", 100.0),
    "gripper_accuracy": ("gripper open or closed as recorded [%]", 100.0),
    "prompt_swap": ("change with another subtask, of the spread [%]", 100.0),
}
_ERROR = re.compile(r"error_(?P<unit>[^/]+)/(?P<group>[^/]+)/(?P<seconds>[\d.]+)s")
_HAND = re.compile(r"hand_cm/(?P<seconds>[\d.]+)s")


@dataclass(frozen=True)
class FigureRow:
    """A figure at the first and the latest validation, in the units of its name."""

    name: str
    first: float
    latest: float


@dataclass(frozen=True)
class ErrorRow:
    """Errors of one joint group at the latest validation."""

    name: str
    values: tuple[float | None, ...]  # In the order of the horizons.


@dataclass(frozen=True)
class SourceTable:
    """Figures of one source."""

    source: str
    rows: tuple[FigureRow, ...]
    horizons: tuple[str, ...]  # Of the errors [s].
    errors: tuple[ErrorRow, ...]


@dataclass(frozen=True)
class ShareRow:
    """One source's part of the samples."""

    name: str
    asked: float  # 0 to 1.
    samples: int  # That were used.
    realised: float  # 0 to 1.


def source_tables(history: History) -> list[SourceTable]:
    """Return the figures of each source that was validated."""
    if not history.validations:
        return []
    first, latest = history.validations[0][1], history.validations[-1][1]
    found = []
    for source in dict.fromkeys(n.partition("/")[0] for n in latest if "/" in n):
        own = {n.partition("/")[2]: v for n, v in latest.items() if n.startswith(f"{source}/")}
        rows = tuple(
            FigureRow(label, factor * first.get(f"{source}/{key}", own[key]), factor * own[key])
            for key, (label, factor) in LABELS.items()
            if key in own
        )
        found.append(SourceTable(source, rows, *_errors(own)))
    return found


def share_rows(history: History, shares: Mapping[str, float]) -> list[ShareRow]:
    """Return asked and realised shares of the sources."""
    total = max(1, sum(history.samples.values()))
    return [
        ShareRow(name, asked, history.samples[name], history.samples[name] / total)
        for name, asked in shares.items()
    ]


def _errors(figures: Mapping[str, float]) -> tuple[tuple[str, ...], tuple[ErrorRow, ...]]:
    """Arrange the errors of a source: horizons, and a row for each group and unit."""
    cells: dict[str, dict[str, float]] = {}
    for name, value in figures.items():
        if match := _HAND.fullmatch(name):
            cells.setdefault("hand [cm]", {})[match["seconds"]] = value
        elif match := _ERROR.fullmatch(name):
            unit = match["unit"].replace("_per_", "/")
            row = f"{match['group'].replace('_', ' ')} [{unit}]"
            cells.setdefault(row, {})[match["seconds"]] = value
    horizons = tuple(sorted({key for row in cells.values() for key in row}, key=float))
    rows = tuple(
        ErrorRow(name, tuple(row.get(horizon) for horizon in horizons))
        for name, row in sorted(cells.items(), key=lambda item: item[0] != "hand [cm]")
    )
    return horizons, rows
