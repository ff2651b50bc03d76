"""Cells of Markdown tables, and pictures beside a page."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.evaluation.trials.statistics import Estimate

NONE = "–"
HASHES = {"svg.hashsalt": "pi05"}  # Names inside a picture follow from its content.
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'


def header(*names: str) -> list[str]:
    """Return the first two lines of a table."""
    return [line_of(*names), "|" + "---|" * len(names)]


def line_of(*cells: str) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def share_text(found: Estimate) -> str:
    """Return a share as a percentage."""
    return f"{100 * found.mean:.1f} %"


def interval_text(found: Estimate) -> str:
    """Return an interval in percent."""
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


def difference_text(found: Estimate | None) -> tuple[str, str]:
    """Return a difference and its interval in percentage points; dashes if there is none."""
    if found is None:
        return NONE, NONE
    return f"{100 * found.mean:+.1f}", f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"


def write_picture(page: Path, chart: str) -> str:
    """Write an <svg> element beside a page, on white, and return the file's name.

    Raises:
        OSError: The disk is full.
    """
    path = page.with_suffix(".svg")
    page.parent.mkdir(parents=True, exist_ok=True)
    on_white = chart.replace("<svg ", '<svg style="background: white" ', 1)
    write_atomically(path, _XML + on_white)
    return path.name
