"""Rows, ratios and tables of the measured times."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .timing import Laps
from .workload import Workload

Times = Mapping[str, Sequence[float]]  # Row → time of each round [s].


@dataclass(frozen=True)
class Measured:
    """Rounds of one implementation; index i is the same round in every implementation."""

    chunks: Sequence[Laps]
    texts: Sequence[Laps]

    def rows(self, workload: Workload) -> Times:
        """Row → time of each round [s]."""
        steps, tokens = workload.config.flow_steps, workload.tokens
        return {
            "pictures": [laps.pictures for laps in self.chunks],
            "prefix": [laps.prefix for laps in self.chunks],
            "step": [laps.generation / steps for laps in self.chunks],
            "chunk": [laps.total for laps in self.chunks],
            "prefix_text": [laps.prefix for laps in self.texts],
            "token": [laps.generation / tokens for laps in self.texts],
            "tokens": [laps.generation for laps in self.texts],
            "subtask": [laps.total for laps in self.texts],
        }


def row_titles(workload: Workload) -> dict[str, str]:
    """Title of each row in tables."""
    config = workload.config
    acting, writing = (workload.picture_tokens(p) + len(workload.ids) for p in (True, False))
    pictures = f"{workload.cameras} picture" + "s" * (workload.cameras > 1)
    return {
        "pictures": pictures,
        "prefix": f"prefix of {acting} tokens, for actions",
        "step": "one flow step",
        "chunk": f"**chunk**: pictures, prefix, {config.flow_steps} steps",
        "prefix_text": f"prefix of {writing} tokens, for text",
        "token": "one token",
        "tokens": f"{workload.tokens} tokens",
        "subtask": f"**subtask**: pictures, prefix, {workload.tokens} tokens",
    }


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """Ratio of durations: the median of the ratios of each round."""
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def times_table(
    times: Mapping[str, Times], floors: Mapping[str, float], titles: Mapping[str, str]
) -> str:
    """Format medians (and minima) in ms, and ours relative to the floor, as Markdown.

    Args:
        times: Implementation → its rows; the first one is ours.
        floors: Row → least time that the device allows [s].
        titles: Row → title, in order.
    """
    names = list(times)
    lines = [_line(["median (least) [ms]", *names, "floor", f"{names[0]} / floor"])]
    lines.append("|---" + "|---:" * (len(names) + 2) + "|")
    for row, title in titles.items():
        cells = [
            f"{_ms(statistics.median(times[name][row]))} ({_ms(min(times[name][row]))})"
            for name in names
        ]
        over = statistics.median(times[names[0]][row]) / floors[row]
        lines.append(_line([title, *cells, _ms(floors[row]), f"{over:.1f}"]))
    return "\n".join(lines)


def ratios_table(times: Mapping[str, Times], titles: Mapping[str, str]) -> str:
    """Format the ratios of the other implementations to the first one as Markdown."""
    first, *others = times
    lines = [_line([f"times as long as {first}", *others]), "|---" + "|---:" * len(others) + "|"]
    for row, title in titles.items():
        cells = [f"{ratio(times[name][row], times[first][row]):.2f}" for name in others]
        lines.append(_line([title, *cells]))
    return "\n".join(lines)


@dataclass(frozen=True)
class Aim:
    """A target time for the published size on one large GPU."""

    title: str
    row: str  # "load": seconds of loading.
    seconds: float

    def line(self, measured: float | None) -> str:
        """Format the aim with the measured time."""
        if measured is None:
            return f"{self.title}: aim {_ms(self.seconds)} ms, not measured"
        outcome = "reached" if measured <= self.seconds else "MISSED"
        return f"{self.title}: aim {_ms(self.seconds)} ms, found {_ms(measured)} ms: {outcome}"


AIMS = (
    Aim("chunk, base, bfloat16, 3 views, 200-token prompt, H100", "chunk", 0.025),
    Aim("12 decoded tokens of a subtask", "tokens", 0.060),
    Aim("loading base from disk (--load FOLDER)", "load", 60.0),
)


def _ms(seconds: float) -> str:
    """Format a duration in ms with three significant digits."""
    value = seconds * 1e3
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
