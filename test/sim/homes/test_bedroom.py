"""Bedrooms from seeds: the tasks must be feasible in every one."""

import functools
import hashlib
import itertools

import numpy as np
import pytest

from pi05_ros.sim.homes.bedding import BLANKET, PILLOW
from pi05_ros.sim.homes.bedroom import draw_bedroom as draw_anew
from pi05_ros.sim.homes.bedroom import draw_unseen_bedroom
from pi05_ros.sim.homes.bedroom_furniture import BASKET, BASKET_WALL
from pi05_ros.sim.homes.garments import GARMENTS, UNSEEN_GARMENTS
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.parts import bounds
from pi05_ros.sim.homes.room import Bedroom
from pi05_ros.sim.tasks.laundry import bounds_of_contacts

draw_bedroom = functools.cache(draw_anew)
SEEDS = [*range(60), 9999, 10000, 19999, 20000, 2**40]
REACH = (0.02, 0.47)  # Of a hand, behind the front edge of a bed [m].


def digest(bedroom: Bedroom) -> str:
    """Fingerprint of the positions of all things, to a millimetre."""
    lines = [
        f"{i.name} {i.phrase} {i.position[0]:.3f} {i.position[1]:.3f} {i.yaw:.3f}"
        for i in bedroom.items
    ]
    lines += [f"{s.name} {s.length:.3f} {s.depth:.3f} {s.height:.3f}" for s in bedroom.surfaces]
    lines += [f"{j.start:.3f}" for j in bedroom.fixture("blanket").joints]
    basket = bedroom.container("basket")
    lines += [str(bedroom.look), f"{basket.pose.x:.3f} {basket.pose.y:.3f} {basket.top:.3f}"]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def outline(bedroom: Bedroom, parts, pose: FloorPose) -> np.ndarray:
    """Corners (4, 2) in the room's frame of the bounds of what is seen of a thing."""
    low, high = bounds(parts)
    pose = bedroom.walls.pose.inverse().compose(pose)
    corners = ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
    return np.array([pose.point(corner) for corner in corners])


