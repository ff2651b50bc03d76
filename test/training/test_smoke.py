"""The two stages of the paper at the smallest size, by the command line, and their brain."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pi05_ros.brain.observation import Observation
from pi05_ros.checkpoints.checkpoint import load_checkpoint
from pi05_ros.cli.main import main
from pi05_ros.platforms.platform import load_platform
from pi05_ros.training.runs.folder import RunFolder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PLATFORM = load_platform("mobile_18dof")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of both stages; the data are made, or come from the user's cache."""
    folder = tmp_path_factory.mktemp("runs")
    first, second = folder / "pretrain", folder / "posttrain"
    assert main(["train", "smoke_pretrain", "--out", str(first), "--device", "cpu"]) == 0
    arguments = ["--init", str(first / "best"), "--out", str(second), "--device", "cpu"]
    assert main(["train", "smoke_posttrain", *arguments]) == 0
    return first, second


def curve(run, source, part):
    """Mean loss of a source over the first and the last fifth of the steps that have it."""
    found = [line["sources"].get(source) for line in RunFolder(run).read_metrics()]
    lines = [losses[part] for losses in found if losses is not None]
    fifth = max(1, len(lines) // 5)
    return float(np.mean(lines[:fifth])), float(np.mean(lines[-fifth:]))


def test_each_loss_of_the_first_stage_falls(runs):
    for source, part in (("MM", "fast"), ("HL", "text"), ("WD", "text")):
        begin, end = curve(runs[0], source, part)
        assert end < 0.9 * begin, (source, part)


def test_the_flow_loss_of_the_second_stage_falls(runs):
    begin, end = curve(runs[1], "MM", "flow")
    assert end < 0.9 * begin


def test_only_the_second_stage_has_an_expert(runs):
    first, second = (load_checkpoint(run / "best") for run in runs)
    assert not first.model.config.has_expert
    assert not [name for name in first.model.state_dict() if name.startswith("expert")]
    assert (first.training.text, first.training.fast, first.training.flow) == (True, True, False)
    assert second.model.config.has_expert and second.training.flow and second.fast is not None
    assert second.policy_cameras == PLATFORM.policy_cameras
    assert second.planner_cameras == PLATFORM.planner_cameras


def test_both_results_load_as_the_robots_brain(runs):
    from pi05_ros.inference.model_brain import ModelBrain

    pictures = {name: np.full((224, 224, 3), 90, np.uint8) for name in PLATFORM.camera_names}
    observation = Observation(
        1, PLATFORM.names, PLATFORM.home.copy(), PLATFORM.home.copy(), pictures
    )
    brain = ModelBrain(PLATFORM, str(runs[1] / "best"))
    actions = brain.predict_chunk(observation, "pick up the red cup").actions
    assert actions.shape == (50, PLATFORM.size) and np.isfinite(actions).all()
    prediction = brain.predict_subtask(observation, "put the red cup in the sink")
    assert math.isfinite(prediction.score)


def test_the_run_has_its_page_and_curves(runs):
    for run in runs:
        assert (run / "report.html").stat().st_size > 20_000
        assert list((run / "tensorboard").iterdir())
        assert (run / "last").exists() and (run / "recipe.yaml").exists()
