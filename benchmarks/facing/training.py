"""The skill's recipe, and its run from bags to checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facing.recording import CAMERA
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.training.loading.loader import Samples
from pi05_ros.training.preparation.preparation import prepare
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.reporting.terminal import TerminalReporter
from pi05_ros.training.runs.beginning import begin_checkpoint
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.processes import opened_processes
from pi05_ros.training.runs.trainer import Trainer

RECIPE = Path(__file__).with_name("recipe.yaml")


def facing_recipe(bags: Path, settings: Sequence[str] = ()) -> Recipe:
    """Load the recipe for a folder of bags.

    Args:
        bags: From `recording.record`.
        settings: Keys that are replaced, as on the command line.
    """
    own = [f"sources.MM.paths=[{bags}]", f"sources.MM.cameras=[{CAMERA}]"]
    return load_recipe(str(RECIPE), [*own, *settings])


def train(recipe: Recipe, out: Path, cache: Path) -> RunFolder:
    """Train in a new folder, on the CPU.

    Args:
        recipe: From `facing_recipe`.
        out: Folder of the run.
        cache: Folder of decoded pictures.
    """
    run = RunFolder(out)
    with opened_processes("cpu") as processes, run.locked():
        run.begin(recipe, {})
        terminal = TerminalReporter(recipe.batch.size)
        prepared = prepare(recipe, begin_checkpoint(recipe), CacheFolder(cache), terminal.print)
        config = prepared.checkpoint.model.config
        samples = Samples(
            recipe, prepared.sources, prepared.mixture, config.horizon, config.action_dim
        )
        Trainer(
            recipe, prepared.checkpoint, samples, prepared.sources, run, processes, terminal
        ).run()
    return run
