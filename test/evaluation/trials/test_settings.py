"""What is evaluated: the list of trials, their names and seeds, and what is refused."""

import json

import pytest
from fakes.trials import settings

from pi05_ros.errors import ConfigError
from pi05_ros.evaluation.trials.settings import (
    EvaluationError,
    EvaluationSettings,
    Shard,
    Weights,
    weights_of,
)
from pi05_ros.evaluation.trials.tasks import find_tasks

TWO = (Weights("runs/a/best"), Weights("runs/b/best"))


def test_trials_are_all_combinations_with_names_of_their_own():
    of = settings((5, 6, 7), brain="model", weights=TWO, modes=("full", "implicit"), repeats=2)
    trials = of.trials()
    assert len(trials) == 3 * 2 * 2 * 2
    names = [of.name_of(trial) for trial in trials]
    assert len(set(names)) == len(names)
    assert names[0] == "dishes_full_checkpoint1_home00005_seed0"
    assert names[-1] == "dishes_implicit_checkpoint2_home00007_seed1"
    assert settings((5,)).name_of(settings((5,)).trials()[0]) == "dishes_full_home00005_seed0"


def test_modes_and_weights_of_a_home_share_their_random_numbers():
    of = settings((5, 6), brain="model", weights=TWO, modes=("full", "implicit"), repeats=2)
    seeds = {}
    for trial in of.trials():
        seeds.setdefault((trial.home, trial.seed), set()).add(trial.random_seed)
    assert all(len(found) == 1 for found in seeds.values())
    assert len({next(iter(found)) for found in seeds.values()}) == 4


def test_shards_have_each_trial_once_and_some_of_each_mode():
    trials = settings(range(9), brain="random", modes=("full", "implicit")).trials()
    parts = [Shard(number, 4).of(trials) for number in (1, 2, 3, 4)]
    assert sorted(map(trials.index, sum(parts, []))) == list(range(18))
    assert all({trial.mode for trial in part} == {"full", "implicit"} for part in parts)
    assert Shard.parse("2/8") == Shard(2, 8) and str(Shard(2, 8)) == "2/8"


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0"])
def test_what_is_no_shard(text):
    with pytest.raises(ValueError):
        Shard.parse(text)


def test_settings_survive_json():
    of = settings((1, 2), brain="model", weights=TWO, modes=("full", "external"), planner="a.py:f")
    assert EvaluationSettings.from_json(json.loads(json.dumps(of.as_json()))) == of


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"homes": ()}, "wanted at least one of homes"),
        ({"homes": (3, 3)}, "homes: one of them is named twice"),
        ({"homes": (-1,)}, "home -1: a seed is 0 or more"),
        ({"modes": ("ful",)}, "there is no mode 'ful'.*did you mean 'full'"),
        ({"brain": "exprt"}, "there is no brain 'exprt'.*did you mean 'expert'"),
        ({"modes": ("implicit",)}, "the expert acts on its own subtasks"),
        ({"planner": "a.py:f"}, "mode external and --planner FILE:NAME go together"),
        ({"brain": "random", "modes": ("external",)}, "go together: give both or none"),
        (
            {"brain": "random", "modes": ("external",), "planner": "a.py:f", "ros": True},
            "through the graph the mode external takes --planner oracle",
        ),
        ({"repeats": 0}, "wanted 1 episode or more"),
        ({"delay": -0.1}, "delay: wanted 0 or more"),
        ({"tasks": find_tasks(["dishes"], 0.5)}, "seconds: wanted a time from 1 to 86400 s"),
    ],
)
def test_what_is_refused(wrong, sentence):
    given = {"homes": (1,), **wrong}
    with pytest.raises(EvaluationError, match=sentence):
        settings(given.pop("homes"), **given)


def test_weights_of_a_command_line(tmp_path, shipped_folder):
    folder = tmp_path / "best"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    (found,) = weights_of("model", (str(folder),), 0)
    # SHA-256 of "{}".
    assert found.digest == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert weights_of("expert", (), 3) == (Weights(""),)
    assert weights_of("random", (), 3) == (Weights("random:smoke?seed=3"),)
    assert weights_of("model", ("random:nano",), 3) == (Weights("random:nano"),)
    with pytest.raises(EvaluationError, match="needs --checkpoint FOLDER"):
        weights_of("model", (), 0)
    with pytest.raises(EvaluationError, match="the brain expert takes no --checkpoint"):
        weights_of("expert", ("a",), 0)
    with pytest.raises(EvaluationError, match=r"is not a folder; .* shipped checkpoint \(none\)"):
        weights_of("model", (str(tmp_path / "none"),), 0)
    folder.rename(shipped_folder / "small")
    (shipped,) = weights_of("model", ("small",), 0)
    assert (shipped.checkpoint, shipped.digest) == ("small", found.digest)


def test_a_difficulty_is_one_of_the_homes_and_is_kept():
    of = settings((5,), difficulty="hard,shadows=0")
    assert EvaluationSettings.from_json(of.as_json()).difficulty == "hard,shadows=0"
    with pytest.raises(ConfigError, match="there is no preset 'hrd'; did you mean 'hard'"):
        settings((5,), difficulty="hrd")


def test_no_seconds_are_refused_for_a_task_by_its_text_too():
    tasks = find_tasks(["pick up the red plate"], 0.0, "kitchen")
    assert tasks[0].seconds == 0.0
    with pytest.raises(EvaluationError, match="wanted a time from 1 to 86400 s, found 0"):
        settings((5,), tasks=tasks)
