"""Drawers of kitchens from seeds, and the things that belong in them."""

import functools
import hashlib
import itertools
import math

import numpy as np
import pytest

from pi05_ros.brain.observation import Pose
from pi05_ros.sim.homes.geometry import yaw_quaternion
from pi05_ros.sim.homes.kitchen import draw_kitchen as draw_anew
from pi05_ros.sim.homes.parts import bounds
from pi05_ros.sim.homes.room import Kitchen
from pi05_ros.sim.homes.small_items import SMALL_ITEMS, UNSEEN_SMALL_ITEMS

draw_kitchen = functools.cache(draw_anew)

SEEDS = [*range(60), 9999, 10000, 19999, 20000, 20001, 2**40]
TALLEST = 0.07  # m: what stands in the drawer must pass below the worktop.


def in_counter(kitchen: Kitchen, place) -> np.ndarray:
    """A point or floor pose in the main counter's frame, (2,)."""
    point = place if isinstance(place, tuple) else (place.x, place.y)
    return kitchen.counters[0].pose.local(point)[:2]


def opened(kitchen: Kitchen, by: float) -> dict[str, Pose]:
    """The drawer's pose when it is open by a distance [m]."""
    drawer = kitchen.fixture("drawer_1")
    x, y = drawer.pose.point((-by, 0.0))
    place = np.array([x, y, drawer.height])
    return {"drawer_1": Pose(place, yaw_quaternion(drawer.pose.yaw))}


def digest(kitchen: Kitchen) -> str:
    """Fingerprint of the drawer and its things, to a millimetre."""
    drawer, box = kitchen.fixture("drawer_1"), kitchen.container("drawer_1")
    lines = [f"{drawer.pose.x:.3f} {drawer.pose.y:.3f} {drawer.height:.3f}"]
    lines += [f"{box.size[1]:.3f} {drawer.joints[0].range[1]:.3f}"]
    lines += [
        f"{i.name} {i.phrase} {i.position[0]:.3f} {i.position[1]:.3f} {i.yaw:.3f}"
        for i in kitchen.belonging_in("drawer_1")
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("seed", "fingerprint"),
    [(0, "229be364a8dd3e18"), (7, "ce61d8c5cd61fc53"), (20000, "d2a9172b43de000f")],
)
def test_a_seed_gives_the_same_drawer_for_ever(seed, fingerprint):
    assert digest(draw_anew(seed)) == fingerprint


@pytest.mark.parametrize("seed", SEEDS)
def test_the_drawer_is_beside_the_sink_and_not_the_oven(seed):
    kitchen = draw_kitchen(seed)
    counter, sink, drawer = kitchen.counters[0], kitchen.sink, kitchen.fixture("drawer_1")
    box = kitchen.container("drawer_1")
    x, y = in_counter(kitchen, drawer.pose)
    assert x == pytest.approx(0.0) and drawer.pose.yaw == pytest.approx(counter.pose.yaw)
    beside = abs(y - in_counter(kitchen, sink.pose)[1])
    assert beside > sink.size[1] / 2 + box.size[1] / 2 + 0.04
    section = (y + counter.length / 2) / counter.length * round(counter.length / 0.55)
    assert section % 1 == pytest.approx(0.5), "in the middle of a section"
    assert int(section) != kitchen.look.oven


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hand_from_above_has_room_at_the_bar_and_over_the_open_box(seed):
    kitchen = draw_kitchen(seed)
    drawer, top = kitchen.fixture("drawer_1"), kitchen.counters[0].height
    x, y, z = drawer.grasp.point
    assert (x, y) == (-0.07, 0.0) and drawer.height + z == pytest.approx(top - 0.1)
    assert drawer.grasp.along == pytest.approx(math.pi / 2)
    (low, high) = drawer.joints[0].range
    assert low == 0.0 and 0.25 <= high <= 0.30
    box = kitchen.container("drawer_1", opened(kitchen, high))
    front = in_counter(kitchen, box.pose)[0] - box.size[0] / 2
    assert -front > 0.22, "of the box is before the counter"
    assert 0.36 <= box.size[1] <= 0.42 and box.floor == pytest.approx(drawer.height)
    assert top - 0.04 - box.floor > TALLEST


