"""The verb `homes`: its command line, and what it prints."""

import pytest

from pi05_ros.cli.homes import collect, scenes
from pi05_ros.cli.homes.command import main
from pi05_ros.evaluation.collection.collect import Collected
from pi05_ros.evaluation.collection.episode import EpisodeSummary
from pi05_ros.evaluation.collection.scenes import CollectedScenes
from pi05_ros.evaluation.collection.settings import CollectSettings


def test_help_and_unknown_verbs(capsys):
    assert main([]) == 0
    assert "collect" in capsys.readouterr().out
    assert main(["colect"]) == 2
    assert "did you mean 'collect'?" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["", "a", "5-2"])
def test_homes_that_are_none(value, capsys):
    with pytest.raises(SystemExit) as error:
        main(["collect", "--homes", value, "--out", "x"])
    assert error.value.code == 2
    assert "wanted homes as in 0-99" in capsys.readouterr().err


def test_wrong_settings_are_a_wrong_command_line(tmp_path, capsys):
    arguments = ["--homes", "0", "--out", str(tmp_path / "out")]
    assert main(["collect", *arguments, "--noise", "2"]) == 2
    assert "noise: wanted a share" in capsys.readouterr().err
    assert main(["collect", *arguments, "--verbal", "c", "--visited", "c"]) == 2
    assert "verbal: the checkpoint acts all the time" in capsys.readouterr().err
    assert main(["scenes", *arguments, "--sets", "0"]) == 2
    assert not (tmp_path / "out").exists()


def test_collect_passes_its_options_and_prints_failures(tmp_path, monkeypatch, capsys):
    asked = {}

    def fake(out, settings, homes, **options):
        asked.update(out=out, settings=settings, homes=homes, **options)
        options["on_start"](2)
        good = EpisodeSummary("a", 1, "t", "success", 8, 8, 40.0, "")
        bad = EpisodeSummary("b", 2, "t", "failure", 5, 8, 60.0, "the expert gave up")
        options["on_episode"](good)
        return Collected(present=1, written=[good, bad])

    monkeypatch.setattr(collect, "collect", fake)
    line = ["--homes", "1-3", "--out", str(tmp_path), "--seed", "7", "--jobs", "3"]
    line += ["--wrong-chunks", "0.05", "--restarts", "--other-tasks", "0.1", "--visited", "c"]
    line += ["--task", "all", "--episodes", "2"]
    assert main(["collect", *line, "--noise", "0.01", "--max-seconds", "50"]) == 0
    assert asked["homes"] == [1, 2, 3] and asked["seed"] == 7 and asked["jobs"] == 3
    assert asked["episodes"] == 2
    assert asked["settings"] == CollectSettings(
        "mobile_18dof", "all", max_seconds=50.0, noise=0.01, wrong_chunks=0.05, restarts=True,
        other_tasks=0.1, visited="c",
    )  # fmt: skip
    out = " ".join(capsys.readouterr().out.split())
    assert "2 episodes written (100 s; success 1, failure 1, not graded 0), 1 were there" in out
    assert "b: 5 of 8 points; the expert gave up" in out


def test_interrupted_work_says_that_it_goes_on(tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(collect, "collect", interrupted)
    assert main(["collect", "--homes", "1", "--out", str(tmp_path)]) == 130
    assert "the same command goes on from there" in capsys.readouterr().err


def test_scenes_prints_counts(tmp_path, monkeypatch, capsys):
    counts = {"pictures": 5, "caption": 5, "boxes": 4, "question": 20}
    result = CollectedScenes(present=2, homes=1, counts=counts)
    monkeypatch.setattr(scenes, "collect_scenes", lambda *_, **__: result)
    assert main(["scenes", "--homes", "0-2", "--out", str(tmp_path), "--jobs", "1"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "1 homes written (5 pictures, 5 captions, 4 with boxes, 20 questions), 2" in out


@pytest.mark.parametrize("verb", ["collect", "scenes"])
def test_seeds_below_zero_are_a_wrong_command_line(verb, tmp_path, capsys):
    with pytest.raises(SystemExit) as error:
        main([verb, "--homes", "0", "--out", str(tmp_path / "out"), "--seed", "-1"])
    assert error.value.code == 2
    assert "wanted a seed of 0 or more, found '-1'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_episodes_without_a_success(tmp_path, monkeypatch, capsys):
    """Of the expert they are an error; a checkpoint may fail, and what was said to it is data."""
    bad = EpisodeSummary("b", 2, "t", "failure", 5, 8, 60.0, "time")
    monkeypatch.setattr(collect, "collect", lambda *_, **__: Collected(written=[bad]))
    line = ["collect", "--homes", "1", "--out", str(tmp_path)]
    assert main(line) == 1
    assert main([*line, "--visited", "c"]) == 1
    assert main([*line, "--verbal", "c"]) == 0
