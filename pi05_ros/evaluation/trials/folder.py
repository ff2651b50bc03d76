"""Folder of an evaluation: its settings, a file for each finished trial, videos and summary.

evaluation.json     settings and shard
episodes/NAME.json  result of a trial, written by rename
videos/NAME.mp4
summary.json, report.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.evaluation.trials.result import TrialResult
from pi05_ros.evaluation.trials.settings import WHOLE, EvaluationError, EvaluationSettings, Shard
from pi05_ros.foundation.locks import exclusive_lock

SETTINGS, SUMMARY, REPORT = "evaluation.json", "summary.json", "report.html"
_LOCK = ".lock"


class EvaluationFolder:
    """A folder on disk.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.episodes, self.videos = path / "episodes", path / "videos"

    def claim(self, settings: EvaluationSettings, shard: Shard = WHOLE) -> None:
        """Make the folder for these settings, or check that it has them.

        Raises:
            EvaluationError: It holds other files, or trials of other settings.
            OSError: The disk is full, or the folder cannot be made.
        """
        wanted = {"settings": settings.as_json(), "shard": str(shard)}
        file = self.path / SETTINGS
        if file.exists():
            found = self._contents()
            if found != wanted:
                raise EvaluationError(
                    f"{self.path} was begun with {_difference(found, wanted)}: take another "
                    "folder, or the same command"
                )
        elif self.path.exists() and any(path.name[0] != "." for path in self.path.iterdir()):
            raise EvaluationError(f"{self.path} holds other files: wanted a new or empty folder")
        self.episodes.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            write_atomically(file, json.dumps(wanted, indent=1) + "\n")

    def settings(self) -> tuple[EvaluationSettings, Shard]:
        """Read the settings.

        Raises:
            EvaluationError: It is not the folder of an evaluation.
        """
        if not (self.path / SETTINGS).exists():
            raise EvaluationError(f"{self.path} is not the folder of an evaluation: no {SETTINGS}")
        contents = self._contents()
        try:
            settings = EvaluationSettings.from_json(contents["settings"])
            return settings, Shard.parse(contents["shard"])
        except (TypeError, KeyError, ValueError) as error:
            raise EvaluationError(f"{self.path / SETTINGS} cannot be read ({error})") from error

    def result(self, name: str) -> TrialResult | None:
        """Read the result of a trial; None: it has none yet.

        Raises:
            EvaluationError: The file is damaged.
        """
        path = self.episodes / f"{name}.json"
        return TrialResult.read(path) if path.exists() else None

    def add(self, result: TrialResult) -> None:
        """Write the result of a trial.

        Raises:
            OSError: The disk is full.
        """
        write_atomically(self.episodes / f"{result.name}.json", result.text_of_file())

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Write summary.json.

        Raises:
            OSError: The disk is full.
        """
        text = json.dumps(summary, indent=1, ensure_ascii=False) + "\n"
        write_atomically(self.path / SUMMARY, text)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes from running trials into the folder.

        Raises:
            EvaluationError: Another process does.
        """
        with ExitStack() as held:
            try:
                held.enter_context(exclusive_lock(self.path / _LOCK))
            except BlockingIOError as error:
                raise EvaluationError(
                    f"another process writes into {self.path}: wait for it, or take another folder"
                ) from error
            yield

    def _contents(self) -> dict[str, Any]:
        file = self.path / SETTINGS
        try:
            contents = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise EvaluationError(f"{file} cannot be read ({error}): remove it") from error
        if not isinstance(contents, dict) or not isinstance(contents.get("settings"), dict):
            raise EvaluationError(f"{file} cannot be read: remove it")
        return contents


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Describe the first setting that differs: what the folder has, and what is wanted."""
    old = {**found.get("settings", {}), "shard": found.get("shard")}
    new = {**wanted["settings"], "shard": wanted["shard"]}
    for key in [*new, *old]:
        if old.get(key) != new.get(key):
            where, was, wish = _first_difference(key, old.get(key), new.get(key))
            return f"{where} {_short(was)}, and {_short(wish)} is wanted"
    return "other settings"


def _first_difference(where: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    """Return the path and both values of the innermost first difference: texts may be long."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(f"{where}[{k}]", a, b) for k, (a, b) in enumerate(zip(old, new, strict=True))]
    elif isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        pairs = [(f"{where}.{key}", old[key], new[key]) for key in new]
    else:
        return where, old, new
    return next(_first_difference(*pair) for pair in pairs if pair[1] != pair[2])


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
