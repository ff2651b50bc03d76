"""Trials through the graph: what its processes are given, and that it agrees with the loop."""

import dataclasses

import pytest
from fakes.trials import settings

pytest.importorskip("rclpy")

from pi05_ros.bringup.graph import graph
from pi05_ros.demo.trial import GraphTrial, graph_engine
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.run import run_trials, work
from pi05_ros.evaluation.trials.settings import ONE_PROCESS, Machine, TrialJob, weights_of
from pi05_ros.evaluation.trials.tasks import find_tasks

RANDOM = {"brain": "random", "weights": weights_of("random", (), 0), "ros": True}


def specs(mode, tmp_path, **more):
    """Processes of a trial, by name."""
    of = settings((10_000,), **{**RANDOM, "modes": (mode,), **more})
    job = TrialJob(of, ONE_PROCESS, of.trials()[0], "")
    trial = GraphTrial(job, tmp_path, lambda text: None)
    processes = graph(trial._platform, trial._options)
    return job, {spec.name: trial._spec(spec).parameters for spec in processes}


def test_one_brain_for_both_levels_in_mode_full(tmp_path):
    job, found = specs("full", tmp_path)
    assert found["brain"]["brain"] == "model"
    assert found["brain"]["checkpoint"] == "random:smoke?seed=0"
    assert found["brain"]["seed"] == job.trial.random_seed
    assert found["brain"]["task"] == ""  # It is sent when the graph is active.
    assert (found["mock_home"]["home"], found["mock_home"]["room"]) == (10_000, "kitchen")
    _, found = specs("full", tmp_path, brain="expert", weights=weights_of("expert", (), 0))
    assert (found["brain"]["brain"], found["brain"]["checkpoint"]) == ("expert", "")


@pytest.mark.parametrize(
    ("mode", "speaker", "more"),
    [
        ("human", "expert", {}),
        ("external", "expert", {"planner": "oracle"}),
        ("implicit", "none", {}),
        ("no_hl", "none", {}),
    ],
)
def test_something_else_speaks_in_the_other_modes(mode, speaker, more, tmp_path):
    _, found = specs(mode, tmp_path, **more)
    assert "brain" not in found
    assert (found["planner"]["brain"], found["planner"]["checkpoint"]) == (speaker, "")
    assert (found["policy"]["brain"], found["policy"]["checkpoint"]) == (
        "model",
        "random:smoke?seed=0",
    )


def test_the_graph_agrees_with_the_loop(tmp_path):
    given = {"tasks": find_tasks(["put the red bowl in the sink"], 40.0)}
    of = settings((10_000,), **given, ros=True)
    folder = EvaluationFolder(tmp_path / "out")
    engine = graph_engine(tmp_path / "logs")
    (graphs,) = run_trials(folder, of, engine=engine)
    inside = dataclasses.replace(of, ros=False)
    loops = work(TrialJob(inside, Machine(), inside.trials()[0], ""))
    assert (graphs.points, graphs.max_points, graphs.ended) == (2, 2, "full score")
    assert (graphs.points, graphs.max_points, graphs.ended) == (
        loops.points,
        loops.max_points,
        loops.ended,
    )
    assert graphs.criteria == loops.criteria
    assert [one.text for one in graphs.subtasks] == [one.text for one in loops.subtasks]
    assert {one.source for one in graphs.subtasks} == {"external"}
    assert graphs.seconds == pytest.approx(loops.seconds, rel=0.5)
    assert (tmp_path / "logs" / graphs.name / "brain.log").stat().st_size > 0
