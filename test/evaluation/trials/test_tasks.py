"""Names and texts of tasks, and the words of criteria."""

import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.tasks import ALL, check_homes, criterion_kind, find_tasks
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.language import named_thing
from pi05_ros.sim.tasks.registry import TASKS, scorer


def test_tasks_have_a_name_or_a_text_and_count_once():
    by_name, by_text = find_tasks(["dishes"]), find_tasks(["put the dishes in the sink"])
    assert by_name == by_text == find_tasks(["dishes", "put the dishes in the sink"])
    assert (by_name[0].name, by_name[0].room) == ("dishes", "kitchen")
    assert [task.name for task in find_tasks([ALL])] == list(TASKS)
    assert find_tasks(["dishes"], seconds=30.0)[0].seconds == 30.0


def test_the_task_of_one_thing_is_named_by_its_words():
    (task,) = find_tasks(["put the red cup in the sink"])
    assert (task.name, task.room) == ("put-the-red-cup-in-the-sink", "kitchen")


def test_unknown_names_and_homes_without_the_thing_are_errors():
    with pytest.raises(Pi05Error, match="there is no task 'dishs'.*dishes"):
        find_tasks(["dishs"])
    (task,) = find_tasks(["put the grand piano in the sink"])
    with pytest.raises(Pi05Error, match="^home 10000: no rubric scores the task"):
        check_homes(task, (10_000,))


def test_criteria_of_different_things_are_of_one_kind():
    room = draw_room("kitchen", 10_000)
    score = scorer("put the dishes in the sink", room).score()
    kinds = [criterion_kind(text, room) for text in score.criteria]
    assert kinds == ["pick up …", "place … in the sink"] * 4


def test_a_task_that_draws_its_text_names_a_thing_of_the_home():
    (task,) = find_tasks(["language_unseen"])
    for home in (10_000, 10_001):
        room = draw_room("kitchen_language_unseen", home)
        assert task.text_in(home) == f"put {named_thing(room).phrase} in the sink"
        assert scorer(task.text_in(home), room).score().max_points == 2
    check_homes(task, (10_000,))
    (dishes,) = find_tasks(["dishes"])
    assert dishes.text_in(10_000) == dishes.text
