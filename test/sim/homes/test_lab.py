"""Laboratories from seeds."""

import hashlib
import itertools
import math

import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.homes.lab import BIN, TRAY
from pi05_ros.sim.homes.lab_objects import KINDS
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.world import World

LABS = [draw_room("lab", seed) for seed in range(60)]


def digest(lab):
    """Fingerprint of the positions of all things, to a millimetre."""
    lines = [f"{i.name} {i.phrase} {i.position[0]:.3f} {i.position[1]:.3f}" for i in lab.items]
    lines += [f"{c.name} {c.pose.x:.3f} {c.pose.y:.3f}" for c in lab.containers]
    return hashlib.sha256("\n".join([*lines, str(lab.look)]).encode()).hexdigest()[:16]


def test_a_seed_gives_the_same_laboratory_for_ever():
    assert digest(draw_room("lab", 0)) == digest(LABS[0]) == "14b463e9e12c7430"
    assert len({digest(lab) for lab in LABS}) == 60


def test_things_have_names_of_their_own_and_a_place_where_they_belong():
    kinds = set()
    for lab in LABS:
        phrases = [item.phrase for item in lab.items]
        assert 4 <= len(phrases) == len(set(phrases)) <= 6
        assert 2 <= len(lab.blocks) <= 3
        for item in lab.items:
            kinds.add(item.design.kind)
            assert item.grasp is not None and not item.is_dish
            assert item.belongs_in == ("tray" if item.design.kind == "block" else "bin")
            assert item.grasp.width <= 0.08  # Between fingers of 0.04 m or more each.
    assert kinds == set(KINDS)


def test_nothing_overlaps_on_the_table():
    for lab in LABS:
        table = lab.surfaces[0]
        for a, b in itertools.combinations(lab.items, 2):
            gap = math.dist(a.position[:2], b.position[:2])
            assert gap > a.design.footprint + b.design.footprint
        for container, size in zip(lab.containers, (TRAY, BIN), strict=True):
            x, y = table.pose.local((container.pose.x, container.pose.y))
            assert size[0] / 2 < x < table.depth - size[0] / 2
            assert abs(y) + size[1] / 2 < table.length / 2
            assert container.floor == pytest.approx(table.height + 0.006)
            for item in lab.items:
                dx, dy, _ = container.pose.local(item.position)
                near = math.hypot(
                    max(abs(dx) - size[0] / 2 - 0.012, 0), max(abs(dy) - size[1] / 2 - 0.012, 0)
                )
                assert near > item.design.footprint


def test_things_rest_on_the_table():
    world = World(load_platform("single_8dof"), 2, "lab")
    before = world.scene_state().objects
    world.step(1.0)
    after = world.scene_state().objects
    for name in before:
        assert math.dist(before[name].position, after[name].position) < 2e-3
