"""Sheet of an episode: a contact sheet of its cameras above a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pi05_ros.cameras.decoding import PictureError
from pi05_ros.data.episodes.episode import (
    CONTROL_DISTURBANCE,
    CONTROL_NONE,
    CONTROL_TELEOP,
    MODE_UNKNOWN,
    Episode,
    PictureBox,
    SubtaskLabel,
)
from pi05_ros.evaluation.report.driving import DRIVERS
from pi05_ros.evaluation.report.panels import MODES, PANELS, columns_of, plot_vectors
from pi05_ros.inspection.colours import SOURCE_COLOURS
from pi05_ros.inspection.picture import draw_boxes, enlarge

_BOX_COLOUR = (255, 221, 0)
_BOXED_WIDTH = 320  # Least width of a picture with boxes, so that labels are legible [pixel].
_WIDTH = 15.0  # [inch]
_LEFT, _CONTACT_WIDTH = 0.025, 0.97  # Of the pictures, as shares of the width.
_HEADER, _MARGIN = 0.65, 0.05  # Above (title, times) and below the pictures [inch].
_LETTER = 0.0058  # Width of a letter as a share of the timeline, at its font size.


def save_sheet(episode: Episode, path: Path, moments: int) -> None:
    """Draw an episode into a file.

    Args:
        episode: The episode.
        path: File to write; its suffix chooses the format (.png, .pdf).
        moments: Number of pictures of each camera.
    """
    with matplotlib.rc_context({"font.size": 8, "axes.spines.top": False}):
        figure = draw_sheet(episode, moments)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)


def draw_sheet(episode: Episode, moments: int) -> Figure:
    """Draw an episode; see `save_sheet`."""
    times = (episode.times_ns - episode.times_ns[0]) * 1e-9
    rows = np.linspace(0, len(episode) - 1, moments + 2).round().astype(int)[1:-1]
    panels = [panel for panel in PANELS if columns_of(episode, panel[0])]
    cell_width = _CONTACT_WIDTH * _WIDTH / moments
    cell_height = 0.75 * cell_width  # Other shapes are fitted in.
    pictures = cell_height * len(episode.cameras)
    above = pictures + _HEADER + _MARGIN
    others = (CONTROL_TELEOP, CONTROL_DISTURBANCE)
    driven = bool(np.isin(episode.control_sources, others).any())
    heights = [0.5, 0.18] + [0.18] * driven + [0.9] * len(panels)
    below = sum(heights) + 0.6
    figure = Figure(figsize=(_WIDTH, above + below))
    top, bottom = figure.subfigures(2, 1, height_ratios=(above, below))
    top.suptitle(_title(episode), x=0.01, y=1 - 0.08 / above, ha="left", va="top", fontsize=10)
    if episode.cameras:
        contact = (_LEFT, _MARGIN / above, _CONTACT_WIDTH, pictures / above)
        _draw_contact_sheet(top.add_axes(contact), episode, rows, times)
    strips = bottom.subplots(
        len(heights), 1, height_ratios=heights, squeeze=False, sharex=True,
        gridspec_kw={"left": 0.085, "right": 0.845, "top": 0.98, "bottom": 0.4 / below},
    )[:, 0]  # fmt: skip
    _draw_labels(strips[0], episode.labels, times)
    _draw_values(strips[1], "mode", episode.modes, MODES, MODES[MODE_UNKNOWN], times)
    if driven:
        sources, unknown = episode.control_sources, DRIVERS[CONTROL_NONE]
        _draw_values(strips[2], "driver", sources, DRIVERS, unknown, times)
    for axes, (units, title) in zip(strips[2 + driven :], panels, strict=True):
        _draw_vectors(axes, episode, times, units, title)
    for axes in strips:
        axes.set_xlim(0, max(times[-1], 1e-3))
        for row in rows:
            axes.axvline(times[row], color="#00000022", linewidth=0.6)
    strips[-1].set_xlabel("time [s]")
    return figure


def _title(episode: Episode) -> str:
    facts = episode.facts
    seconds = (episode.times_ns[-1] - episode.times_ns[0]) * 1e-9
    parts = [
        facts.task or "(no task)",
        facts.platform,
        f"home {facts.home}" if facts.home else "",
        f"{seconds:.1f} s",
        facts.outcome or "not graded",
        f"brain {facts.brain}" if facts.brain else "",
        "RECOVERED" if facts.recovered else "",
    ]
    return f"{facts.id}\n" + "  ·  ".join(part for part in parts if part)


def _draw_contact_sheet(axes: Axes, episode: Episode, rows: np.ndarray, times: np.ndarray) -> None:
    """Cameras from top to bottom, moments from left to right; a unit is one cell."""
    axes.set_xlim(0, len(rows))
    axes.set_ylim(len(episode.cameras), 0)
    axes.set_xticks(np.arange(len(rows)) + 0.5, [f"{times[row]:.1f} s" for row in rows])
    axes.set_yticks(np.arange(len(episode.cameras)) + 0.5, episode.cameras, rotation=90)
    axes.yaxis.set_tick_params(length=0)
    axes.xaxis.set_tick_params(length=0, top=True, labeltop=True, labelbottom=False)
    for label in axes.get_yticklabels():
        label.set_verticalalignment("center")
    for spine in axes.spines.values():
        spine.set_visible(False)
    for line, camera in enumerate(episode.cameras):
        frames = episode.frame_of_row(camera)
        for column, row in enumerate(rows):
            picture, missing = _picture(episode, camera, int(frames[row]))
            if picture is None:
                axes.text(column + 0.5, line + 0.5, missing, ha="center", va="center")
                continue
            boxes = _boxes_at(episode.labels, row, camera)
            if boxes:
                picture = enlarge(picture, _BOXED_WIDTH).copy()
                draw_boxes(picture, boxes, _BOX_COLOUR)
            left, top, width, height = _fitted(picture, column, line)
            extent = (left, left + width, top + height, top)
            axes.imshow(picture, extent=extent, aspect="auto", interpolation="antialiased")
    axes.set_aspect("auto")


def _picture(episode: Episode, camera: str, index: int) -> tuple[np.ndarray | None, str]:
    """A picture; or None, and the text for its place: a damaged picture must be visible."""
    if index < 0:
        return None, "no picture yet"
    try:
        return episode.picture(camera, index), ""
    except PictureError:
        return None, "cannot be decoded"


def _fitted(picture: np.ndarray, column: int, line: int) -> tuple[float, float, float, float]:
    """Left, top, width and height of a picture in its cell, with a narrow border."""
    border = 0.012
    aspect = picture.shape[1] / picture.shape[0] * 0.75  # Of a cell's: 4 to 3.
    width, height = min(1.0, aspect) * (1 - 2 * border), min(1.0, 1 / aspect) * (1 - 2 * border)
    return column + (1 - width) / 2, line + (1 - height) / 2, width, height


def _boxes_at(labels: Sequence[SubtaskLabel], row: int, camera: str) -> list[PictureBox]:
    found = next((label for label in labels if label.start_row <= row < label.stop_row), None)
    return [box for box in found.boxes if box.camera == camera] if found else []


def _draw_labels(axes: Axes, labels: Sequence[SubtaskLabel], times: np.ndarray) -> None:
    """Draw subtasks as bars; neighbours that differ only in their boxes are one."""
    spans: list[list] = []  # Start and end [s], text, source.
    for label in labels:
        start, end = times[label.start_row], times[label.stop_row - 1]
        key = [label.text, label.source]
        if spans and spans[-1][2:] == key and start - spans[-1][1] < 0.1:
            spans[-1][1] = end
        else:
            spans.append([start, end, *key])
    total = max(times[-1], 1e-3)
    for start, end, text, source in spans:
        colour = SOURCE_COLOURS.get(source, "#000000")
        axes.barh(0, end - start, left=start, height=1, color=colour, edgecolor="white")
        room = int((end - start) / total / _LETTER)
        if room >= 4:
            shown = text if len(text) <= room else text[: room - 1] + "…"
            axes.text((start + end) / 2, 0, shown, ha="center", va="center", color="white")
    _strip(axes, "subtask")
    present = [source for source in SOURCE_COLOURS if any(s[3] == source for s in spans)]
    patches = [Patch(color=SOURCE_COLOURS[source], label=source) for source in present]
    _legend(axes, patches)


def _draw_values(
    axes: Axes,
    title: str,
    values: np.ndarray,
    styles: Mapping[int, tuple[str, str]],
    unknown: tuple[str, str],
    times: np.ndarray,
) -> None:
    """Draw a value of each row, (T,), as a strip; styles are names and colours."""
    edges = np.flatnonzero(np.diff(values)) + 1
    for start, stop in zip([0, *edges], [*edges, len(values)], strict=True):
        end = times[min(stop, len(times) - 1)]
        colour = styles.get(int(values[start]), unknown)[1]
        axes.barh(0, end - times[start], left=times[start], height=1, color=colour)
    _strip(axes, title)
    present = [styles[value] for value in styles if (values == value).any()]
    _legend(axes, [Patch(color=colour, label=name) for name, colour in present])


def _draw_vectors(
    axes: Axes, episode: Episode, times: np.ndarray, units: tuple[str, ...], title: str
) -> None:
    columns = columns_of(episode, units)
    plot_vectors(axes, episode, times, columns)
    axes.set_ylabel(title, rotation=0, ha="right", va="center")
    axes.spines["right"].set_visible(False)
    axes.legend(
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        fontsize=6,
        frameon=False,
        ncol=1 + (len(columns) - 1) // 6,
        labelspacing=0.15,
    )


def _strip(axes: Axes, title: str) -> None:
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0)
    axes.set_ylim(-0.5, 0.5)
    axes.set_ylabel(title, rotation=0, ha="right", va="center")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _legend(axes: Axes, patches: list[Patch]) -> None:
    axes.legend(
        handles=patches,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        fontsize=6,
        frameon=False,
        ncol=3 if len(patches) == 3 else 2,
        columnspacing=1.0,
        labelspacing=0.15,
    )
