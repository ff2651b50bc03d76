"""Who drove an episode: the model or an operator, and what the model would have done meanwhile."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.episode import (
    CONTROL_DISTURBANCE,
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
    DeviceSpan,
    Episode,
)
from pi05_ros.data.episodes.interventions import DrivenSpan, driven_spans, interventions

DRIVERS = {
    CONTROL_DISTURBANCE: ("a disturbance", "#e0a030"),
    CONTROL_POLICY: ("the model", "#4c78a8"),
    CONTROL_TELEOP: ("an operator", "#b04fd0"),
    CONTROL_NONE: ("nobody", "#d4d6da"),
}


@dataclass(frozen=True, eq=False)
class PolicyChunk:
    """A chunk that the policy published."""

    heard_ns: int  # When it was recorded [ns].
    start_ns: int  # Time of row 0 [ns].
    period_ns: float  # Between two rows [ns].
    rows: np.ndarray  # (horizon, D) float64, platform units.


@dataclass(frozen=True)
class Distance:
    """Largest distance of the model's rows from the commands of a group."""

    group: str  # "left arm"
    unit: str
    value: float


@dataclass(frozen=True)
class OperatorSpan:
    """One span in which an operator drove; times in seconds from the first row."""

    start: float
    seconds: float
    device: str  # Empty: not known.
    is_intervention: bool  # The policy drove in this episode, too.
    overridden: int | None  # Chunks of the policy that were not executed; None: not recorded.
    distances: tuple[Distance, ...]  # By group; (): no chunk reached into the span.


@dataclass(frozen=True)
class Driving:
    """Who drove an episode."""

    spans: tuple[tuple[float, float, int], ...]  # (start [s], end [s], CONTROL_*) of all rows.
    operator: tuple[OperatorSpan, ...]

    @property
    def seconds(self) -> dict[int, float]:
        """Total time of each source [s]."""
        total = dict.fromkeys(DRIVERS, 0.0)
        for start, end, source in self.spans:
            total[source] = total.get(source, 0.0) + end - start
        return total


def driving(episode: Episode, reader: BagReader | None = None) -> Driving:
    """Find who drove an episode.

    Args:
        episode: The episode.
        reader: Its bag, open; None: it is opened where an operator drove and there is one.

    Raises:
        Pi05Error: The bag is damaged.
    """
    found = driven_spans(episode)
    seconds = (episode.times_ns - episode.times_ns[0]) * 1e-9
    stop = float(seconds[-1])

    def limits(span: DrivenSpan) -> tuple[float, float]:
        end = seconds[span.stop_row] if span.stop_row < len(seconds) else stop
        return float(seconds[span.start_row]), float(end)

    operator = [span for span in found if span.control_source == CONTROL_TELEOP]
    chunks: list[PolicyChunk] | None = None
    if operator and reader is not None:
        chunks = policy_chunks(reader, episode)
    elif operator and isinstance(episode, BagEpisode):
        with BagReader(episode.source) as opened:
            chunks = policy_chunks(opened, episode)
    taken_over = {span.start_row for span in interventions(episode)}
    return Driving(
        tuple((*limits(span), span.control_source) for span in found),
        tuple(
            _operator_span(episode, span, limits(span), span.start_row in taken_over, chunks)
            for span in operator
        ),
    )


def policy_chunks(reader: BagReader, episode: Episode) -> list[PolicyChunk]:
    """Read the policy's chunks of an episode in the order of reception.

    Chunks of another layout than the episode's are left out, as the bridge rejects them.
    """
    topic = f"{episode.facts.namespace.rstrip('/')}/action_chunk"
    names, found = list(episode.facts.action_names or episode.facts.names), []
    for raw in reader.messages([topic]):
        message = reader.decode(raw.topic, raw.data)
        fits = len(message.data) == message.horizon * len(names) and message.period > 0
        if list(message.names) != names or not fits:
            continue
        stamp = (
            message.start if message.start.sec or message.start.nanosec else message.header.stamp
        )
        rows = np.asarray(message.data, np.float64).reshape(message.horizon, len(names))
        start_ns = stamp.sec * 10**9 + stamp.nanosec
        found.append(PolicyChunk(raw.log_ns, start_ns, message.period * 1e9, rows))
    return found


