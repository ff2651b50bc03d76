"""Kitchens from seeds: the task must be feasible in every one."""

import functools
import hashlib
import itertools
import math

import numpy as np
import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.items import COLORS
from pi05_ros.sim.homes.kitchen import draw_kitchen as draw_anew
from pi05_ros.sim.homes.room import Kitchen

draw_kitchen = functools.cache(draw_anew)

SEEDS = [*range(60), 9999, 10000, 19999, 20000, 20001, 2**40]


def digest(kitchen: Kitchen) -> str:
    """Fingerprint of the positions of all objects, to a millimetre."""
    lines = [
        f"{i.name} {i.phrase} {i.position[0]:.3f} {i.position[1]:.3f} {i.yaw:.3f}"
        for i in kitchen.items
    ]
    lines += [f"{c.name} {c.length:.3f} {c.depth:.3f} {c.height:.3f}" for c in kitchen.counters]
    lines += [str(kitchen.look), f"{kitchen.sink.pose.x:.3f} {kitchen.sink.pose.y:.3f}"]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def on_main_counter(kitchen: Kitchen, item) -> np.ndarray:
    """Position of an item in the main counter's frame, (3,)."""
    return kitchen.counters[0].pose.local(item.position)


@pytest.mark.parametrize(
    ("seed", "fingerprint"),
    [(0, "11b77d5b9486a340"), (7, "a07d7d57c7c594b8"), (20000, "0ff2ff7e930771fe")],
)
def test_a_seed_gives_the_same_kitchen_for_ever(seed, fingerprint):
    """A change here changes what every result on mock homes means: say so in the CHANGELOG."""
    np.random.seed(seed)  # Nothing global has a say.
    assert digest(draw_anew(seed)) == fingerprint


def test_seeds_differ_and_cover_the_variety():
    kitchens = [draw_kitchen(seed) for seed in range(60)]
    assert len({digest(k) for k in kitchens}) == 60
    assert {i.design.kind for k in kitchens for i in k.dishes} == {
        "plate", "bowl", "cup", "mug", "glass", "fork", "spoon", "knife", "pan",
    }  # fmt: skip
    assert {len(k.counters) for k in kitchens} == {1, 2}
    heights = [k.counters[0].height for k in kitchens]
    assert min(heights) < 0.86 and max(heights) > 0.90
    assert {k.look.floor_pattern for k in kitchens} == {"wood", "checker"}
    assert {k.look.fridge for k in kitchens} == {"none", "left", "right"}


@pytest.mark.parametrize("seed", SEEDS)
def test_dishes_stand_where_an_arm_reaches_them(seed):
    kitchen = draw_kitchen(seed)
    counter = kitchen.counters[0]
    assert len(kitchen.dishes) == 4
    assert 0.84 <= counter.height <= 0.92
    for dish in kitchen.dishes:
        x, y, z = on_main_counter(kitchen, dish)
        assert 0.12 - 1e-6 <= x <= 0.32 + 1e-6, dish.name
        assert abs(y) <= counter.length / 2 - 0.25 + 1e-6, dish.name
        assert z == counter.height
        clear = abs(y - counter.pose.local((kitchen.sink.pose.x, kitchen.sink.pose.y))[1])
        assert clear > kitchen.sink.size[1] / 2 + dish.design.footprint, f"{dish.name} in sink"


@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_apart(seed):
    kitchen = draw_kitchen(seed)
    for a, b in itertools.combinations(kitchen.items, 2):
        distance = math.dist(a.position, b.position)
        assert distance > a.design.footprint + b.design.footprint + 0.07, (a.name, b.name)
        if a.is_dish and b.is_dish:
            assert distance >= 0.2 - 1e-6, (a.name, b.name)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_robot_starts_before_the_counter_looking_at_it(seed):
    kitchen = draw_kitchen(seed)
    counter, room = kitchen.counters[0], kitchen.walls
    x, y = counter.pose.local((0.0, 0.0))
    assert -1.6 <= x <= -1.0 and abs(y) < counter.length / 2
    assert abs(counter.pose.yaw) <= 0.5
    x, y = room.pose.local((0.0, 0.0))
    assert room.x[0] + 0.4 < x < room.x[1] and room.y[0] + 0.4 < y < room.y[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_sink_and_counters_lie_inside_the_room(seed):
    kitchen = draw_kitchen(seed)
    room, main, sink = kitchen.walls, kitchen.counters[0], kitchen.sink
    x, y = main.pose.local((sink.pose.x, sink.pose.y))
    assert x - sink.size[0] / 2 > 0.05 and x + sink.size[0] / 2 < main.depth - 0.08
    assert abs(y) + sink.size[1] / 2 < main.length / 2 - 0.3
    for counter in kitchen.counters:
        for corner in itertools.product((0, counter.depth), (-0.5, 0.5)):
            at = counter.pose.point((corner[0], corner[1] * counter.length))
            x, y = room.pose.local(at)
            assert room.x[0] - 1e-6 <= x <= room.x[1] + 1e-6
            assert room.y[0] - 1e-6 <= y <= room.y[1] + 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_text_names_each_dish_unmistakably(seed):
    kitchen = draw_kitchen(seed)
    assert len({item.name for item in kitchen.items}) == len(kitchen.items)
    phrases = [dish.phrase for dish in kitchen.dishes]
    assert len(set(phrases)) == 4
    for dish in kitchen.dishes:
        twins = [d for d in kitchen.dishes if d.label == dish.label]
        if len(twins) == 1:
            assert dish.phrase == f"the {dish.label}"
        else:
            assert dish.phrase == f"the {dish.design.color_name} {dish.label}"
            assert len({d.design.color_name for d in twins}) == len(twins)


def test_painted_dishes_stand_out_from_the_worktop():
    for seed in range(60):
        kitchen = draw_kitchen(seed)
        for dish in kitchen.dishes:
            if dish.design.color_name:
                color = COLORS[dish.design.color_name]
                assert math.dist(color[:3], kitchen.look.top[:3]) >= 0.35


def test_contains_distinguishes_the_basin_from_the_worktop():
    sink = draw_kitchen(3).sink
    inside = sink.pose.point((0.0, 0.0, sink.floor))
    assert sink.contains(inside)
    assert not sink.contains(sink.pose.point((0.0, 0.0, sink.top)))
    assert not sink.contains(sink.pose.point((sink.size[0] / 2 + 0.01, 0.0, sink.floor)))
    assert not sink.contains(sink.pose.point((0.0, -sink.size[1] / 2 - 0.01, sink.floor)))
    assert not sink.contains(sink.pose.point((0.0, 0.0, 0.1)))


def test_invalid_names_and_seeds_are_refused_by_name():
    with pytest.raises(Pi05Error, match="a home is a whole number from 0 up"):
        draw_kitchen(-1)
    kitchen = draw_kitchen(7)
    with pytest.raises(Pi05Error, match="has no item 'bowl'; did you mean 'bowl_1'"):
        kitchen.item("bowl")
