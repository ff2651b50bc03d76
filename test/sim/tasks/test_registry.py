"""Tasks by text: which room they are done in, and which rubric scores them."""

import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.rooms import ROOMS, draw_room
from pi05_ros.sim.tasks.dishes import one_dish
from pi05_ros.sim.tasks.registry import (
    TASKS,
    TESTS,
    find_task,
    room_of,
    scorer,
    text_in,
    text_in_home,
)


@pytest.mark.parametrize("task", [*TASKS.values(), *TESTS.values()], ids=lambda task: task.name)
def test_each_task_has_a_room_and_a_rubric(task):
    assert find_task(task.name) is find_task(task.text) is task
    assert room_of(task.text) == task.room
    assert task.room in ROOMS
    room = draw_room(task.room, 10003)
    for text in (task.text, task.text_in(room)):
        score = scorer(text, room).score()
        assert score.points == 0 < score.max_points
    assert text_in(task.name, room) == task.text_in(room)
    assert text_in("put the cup in the sink", room) == "put the cup in the sink"


def test_a_task_without_a_rubric_names_the_nearest():
    kitchen = draw_room("kitchen", 0)
    text = "put the dishes into sink"
    with pytest.raises(Pi05Error, match="did you mean 'put the dishes in the sink'"):
        scorer(text, kitchen)
    with pytest.raises(Pi05Error, match="did you mean 'put the dishes in the sink'"):
        room_of("put the dishes in the sin")


def test_a_task_about_one_thing_is_done_where_its_place_is():
    assert room_of(one_dish(draw_room("kitchen", 0).dishes[0])) == "kitchen"


def test_a_task_about_one_thing_for_the_drawer_counts_that_thing():
    kitchen = draw_room("kitchen", 0)
    (item,) = kitchen.belonging_in("drawer_1")
    text = f"put {item.phrase} in the drawer"
    assert room_of(text) == "kitchen"
    score = scorer(text, kitchen).score()
    assert score.criteria[0] == f"pick up {item.phrase}" and score.max_points == 4.0
    with pytest.raises(Pi05Error, match=f"did you mean '{text}'"):
        scorer(text + "s", kitchen)


def test_a_room_that_no_home_has_is_refused():
    with pytest.raises(Pi05Error, match="no home has a room 'kitchn'.*did you mean 'kitchen'"):
        draw_room("kitchn", 0)
    with pytest.raises(Pi05Error, match="home -1: a home is a whole number from 0 up"):
        draw_room("kitchen", -1)


@pytest.mark.parametrize("name", ["laundry", "language", "language_unseen"])
def test_a_name_becomes_what_the_robot_is_told_in_that_home(name):
    task = find_task(name)
    assert text_in_home(name, 10003) == task.text_in(draw_room(task.room, 10003)) != name
    assert text_in_home("put the cup in the sink", 10003) == "put the cup in the sink"
