"""`pi05 eval`: its command line, its output, and its end when things go wrong."""

import json

import pytest
from fakes.trials import engine

from pi05_ros.cli.evaluate import command as verb
from pi05_ros.cli.evaluate.options import parser, settings_of
from pi05_ros.evaluation.trials.run import run_trials

EXPERT = ["--task", "dishes", "--brain", "expert", "--video", "none"]


@pytest.fixture
def quick(monkeypatch):
    """No trial is run: results are made."""

    def made(folder, settings, **more):
        return run_trials(folder, settings, **{**more, "engine": engine})

    monkeypatch.setattr(verb, "run_trials", made)


def test_settings_of_a_command_line():
    words = [
        "--task",
        "dishes, dishes",
        "--task",
        "put the cup in the sink",
        "--homes",
        "20200-20202,7",
    ]
    of = settings_of(
        parser().parse_args([*words, "--out", "o", "--brain", "random", "--mode", "full,no_hl"])
    )
    assert [task.name for task in of.tasks] == ["dishes", "put-the-cup-in-the-sink"]
    assert of.homes == (20_200, 20_201, 20_202, 7) and of.modes == ("full", "no_hl")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--mode", "ful"], "there is no mode 'ful'"),
        (["--brain", "model"], "the brain model needs --checkpoint FOLDER"),
        (["--brain", "model", "--checkpoint", "none/here"], "'none/here' is not a folder"),
        (["--platform", "mobile_18df"], "platform 'mobile_18df'"),
        (["--task", "dishs"], "there is no task 'dishs'"),
        (["--ros", "--ray", "local"], "--ros runs one graph on this machine"),
        (["--seconds", "0.5"], "seconds: wanted a time from 1"),
        (["--planner", "a.py:f"], "go together: give both or none"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_status_2(arguments, sentence, tmp_path, capsys):
    out = tmp_path / "out"
    assert verb.main([*EXPERT, "--homes", "1", "--out", str(out), *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("pi05 eval: ") and sentence in said and said.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--shard", "3/2"], "wanted I/N with I from 1 to N, as 2/8, found '3/2'"),
        (["--homes", "a"], "wanted homes as in"),
        (["--jobs", "0"], "wanted a number of processes from 1"),
    ],
)
def test_values_that_do_not_parse(arguments, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        verb.main([*EXPERT, "--homes", "1", "--out", str(tmp_path / "out"), *arguments])
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err


def test_results_are_written_and_printed(tmp_path, capsys, quick):
    out = tmp_path / "out"
    assert verb.main([*EXPERT, "--homes", "10000-10003", "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    (row,) = summary["results"]
    assert (row["task"], row["mode"], row["points_share"], row["episodes"]) == (
        "dishes",
        "full",
        0.75,
        4,
    )
    said = capsys.readouterr().out
    assert "75.0%" in said and "50.0% to 100.0%" in said and "report.html" in said
    assert (out / "report.html").exists()


def test_shards_are_merged_to_the_same_summary(tmp_path, quick):
    homes = ["--homes", "10000-10003"]
    for number in (1, 2):
        out = str(tmp_path / str(number))
        assert verb.main([*EXPERT, *homes, "--shard", f"{number}/2", "--out", out]) == 0
    whole, merged = tmp_path / "whole", tmp_path / "merged"
    assert verb.main([*EXPERT, *homes, "--out", str(whole)]) == 0
    parts = [str(tmp_path / "1"), str(tmp_path / "2")]
    assert verb.main(["merge", *parts, "--out", str(merged), "--video", "none"]) == 0
    assert (merged / "summary.json").read_bytes() == (whole / "summary.json").read_bytes()


def test_a_shard_without_trials_writes_no_report(tmp_path, capsys, quick):
    out = tmp_path / "out"
    assert verb.main([*EXPERT, "--homes", "10000", "--shard", "2/2", "--out", str(out)]) == 0
    assert "shard 2/2 has no trial" in capsys.readouterr().out
    assert not (out / "summary.json").exists()


def test_an_interrupt_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def interrupted(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(verb, "run_trials", interrupted)
    assert verb.main([*EXPERT, "--homes", "1", "--out", str(tmp_path)]) == 130
    assert "finished trials are kept, and the same command goes on" in capsys.readouterr().err
