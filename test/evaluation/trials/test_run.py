"""Trials of a folder: run once, gone on with after a kill, and never mixed with others."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from fakes.trials import engine, settings

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.run import run_trials
from pi05_ros.evaluation.trials.settings import Machine, Shard
from pi05_ros.evaluation.trials.summary import summarize
from pi05_ros.evaluation.trials.tasks import find_tasks

OF = settings((10_000, 10_001, 10_002))


@pytest.fixture
def folder(tmp_path):
    return EvaluationFolder(tmp_path / "out")


def never(jobs):
    raise AssertionError(f"asked to run {jobs}")
    yield


def test_results_are_kept_and_not_made_again(folder):
    seen = []
    first = run_trials(
        folder,
        OF,
        engine=engine,
        on_trial=lambda one: seen.append(one.home),
        on_start=lambda left, count: seen.append((left, count)),
    )
    assert seen == [(3, 3), 10_000, 10_001, 10_002]
    assert [one.points for one in first] == [2.0, 1.0, 2.0]
    assert run_trials(folder, OF, engine=never) == first


def test_a_run_that_was_killed_goes_on_with_what_is_left(folder):
    program = """
    import os, signal, sys
    from pathlib import Path
    from fakes.trials import engine, settings
    from pi05_ros.evaluation.trials.folder import EvaluationFolder
    from pi05_ros.evaluation.trials.run import run_trials

    def kill(one):
        if one.home == 10_001:
            os.kill(os.getpid(), signal.SIGKILL)

    of = settings((10_000, 10_001, 10_002))
    run_trials(EvaluationFolder(Path(sys.argv[1])), of, engine=engine, on_trial=kill)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(folder.path)]
    paths = os.pathsep.join(["test", os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, timeout=60)
    assert done.returncode == -signal.SIGKILL
    asked = []

    def rest(jobs):
        asked.extend(job.trial.home for job in jobs)
        yield from engine(jobs)

    results = run_trials(folder, OF, engine=rest)
    assert asked == [10_002]
    whole = run_trials(EvaluationFolder(folder.path.parent / "whole"), OF, engine=engine)
    assert json.dumps(summarize(OF, results)["results"]) == json.dumps(
        summarize(OF, whole)["results"]
    )


def test_other_settings_in_the_same_folder_are_refused(folder):
    run_trials(folder, OF, engine=engine)
    with pytest.raises(Pi05Error, match=r"begun with homes \[10000, .*, and \[10000\] is wanted"):
        run_trials(folder, settings((10_000,)), engine=never)
    with pytest.raises(Pi05Error, match=r'begun with shard "1/1", and "1/2" is wanted'):
        run_trials(folder, OF, shard=Shard(1, 2), engine=never)
    folder.path.joinpath("evaluation.json").unlink()
    with pytest.raises(Pi05Error, match="holds other files"):
        run_trials(folder, OF, engine=never)


def test_two_processes_do_not_write_into_one_folder(folder):
    folder.claim(OF)
    with folder.exclusive(), pytest.raises(Pi05Error, match="another process writes into"):
        run_trials(folder, OF, engine=never)


def test_a_full_disk_is_one_sentence_and_leaves_what_is_whole(folder, monkeypatch):
    def full(result, add=folder.add):
        if result.home == 10_001:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "episodes/x.json")
        add(result)

    monkeypatch.setattr(folder, "add", full)
    with pytest.raises(Pi05Error) as caught:
        run_trials(folder, OF, engine=engine)
    assert str(caught.value) == (
        "episodes/x.json: No space left on device; finished trials are kept, and the same command "
        "goes on from there"
    )
    assert [path.name for path in folder.episodes.iterdir()] == [
        "dishes_full_home10000_seed0.json"
    ]


def test_a_damaged_result_is_named(folder):
    run_trials(folder, OF, engine=engine)
    (folder.episodes / "dishes_full_home10000_seed0.json").write_text("{")
    with pytest.raises(Pi05Error, match="home10000_seed0.json is not the result of a trial"):
        run_trials(folder, OF, engine=never)


def test_a_task_that_a_home_has_not_is_found_before_the_folder_is_made(folder):
    wrong = settings((10_000,), tasks=find_tasks(["put the piano in the sink"]))
    with pytest.raises(Pi05Error, match="home 10000: no rubric"):
        run_trials(folder, wrong, engine=never)
    assert not folder.path.exists()


def test_one_process_and_two_give_the_same_bytes(tmp_path):
    of = settings((10_000, 10_001), tasks=find_tasks(["dishes"], 3.0))
    texts = []
    for jobs in (1, 2):
        one = EvaluationFolder(tmp_path / str(jobs))
        results = run_trials(one, of, machine=Machine(jobs))
        texts.append(json.dumps(summarize(of, results)))
        assert all(result.chunks > 3 and result.ended == "time" for result in results)
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": "many"}, "wanted numbers of points and seconds, found \\('many', "),
        ({"name": "dishes_full_home10001_seed0"}, "it is that of 'dishes_full_home10001_seed0'"),
    ],
)
def test_a_result_of_wrong_values_is_refused(folder, change, message):
    run_trials(folder, OF, engine=engine)
    file = folder.episodes / "dishes_full_home10000_seed0.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(Pi05Error, match=f"home10000_seed0.json is not the result.*{message}"):
        run_trials(folder, OF, engine=never)


@pytest.mark.parametrize("contents", [{}, {"settings": 3}])
def test_damaged_settings_are_refused(folder, contents):
    run_trials(folder, OF, engine=engine)
    (folder.path / "evaluation.json").write_text(json.dumps(contents))
    with pytest.raises(Pi05Error, match="evaluation.json cannot be read"):
        run_trials(folder, OF, engine=never)


def test_other_settings_are_named_to_the_innermost_value(folder):
    folder.claim(OF)
    other = settings((10_000, 10_001, 10_002), tasks=find_tasks(["dishes"], seconds=7.0))
    was = OF.tasks[0].seconds
    with pytest.raises(Pi05Error, match=rf"tasks\[0\].seconds {was}, and 7.0 is wanted"):
        folder.claim(other)