@pytest.mark.parametrize("seed", [*range(12), 2**40])
def test_the_drawer_cuts_into_nothing_shut_and_open(seed):
    kitchen = draw_kitchen(seed)
    drawer = kitchen.fixture("drawer_1")
    y = in_counter(kitchen, drawer.pose)[1]
    solid = [part.bounds() for part in kitchen.furniture if part.shape == "box"]
    for by, part in itertools.product((0.0, 0.1, drawer.joints[0].range[1]), drawer.parts):
        low, high = (corner + [-by, y, drawer.height] for corner in part.bounds())
        for other_low, other_high in solid:
            overlap = np.minimum(high, other_high) - np.maximum(low, other_low)
            assert overlap.min() < 1e-4, (by, part, other_low, other_high)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_small_thing_lies_within_reach_and_fits_into_the_drawer(seed):
    kitchen = draw_kitchen(seed)
    (item,) = kitchen.belonging_in("drawer_1")
    assert item.design.kind in SMALL_ITEMS and not item.is_dish and item.grasp is not None
    x, y = in_counter(kitchen, item.position[:2])
    assert 0.1 - 1e-6 <= x <= 0.4 + 1e-6 and abs(y) <= kitchen.counters[0].length / 2 - 0.15 + 1e-4
    assert item.design.size[2] < TALLEST
    assert item.phrase not in {other.phrase for other in kitchen.items if other is not item}
    for dish in kitchen.belonging_in("sink"):
        assert dish.is_dish and math.dist(dish.position, item.position) >= 0.2 - 1e-6, dish.name


def test_things_and_drawers_vary_and_unseen_kinds_are_never_drawn():
    kitchens = [draw_kitchen(seed) for seed in range(60)]
    kinds = {k.belonging_in("drawer_1")[0].design.kind for k in kitchens}
    assert kinds == set(SMALL_ITEMS)
    assert not set(SMALL_ITEMS) & set(UNSEEN_SMALL_ITEMS)
    sides = {float(np.sign(in_counter(k, k.fixtures[0].pose)[1])) for k in kitchens}
    assert sides >= {-1.0, 1.0}
    assert len({k.container("drawer_1").size[1] for k in kitchens}) > 40


def test_the_container_moves_with_the_drawer():
    kitchen = draw_kitchen(7)
    drawer, shut = kitchen.fixture("drawer_1"), kitchen.container("drawer_1")
    scene = opened(kitchen, 0.2)
    assert drawer.opening(scene["drawer_1"]) == pytest.approx(0.2)
    assert drawer.opening(opened(kitchen, 0.0)["drawer_1"]) == pytest.approx(0.0)
    moved = kitchen.container("drawer_1", scene)
    assert in_counter(kitchen, moved.pose) == pytest.approx(
        in_counter(kitchen, shut.pose) - [0.2, 0.0]
    )
    assert kitchen.container("drawer_1", opened(kitchen, 0.0)).pose.x == pytest.approx(shut.pose.x)
    point = moved.pose.point((0.0, 0.0, moved.floor))
    assert moved.contains(point)
    assert not moved.contains(moved.pose.point((-0.17, 0.0, moved.floor)))
    assert not moved.contains(moved.pose.point((0.0, 0.0, moved.top)))
    assert not shut.contains(moved.pose.point((-0.1, 0.0, moved.floor)))


def test_the_front_of_the_drawer_is_as_wide_as_a_door_and_closes_its_opening():
    kitchen = draw_kitchen(7)
    drawer, counter = kitchen.fixture("drawer_1"), kitchen.counters[0]
    low, high = bounds(drawer.parts)
    width = counter.length / round(counter.length / 0.55)
    assert high[1] - low[1] == pytest.approx(width - 0.012)
    assert drawer.height + high[2] == pytest.approx(counter.height - 0.046)
