"""The folder of a run.

    recipe.yaml      the resolved recipe
    run.json         its hash, the versions of what ran, and what FAST does to the actions
    norm_stats.json, fast_tokenizer.json    what was measured on the data before the first step
    metrics.jsonl    one line a step
    validation.jsonl one line a validation
    report.html      curves and examples, written anew with each checkpoint
    states/step_N/   everything to go on from step N, at any number of processes
    checkpoints/     ready to run: `best` and `last` are links into it
    lock             held while a process trains here

States and checkpoints appear by one rename when they are complete on the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pi05_ros.errors import ConfigError
from pi05_ros.training.recipes.files import recipe_hash, resolved
from pi05_ros.training.recipes.recipe import Recipe, SavingRecipe

BEST, LAST = "best", "last"
_STEP = re.compile(r"step_(\d+)")
_HASH = "recipe_hash"
_LOCK = "lock"
_DATA = "data"
_MEASURED = ("norm_stats.json", "fast_tokenizer.json")


class RunFolder:
    """Files of one run.

    Args:
        path: The folder; it may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.states = self.path / "states"
        self.checkpoints = self.path / "checkpoints"
        self.metrics = self.path / "metrics.jsonl"

    def begin(self, recipe: Recipe, facts: Mapping[str, Any]) -> bool:
        """Write the recipe into a new folder, or check that the folder is of the same recipe.

        Returns:
            True if the run was begun before.

        Raises:
            ConfigError: The folder holds something else, or steps of another recipe.
        """
        self._check_own()
        file = self.path / "run.json"
        if file.exists():
            try:
                found = json.loads(file.read_text())[_HASH]
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(str(file), f"is not a run's ({error})") from error
            if found != recipe_hash(recipe) and self._has_steps():
                raise ConfigError(
                    str(self.path),
                    f"is a run of another recipe (hash {found}, wanted {recipe_hash(recipe)}): "
                    "name another folder, or give the recipe of this one, which is its "
                    "recipe.yaml",
                )
            if found == recipe_hash(recipe):
                self.remove_unfinished()
                (self.path / "recipe.yaml").write_text(resolved(recipe))
                return True
            self._remove_measured()
        self.states.mkdir(parents=True, exist_ok=True)
        self.checkpoints.mkdir(exist_ok=True)
        (self.path / "recipe.yaml").write_text(resolved(recipe))
        replace_file(file, json.dumps({_HASH: recipe_hash(recipe), **facts}, indent=1) + "\n")
        return False

    def _has_steps(self) -> bool:
        return bool(self.state_steps()) or bool(self.metrics.exists() and self.read_metrics())

    def _remove_measured(self) -> None:
        """Remove what another recipe left that ended before its first step."""
        for name in _MEASURED:
            (self.path / name).unlink(missing_ok=True)
        self.remove_unfinished()

    def remove_unfinished(self) -> None:
        """Remove states and checkpoints that were being written when a process was killed."""
        for folder in (
            *self.states.glob(".*.unfinished"),
            *self.checkpoints.glob(".*unfinished*"),
        ):
            shutil.rmtree(folder)

    def _check_own(self) -> None:
        """Raise ConfigError if the folder holds something else than a run or one's beginning."""
        if not self.path.exists() or (self.path / "run.json").exists():
            return
        if not self.path.is_dir():
            raise ConfigError(str(self.path), "is a file: name a new folder")
        ours = {_LOCK, "recipe.yaml", ".run.json.unfinished", self.states.name}
        names = {path.name for path in self.path.iterdir()}
        if names - ours - {self.checkpoints.name} or self.state_steps():
            raise ConfigError(str(self.path), "holds files, but no run: name a new folder")

    def add_facts(self, facts: Mapping[str, Any]) -> None:
        """Add what was found out about a run that has begun to run.json."""
        file = self.path / "run.json"
        replace_file(file, json.dumps({**json.loads(file.read_text()), **facts}, indent=1) + "\n")

    def keep_data(self, data: Mapping[str, Any]) -> None:
        """Write what the run trains on into run.json, or check that it is what it was.

        Args:
            data: Source -> facts; with other ones, a number in the run is another sample.

        Raises:
            ConfigError: The data changed since the run began.
        """
        kept = json.loads((self.path / "run.json").read_text()).get(_DATA)
        if kept is None or not self._has_steps():
            self.add_facts({_DATA: dict(data)})
            return
        for name in sorted({*kept, *data}):
            before, now = kept.get(name), data.get(name)
            if before != now:
                raise ConfigError(
                    f"{self.path}: source {name}",
                    f"its data changed since the run began (then {_described(before)}, now "
                    f"{_described(now)}): bring back what it had, or begin a run in another "
                    f"folder, with --init {self.path / LAST}",
                )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process.

        Raises:
            ConfigError: It holds something else, or another process trains in it.
        """
        self._check_own()
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / _LOCK).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ConfigError(
                    str(self.path), "another process trains in this folder: wait, or name another"
                ) from error
            yield

    def state_path(self, step: int) -> Path:
        """Path of the state after `step` steps."""
        return self.states / f"step_{step:09d}"

    def state_steps(self) -> list[int]:
        """Return the steps of the states, rising; unfinished ones have other names."""
        return _steps(self.states)

    def set_link(self, name: str, target: Path) -> None:
        """Point `best` or `last` to a checkpoint, in one rename."""
        temporary = self.path / f".{name}.link"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.path.relpath(target, self.path))
        temporary.replace(self.path / name)

    def prune(self, saving: SavingRecipe) -> None:
        """Remove states and checkpoints that the policy does not keep, and unfinished ones."""
        steps = self.state_steps()
        every = saving.keep_every_steps
        kept = {*steps[-saving.keep_last :], *(s for s in steps if every and s % every == 0)}
        for step in steps:
            if step not in kept:
                shutil.rmtree(self.state_path(step))
        linked = {(self.path / name).resolve().name for name in (BEST, LAST)}
        for step in _steps(self.checkpoints):
            folder = self.checkpoints / self.state_path(step).name
            if folder.name not in linked:
                shutil.rmtree(folder)
        self.remove_unfinished()

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Append a line to the metrics."""
        with self.metrics.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def cut_metrics(self, step: int) -> None:
        """Remove lines of steps from `step` on, which will be computed again, and a cut line."""
        if not self.metrics.exists():
            return
        kept = [line for line in whole_lines(self.metrics) if line["step"] < step]
        replace_file(self.metrics, "".join(f"{json.dumps(line)}\n" for line in kept))

    def read_metrics(self) -> list[dict[str, Any]]:
        """Return the lines of the metrics."""
        if not self.metrics.exists():
            return []
        return whole_lines(self.metrics)


def _described(facts: Mapping[str, Any] | None) -> str:
    return "none" if facts is None else ", ".join(f"{key} {facts[key]}" for key in facts)


def _steps(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    found = (_STEP.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in found if match)


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file of JSON lines that each have a "step", without a cut line."""
    found = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "step" in record:
            found.append(record)
    return found


def replace_file(path: Path, text: str) -> None:
    """Replace a file in one rename."""
    temporary = path.with_name(f".{path.name}.unfinished")
    temporary.write_text(text)
    temporary.replace(path)
