"""Scenes of rooms: what is said of a place is where the thing is."""

import math

import mujoco
import numpy as np
import pytest

from pi05_ros.evaluation.collection.arrangements import Arrangements
from pi05_ros.evaluation.collection.furniture import (
    fixture_states,
    furniture_labels,
    furniture_of_geoms,
)
from pi05_ros.evaluation.collection.labels import absent_furniture, labels_in
from pi05_ros.evaluation.collection.settings import CollectError
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.home_spec import fixture_body, item_body
from pi05_ros.sim.homes.garments import UNSEEN_GARMENTS
from pi05_ros.sim.homes.held_out import HELD_OUT
from pi05_ros.sim.homes.rooms import ROOMS, TRAINING_ROOMS, draw_room
from pi05_ros.sim.homes.small_items import UNSEEN_SMALL_ITEMS
from pi05_ros.sim.world import World

PLATFORM = load_platform("mobile_18dof")


@pytest.fixture(scope="module")
def kinematics():
    return ArmKinematics(PLATFORM)


def is_at(room, words, position, objects) -> bool:
    """Check words for a place against a position in odom."""
    for container in room.containers:
        here = room.container(container.name, objects)
        if words == f"in {here.phrase}":
            return here.contains(position)
    if words == "on the floor":
        return bool(position[2] < 0.01)
    name = words.removeprefix("on the ").replace(" ", "_")
    surface = room.surface(name)
    x, y, z = surface.pose.local(position)
    on = 0 <= x <= surface.depth and abs(y) <= surface.length / 2
    return bool(on and abs(z - surface.height) < 0.01)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("kitchen", {"on the counter", "in the sink", "in the drawer"}),
        ("bedroom", {"on the bed", "on the floor", "in the basket", "on the nightstand"}),
    ],
)
def test_places_in_words_are_where_things_are(kinematics, kind, words):
    said, states = set(), set()
    for home in (10001, 10002):
        world = World(PLATFORM, home, kind)
        room, data = world.room, mujoco.MjData(world.model)
        scenes = Arrangements(world, kinematics, np.random.default_rng(home))
        for number in range(12):
            scene = scenes.draw(number)
            data.qpos[:] = scene.snapshot.qpos
            mujoco.mj_kinematics(world.model, data)
            for fixture in room.fixtures:
                pose = scene.objects[fixture.name]
                body = data.body(fixture_body(fixture.name))
                assert body.xpos == pytest.approx(pose.position, abs=1e-6)
                assert abs(body.xquat @ pose.quaternion) == pytest.approx(1.0)
            for item in room.items:
                position = data.body(item_body(item.name)).xpos
                place = scene.places[item.name]
                assert is_at(room, place, position, scene.objects), (item.name, place)
            said |= set(scene.places.values())
            states |= set(fixture_states(room, scene.objects).values())
    assert words <= said
    assert states == (set() if kind == "bedroom" else {"open", "shut"})


def test_the_robot_stands_before_the_bed_and_before_the_laundry(kinematics):
    world = World(PLATFORM, 10003, "bedroom")
    scenes = Arrangements(world, kinematics, np.random.default_rng(1))
    start = world.base_pose()
    aside, data = [], mujoco.MjData(world.model)
    for number in range(16):
        data.qpos[:] = scenes.draw(number).snapshot.qpos
        mujoco.mj_kinematics(world.model, data)
        x, y, _ = data.body(PLATFORM.base_frame).xpos
        if number == 0:
            assert (x, y) == pytest.approx(start[:2])
            continue
        local = world.room.bed.pose.local((x, y))
        assert -1.6 < local[0] < -0.2
        aside.append(abs(local[1]) > world.room.bed.length / 2)
    assert 2 < sum(aside) < 14, "at both sites"


@pytest.mark.parametrize("kind", ["kitchen", "bedroom"])
def test_geoms_of_furniture_are_within_its_outline(kind):
    world = World(PLATFORM, 10002, kind)
    room, labels = world.room, furniture_labels(world.room)
    owner = furniture_of_geoms(room, world.model)
    assert {labels[i] for i in owner if i >= 0} == set(labels)
    walls = {name for name in range(world.model.ngeom) if owner[name] < 0}
    assert len(walls) > 8
    for container in room.containers:
        label = container.phrase.removeprefix("the ")
        mine = np.flatnonzero(owner == labels.index(label))
        for geom in mine:
            place = container.pose.local(world.data.geom_xpos[geom])
            half = math.hypot(*container.size[:2]) / 2
            assert math.hypot(*place[:2]) < half + 0.25, world.model.geom(int(geom)).name


@pytest.mark.parametrize("kind", ROOMS)
def test_labels_of_a_kind_are_those_of_its_items(kind):
    for home in range(10000, 10006):
        assert {item.label for item in draw_room(kind, home).items} <= set(labels_in(kind))


def test_held_out_things_are_never_spoken_of_in_rooms_for_training():
    assert not set(labels_in("kitchen")) & {"ladle", "whisk", "teapot", "pair of scissors"}
    assert {"ladle", "whisk", "teapot", "pair of scissors"} <= set(labels_in("kitchen_unseen"))
    with pytest.raises(CollectError, match="scenes of a room 'attic' cannot be described"):
        labels_in("attic")
    makers = (HELD_OUT | UNSEEN_SMALL_ITEMS | UNSEEN_GARMENTS).values()
    held_out = {make(np.random.default_rng(0), "red").label for make in makers}
    trained = {label for kind in (*TRAINING_ROOMS, "lab") for label in labels_in(kind)}
    assert not held_out & trained
    assert "counter" not in absent_furniture("kitchen", ["side counter"])
    assert absent_furniture("bedroom", ["bed"]) == (
        "sink", "drawer", "counter", "side counter", "blanket", "basket", "nightstand", "table",
        "tray", "bin",
    )  # fmt: skip