def gap(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of two convex outlines along the best normal of their edges; negative: overlap."""
    gaps = []
    for polygon in (a, b):
        for edge in np.roll(polygon, -1, axis=0) - polygon:
            normal = np.array([edge[1], -edge[0]]) / np.linalg.norm(edge)
            gaps += [(a @ normal).min() - (b @ normal).max()]
            gaps += [(b @ normal).min() - (a @ normal).max()]
    return max(gaps)


def in_room(bedroom: Bedroom, position) -> np.ndarray:
    """A point of odom in the frame of bed and room, (3,)."""
    return bedroom.bed.pose.local(position)


@pytest.mark.parametrize(
    ("seed", "fingerprint"),
    [(0, "bf1bfcf9d56d7f8b"), (7, "06d1315f483005f5"), (20000, "c3e7a38cafd3c857")],
)
def test_a_seed_gives_the_same_bedroom_for_ever(seed, fingerprint):
    """A change here changes what every result on mock homes means: say so in the CHANGELOG."""
    np.random.seed(seed)  # Nothing global has a say.
    assert digest(draw_anew(seed)) == fingerprint


def test_seeds_differ_and_cover_the_variety():
    bedrooms = [draw_bedroom(seed) for seed in range(60)]
    assert len({digest(b) for b in bedrooms}) == 60
    assert {b.head for b in bedrooms} == {-1, 1}
    assert {i.design.kind for b in bedrooms for i in b.laundry} == set(GARMENTS)
    assert {"lamp", "book", "clock", "shoe"} <= {i.design.kind for b in bedrooms for i in b.items}
    assert {b.look.floor_pattern for b in bedrooms} == {"wood", "checker"}


def test_held_out_garments_are_in_no_bedroom_for_training():
    unseen = [draw_unseen_bedroom(seed) for seed in range(40)]
    assert {i.design.kind for b in unseen for i in b.laundry} == set(UNSEEN_GARMENTS)
    assert not set(GARMENTS) & set(UNSEEN_GARMENTS)
    assert all(b.kind == "bedroom_unseen" for b in unseen)


@pytest.mark.parametrize("seed", SEEDS)
def test_bedding_is_within_reach_and_on_the_bed(seed):
    bedroom = draw_bedroom(seed)
    bed, half = bedroom.bed, bedroom.bed.length / 2
    phrases = [pillow.phrase for pillow in bedroom.pillows]
    assert len(set(phrases)) == len(phrases) == 2
    for pillow in bedroom.pillows:
        x, y, z = in_room(bedroom, pillow.position)
        edge = x + pillow.design.grasp.point[0]
        assert REACH[0] < edge < REACH[1]
        assert abs(y) < half - PILLOW[1] / 2 and z == pytest.approx(bed.height)
        assert bedroom.head * y < half - 0.5 - PILLOW[1] / 2  # Not at the head already.
    for place in bedroom.pillow_places:
        x, y = bed.pose.local((place.x, place.y))
        assert REACH[0] < x + pillow.design.grasp.point[0] < REACH[1]
        assert 0 < half - bedroom.head * y - PILLOW[1] / 2 < 0.1
    near, far = (bed.pose.local((p.x, p.y))[0] for p in bedroom.pillow_places)
    assert far - near > PILLOW[0] and far + PILLOW[0] / 2 < bed.depth
    blanket = bedroom.fixture("blanket")
    for starts in itertools.product(*((0.0, joint.start) for joint in blanket.joints)):
        at = blanket.pose.compose(FloorPose(*starts))
        x, y = bed.pose.local(at.point(blanket.grasp.point[:2]))
        assert REACH[0] < x < REACH[1] and abs(y) < half
    _, y = bed.pose.local((blanket.pose.x, blanket.pose.y))
    assert half - abs(y) + 1e-9 > BLANKET[1] / 2  # It does not hang over the foot.


@pytest.mark.parametrize("seed", SEEDS)
def test_laundry_and_basket_are_free(seed):
    bedroom = draw_bedroom(seed)
    half, head = bedroom.bed.length / 2, bedroom.head
    (garment,) = bedroom.laundry
    basket = bedroom.container("basket")
    x, y, z = in_room(bedroom, garment.position)
    bx, by = bedroom.bed.pose.local((basket.pose.x, basket.pose.y))
    outer = BASKET / 2 + BASKET_WALL
    assert z == 0 and -0.2 < x < 0.1
    # Beyond the foot of the bed, with room for the robot's base beside bed and walls.
    for place, size in ((y, garment.design.footprint), (by, outer)):
        beyond = -head * place - half
        end = -head * (bedroom.walls.y[0] if head > 0 else bedroom.walls.y[1]) - half
        assert beyond - size + 0.1 > 0.3 and beyond + size < end - 0.1
    assert abs(by - y) > outer + garment.design.footprint + 0.1
    # A base whose hand is at the garment does not reach the basket.
    assert bx - outer > x - 0.30 + 0.33 - 0.1
    assert bx + outer < bedroom.bed.depth
    low, high = bounds_of_contacts(garment)
    assert (high - low)[:2].max() < BASKET - 0.05
    for item in bedroom.items:
        if item is not garment and item.surface == "floor":
            there = in_room(bedroom, item.position)
            assert there[0] > 0.5 and abs(there[1] - by) > outer + 0.1


def test_an_overlap_of_outlines_is_found():
    """Two unit squares, one turned by 45° at a distance of 1.3 or 1.1: half diagonal 0.707."""
    square = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    turned = np.array([(0.0, -0.5), (0.5, 0.0), (0.0, 0.5), (-0.5, 0.0)]) * np.sqrt(2)
    assert gap(square, turned + [1.3, 0.0]) == pytest.approx(1.3 - 0.5 - np.sqrt(0.5))
    assert gap(square, turned + [1.1, 0.0]) == pytest.approx(1.1 - 0.5 - np.sqrt(0.5))


@pytest.mark.parametrize("draw", [draw_anew, draw_unseen_bedroom])
def test_nothing_cuts_into_another_thing_a_wall_or_the_floor(draw):
    for seed in SEEDS:
        bedroom = draw(seed)
        (back, wall), (right, left) = bedroom.walls.x, bedroom.walls.y
        blanket = bedroom.fixture("blanket")
        start = blanket.pose.compose(FloorPose(*(joint.start for joint in blanket.joints)))
        outlines = {
            i.name: outline(bedroom, i.design.parts, FloorPose(*i.position[:2], i.yaw))
            for i in bedroom.items
        }
        cloth = outline(bedroom, blanket.parts, start)
        for name, corners in (*outlines.items(), ("blanket", cloth)):
            skirting = 0.012
            assert corners[:, 0].max() < wall - skirting and corners[:, 0].min() > back, name
            assert right < corners[:, 1].min() and corners[:, 1].max() < left, name
        assert cloth[:, 0].min() > -0.16  # It does not hang far over the front,
        assert abs(cloth[:, 1]).max() < bedroom.bed.length / 2  # nor over the ends.
        for a, b in itertools.combinations(bedroom.items, 2):
            if a.surface == b.surface != "nightstand":  # A lamp's shade is above the book.
                assert gap(outlines[a.name], outlines[b.name]) > 0.0, (seed, a.name, b.name)
        for item in bedroom.items:
            low, _ = bounds(item.design.parts)
            assert low[2] > -1e-9, f"{item.name} is in what supports it"


def test_the_robot_starts_in_the_aisle():
    for seed in SEEDS:
        bedroom = draw_bedroom(seed)
        x, y = bedroom.bed.pose.local((0.0, 0.0))
        assert -1.6 < x < -0.95
        assert bedroom.walls.y[0] + 0.5 < y < bedroom.walls.y[1] - 0.5
        assert bedroom.walls.x[0] + 0.9 < x
