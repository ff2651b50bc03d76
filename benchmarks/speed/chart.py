"""Chart of the medians: one group of bars per row, with the floor as a line across it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from .report import Times

ROWS = ("pictures", "prefix", "step", "chunk", "token", "tokens", "subtask")
COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#9e9e9e")
WIDTH, LABELS, BAR, GAP, TOP = 1200, 380, 20, 16, 64  # [pixel]


def bars(times: Mapping[str, Times], row: str) -> list[float]:
    """Median of each implementation, relative to the slowest in this row."""
    medians = [statistics.median(rows[row]) for rows in times.values()]
    return [median / max(medians) for median in medians]


def draw_chart(
    times: Mapping[str, Times],
    floors: Mapping[str, float],
    titles: Mapping[str, str],
    path: Path,
) -> None:
    """Write the chart.

    Every group has its own scale, with the slowest bar at full length, since a chunk and a token
    differ by two orders of magnitude. Bars are labelled in ms; the black line is the floor.

    Args:
        times: Implementation → its rows [s].
        floors: Row → least time that the device allows [s].
        titles: Row → title.
        path: Of the picture; its suffix sets the format.
    """
    font, small = ImageFont.load_default(16), ImageFont.load_default(13)
    group = len(times) * BAR + GAP
    image = Image.new("RGB", (WIDTH, TOP + len(ROWS) * group), "white")
    draw = ImageDraw.Draw(image)
    left = 10.0
    for name, colour in zip(times, COLOURS, strict=False):
        draw.rectangle((left, 20, left + 14, 34), fill=colour)
        draw.text((left + 20, 18), name, fill="black", font=font)
        left += 50 + draw.textlength(name, font=font)
    draw.text((left, 18), "| floor of the device", fill="black", font=font)
    room = WIDTH - LABELS - 90
    for index, row in enumerate(ROWS):
        top = TOP + index * group
        title = titles[row].replace("*", "")
        draw.text((10, top + group / 2 - GAP), title, fill="black", font=font)
        slowest = max(statistics.median(rows[row]) for rows in times.values())
        for place, (part, rows) in enumerate(zip(bars(times, row), times.values(), strict=True)):
            y = top + place * BAR
            end = LABELS + part * room
            draw.rectangle((LABELS, y, end, y + BAR - 3), fill=COLOURS[place % len(COLOURS)])
            text = f"{statistics.median(rows[row]) * 1e3:.3g} ms"
            draw.text((end + 6, y), text, fill="black", font=small)
        x = LABELS + min(floors[row] / slowest, 1.0) * room
        draw.line((x, top - 3, x, top + len(times) * BAR), fill="black", width=2)
    image.save(path)
