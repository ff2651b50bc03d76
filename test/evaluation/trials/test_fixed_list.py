"""The list that an external planner of its own reads."""

import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.trials.external import FIXED_LIST, load_planner
from pi05_ros.evaluation.trials.fixed_list import ANSWERS
from pi05_ros.sim.tasks.registry import BED, DISHES, ITEMS, LANGUAGE


def texts(task, count):
    """The first subtasks of a task, each as often as it stands."""
    planner = load_planner(FIXED_LIST)
    planner.begin_task(task)
    return [planner.predict(None, task, ()).text for _ in range(count * ANSWERS)]


def test_each_subtask_stands_for_some_answers():
    assert texts(DISHES.text, 3) == [
        *["pick up the plate"] * ANSWERS,
        *["put the plate in the sink"] * ANSWERS,
        *["pick up the bowl"] * ANSWERS,
    ]


def test_the_list_of_a_task_begins_again():
    found = texts(BED.text, 4)[::ANSWERS]
    assert found[0] == found[3] == "straighten the blanket"
    assert texts(ITEMS.text, 2)[::ANSWERS] == ["open the drawer", "pick up the sponge"]
    # A thing that is named does not help it.
    assert texts(LANGUAGE.text, 1)[0] == texts("put the red cup in the sink", 1)[0]


def test_a_task_must_begin():
    with pytest.raises(Pi05Error, match="begin_task first"):
        load_planner(FIXED_LIST).predict(None, DISHES.text, ())
