"""Figures of matplotlib as SVG elements inside a page."""

from __future__ import annotations

import io
from typing import Any

STYLE = {
    "font.size": 9,
    "svg.fonttype": "none",  # Text stays text: small and searchable.
    "text.parse_math": False,  # Names may contain dollar signs.
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def svg_of(figure: Any) -> str:
    """Return a `matplotlib.figure.Figure` as an <svg> element, without the header of a file."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]
