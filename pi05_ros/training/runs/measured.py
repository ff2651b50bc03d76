"""Statistics and FAST tokenizer of a run: measured once, by its first process.

Quantile sketches sample at random, and data may have changed since a run began. So what the first
process measured before the first step is kept in the run's folder; the other processes, and every
process that goes on with the run, read it from there. Weights and tokens keep their meaning.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.checkpoints.layouts.native import STATS, norm_stats_json, read_norm_stats
from pi05_ros.checkpoints.storage.tokenizer_files import read_fast
from pi05_ros.errors import ConfigError
from pi05_ros.model.text.fast import FAST_FILE
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.runs.folder import RunFolder

_LIMIT_S = 24 * 3600.0  # The first process decodes all pictures meanwhile.
_PERIOD_S = 0.5


def keep_measured(run: RunFolder, checkpoint: Checkpoint) -> None:
    """Write statistics and FAST tokenizer into the folder, unless they are there."""
    file = run.path / STATS
    if file.exists():
        return
    if checkpoint.fast is not None:
        temporary = run.path / f".{FAST_FILE}.unfinished"
        checkpoint.fast.save(temporary)
        temporary.replace(run.path / FAST_FILE)
    # Written last: its presence means that both are complete.
    temporary = run.path / f".{STATS}.unfinished"
    temporary.write_text(json.dumps(norm_stats_json(checkpoint.norm_stats), indent=1) + "\n")
    temporary.replace(file)


def with_measured(run: RunFolder, recipe: Recipe, begun: Checkpoint) -> tuple[Recipe, Checkpoint]:
    """Return what to prepare a run from: with the kept statistics and tokenizer, if there are any.

    Raises:
        CheckpointError: A file cannot be read.
        ConfigError: A file has other contents.
    """
    file = run.path / STATS
    if not file.exists():
        return recipe, begun
    found: Path = run.path / FAST_FILE
    fast = read_fast(found, begun.tokenizer) if found.exists() else None
    settled = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, fast=""))
    return settled, dataclasses.replace(begun, norm_stats=read_norm_stats(file), fast=fast)


def wait_for_measured(run: RunFolder) -> None:
    """Wait until the first process has measured.

    Raises:
        ConfigError: It did not within a day.
    """
    end = time.monotonic() + _LIMIT_S
    while not (run.path / STATS).exists():
        if time.monotonic() > end:
            raise ConfigError(
                str(run.path / STATS),
                "did not appear within a day: the first process writes it, into a folder that all "
                "processes must see",
            )
        time.sleep(_PERIOD_S)
