"""Rubrics of laboratories and of picking up: each point given and refused."""

import numpy as np
import pytest

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.registry import BLOCKS, SORT, TASKS, find_task, room_of, scorer

LAB = draw_room("lab", 0)
BLOCK = LAB.blocks[0]
OTHER = next(item for item in LAB.items if item.belongs_in == "bin")


def scene(**moved):
    """All things at their start, but for some that are at other places (3,)."""
    objects = {item.name: item.pose for item in LAB.items}
    for name, place in moved.items():
        objects[name] = Pose(np.asarray(place, float), objects[name].quaternion)
    return SceneState(0, Pose(np.zeros(3), np.array([1.0, 0, 0, 0])), objects, room="lab")


def inside(name):
    container = LAB.container(name)
    return (container.pose.x, container.pose.y, container.floor)


def lifted(item, by=0.04):
    x, y, z = item.position
    return (x, y, z + by)


def test_a_block_is_picked_up_and_placed_in_the_tray():
    text = f"put {BLOCK.phrase} in the tray"
    rubric = scorer(text, LAB)
    assert rubric.update(scene(), [], 0.0).points == 0
    low = scene(**{BLOCK.name: lifted(BLOCK, 0.02)})
    assert rubric.update(low, [BLOCK.name], 0.1).points == 0
    high = scene(**{BLOCK.name: lifted(BLOCK)})
    assert rubric.update(high, [BLOCK.name], 0.2).criterion_points == (1.0, 0.0)
    placed = scene(**{BLOCK.name: inside("tray")})
    assert rubric.update(placed, [BLOCK.name], 0.3).criterion_points == (1.0, 0.0)  # Still held.
    rubric.update(placed, [], 0.4)
    assert rubric.update(placed, [], 0.5).criterion_points == (1.0, 1.0)
    in_bin = scene(**{BLOCK.name: inside("bin")})
    rubric.update(in_bin, [], 0.6)
    assert rubric.update(in_bin, [], 0.7).criterion_points == (1.0, 0.0)


def test_sorting_wants_each_thing_in_its_own_container():
    rubric = scorer(SORT.text, LAB)
    assert rubric.score().max_points == 2 * len(LAB.items)
    wrong = scene(**{BLOCK.name: inside("bin"), OTHER.name: inside("bin")})
    rubric.update(wrong, [], 0.0)
    score = rubric.update(wrong, [], 0.1)
    given = dict(zip(score.criteria, score.criterion_points, strict=True))
    assert given[f"place {OTHER.phrase} in the bin"] == 1.0
    assert given[f"place {BLOCK.phrase} in the tray"] == 0.0
    assert score.points == 1.0
    assert scorer(BLOCKS.text, LAB).score().max_points == 2 * len(LAB.blocks)


def test_a_thing_that_is_picked_up_must_be_held_at_the_end():
    rubric = scorer(f"pick up {OTHER.phrase}", LAB)
    high = scene(**{OTHER.name: lifted(OTHER)})
    assert rubric.update(high, [], 0.0).points == 0  # It flies, but nobody holds it.
    rubric = scorer(f"pick up {OTHER.phrase}", LAB)
    assert rubric.update(scene(), [OTHER.name], 0.0).points == 0
    assert rubric.update(high, [OTHER.name], 0.1).points == 2
    assert rubric.update(scene(), [], 0.2).criterion_points == (1.0, 0.0)


def test_texts_have_rooms_and_the_evaluation_has_its_four_tasks():
    assert {room_of(text) for text in ("sort", BLOCKS.text, "put the battery in the bin")} == {
        "lab"
    }
    assert room_of("pick up the red block") == "lab"
    assert room_of("pick up the plate") == "kitchen"
    assert find_task("blocks") is BLOCKS and "blocks" not in TASKS
    with pytest.raises(Pi05Error, match="wanted a laboratory, found the kitchen"):
        SORT.rubric(draw_room("kitchen", 0))
