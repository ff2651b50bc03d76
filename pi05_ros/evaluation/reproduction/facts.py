"""What came of a step, read from its folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.metadata import FILE, read
from pi05_ros.evaluation.reproduction.work import Work
from pi05_ros.evaluation.trials.folder import SUMMARY
from pi05_ros.recording.provenance import checkpoint_facts
from pi05_ros.training.runs.folder import BEST, RunFolder, whole_lines

_ROW = ("task", "mode", "platform", "points_share", "interval", "homes", "episodes", "faults")


def result_of(work: Work, folder: Path) -> dict[str, Any]:
    """Return the facts of a finished step, as JSON types.

    Args:
        work: The step.
        folder: Its folder.

    Raises:
        Pi05Error, OSError: The folder is not of such a step.
    """
    if work.kind == "scenes":
        return _scenes(folder)
    if work.kind == "collect":
        return _episodes(folder)
    if work.kind == "train":
        return _training(folder, work)
    return _points(folder)


def _scenes(folder: Path) -> dict[str, Any]:
    files = sorted(folder.glob("*.jsonl"))
    kinds = Counter[str]()
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            kinds[json.loads(line)["kind"]] += 1
    return {"homes": len(files), **{kind: kinds[kind] for kind in sorted(kinds)}}


def _episodes(folder: Path) -> dict[str, Any]:
    outcomes = Counter[str]()
    for file in sorted(folder.glob(f"*/{FILE}")):
        facts = EpisodeFacts.from_custom_data(read(file.parent).custom_data, str(file.parent))
        outcomes[facts.outcome or "not graded"] += 1
    return {"episodes": outcomes.total(), **dict(sorted(outcomes.items()))}


def _training(folder: Path, work: Work) -> dict[str, Any]:
    run = RunFolder(folder)
    steps = run.read_metrics()
    result: dict[str, Any] = {
        "steps": len(steps),
        "samples": len(steps) * work.facts["batch"],
        "loss": steps[-1]["loss"] if steps else None,
        "checkpoint_hash": checkpoint_facts("model", str(folder / BEST))[1],
    }
    history = folder / "validation.jsonl"
    found = whole_lines(history) if history.exists() else []
    if found:
        best = min(found, key=lambda line: line["figures"].get("loss", float("inf")))
        result |= {"best_step": best["step"], "best": best["figures"]}
    return result


def _points(folder: Path) -> dict[str, Any]:
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    return {"rows": [{key: row[key] for key in _ROW} for row in summary["results"]]}
