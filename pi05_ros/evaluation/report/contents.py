"""Contents of the report of an episode, collected from its bag. No ROS is needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.checks.episode_check import CheckReport, check_open
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.foreign.episode import AdoptedEpisode
from pi05_ros.evaluation.latency.bag import read_latency
from pi05_ros.evaluation.latency.ledger import LatencyError
from pi05_ros.evaluation.latency.statistics import Summary, summarize
from pi05_ros.evaluation.report.driving import Driving, driving

_DIAGNOSTICS = "/diagnostics"
_FIGURE = re.compile(r"\d+\.\d+|\d+(?= (?:s|ms|Hz)\b)")
# Of diagnostic_msgs/DiagnosticStatus: from _WARN on, something is wrong.
_WARN, _ERROR, _STALE = 1, 2, 3


@dataclass(frozen=True)
class Span:
    """A subtask or a mode over time; times in seconds from the first row."""

    start: float
    end: float
    text: str
    kind: str  # A subtask's source, or a mode's number.
    beside: str = ""  # The model's choice of subtask; the reason of the mode.


@dataclass(frozen=True)
class Criterion:
    """A criterion of the score."""

    text: str
    points: float
    most: float


@dataclass
class Trouble:
    """A warning or an error that a node published, once for each cause."""

    source: str
    text: str
    level: int
    first: float  # Time of the first one [s from the first row].
    count: int = 0


@dataclass(frozen=True)
class Contents:
    """Contents of the report."""

    episode: Episode
    seconds: float
    subtasks: tuple[Span, ...]
    modes: tuple[Span, ...]
    driving: Driving
    points: float | None  # None: the bag holds no score.
    most_points: float
    criteria: tuple[Criterion, ...]
    score_times: np.ndarray  # (n,) [s]
    scores: np.ndarray  # (n,) points.
    troubles: tuple[Trouble, ...]
    latency: Summary | None
    latency_problem: str  # Why there is none; empty: there is one.
    checks: CheckReport


def collect(reader: BagReader, on_step: Callable[[str], None] = lambda text: None) -> Contents:
    """Collect the contents of the report from an open bag.

    Args:
        reader: The bag. The episode of the contents reads its pictures from it.
        on_step: Called with the name of each step as it begins.

    Raises:
        Pi05Error: The bag is damaged, or is no episode of this suite.
    """
    if reader.adopted is not None:  # Of several episodes in a bag, the first.
        episode: BagEpisode = AdoptedEpisode(reader.path, reader=reader)
    else:
        episode = BagEpisode(reader.path, reader=reader)
    on_step("reading messages")
    gathered = _gather(reader, episode)
    on_step("following chunks")
    latency, problem = _latency(reader, on_step)
    on_step("checking")
    return Contents(
        episode=episode,
        seconds=float((episode.times_ns[-1] - episode.times_ns[0]) * 1e-9),
        subtasks=_subtasks(episode),
        modes=tuple(gathered.modes),
        driving=driving(episode, reader),
        points=gathered.scores[-1] if gathered.scores else None,
        most_points=gathered.most,
        criteria=gathered.criteria,
        score_times=np.array(gathered.score_times),
        scores=np.array(gathered.scores),
        troubles=tuple(sorted(gathered.troubles.values(), key=lambda t: t.first)),
        latency=latency,
        latency_problem=problem,
        checks=check_open(reader),
    )


def _subtasks(episode: Episode) -> tuple[Span, ...]:
    """Spans of the labels; labels that differ only in their boxes are one."""
    seconds = (episode.times_ns - episode.times_ns[0]) * 1e-9
    spans: list[Span] = []
    for label in episode.labels:
        start, end = float(seconds[label.start_row]), float(seconds[label.stop_row - 1])
        last = spans[-1] if spans else None
        if last is not None and (last.text, last.kind) == (label.text, label.source):
            beside = label.model_text or last.beside
            spans[-1] = Span(last.start, end, last.text, last.kind, beside)
        else:
            spans.append(Span(start, end, label.text, label.source, label.model_text))
    return tuple(spans)


@dataclass
class _Gathered:
    modes: list[Span] = field(default_factory=list)
    score_times: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    most: float = 0.0
    criteria: tuple[Criterion, ...] = ()
    troubles: dict[tuple[str, str], Trouble] = field(default_factory=dict)


def _gather(reader: BagReader, episode: Episode) -> _Gathered:
    """Collect modes, scores and diagnostics in one pass."""
    space = episode.facts.namespace.rstrip("/")
    state, score = f"{space}/robot_state", f"{space}/task_score"
    gathered = _Gathered()
    for raw in reader.messages([state, score, _DIAGNOSTICS]):
        message = reader.decode(raw.topic, raw.data)
        stamp = message.header.stamp
        now = (stamp.sec * 10**9 + stamp.nanosec - int(episode.times_ns[0])) * 1e-9
        if raw.topic == state:
            _add_mode(gathered.modes, now, message)
        elif raw.topic == score:
            _add_score(gathered, now, message)
        else:
            _add_troubles(gathered.troubles, now, message)
    return gathered


def _add_mode(modes: list[Span], now: float, message: Any) -> None:
    kind = str(message.mode)
    if modes:
        modes[-1] = replace(modes[-1], end=now)
    last = modes[-1] if modes else None
    if last is None or (last.kind, _same(last.beside)) != (kind, _same(message.reason)):
        modes.append(Span(now, now, "", kind, message.reason))
    else:
        modes[-1] = replace(last, beside=message.reason)


def _same(reason: str) -> str:
    """A reason without its numbers: "silent for 0.3 s" and "silent for 0.4 s" are one."""
    return _FIGURE.sub("#", reason)


def _add_score(gathered: _Gathered, now: float, message: Any) -> None:
    gathered.score_times.append(max(0.0, now))
    gathered.scores.append(float(message.points))
    gathered.most = float(message.max_points)
    columns = (message.criteria, message.criterion_points, message.criterion_max)
    counts = [len(column) for column in columns]
    if len(set(counts)) > 1:
        what = f"names, points and maxima of the criteria differ in number: {counts}"
        _add_trouble(gathered.troubles, Trouble("task_score", what, _ERROR, now))
        return
    rows = zip(*columns, strict=True)
    gathered.criteria = tuple(Criterion(t, float(p), float(m)) for t, p, m in rows)


def _add_troubles(troubles: dict[tuple[str, str], Trouble], now: float, message: Any) -> None:
    for status in message.status:
        level = status.level if isinstance(status.level, int) else status.level[0]
        if _WARN <= level <= _STALE:
            _add_trouble(troubles, Trouble(status.name, status.message, level, now))


def _add_trouble(troubles: dict[tuple[str, str], Trouble], trouble: Trouble) -> None:
    # Digits in a sentence change all the time; the sentence is the same trouble.
    key = (trouble.source, "".join("#" if c.isdigit() else c for c in trouble.text))
    troubles.setdefault(key, trouble).count += 1


def _latency(reader: BagReader, on_step: Callable[[str], None]) -> tuple[Summary | None, str]:
    try:
        return summarize(reader.path.name, read_latency(reader, None, on_step)), ""
    except LatencyError as error:
        return None, str(error)
