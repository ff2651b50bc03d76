"""The folder of a run: what it accepts, and what a killed process leaves in it."""

import json

import pytest
from fakes.training_sources import tiny_recipe

from pi05_ros.errors import ConfigError
from pi05_ros.training.reporting.history import History
from pi05_ros.training.runs.folder import RunFolder


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin(tiny_recipe(), {})
    return folder


def test_a_folder_with_other_files_is_refused_and_stays_as_it_is(tmp_path):
    (tmp_path / "lock").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine")
    folder = RunFolder(tmp_path)
    with pytest.raises(ConfigError, match="holds files, but no run"), folder.locked():
        pass
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        "lock": "mine",
        "notes.txt": "mine",
    }
    with pytest.raises(ConfigError, match="is a file"), RunFolder(tmp_path / "lock").locked():
        pass


def test_two_processes_in_one_folder(run):
    with (
        run.locked(),
        pytest.raises(ConfigError, match="another process trains"),
        RunFolder(run.path).locked(),
    ):
        pass


def test_a_process_killed_while_the_folder_was_made(run):
    (run.path / "run.json").rename(run.path / ".run.json.unfinished")
    assert not run.begin(tiny_recipe(), {})


def test_a_recipe_without_steps_gives_way_to_another(run):
    (run.path / "norm_stats.json").write_text("{}")
    assert not run.begin(tiny_recipe("steps=7"), {})
    assert not (run.path / "norm_stats.json").exists()
    run.append_metrics({"step": 0})
    with pytest.raises(ConfigError, match="is a run of another recipe"):
        run.begin(tiny_recipe("steps=8"), {})
    assert run.begin(tiny_recipe("steps=7", "batch.workers=3"), {})


def test_unfinished_folders_of_a_killed_process_are_removed(run):
    for folder in (run.states / ".step_3.unfinished", run.checkpoints / ".step_3.x.unfinished"):
        folder.mkdir()
        (folder / "part").write_text("")
    (run.checkpoints / "notes.txt").write_text("mine")
    assert run.begin(tiny_recipe(), {})
    assert not list(run.states.iterdir())
    run.prune(tiny_recipe().saving)
    assert [p.name for p in run.checkpoints.iterdir()] == ["notes.txt"]


def test_cut_lines_are_left_out(run):
    whole = {"step": 2, "figures": {"loss": 1.0}}
    text = json.dumps(whole) + "\n" + json.dumps(whole)[:-4]
    for name in ("validation.jsonl", "metrics.jsonl"):
        (run.path / name).write_text(text)
    assert run.read_metrics() == [whole]
    (run.path / "metrics.jsonl").unlink()
    history = History(run, 8)
    history.begin(5)
    assert history.validations == [(2, {"loss": 1.0})]
    assert (run.path / "validation.jsonl").read_text() == json.dumps(whole) + "\n"


def test_data_that_changed_are_refused(run):
    data = {"MM": {"samples": 5, "fingerprint": "a"}}
    run.keep_data(data)
    run.keep_data({"MM": {"samples": 6, "fingerprint": "b"}})  # No step was made with them.
    run.append_metrics({"step": 0})
    run.keep_data({"MM": {"samples": 6, "fingerprint": "b"}})
    with pytest.raises(ConfigError, match="source MM.*then samples 6.*now samples 5"):
        run.keep_data(data)
    with pytest.raises(ConfigError, match="source MM.*now none"):
        run.keep_data({})
