"""Runs that a checkpoint came from, read from the folders of training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from pi05_ros.checkpoints.storage.files import CheckpointError, read_mapping
from pi05_ros.training.runs.folder import BEST, RunFolder

_RUN = "run.json"


@dataclass(frozen=True)
class Stage:
    """One training run."""

    recipe: str  # Its name.
    hash: str  # Of the resolved recipe, 12 hexadecimal digits.
    steps: int  # That the checkpoint has seen.
    planned: int
    batch: int  # Samples a step.
    data: tuple[str, ...]  # A text for each source that took part.


def checkpoint_and_run(path: Path) -> tuple[Path, Path | None]:
    """Return the checkpoint that a path names, and its run.

    Args:
        path: The folder of a run, whose `best` is taken, or of a checkpoint.
    """
    folder = path / BEST if (path / _RUN).is_file() else path
    resolved = folder.resolve()
    run = resolved.parent.parent
    return resolved, run if (run / _RUN).is_file() else None


def stages_of(checkpoint: Path) -> list[Stage]:
    """Return the runs that led to a checkpoint, oldest first; [] if it lies in no run.

    Raises:
        CheckpointError: A run, or what it began from, cannot be read.
    """
    found: list[Stage] = []
    seen: set[Path] = set()
    folder: Path | None = checkpoint
    while folder is not None:
        folder, run = checkpoint_and_run(folder)
        if run is None or folder in seen:
            break
        seen.add(folder)
        stage, folder = _stage(folder, run)
        found.insert(0, stage)
    return found


def _stage(folder: Path, run: Path) -> tuple[Stage, Path | None]:
    """Return a run, and the checkpoint that it began from; None: random weights."""
    facts = read_mapping(run / _RUN)
    try:
        recipe = yaml.safe_load((run / "recipe.yaml").read_text(encoding="utf-8"))
        sources = recipe["sources"]
        data = tuple(
            f"{name} {sources[name]['weight']:g}, {one['samples']}, `{one['fingerprint']}`"
            for name, one in facts.get("data", {}).items()
            if name in sources and sources[name]["weight"] > 0
        )
        stage = Stage(
            recipe["name"],
            facts["recipe_hash"],
            json.loads((folder / "config.json").read_text())["training"]["step"]
            or len(RunFolder(run).read_metrics()),
            recipe["steps"],
            recipe["batch"]["size"],
            data,
        )
        init = str(recipe["model"]["init"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise CheckpointError(run, f"is no folder of a run ({error!r})") from error
    return stage, Path(init).expanduser() if init and not init.startswith("random:") else None
