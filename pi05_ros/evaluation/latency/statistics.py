"""Percentiles and shares of each stage of the latency of many chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.control.settings import BridgeSettings
from pi05_ros.evaluation.latency.ledger import ChunkRecord, LatencyError, LatencyLog, TimedChunk


@dataclass(frozen=True)
class Stage:
    """A part of the latency of a chunk."""

    key: str  # Name in JSON.
    label: str  # Name in tables and plots.
    seconds: Callable[[TimedChunk], float | None]  # None: unknown for this chunk.
    inner: bool = False  # Whether it is a part of "computing".


def _between(first: str, second: str) -> Callable[[TimedChunk], float | None]:
    def seconds(timed: TimedChunk) -> float | None:
        begin, end = _stamp(timed, first), _stamp(timed, second)
        return None if begin is None or end is None else (end - begin) * 1e-9

    return seconds


def _stamp(timed: TimedChunk, name: str) -> int | None:
    return timed.executed_ns if name == "executed_ns" else getattr(timed.chunk, name)


def _inside(name: str) -> Callable[[TimedChunk], float | None]:
    return lambda timed: float(getattr(timed.chunk, name))


def _rest(timed: TimedChunk) -> float | None:
    """Part of "computing" outside the model's stages: prompts, copies, Python."""
    whole = _between("start_ns", "publication_ns")(timed)
    return None if whole is None else whole - _accounted(timed.chunk)


def _accounted(chunk: ChunkRecord) -> float:
    return chunk.waited + chunk.vision + chunk.prefix + chunk.flow


# In the order of time; these add up to the total.
OUTER = (
    Stage("ingestion", "capture → ingestion", _between("capture_ns", "ingestion_ns")),
    Stage("transport", "ingestion → arrival", _between("ingestion_ns", "arrival_ns")),
    Stage("queue", "arrival → start", _between("arrival_ns", "start_ns")),
    Stage("computing", "start → publication", _between("start_ns", "publication_ns")),
    Stage("execution", "publication → first execution", _between("publication_ns", "executed_ns")),
)
# These add up to "computing".
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
    """Statistics of one stage over all chunks; times in seconds."""

    key: str
    label: str
    inner: bool
    count: int  # Chunks for which the stage is known.
    p50: float
    p90: float
    p99: float
    max: float
    share: float | None  # Of the total of all chunks, 0 to 1; None: of another clock.


@dataclass(frozen=True)
class Summary:
    """Latency of all chunks of a source, by stage."""

    source: str  # Name of the bag, or "live, NAMESPACE".
    simulated: bool  # Whether stamps are simulated time; durations are wall time.
    rows: tuple[Row, ...]
    chunks: int  # Chunks with a ledger.
    executed: int
    never: int  # Never executed: replaced, or rejected.
    open: int  # Published too shortly before the end to know.
    timed_chunks: tuple[TimedChunk, ...]
    notes: tuple[str, ...] = field(default=())


def summarize(source: str, log: LatencyLog) -> Summary:
    """Compute the statistics.

    Args:
        source: Name of the source.
        log: Chunks and states.

    Raises:
        LatencyError: No chunk carries a ledger.
    """
    known = log.chunks()
    if not known:
        if log.chunk_count == 0:
            raise LatencyError(
                f"{source}: no action chunk in it; is the topic recorded, and did a task run?"
            )
        raise LatencyError(
            f"{source}: none of its {log.chunk_count} action chunks carries a ledger; the suite "
            "was older than the ledger: record it anew"
        )
    # Simulated stamps and durations are of two clocks: "rest" cannot be computed.
    inner: tuple[Stage, ...] = INNER[:-1] if log.simulated else INNER
    if not any(_accounted(timed.chunk) for timed in known):
        inner = ()  # A brain without these stages, such as the scripted expert.
    stages = [*OUTER[:4], *inner, *OUTER[4:], TOTAL]
    complete = [timed for timed in known if all(s.seconds(timed) is not None for s in OUTER)]
    whole = sum(TOTAL.seconds(timed) or 0.0 for timed in complete)
    rows = []
    for stage in stages:
        values = [v for v in map(stage.seconds, known) if v is not None]
        if not values:
            continue
        share = None
        if whole > 0 and not (stage.inner and log.simulated):
            share = sum(stage.seconds(timed) or 0.0 for timed in complete) / whole
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
    executed = sum(timed.executed_ns is not None for timed in known)
    still_open = sum(timed.is_open for timed in known)
    return Summary(
        source=source,
        simulated=log.simulated,
        rows=tuple(rows),
        chunks=len(known),
        executed=executed,
        never=len(known) - executed - still_open if log.state_count else 0,
        open=still_open if log.state_count else len(known),
        timed_chunks=tuple(known),
        notes=tuple(_notes(log, known, executed)),
    )


def _notes(log: LatencyLog, known: Sequence[TimedChunk], executed: int) -> list[str]:
    """Explanations without which the table would be misread."""
    notes = []
    if log.simulated:
        parts = (
            "; the model's own durations are wall time: they do not add up to "
            "`start → publication`"
        )
        has_parts = any(_accounted(timed.chunk) for timed in known)
        notes.append("stamps are simulated time" + parts * has_parts)
    if log.without_ledger():
        notes.append(f"{log.without_ledger()} chunks without a ledger are left out")
    if overridden := log.overridden():
        notes.append(f"{overridden} chunks while an operator drove are left out")
    if not log.state_count:
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
    unknown = sum(timed.chunk.ingestion_ns is None for timed in known)
    if unknown:
        notes.append(f"{unknown} chunks carry no stamp of camera_ingestion")
    for stage in OUTER:
        negative = sum((stage.seconds(timed) or 0.0) < -1e-6 for timed in known)
        if negative:
            notes.append(
                f"{stage.label} is negative for {negative} chunks: clocks of two machines differ"
            )
    return notes
