"""`summary.json` of a run: the request, the outcome, and how well the graph kept up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pi05_ros.evaluation.holds import Hold, after_start
from pi05_ros.evaluation.run_record import Bag, RunRecord


@dataclass(frozen=True)
class DemoRequest:
    """Options that the demo was started with."""

    platform: str
    home: int
    task: str
    brain: str
    checkpoint: str
    seed: int
    seconds: float


def summarize(request: DemoRequest, record: RunRecord, ended: str, failure: str) -> dict[str, Any]:
    """The summary as JSON types. docs/demo.md defines each key.

    Args:
        request: Options of the demo.
        record: Events of the run.
        ended: Why the run ended: "task done", "full score", "time", "interrupted", "failed", or
            "planner: …" when the planner ended the task for another reason.
        failure: What failed, as one sentence; empty: nothing.
    """
    factor = record.real_time_factor
    holds = record.holds()
    commands = record.commands
    return {
        **asdict(request),
        "brain_description": record.brain,
        "ended": ended,
        "failure": failure,
        "points": record.score.points,
        "max_points": record.score.max_points,
        "criteria": [
            {"text": text, "points": points, "max_points": most}
            for text, (points, most) in record.score.criteria.items()
        ],
        "simulated_seconds": round(record.sim_s, 2),
        "real_time_factor": None if factor is None else round(factor, 3),
        "ticks_sent": commands.sent,
        "ticks_missed": commands.missed,
        "chunks": record.chunks,
        "bag": _bag(record.bag),
        "subtasks": [
            {
                "text": span.text,
                "source": span.source,
                "start_s": round(span.start_s, 2),
                "end_s": None if span.end_s is None else round(span.end_s, 2),
            }
            for span in record.subtasks()
        ],
        "holds": [_hold(hold, record.sim_s) for hold in holds],
        "holds_after_start": after_start(holds),
        "faults": [
            *(asdict(fault) for fault in record.faults()),
            *(
                {"source": "mock_home", "text": f"commands: {name}", "count": count}
                for name, count in commands.faults.items()
                if count
            ),
        ],
    }


def _hold(hold: Hold, now_s: float) -> dict[str, Any]:
    """A hold as JSON types; one that lasts counts up to now."""
    return {
        "start_s": round(hold.start_s, 2),
        "seconds": round((now_s if hold.end_s is None else hold.end_s) - hold.start_s, 2),
        "mode": hold.mode.name if hold.mode else "UNKNOWN",
        "reason": hold.reason,
    }


def _bag(bag: Bag) -> dict[str, Any] | None:
    """The bag as JSON types; None: the run was not recorded."""
    if not bag.path:
        return None
    return {
        "path": bag.path,
        "outcome": bag.outcome,
        "messages": bag.message_count,
        "bytes": bag.byte_count,
        "problem": bag.message,
    }


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write the summary. The file appears complete or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