def _operator_span(
    episode: Episode,
    span: DrivenSpan,
    limits: tuple[float, float],
    is_intervention: bool,
    chunks: Sequence[PolicyChunk] | None,
) -> OperatorSpan:
    start, end = limits
    rows = slice(span.start_row, span.stop_row)
    times, actions = episode.times_ns[rows], episode.actions[rows]
    first_ns = int(episode.times_ns[0])
    inside = [chunk for chunk in chunks or () if start <= (chunk.heard_ns - first_ns) * 1e-9 < end]
    return OperatorSpan(
        start,
        end - start,
        next((d.device for d in episode.devices if _overlap(d, span)), ""),
        is_intervention,
        None if chunks is None else len(inside),
        _distances(episode, model_rows(times, actions.shape[1], chunks or ()), actions),
    )


def _overlap(device: DeviceSpan, span: DrivenSpan) -> bool:
    return device.start_row < span.stop_row and span.start_row < device.stop_row


def model_rows(times_ns: np.ndarray, size: int, chunks: Sequence[PolicyChunk]) -> np.ndarray:
    """What the model would have commanded: at each time, the row of its newest chunk.

    Args:
        times_ns: (n,) rising [ns].
        size: Entries of the action, A.
        chunks: In the order of reception.

    Returns:
        (n, A) float64, platform units; NaN where the newest chunk has no row for that time.
    """
    found = np.full((len(times_ns), size), np.nan)
    heard = np.array([chunk.heard_ns for chunk in chunks], np.int64)
    newest = np.searchsorted(heard, times_ns, side="right") - 1
    for index in np.unique(newest[newest >= 0]):
        chunk = chunks[index]
        rows = np.flatnonzero(newest == index)
        places = np.round((times_ns[rows] - chunk.start_ns) / chunk.period_ns).astype(int)
        valid = (places >= 0) & (places < len(chunk.rows))
        found[rows[valid]] = chunk.rows[places[valid]]
    return found


def _distances(episode: Episode, model: np.ndarray, actions: np.ndarray) -> tuple[Distance, ...]:
    difference = np.abs(model - actions)
    facts = episode.facts
    names, units = facts.action_names or facts.names, facts.units_of_actions
    turns = [k for k, unit in enumerate(units) if unit == "rad"]
    # A continuous joint may be told whole turns apart.
    difference[:, turns] = np.abs(np.remainder(difference[:, turns] + math.pi, math.tau) - math.pi)
    largest: dict[tuple[str, str], float] = {}
    for name, unit, column in zip(names, units, difference.T, strict=True):
        values = column[np.isfinite(column)]
        if len(values):
            key = group_of(name, unit), unit
            largest[key] = max(largest.get(key, 0.0), float(values.max()))
    return tuple(Distance(group, unit, value) for (group, unit), value in largest.items())


def group_of(name: str, unit: str) -> str:
    """Name of an entry's group: "left_arm_joint_2" is of the "left arm".

    A bag holds no groups, and its platform file may be elsewhere.
    """
    stem = name if unit == "fraction" else re.sub(r"(_joint)?_[^_]+$", "", name)
    return stem.replace("_", " ")


def summary(found: Driving) -> str:
    """One line: who drove for how long. Nobody's time is left out."""
    seconds = found.seconds
    total = seconds[CONTROL_POLICY] + seconds[CONTROL_TELEOP]
    taken = sum(span.is_intervention for span in found.operator)
    parts = [
        f"{DRIVERS[source][0]} {seconds[source]:.1f} s ({seconds[source] / (total or 1):.0%})"
        for source in (CONTROL_POLICY, CONTROL_TELEOP)
    ]
    noun = "intervention" if taken == 1 else "interventions"
    return f"{', '.join(parts)}, {taken} {noun}"


def distances_text(span: OperatorSpan) -> str:
    """Distances as text: "left arm 0.31 rad, left gripper 0.50"."""
    if not span.distances:
        return "–"
    units = ("" if d.unit == "fraction" else f" {d.unit}" for d in span.distances)
    pairs = zip(span.distances, units, strict=True)
    return ", ".join(f"{d.group} {d.value:.2f}{unit}" for d, unit in pairs)
