"""Choice of the next subtask of a bed, from hand-made states."""

import numpy as np
import pytest
from fakes.scene import observation_of

from pi05_ros.brain.observation import Pose
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.homes.bedroom import draw_bedroom
from pi05_ros.sim.homes.geometry import FloorPose, yaw_quaternion

TASK = "make the bed"
PLATFORM = load_platform("mobile_18dof")
ROOM = draw_bedroom(0)
A, B = ROOM.pillows


@pytest.fixture(scope="module")
def shared():
    return ExpertBrain(PLATFORM)


@pytest.fixture
def brain(shared):
    shared.begin_task(TASK)
    return shared


def pose(frame, x=0.0, y=0.0, yaw=0.0, height=ROOM.bed.height):
    """A pose in odom, displaced in a frame."""
    moved = frame.compose(FloorPose(x, y, yaw))
    return Pose(np.array([moved.x, moved.y, height]), yaw_quaternion(moved.yaw))


def ask(brain, stamp=1.0, task=TASK, **moved):
    observation = observation_of(PLATFORM, ROOM, stamp=stamp, moved=moved)
    return brain.predict_subtask(observation, task)


NEAR, FAR = ROOM.pillow_places
BLANKET = ROOM.fixture("blanket").pose
MADE = {"blanket": pose(BLANKET), A.name: pose(FAR), B.name: pose(NEAR)}


def test_the_blanket_comes_first_then_the_pillows(brain):
    away = pose(BLANKET, y=0.2)
    assert ask(brain, blanket=away).text == "straighten the blanket"
    texts = {f"pick up {A.phrase}", f"pick up {B.phrase}"}
    first = ask(brain, 2.0).text
    assert first in texts
    assert ask(brain, 3.0).text == first  # It stays with what it began with.
    assert ask(brain, 4.0, **{A.name: pose(FAR)}).text == f"pick up {B.phrase}"


@pytest.mark.parametrize(("x", "yaw", "is_made"), [
    (0.02, 0.0, True), (0.03, 0.0, False), (0.0, 0.02, True), (0.0, 0.05, False),
])  # fmt: skip
def test_a_blanket_must_lie_neatly(brain, x, yaw, is_made):
    prediction = ask(brain, **MADE | {"blanket": pose(BLANKET, x=x, yaw=yaw)})
    assert prediction.done == is_made


@pytest.mark.parametrize(("displaced", "is_made"), [
    ({"x": 0.05}, True), ({"x": 0.07}, False), ({"yaw": 0.1}, True), ({"yaw": 0.2}, False),
    ({"yaw": np.pi}, True), ({"height": 0.0}, False),
])  # fmt: skip
def test_pillows_must_lie_neatly_and_may_be_turned_round(brain, displaced, is_made):
    prediction = ask(brain, **MADE | {B.name: pose(NEAR, **displaced)})
    assert prediction.done == is_made
    assert prediction.text == ("" if is_made else f"pick up {B.phrase}")


def test_both_pillows_at_one_place_are_not_a_made_bed(brain):
    prediction = ask(brain, **MADE | {B.name: pose(FAR, height=ROOM.bed.height + 0.04)})
    assert not prediction.done


def test_what_takes_too_long_is_deferred_and_given_up(brain):
    limit, stamp, texts = ScriptedExpertConfig().give_up, 0.0, []
    for _ in range(10):
        texts.append(ask(brain, stamp, blanket=pose(BLANKET, y=0.2)).text)
        stamp += limit + 1.0
    assert texts[0] == "straighten the blanket"
    assert len(set(texts[:3])) == 3  # Each thing gets its turn before one gets a second.
    assert texts[9] == "" and not ask(brain, stamp, blanket=pose(BLANKET, y=0.2)).done


def test_boxes_are_around_what_the_subtask_is_about(brain):
    prediction = ask(brain, blanket=pose(BLANKET, y=0.2))
    assert {box.label for box in prediction.boxes} <= {"blanket"}
    assert ask(brain, 2.0, **MADE).boxes == ()
