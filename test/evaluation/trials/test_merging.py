"""Shards joined to the whole, and what is missing or double."""

import pytest
from fakes.trials import engine, settings

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.merging import merge
from pi05_ros.evaluation.trials.run import run_trials
from pi05_ros.evaluation.trials.settings import Shard
from pi05_ros.evaluation.trials.summary import summarize

OF = settings(range(10_000, 10_005))


@pytest.fixture
def parts(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for number, path in enumerate(folders, 1):
        run_trials(EvaluationFolder(path), OF, shard=Shard(number, 2), engine=engine)
    return folders


def test_merged_shards_are_the_whole(parts, tmp_path):
    whole = run_trials(EvaluationFolder(tmp_path / "whole"), OF, engine=engine)
    out = EvaluationFolder(tmp_path / "out")
    found, results = merge(parts[::-1], out)
    assert found == OF and results == whole
    assert summarize(OF, results) == summarize(OF, whole)
    # It is a folder like any other: nothing is left to run.
    assert run_trials(out, OF, engine=lambda jobs: iter(())) == whole


def test_missing_and_double_trials_are_named(parts, tmp_path):
    out = EvaluationFolder(tmp_path / "out")
    missing = r"^2 trials \(dishes_full_home10001_seed0, .*home10003_seed0\): in none of the"
    with pytest.raises(Pi05Error, match=missing):
        merge(parts[:1], out)
    with pytest.raises(Pi05Error, match=r"^3 trials \(dishes_full_home10000.*in more than one"):
        merge([parts[0], *parts], out)
    assert not out.path.exists()


def test_other_settings_are_not_merged(parts, tmp_path):
    other = tmp_path / "other"
    run_trials(EvaluationFolder(other), settings((10_000,), seed=1), engine=engine)
    with pytest.raises(Pi05Error, match="other settings than .*: homes differs"):
        merge([parts[0], other], EvaluationFolder(tmp_path / "out"))
    with pytest.raises(Pi05Error, match="is not the folder of an evaluation: no evaluation.json"):
        merge([tmp_path], EvaluationFolder(tmp_path / "out"))
