"""Stored results: what the tables need of `reproduce.json` and `summary.json`, and no more.

A file is one run of a plan. Trials keep home and points, so that intervals and paired differences
can be computed again:

    {"plan": "nano_no_wd", "hash": "…", "scale": 1.0, "evaluations": [{
        "step": "points18",
        "checkpoint": {"step": "again", "recipe": "…", "recipe_hash": "…", "hash": "…"},
        "samples": 120000, "core_hours": 2.7,
        "brain": "model", "platform": "mobile_18dof", "difficulty": "ideal", "software": ["…"],
        "trials": [{"task": "dishes", "mode": "full", "home": 20000, "seed": 0, "points": 6.0,
                    "max_points": 8.0, "fault": false, "criteria": {}}]
    }]}

Criteria, as points and most points by kind, are those of language following.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.reproduction.record import FILE
from pi05_ros.evaluation.trials.folder import SUMMARY
from pi05_ros.sim.tasks.registry import TESTS

_S_PER_HOUR = 3600.0
_MARK = "<trial>"  # Stands for a trial while the rest is written.


class ResultsError(Pi05Error):
    """Results cannot be stored or read: what was wanted, what came, and what to do."""


def reduce_summary(summary: Mapping[str, Any], checkpoint: str | None = None) -> dict[str, Any]:
    """Return what the tables need of the summary of an evaluation.

    Args:
        summary: Of `./pi05 eval` or `./pi05 eval merge`, all shards.
        checkpoint: The checkpoint whose trials are kept; None: there is only one.

    Raises:
        ResultsError: It is of a part of the trials, or of several checkpoints, or has none of the
            checkpoint.
    """
    if summary["shard"] != "1/1":
        raise ResultsError(
            f"wanted the summary of all trials, found that of shard {summary['shard']}: join the "
            "shards with ./pi05 eval merge"
        )
    names = list(dict.fromkeys(episode["checkpoint"] for episode in summary["episodes"]))
    if checkpoint is None and len(names) > 1:
        raise ResultsError(f"wanted one checkpoint, found {', '.join(names)}: name one of them")
    chosen = names[0] if checkpoint is None else checkpoint
    if chosen not in names:
        raise ResultsError(f"there is no checkpoint '{chosen}' (found: {', '.join(names)})")
    settings = summary["settings"]
    return {
        "brain": settings["brain"],
        "platform": settings["platform"],
        "difficulty": settings["difficulty"],
        "planner": settings["planner"],
        "ros": settings["ros"],
        "software": list(summary["software"]),
        "trials": [_trial(one) for one in summary["episodes"] if one["checkpoint"] == chosen],
    }


def _trial(episode: Mapping[str, Any]) -> dict[str, Any]:
    criteria: dict[str, list[float]] = {}
    for one in episode["criteria"] if episode["task"] in TESTS else ():
        points = criteria.setdefault(one["kind"], [0.0, 0.0])
        points[0] += one["points"]
        points[1] += one["max_points"]
    kept = {key: episode[key] for key in ("task", "mode", "home", "seed", "points", "max_points")}
    return {**kept, "fault": bool(episode["fault"]), "criteria": criteria}


def reduce_run(folder: Path) -> dict[str, Any]:
    """Return the stored results of a folder of `./pi05 reproduce`.

    They have the finished evaluations whose inputs are still those of the folder: in one that was
    copied from another plan's, evaluations may be left of steps that were made again since.

    Args:
        folder: With reproduce.json and the folders of the evaluations.

    Raises:
        ResultsError: It is no such folder, or no evaluation is finished.
        OSError: A summary is missing.
    """
    content = _read(folder / FILE)
    try:
        steps: dict[str, Any] = content["steps"]
        found = [
            {
                "step": name,
                **_made_by(steps, name),
                **reduce_summary(_read(folder / name / SUMMARY)),
            }
            for name, entry in steps.items()
            if entry["kind"] == "eval" and entry["finished"] and _is_current(steps, name)
        ]
        facts = {key: content[key] for key in ("plan", "hash", "scale")}
    except (KeyError, TypeError) as error:
        raise ResultsError(f"{folder / FILE} is not of ./pi05 reproduce ({error!r})") from error
    if not found:
        raise ResultsError(f"{folder}: no evaluation of its present steps is finished")
    return {**facts, "evaluations": found}


def _made_by(steps: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the facts of the checkpoint of an evaluation: its hash, recipe, samples and cost."""
    needed = _inputs(steps, name)
    hours = sum(steps[one]["core_seconds"] for one in needed) / _S_PER_HOUR
    trained = [one for one in needed if steps[one]["kind"] == "train"]
    facts: dict[str, Any] = {
        "checkpoint": None,
        "samples": sum(steps[one]["result"]["samples"] for one in trained),
        "core_hours": round(hours, 4),
    }
    for own in steps[name]["inputs"]:  # One at most: the training step that is evaluated.
        settings = steps[own]["settings"]
        facts["checkpoint"] = {
            "step": own,
            "recipe": Path(settings["verb"].partition(" ")[2]).stem,
            "recipe_hash": settings["recipe"],
            "hash": steps[own]["result"]["checkpoint_hash"],
        }
    return facts


