"""reproduce.json: which steps are done, from which settings, at what cost, with what result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.evaluation.reproduction.plan import PlanError
from pi05_ros.evaluation.reproduction.work import Work, digests

FILE = "reproduce.json"


class Record:
    """The file in the folder of the steps.

    Args:
        folder: The folder; the file may not exist yet.

    Raises:
        PlanError: The file is not such a record.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.content: dict[str, Any] = {"steps": {}}
        if self.path.exists():
            try:
                self.content = json.loads(self.path.read_text(encoding="utf-8"))
                if not isinstance(self.content["steps"], dict):
                    raise TypeError("steps is no mapping")
            except (ValueError, KeyError, TypeError) as error:
                raise PlanError(
                    f"{self.path} cannot be read ({error}): take another folder"
                ) from error

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """Name -> what is known of a step that was begun."""
        found: dict[str, dict[str, Any]] = self.content["steps"]
        return found

    def is_done(self, name: str) -> bool:
        """Check whether a step is finished."""
        return bool(self.steps.get(name, {}).get("finished"))

    def core_seconds(self, names: Iterable[str]) -> float:
        """Return the processor time of steps, all attempts together [s]."""
        return float(sum(self.steps.get(name, {}).get("core_seconds", 0.0) for name in names))

    def check(self, steps: Sequence[Work]) -> None:
        """Check that steps that were begun have the settings and inputs that they have now.

        Raises:
            PlanError: One has others; it names the first that differs.
        """
        now = digests(steps)
        for work in steps:
            entry = self.steps.get(work.name)
            if entry is None or entry["hash"] == now[work.name]:
                continue
            if changed := _difference(entry["settings"], work.settings):
                what = changed
            else:
                inputs = {name: now[name] for name in work.inputs}
                names = [n for n in {**entry["inputs"], **inputs} if entry["inputs"].get(n)
                         != inputs.get(n)]  # fmt: skip
                what = f"its input{'s' if len(names) > 1 else ''} {', '.join(names)} changed"
            others = users(steps, work.name)
            redo = " ".join([work.name, *(name for name in others if name in self.steps)])
            raise PlanError(
                f"{self.path.parent}: step {work.name} was begun with other settings: {what}. "
                f"Take another folder, or make it again with --redo {redo}"
            )

    def begin(self, work: Work, digest: str, inputs: Mapping[str, str], software: str) -> None:
        """Write down that a step begins, or goes on."""
        entry = self.steps.setdefault(
            work.name,
            {
                "kind": work.kind,
                "hash": digest,
                "settings": work.settings,
                "inputs": dict(inputs),
                "amount": work.amount,
                "unit": work.unit,
                "estimated_core_seconds": round(work.core_seconds, 1),
                "core_seconds": 0.0,
                "wall_seconds": 0.0,
                "attempts": 0,
                "software": [],
                "finished": False,
                "result": {},
            },
        )
        entry["attempts"] += 1
        if software not in entry["software"]:
            entry["software"].append(software)
        self.save()

    def set_cost(self, name: str, core_seconds: float, wall_seconds: float) -> None:
        """Write down what a step has cost so far [s]."""
        self.steps[name] |= {
            "core_seconds": round(core_seconds, 2),
            "wall_seconds": round(wall_seconds, 2),
        }
        self.save()

    def finish(self, name: str, result: Mapping[str, Any]) -> None:
        """Write down that a step is finished, and what came of it."""
        self.steps[name] |= {"finished": True, "result": dict(result)}
        self.save()

    def forget(self, name: str) -> None:
        """Remove a step; what it has cost stays in the list "removed"."""
        entry = self.steps.pop(name, None)
        if entry is not None:
            kept = ("hash", "settings", "core_seconds", "wall_seconds", "finished", "result")
            removed = {"step": name, **{key: entry[key] for key in kept}}
            self.content.setdefault("removed", []).append(removed)
        self.save()

    def save(self) -> None:
        """Write the file, by one rename.

        Raises:
            OSError: The disk is full.
        """
        text = json.dumps(self.content, indent=1, ensure_ascii=False) + "\n"
        write_atomically(self.path, text)


def users(steps: Sequence[Work], name: str) -> list[str]:
    """Return the steps that depend on a step, directly or not, in their order."""
    found = {name}
    for work in steps:  # Each stands after its inputs.
        if found & set(work.inputs):
            found.add(work.name)
    return [work.name for work in steps if work.name in found and work.name != name]


def _difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Describe the first setting that differs; "" if none does."""
    for key in [*wanted, *found]:
        if found.get(key) == wanted.get(key):
            continue
        was, wish = found.get(key), wanted.get(key)
        if isinstance(was, list) and isinstance(wish, list):
            was = [one for one in was if one not in wanted[key]]
            wish = [one for one in wish if one not in found[key]]
        return f"{key} was {_text(was)}, and {_text(wish)} is wanted"
    return ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "nothing"
    return "not given" if value is None else str(value) or "given"
