"""Percentiles and shares of each stage of many chunks' lives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.control.settings import BridgeSettings
from pi05_ros.evaluation.latency.errors import LatencyError
from pi05_ros.evaluation.latency.ledger import ChunkLife, ChunkRecord, Lives


@dataclass(frozen=True)
class Stage:
    """A part of a chunk's life."""

    key: str  # In JSON.
    label: str  # For people.
    seconds: Callable[[ChunkLife], float | None]  # None: not known of this chunk.
    inner: bool = False  # A part of computing rather than of the whole.


def _between(first: str, second: str) -> Callable[[ChunkLife], float | None]:
    def seconds(life: ChunkLife) -> float | None:
        begin, end = _stamp(life, first), _stamp(life, second)
        return None if begin is None or end is None else (end - begin) * 1e-9

    return seconds


def _stamp(life: ChunkLife, name: str) -> int | None:
    return life.executed_ns if name == "executed_ns" else getattr(life.chunk, name)


def _inside(name: str) -> Callable[[ChunkLife], float | None]:
    return lambda life: float(getattr(life.chunk, name))


def _rest(life: ChunkLife) -> float | None:
    """Of computing: what the model does not account for (prompts, copies, waiting for Python)."""
    whole = _between("start_ns", "publication_ns")(life)
    return None if whole is None else whole - _accounted(life.chunk)


def _accounted(chunk: ChunkRecord) -> float:
    return chunk.waited + chunk.vision + chunk.prefix + chunk.flow


# In the order of time: these add up to the total.
OUTER = (
    Stage("ingestion", "capture → ingestion", _between("capture_ns", "ingestion_ns")),
    Stage("transport", "ingestion → arrival", _between("ingestion_ns", "arrival_ns")),
    Stage("queue", "arrival → start", _between("arrival_ns", "start_ns")),
    Stage("computing", "start → publication", _between("start_ns", "publication_ns")),
    Stage("execution", "publication → first execution", _between("publication_ns", "executed_ns")),
)
# And these to computing.
INNER = (
    Stage("waited", "waited for the high level", _inside("waited"), inner=True),
    Stage("vision", "vision", _inside("vision"), inner=True),
    Stage("prefix", "prefix", _inside("prefix"), inner=True),
    Stage("flow", "flow", _inside("flow"), inner=True),
    Stage("rest", "the rest", _rest, inner=True),
)
TOTAL = Stage("total", "capture → first execution", _between("capture_ns", "executed_ns"))


@dataclass(frozen=True)
class Row:
    """A stage of all chunks; times in seconds."""

    key: str
    label: str
    inner: bool
    count: int  # Chunks of which it is known.
    p50: float
    p90: float
    p99: float
    max: float
    share: float | None  # Of the total of all chunks, 0 to 1; None: it is another clock's.


@dataclass(frozen=True)
class Summary:
    """Where the time goes."""

    source: str  # The bag, or where it was heard.
    simulated: bool  # Stamps are simulated time, durations wall time.
    rows: tuple[Row, ...]
    chunks: int  # With a ledger.
    executed: int
    never: int  # Never executed: replaced, or rejected.
    open: int  # Too young at the end to know.
    lives: tuple[ChunkLife, ...]
    notes: tuple[str, ...] = field(default=())


def summarize(source: str, lives: Lives) -> Summary:
    """Makes the table.

    Args:
        source: Where they come from, for people.
        lives: Chunks and states.

    Raises:
        LatencyError: No chunk carries a ledger.
    """
    known = lives.all()
    if not known:
        if lives.chunk_count == 0:
            raise LatencyError(
                f"{source}: no action chunk in it; is the topic recorded, and did a task run?"
            )
        raise LatencyError(
            f"{source}: none of its {lives.chunk_count} action chunks carries a ledger; the suite "
            "was older than the ledger: record it anew"
        )
    # Stamps of a simulator and durations are of two clocks: there is no rest.
    inner: tuple[Stage, ...] = INNER[:-1] if lives.simulated else INNER
    if not any(_accounted(life.chunk) for life in known):
        inner = ()  # A brain that does not say, such as the scripted expert.
    stages = [*OUTER[:4], *inner, *OUTER[4:], TOTAL]
    complete = [life for life in known if all(s.seconds(life) is not None for s in OUTER)]
    whole = sum(TOTAL.seconds(life) or 0.0 for life in complete)
    rows = []
    for stage in stages:
        values = [v for v in map(stage.seconds, known) if v is not None]
        if not values:
            continue
        share = None
        if whole > 0 and not (stage.inner and lives.simulated):
            share = sum(stage.seconds(life) or 0.0 for life in complete) / whole
        p50, p90, p99 = np.percentile(values, [50, 90, 99])
        rows.append(
            Row(
                stage.key,
                stage.label,
                stage.inner,
                len(values),
                float(p50),
                float(p90),
                float(p99),
                max(values),
                share,
            )
        )
    executed = sum(life.executed_ns is not None for life in known)
    still_open = sum(life.is_open for life in known)
    return Summary(
        source=source,
        simulated=lives.simulated,
        rows=tuple(rows),
        chunks=len(known),
        executed=executed,
        never=len(known) - executed - still_open if lives.state_count else 0,
        open=still_open if lives.state_count else len(known),
        lives=tuple(known),
        notes=tuple(_notes(lives, known, executed)),
    )


def _notes(lives: Lives, known: Sequence[ChunkLife], executed: int) -> list[str]:
    """What a reader of the table would get wrong without a word."""
    notes = []
    if lives.simulated:
        parts = (
            "; what the model measures of itself is wall time: its parts do not add up to "
            "`start → publication`"
        )
        told = any(_accounted(life.chunk) for life in known)
        notes.append("stamps are simulated time" + parts * told)
    if lives.without_ledger():
        notes.append(f"{lives.without_ledger()} chunks without a ledger are left out")
    if not lives.state_count:
        notes.append("no robot_state: nothing is known about execution")
    elif not executed:
        notes.append("no chunk was executed: was the robot armed?")
    latest = round(BridgeSettings.chunk_max_age_s * 1e9)
    late = sum((c.chunk.publication_ns or 0) - c.chunk.capture_ns > latest for c in known)
    if late:
        notes.append(
            f"{late} chunks were published more than {latest / 1e6:.0f} ms after their "
            "observation: the bridge refuses them"
        )
    silent = sum(life.chunk.ingestion_ns is None for life in known)
    if silent:
        notes.append(f"camera_ingestion did not say when it sent the pictures of {silent} chunks")
    for stage in OUTER:
        negative = sum((stage.seconds(life) or 0.0) < -1e-6 for life in known)
        if negative:
            notes.append(
                f"{stage.label} is negative for {negative} chunks: clocks of two machines differ"
            )
    return notes
