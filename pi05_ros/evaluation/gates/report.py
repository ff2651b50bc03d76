"""The measured gates as JSON and as a table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.evaluation.gates.episodes import home_of
from pi05_ros.evaluation.gates.limits import GATES, NEAR_DIAGONAL, Gate
from pi05_ros.evaluation.gates.measure import Measurement
from pi05_ros.evaluation.gates.results import GateResult

FILE = "gates.json"
_REACHED = {True: "yes", False: "no", None: ""}


def facts_of(
    checkpoint: str, path: Path, episodes: Sequence[Episode], measured: Measurement, seconds: float
) -> dict[str, Any]:
    """Return the contents of gates.json.

    Args:
        checkpoint: As it was named.
        path: Of the episodes.
        episodes: That were opened.
        measured: From `measure`.
        seconds: Duration of the measurement [s].
    """
    return {
        "checkpoint": checkpoint,
        "episodes": str(path),
        "homes": sorted({home_of(episode) for episode in episodes}),
        "platforms": sorted({episode.facts.platform for episode in episodes}),
        "chunks": measured.chunks,
        "failed_chunks": measured.failed_chunks,
        "plans": measured.plans,
        "near_diagonal": NEAR_DIAGONAL,
        "seconds": round(seconds, 1),
        "gates": [_facts(measured.values.result(gate)) for gate in GATES],
    }


def write(folder: Path, facts: Mapping[str, Any]) -> Path:
    """Write gates.json into a folder, which is made, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    temporary = path.with_name(f".{FILE}")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def table(facts: Mapping[str, Any]) -> list[str]:
    """Return the gates as lines of text, from the contents of gates.json."""
    rows = [("figure", "value", "95 % interval", "wanted", "reached", "cases", "homes")]
    for found in facts["gates"]:
        gate = next(g for g in GATES if g.name == found["name"])
        if found["reason"]:
            rows.append((gate.title, "not measured: " + found["reason"], *[""] * 5))
            continue
        low, high = (_shown(gate, value) for value in found["interval"])
        rows.append(
            (
                gate.title,
                _shown(gate, found["value"]),
                f"{low} to {high}",
                _wanted(gate),
                _REACHED[found["reached"]],
                str(found["cases"]),
                str(found["homes"]),
            )
        )
    measured = [row for row in rows if row[2]]
    widths = [max(len(row[0]) for row in rows)]
    widths += [max(len(row[k]) for row in measured) for k in range(1, len(rows[0]))]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _facts(result: GateResult) -> dict[str, Any]:
    """Return a row of `gates`; null stands for a value that was not measured or is infinite."""
    gate = result.gate
    return {
        "name": gate.name,
        "title": gate.title,
        "unit": gate.unit,
        "value": _finite(result.value),
        "interval": [_finite(value) for value in result.interval] if result.interval else None,
        "at_least": gate.at_least,
        "at_most": gate.at_most,
        "reached": result.reached,
        "cases": result.cases,
        "homes": result.homes,
        "reason": result.reason,
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 6)


def _shown(gate: Gate, value: float | None) -> str:
    if value is None:
        return "none"  # Most cases gave nothing that could be compared.
    return f"{value:.1f} {gate.unit}" if gate.unit else f"{value:.1%}"


def _wanted(gate: Gate) -> str:
    if gate.wanted is None:
        return ""
    return ("≥ " if gate.at_least is not None else "≤ ") + _shown(gate, gate.wanted)
