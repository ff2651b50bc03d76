"""Trials in a mock home: the expert makes its points, chance makes none, and neither remembers."""

import dataclasses

import pytest
from fakes.trials import settings

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.brains import high_level, low_level, platform_of
from pi05_ros.evaluation.trials.episode import Episode
from pi05_ros.evaluation.trials.run import work
from pi05_ros.evaluation.trials.settings import ONE_PROCESS, Machine, TrialJob, Weights, weights_of
from pi05_ros.evaluation.trials.tasks import find_tasks
from pi05_ros.evaluation.trials.videos import film

HOME = 10_000
ONE_DISH = find_tasks(["put the red bowl in the sink"])
SHORT = find_tasks(["dishes"], 2.0)
CPU = Machine(device="cpu")


def ran(of, number=0, machine=ONE_PROCESS):
    return dataclasses.replace(
        work(TrialJob(of, machine, of.trials()[number], "")), wall_seconds=0, processor_seconds=0
    )


@pytest.fixture(scope="module")
def done():
    return ran(settings((HOME,), tasks=ONE_DISH))


def test_the_expert_makes_its_points_and_the_trial_ends_a_second_later(done):
    assert (done.points, done.max_points, done.ended, done.fault) == (2, 2, "full score", "")
    assert done.seconds < 20.0
    assert [one.text for one in done.subtasks][:2] == [
        "pick up the red bowl",
        "put the red bowl in the sink",
    ]
    first, second = done.subtasks[:2]
    assert first.source == "external" and 0 < first.start_s < first.end_s == second.start_s
    assert done.answers["changed"] >= 2 and not done.failures
    assert [one.kind for one in done.criteria] == ["pick up …", "place … in the sink"]


def test_a_trial_is_the_same_each_time(done):
    assert ran(settings((HOME,), tasks=ONE_DISH)) == done


def test_a_random_model_makes_no_points_and_does_not_remember_earlier_trials():
    of = settings(
        (HOME, HOME + 1),
        tasks=SHORT,
        brain="random",
        weights=weights_of("random", (), 0),
        modes=("full", "human"),
    )
    first = ran(of, 0, CPU)
    assert (first.points, first.brain[:5]) == (0, "smoke") and first.chunks > 0
    others = [ran(of, number, CPU) for number in (1, 2)]
    assert others[1].subtasks[0].text.startswith("pick up ")  # Spoken by the oracle.
    assert ran(of, 0, CPU) == first


class Failing:
    """A low level with an error in each inference."""

    def __init__(self, brain):
        self.info, self.begin_task = brain.info, brain.begin_task
        self.predict_subtask = brain.predict_subtask

    def predict_chunk(self, observation, subtask, continuation=None):
        raise Pi05Error("no chunk")


def test_a_brain_without_chunks_is_a_robot_that_stands():
    of = settings((HOME,), tasks=SHORT)
    (trial,) = of.trials()
    brain = low_level(of, ONE_PROCESS, trial)
    platform = platform_of(of.platform)
    result = Episode(of, trial, platform, Failing(brain), high_level(of, trial, brain)).run()
    assert (result.chunks, result.points, result.ended) == (0, 0, "time")
    # One attempt for each set of pictures from the first subtask on.
    assert 15 <= result.failures["no chunk"] <= 19


def test_a_fault_ends_a_trial():
    of = settings((HOME,), tasks=SHORT)
    (trial,) = of.trials()
    brain = low_level(of, ONE_PROCESS, trial)
    episode = Episode(of, trial, platform_of(of.platform), brain, high_level(of, trial, brain))

    def break_it(running):
        if running.loop.seconds > 1.0:
            running.loop.robot.bridge.fault(running.loop.now_ns, "a test")

    result = episode.run(break_it)
    assert (result.ended, result.fault) == ("fault", "faulted: a test")
    assert result.seconds == pytest.approx(1.02)


def test_weights_that_do_not_exist_are_named():
    of = settings((HOME,), brain="model", weights=(Weights("random:nani"),))
    with pytest.raises(Pi05Error, match="nani"):
        low_level(of, CPU, of.trials()[0])


def test_a_video_shows_the_trial_once_more():
    of = settings((HOME,), tasks=find_tasks(["dishes"], 1.0))
    name, data = film(TrialJob(of, ONE_PROCESS, of.trials()[0], ""))
    assert name == "dishes_full_home10000_seed0"
    assert data[4:8] == b"ftyp" and len(data) > 5000
