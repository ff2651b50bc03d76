"""A summary as a text table and as JSON."""

from __future__ import annotations

from typing import Any

from pi05_ros.evaluation.latency.statistics import Row, Summary

_HEAD = ("", "p50", "p90", "p99", "max", "share", "count")


def as_text(summary: Summary) -> str:
    """The summary as a table, in milliseconds."""
    lines = [_HEAD, *(_cells(row) for row in summary.rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(_HEAD))]
    table = [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)]
        )
        for line in lines
    ]
    table.insert(1, "-" * len(table[0]))
    parts = [f"{summary.executed} of {summary.chunks} chunks executed, {summary.never} never"]
    if summary.open:
        parts.append(f"{summary.open} not known")
    return "\n".join(
        [
            f"{summary.source}: {', '.join(parts)}. Times in ms"
            + (", of simulated time where not said otherwise." if summary.simulated else "."),
            "",
            *table,
            *(["", *(f"note: {note}" for note in summary.notes)] if summary.notes else []),
        ]
    )


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as JSON types; times in seconds, shares from 0 to 1 or null."""
    return {
        "source": summary.source,
        "simulated": summary.simulated,
        "chunks": summary.chunks,
        "executed": summary.executed,
        "never_executed": summary.never,
        "not_known": summary.open,
        "notes": list(summary.notes),
        "stages": {
            row.key: {
                "count": row.count,
                "p50": row.p50,
                "p90": row.p90,
                "p99": row.p99,
                "max": row.max,
                "share": row.share,
            }
            for row in summary.rows
        },
    }


def _cells(row: Row) -> tuple[str, ...]:
    label = f"  {row.label}" if row.inner else row.label
    times = (f"{value * 1e3:.1f}" for value in (row.p50, row.p90, row.p99, row.max))
    share = "–" if row.share is None else f"{row.share * 100:.1f} %"
    return (label, *times, share, str(row.count))
