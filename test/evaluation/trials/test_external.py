"""Planners of a file: what they may return, and what is wrong with them."""

import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.external import load_planner

FILE = """
class Counting:
    image_size = (100, 120)

    def begin_task(self, task):
        self.calls = 0

    def __call__(self, observation, task):
        self.calls += 1
        return f"{task} {self.calls}"

def done(observation, task):
    return " Done "

def number(observation, task):
    return 5

def fails(observation, task):
    raise OSError("no network")

nothing = 3
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    return lambda name: load_planner(f"{tmp_path / 'mine.py'}:{name}")


def test_a_class_keeps_its_state_and_names_its_pictures(load):
    planner = load("Counting")
    assert planner.image_size == (100, 120)
    planner.begin_task("a")
    texts = [planner.predict(None, "a", ()).text for _ in range(2)]
    planner.begin_task("b")
    assert [*texts, planner.predict(None, "b", ()).text] == ["a 1", "a 2", "b 1"]
    assert planner.source == "external"


def test_the_word_done_ends_the_task(load):
    answer = load("done").predict(None, "a", ())
    assert (answer.text, answer.done) == ("", True)
    assert load("done").image_size == (224, 224)


def test_what_it_does_wrong_is_an_answer_that_is_missing(load):
    with pytest.raises(Pi05Error, match="^number: wanted the subtask as text.*found int"):
        load("number").predict(None, "a", ())
    with pytest.raises(Pi05Error, match="^fails: OSError: no network"):
        load("fails").predict(None, "a", ())


def test_what_cannot_be_loaded(load, tmp_path):
    with pytest.raises(Pi05Error, match="defines no function or class 'nothing'"):
        load("nothing")
    with pytest.raises(
        Pi05Error, match="wanted FILE:NAME, or one of oracle, fixed_list.*did you mean 'oracle'"
    ):
        load_planner("oracl")
    with pytest.raises(Pi05Error, match="is not a file"):
        load_planner(f"{tmp_path}/none.py:f")
    (tmp_path / "bad.py").write_text("import nothing_of_that_name")
    with pytest.raises(Pi05Error, match="ModuleNotFoundError"):
        load_planner(f"{tmp_path}/bad.py:f")
