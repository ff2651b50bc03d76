"""The report as one self-contained HTML file."""

from __future__ import annotations

import base64
import datetime
import hashlib
from pathlib import Path

import jinja2
from markupsafe import Markup

from pi05_ros.evaluation.report.charts import score_chart, vector_charts
from pi05_ros.evaluation.report.contents import Contents
from pi05_ros.evaluation.report.driving import DRIVERS, distances_text, summary
from pi05_ros.evaluation.report.panels import MODES
from pi05_ros.evaluation.report.pictures import Moment
from pi05_ros.inspection.colours import SOURCE_COLOURS

# The only script that the content security policy of the page allows.
_SCRIPT = """"use strict";
const video = document.getElementById("video");
for (const part of document.querySelectorAll("[data-t]"))
  part.addEventListener("click", () => {
    if (video) { video.currentTime = Number(part.dataset.t); video.play(); }
  });
"""
_LEVELS = {0: "ok", 1: "warning", 2: "error", 3: "stale"}


def render(contents: Contents, moments: list[Moment], video: Path | None) -> str:
    """Render the page.

    Args:
        contents: Contents of the report.
        moments: Pictures along the timeline.
        video: MP4 file to embed; None: no video.
    """
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    score = ""
    if contents.points is not None:
        score = score_chart(
            contents.score_times, contents.scores, contents.most_points, contents.seconds
        )
    return environment.get_template("page.html.j2").render(
        contents=contents,
        facts=contents.episode.facts,
        started=_started(contents),
        rows=len(contents.episode),
        moments=moments,
        video=base64.b64encode(video.read_bytes()).decode("ascii") if video else "",
        source_colours=SOURCE_COLOURS,
        inks={source: _ink(colour) for source, colour in SOURCE_COLOURS.items()},
        mode_styles={str(mode): style for mode, style in MODES.items()},
        drivers=DRIVERS,
        driven_summary=summary(contents.driving),
        distances_text=distances_text,
        levels=_LEVELS,
        vectors=[(c, Markup(c.svg)) for c in vector_charts(contents.episode)],
        script=Markup(_SCRIPT),
        script_hash=base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode("ascii"),
        score=Markup(score),
    )


def _ink(colour: str) -> str:
    """Black or white, whichever contrasts more with #rrggbb (relative luminance of WCAG 2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return "#000" if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 else "#fff"


def _started(contents: Contents) -> str:
    """Start of the episode as text; empty in simulated time."""
    facts = contents.episode.facts
    if facts.simulated:
        return ""
    try:
        moment = datetime.datetime.fromtimestamp(facts.started_ns * 1e-9, datetime.timezone.utc)
    except (OverflowError, ValueError, OSError):
        return f"{facts.started_ns} ns, which is no time of the calendar"
    return moment.strftime("%Y-%m-%d %H:%M UTC")
