"""Designs of all items: bounding boxes, grasps, proportions."""

import math

import numpy as np
import pytest

from pi05_ros.sim.homes.bedding import make_pillow
from pi05_ros.sim.homes.bedroom_things import make_book, make_clock, make_lamp, make_shoe
from pi05_ros.sim.homes.clutter import CLUTTER
from pi05_ros.sim.homes.dishes import DISHES, make_mug, make_pan
from pi05_ros.sim.homes.garments import GARMENTS, UNSEEN_GARMENTS
from pi05_ros.sim.homes.held_out import HELD_OUT
from pi05_ros.sim.homes.items import Grasp
from pi05_ros.sim.homes.parts import ALONG_X, Part, bounds, lying
from pi05_ros.sim.homes.small_items import SMALL_ITEMS, UNSEEN_SMALL_ITEMS

SMALL = {**SMALL_ITEMS, **UNSEEN_SMALL_ITEMS}
CLOTHES = {**GARMENTS, **UNSEEN_GARMENTS, "pillow": make_pillow}
THINGS = {"lamp": make_lamp, "book": make_book, "clock": make_clock, "shoe": make_shoe}
ALL = {**DISHES, **HELD_OUT, **CLUTTER, **SMALL, **CLOTHES, **THINGS}
GRIPPER_OPENING = 0.08  # m, of both platforms.


@pytest.mark.parametrize("kind", ALL)
def test_the_origin_is_below_the_middle_of_the_bounding_box(kind):
    design = ALL[kind](np.random.default_rng(5), "red")
    low, high = bounds(design.parts)
    assert low[:2] == pytest.approx(-high[:2], abs=1e-9)
    assert -1e-9 <= low[2] <= 0.004, "it stands on its base"
    assert design.size == pytest.approx((2 * high[0], 2 * high[1], high[2]))


@pytest.mark.parametrize("kind", ALL)
def test_it_is_felt_from_its_base_up_and_not_beyond_what_is_seen(kind):
    design = ALL[kind](np.random.default_rng(5), "red")
    colliding = [part.bounds() for part in design.parts if part.collides]
    low, high = (
        np.min([f[0] for f in colliding], axis=0),
        np.max([f[1] for f in colliding], axis=0),
    )
    assert low[2] == pytest.approx(0.0, abs=1e-9)
    assert (
        high <= np.array([design.size[0] / 2, design.size[1] / 2, design.size[2]]) + 0.005
    ).all()


@pytest.mark.parametrize("kind", [*DISHES, *HELD_OUT, *SMALL])
def test_it_is_graspable_inside_its_box_and_fits_between_the_fingers(kind):
    design = ALL[kind](np.random.default_rng(5), "red")
    x, y, z = design.size
    grasp = design.grasp
    assert abs(grasp.point[0]) + grasp.radius <= x / 2
    assert abs(grasp.point[1]) + grasp.radius <= y / 2
    assert 0.01 <= grasp.point[2] <= z + 0.01
    assert grasp.width < GRIPPER_OPENING
    assert (grasp.along is not None) == design.is_long


@pytest.mark.parametrize("kind", CLOTHES)
def test_cloth_is_graspable_at_its_top_and_fits_between_the_fingers(kind):
    design = ALL[kind](np.random.default_rng(5), "red")
    x, y, z = design.size
    grasp = design.grasp
    assert abs(grasp.point[0]) <= x / 2 and abs(grasp.point[1]) <= y / 2
    assert 0.05 <= grasp.point[2] <= min(0.08, z)
    assert grasp.radius == 0.0 and grasp.along is not None and grasp.width < GRIPPER_OPENING


def test_distance_to_a_rim_and_to_a_point():
    rim = Grasp((0.0, 0.0, 0.05), 0.01, radius=0.1)
    assert rim.distance(np.array([0.1, 0.0, 0.05])) == pytest.approx(0.0)
    assert rim.distance(np.array([0.0, 0.0, 0.05])) == pytest.approx(0.1)
    assert rim.distance(np.array([0.0, -0.13, 0.09])) == pytest.approx(0.05)
    point = Grasp((0.08, 0.0, 0.03), 0.02, along=0.0)
    assert point.distance(np.array([0.08, 0.03, 0.07])) == pytest.approx(0.05)


def test_centring_moves_the_grasp_along():
    mug = make_mug(np.random.default_rng(0), "blue")
    assert mug.grasp.point[0] < -0.01, "the rim's middle is away from the handle"
    pan = make_pan(np.random.default_rng(0), "")
    assert pan.grasp.point[0] > 0.05, "the handle is towards x"
    assert math.hypot(*pan.size[:2]) / 2 == pytest.approx(pan.footprint)


def test_bounds_of_a_turned_part():
    low, high = Part("capsule", (0.01, 0.05), (1.0, 0.0, 0.0), ALONG_X).bounds()
    assert low == pytest.approx([0.94, -0.01, -0.01])
    assert high == pytest.approx([1.06, 0.01, 0.01])


def test_a_capsule_is_laid_down_along_a_yaw():
    low, high = Part("capsule", (0.01, 0.09), quaternion=lying(math.pi / 6)).bounds()
    # Half length 0.09 + 0.01 along the axis is the bound that `Part` computes with.
    x, y = 0.1 * math.cos(math.pi / 6), 0.1 * math.sin(math.pi / 6)
    assert high == pytest.approx([x + 0.01 * 0.5, y + 0.01 * math.cos(math.pi / 6), 0.01])
    assert low == pytest.approx(-high)
