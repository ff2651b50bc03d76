"""The shipped checkpoint: its points in two homes, and its answers to stored observations.

Skipped where none is shipped. After new weights:
`./pi05 run python benchmarks/stored_observations.py`, and FLOOR below.
"""

from pathlib import Path

import pytest

from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.checkpoints.shipped import DEFAULT, platforms_of, shipped_checkpoints
from pi05_ros.evaluation.shipping.stored import StoredObservations, again, largest_difference
from pi05_ros.evaluation.trials.run import work
from pi05_ros.evaluation.trials.settings import EvaluationSettings, Machine, TrialJob, weights_of
from pi05_ros.evaluation.trials.tasks import find_tasks

FLOOR = 0.0  # Least share of the points of both homes together; far below what is measured.
HOMES = (10_000, 10_001)
SECONDS = 60.0  # Of each trial, simulated.
TOLERANCE = 0.01  # Of actions, in platform units; other kernels move them by less than 0.001.
STORED = Path(__file__).with_name(f"{DEFAULT}.npz")

pytestmark = pytest.mark.skipif(
    DEFAULT not in shipped_checkpoints(), reason=f"no checkpoint '{DEFAULT}' is shipped"
)


@pytest.mark.timeout(300)
def test_it_does_the_dishes_in_two_homes_above_a_floor():
    pytest.importorskip("mujoco")
    settings = EvaluationSettings(
        find_tasks(["dishes"], SECONDS), HOMES, weights=weights_of("model", (DEFAULT,), 0)
    )
    machine = Machine(device="cpu", dtype="float32", execution="eager")
    results = [work(TrialJob(settings, machine, trial, "")) for trial in settings.trials()]
    assert [one.fault for one in results] == ["", ""]
    assert all(one.chunks > 0 for one in results)
    share = sum(one.points for one in results) / sum(one.max_points for one in results)
    assert share >= FLOOR, [(one.home, one.points, one.max_points, one.ended) for one in results]


@pytest.mark.skipif(not STORED.is_file(), reason=f"{STORED.name} was not made for these weights")
def test_its_answers_to_stored_observations_are_those_of_the_machine_that_shipped_it():
    stored = StoredObservations.load(STORED)
    found = again(DEFAULT, stored)
    assert found.answers == stored.answers
    assert largest_difference(found, stored) < TOLERANCE


def test_it_knows_both_platforms_and_opens_as_the_default():
    assert set(platforms_of(shipped_checkpoints()[DEFAULT])) >= {"mobile_18dof", "mobile_19dof"}
    from pi05_ros.inference.model_brain import ModelBrain
    from pi05_ros.platforms.platform import load_platform

    brain = ModelBrain(load_platform("mobile_19dof"), "", ModelOptions(device="cpu"))
    assert not brain.info.checkpoint.startswith("random:") and "trained" in brain.info.description
