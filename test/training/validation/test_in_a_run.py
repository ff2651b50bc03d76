"""Validation and page in a run of a few steps."""

import json

from fakes.held_out import held_out_recipe, prepared
from fakes.torch_threads import one_torch_thread  # noqa: F401
from fakes.training_sources import Quiet

from pi05_ros.training.loading.loader import Samples
from pi05_ros.training.reporting.page import PageReporter
from pi05_ros.training.reporting.together import Reporters
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.processes import Processes
from pi05_ros.training.runs.trainer import Trainer
from pi05_ros.training.validation.validation import Validation


def test_a_run_is_validated_and_its_page_written(tmp_path):
    recipe = held_out_recipe(
        "steps=4", "saving.every_steps=2", "batch.size=4", "batch.micro=2", "validation.samples=4"
    )
    data = prepared(recipe)
    run = RunFolder(tmp_path / "run")
    run.begin(recipe, {})
    config = data.checkpoint.model.config
    quiet = Quiet()
    Trainer(
        recipe,
        data.checkpoint,
        Samples(recipe, data.sources, data.mixture, config.horizon, config.action_dim),
        data.sources,
        run,
        Processes(),
        Reporters([quiet, PageReporter(run, recipe, data.shares)]),
        Validation(data, recipe),
    ).run()
    lines = (run.path / "validation.jsonl").read_text().splitlines()
    losses = [json.loads(line)["figures"]["loss"] for line in lines]
    assert [json.loads(line)["step"] for line in lines] == [2, 4]
    # The best checkpoint is the one of the least loss.
    best = 2 if losses[0] < losses[1] else 4
    assert (run.path / "best").resolve().name == f"step_{best:09d}"
    text = (run.path / "report.html").read_text()
    assert "step 4 of 4" in text and f"best checkpoint: step {best}" in text
    assert text.count("MM · episode e, row") == 4 and "HL · episode e, plan" in text
