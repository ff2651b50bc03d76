"""Trials as tasks of a Ray cluster of two workers, and the sentence where Ray is missing."""

import json
import sys

import pytest
from fakes.trials import settings

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.ray_engine import ray_engine
from pi05_ros.evaluation.trials.run import run_trials
from pi05_ros.evaluation.trials.settings import Machine
from pi05_ros.evaluation.trials.summary import summarize
from pi05_ros.evaluation.trials.tasks import find_tasks


def test_without_ray_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Pi05Error, match=r"pip install -r requirements/ray.txt"):
        next(ray_engine(abs, "local", 2, [1]))


def test_a_cluster_gives_the_results_of_this_machine(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (requirements/ray.txt)")
    of = settings((10_000, 10_001, 10_002), tasks=find_tasks(["dishes"], 2.0))
    texts = []
    for machine in (Machine(), Machine(2, ray="local")):
        folder = EvaluationFolder(tmp_path / (machine.ray or "here"))
        texts.append(json.dumps(summarize(of, run_trials(folder, of, machine=machine))))
    assert texts[0] == texts[1]


def test_an_error_in_a_task_keeps_its_sentence():
    pytest.importorskip("ray", reason="Ray is not installed (requirements/ray.txt)")
    with pytest.raises(Pi05Error, match="there is no task 'x'"):
        list(ray_engine(find_tasks, "local", 1, [["x"]]))