def _is_current(steps: Mapping[str, Any], name: str) -> bool:
    """Check that all that a step depends on is what it was when the step was made."""
    return all(
        used in steps and steps[used]["hash"] == digest and _is_current(steps, used)
        for used, digest in steps[name]["inputs"].items()
    )


def _inputs(steps: Mapping[str, Any], name: str) -> list[str]:
    """Return all steps that a step depends on, each once."""
    found: dict[str, None] = {}
    for used in steps[name]["inputs"]:
        found |= dict.fromkeys([*_inputs(steps, used), used])
    return list(found)


def reduce_evaluation(
    folder: Path, facts: Mapping[str, Any], checkpoint: str | None = None
) -> dict[str, Any]:
    """Return the stored results of a folder of `./pi05 eval`, whose weights no plan has made.

    Args:
        folder: With summary.json.
        facts: "plan" (the name in the tables), "recipe", "samples", "core_hours".
        checkpoint: The checkpoint whose trials are kept; None: there is only one.

    Raises:
        ResultsError: It is no such folder.
    """
    summary = _read(folder / SUMMARY)
    try:
        kept = reduce_summary(summary, checkpoint)
        name = checkpoint or summary["episodes"][0]["checkpoint"]
        weights = {one["checkpoint"]: one["digest"] for one in summary["settings"]["weights"]}
        made = {
            "checkpoint": {
                "step": name and Path(name).name,
                "recipe": facts["recipe"],
                "recipe_hash": "",
                "hash": weights.get(name, ""),
            },
            "samples": facts["samples"],
            "core_hours": facts["core_hours"],
        }
    except (KeyError, TypeError, IndexError) as error:
        raise ResultsError(f"{folder / SUMMARY} is not of ./pi05 eval ({error!r})") from error
    one = {"step": folder.resolve().name, **made, **kept}
    return {"plan": facts["plan"], "hash": "", "scale": 1.0, "evaluations": [one]}


def store(result: Mapping[str, Any], results: Path) -> Path:
    """Write a result, and return its file, PLAN.json.

    Evaluations of the file that the result does not have are kept, those of the same name are
    replaced, where both are of one run.

    Raises:
        ResultsError: The file is of another run.
        OSError: The disk is full.
    """
    path = results / f"{result['plan']}.json"
    written = dict(result)
    if path.exists():
        before = _read(path)
        if (before["hash"], before["scale"]) != (result["hash"], result["scale"]):
            raise ResultsError(
                f"{path} is of the run {before['hash'] or 'without a plan'} at scale "
                f"{before['scale']:g}, and {result['hash'] or 'one without a plan'} at scale "
                f"{result['scale']:g} is to be stored: remove the file to replace it"
            )
        now = {one["step"] for one in result["evaluations"]}
        kept = [one for one in before["evaluations"] if one["step"] not in now]
        written["evaluations"] = [*kept, *result["evaluations"]]
    results.mkdir(parents=True, exist_ok=True)
    write_atomically(path, _text(written))
    return path


def _text(result: Mapping[str, Any]) -> str:
    """Return a result as JSON, each trial on a line of its own."""
    trials = [trial for one in result["evaluations"] for trial in one["trials"]]
    lines = iter([json.dumps(trial, ensure_ascii=False) for trial in trials])
    marked = [one | {"trials": [_MARK] * len(one["trials"])} for one in result["evaluations"]]
    text = json.dumps({**result, "evaluations": marked}, indent=1, ensure_ascii=False)
    return re.sub(f'"{_MARK}"', lambda _: next(lines), text) + "\n"


def load(results: Path) -> dict[str, dict[str, Any]]:
    """Return all stored results of a folder by their plans.

    Raises:
        ResultsError: A file is not such a result.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(results.glob("*.json")):
        content = _read(path)
        if content.get("plan") != path.stem or not content.get("evaluations"):
            raise ResultsError(f"{path}: wanted the stored results of the plan '{path.stem}'")
        found[path.stem] = content
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultsError(f"{path} is missing") from error
    except ValueError as error:
        raise ResultsError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ResultsError(f"{path}: wanted a mapping, found {type(content).__name__}")
    return content
