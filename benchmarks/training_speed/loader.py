"""Share of a run's time in which the training process waits for its loader."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.evaluation.collection.smoke import smoke_episodes
from pi05_ros.training.loading.loader import Samples
from pi05_ros.training.preparation.preparation import prepare
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.reporting.together import Reporters
from pi05_ros.training.runs.beginning import begin_checkpoint
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.processes import Processes
from pi05_ros.training.runs.records import StepRecord
from pi05_ros.training.runs.trainer import Trainer

_STEPS, _WARM_UP = 12, 4


def loader_table(folder: Path, preset: str) -> str:
    """Train some steps of the smoke recipe's second stage with 0 and 2 workers.

    Args:
        folder: Of the data, which are made if they are not there.
        preset: Sizes of the model.
    """
    torch.set_num_threads(1)
    data = smoke_episodes(folder)
    lines = [
        "| workers | seconds a step | of it waiting | share |",
        "|---:|---:|---:|---:|",
    ]
    for workers in (0, 2):
        records = _run(data.episodes, data.scenes, preset, workers)[_WARM_UP:]
        seconds = statistics.median(record.seconds for record in records)
        waited = statistics.median(record.waited_s for record in records)
        total = sum(record.waited_s for record in records)
        share = total / sum(record.seconds for record in records)
        lines.append(f"| {workers} | {seconds:.3f} | {waited * 1e3:.1f} ms | {share:.1%} |")
    return "\n".join(lines)


class _Records(Reporters):
    """Keeps the records of the steps."""

    def __init__(self) -> None:
        super().__init__(())
        self.found: list[StepRecord] = []

    def on_step(self, record: StepRecord) -> None:
        """See Reporter."""
        self.found.append(record)


def _run(episodes: Path, scenes: Path, preset: str, workers: int) -> list[StepRecord]:
    settings = [
        f"sources.MM.paths=['{episodes}']",
        f"sources.HL.paths=['{episodes}']",
        f"sources.WD.paths=['{scenes}']",
        f"batch.workers={workers}",
        "batch.size=4",
        "batch.micro=4",
        f"model.preset={preset}",
        f"steps={_STEPS}",
        f"saving.every_steps={_STEPS}",
    ]
    recipe = load_recipe("smoke_posttrain", settings)
    prepared = prepare(recipe, begin_checkpoint(recipe), CacheFolder(), lambda _: None)
    model = prepared.checkpoint.model
    samples = Samples(
        recipe,
        prepared.sources,
        prepared.mixture,
        model.config.horizon,
        model.config.action_dim,
    )
    records = _Records()
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.begin(recipe, {})
        trainer = Trainer(
            recipe,
            replace(prepared.checkpoint, model=model),
            samples,
            prepared.sources,
            run,
            Processes(),
            records,
        )
        trainer.run()
    return records.found
