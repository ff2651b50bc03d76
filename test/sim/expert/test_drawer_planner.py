"""Choice of the next subtask for a drawer, from where things are."""

import numpy as np
import pytest
from fakes.scene import observation_of

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.grasps import hand_poses
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.language import UnknownText
from pi05_ros.sim.expert.transforms import Transform, on_floor
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.kitchen import draw_kitchen

TASK = "put the items in the drawer"
PLATFORM = load_platform("mobile_18dof")
KINEMATICS = ArmKinematics(PLATFORM)
KITCHEN = draw_kitchen(10000)
DRAWER = KITCHEN.fixture("drawer_1")
(ITEM,) = KITCHEN.belonging_in("drawer_1")
COUNTER = KITCHEN.counters[0]
PICK, PLACE = f"pick up {ITEM.phrase}", f"put {ITEM.phrase} in the drawer"
OPEN, CLOSE = "open the drawer", "close the drawer"


@pytest.fixture(scope="module")
def shared():
    return ExpertBrain(PLATFORM, kinematics=KINEMATICS)


@pytest.fixture
def brain(shared):
    shared.begin_task(TASK)
    return shared


def drawer_at(opening):
    """The drawer's position (3,) when it is open by so much [m]."""
    x, y = DRAWER.pose.point((-opening, 0.0))
    return np.array([x, y, DRAWER.height])


def inside(opening):
    """A place (3,) for the item in the drawer."""
    x, y = DRAWER.pose.point((0.1 - opening, 0.0))
    return np.array([x, y, DRAWER.height + 0.001])


def in_hand(opening):
    """Arguments of `ask`: the item in the left hand, high over the counter."""
    state = np.array(PLATFORM.home)
    state[PLATFORM.index("left_gripper")] = 0.1
    state[PLATFORM.index("torso_lift")] += 0.1
    pose = Transform.from_pose(ITEM.pose)
    hand_to_item = pose.position - hand_poses(ITEM.grasp, pose, COUNTER.pose.yaw)[0].position
    base = (*COUNTER.pose.point((-0.6, 0.0)), COUNTER.pose.yaw)
    tcp = on_floor(FloorPose(*base)).apply(KINEMATICS.tcps(state)["left"].position)
    moved = {ITEM.name: tcp + hand_to_item, "drawer_1": drawer_at(opening)}
    return {"state": state, "base": base, "moved": moved}


def ask(brain, stamp=1.0, **scene):
    prediction = brain.predict_subtask(
        observation_of(PLATFORM, KITCHEN, stamp=stamp, **scene), TASK
    )
    return prediction.text, prediction.done


def test_the_item_is_picked_up_before_the_drawer_is_opened(brain):
    assert ask(brain) == (PICK, False)
    assert ask(brain, stamp=2.0, **in_hand(0.0)) == (OPEN, False)
    assert ask(brain, stamp=3.0, **in_hand(0.1)) == (OPEN, False)
    assert ask(brain, stamp=4.0, **in_hand(0.25)) == (PLACE, False)
    assert ask(brain, stamp=5.0, **in_hand(0.05)) == (OPEN, False)  # Somebody shut it.


def test_with_the_item_inside_the_drawer_is_closed_and_the_task_is_done(brain):
    moved = {ITEM.name: inside(0.2), "drawer_1": drawer_at(0.2)}
    assert ask(brain, moved=moved) == (CLOSE, False)
    moved = {ITEM.name: inside(0.0)}
    assert ask(brain, stamp=2.0, moved=moved) == ("", True)
    moved = {ITEM.name: inside(0.1), "drawer_1": drawer_at(0.1)}
    assert ask(brain, stamp=3.0, moved=moved) == (CLOSE, False)  # It was opened again.


def test_an_item_that_was_dropped_is_picked_up_again(brain):
    assert ask(brain, **in_hand(0.25)) == (PLACE, False)
    text, _ = ask(brain, stamp=2.0, moved={"drawer_1": drawer_at(0.25)})
    assert text in (PICK, CLOSE)


@pytest.mark.parametrize(("along", "first"), [(0.0, CLOSE), (0.2, CLOSE), (1.1, PICK)])
def test_an_open_drawer_is_closed_where_the_base_must_stand(brain, along, first):
    """`along`: distance of the item from the drawer along the counter [m]."""
    middle = float(COUNTER.pose.local((DRAWER.pose.x, DRAWER.pose.y))[1])
    y = middle - along * np.sign(middle)
    place = np.array([*COUNTER.pose.point((0.2, y)), COUNTER.height])
    moved = {ITEM.name: place, "drawer_1": drawer_at(0.2)}
    assert ask(brain, moved=moved) == (first, False)


def test_the_boxes_of_a_subtask_about_the_drawer_are_around_the_drawer(brain):
    observation = observation_of(PLATFORM, KITCHEN, **in_hand(0.0))
    boxes = brain.predict_subtask(observation, TASK).boxes
    assert {box.label for box in boxes} <= {"drawer"}


def test_a_drawer_is_opened_and_closed_by_name(brain):
    base = (*COUNTER.pose.point((-0.8, 0.0)), COUNTER.pose.yaw)
    for text in (OPEN, CLOSE):
        scene = observation_of(PLATFORM, KITCHEN, base=base, moved={"drawer_1": drawer_at(0.12)})
        chunk = brain.predict_chunk(scene, text).actions
        assert np.abs(chunk[:, PLATFORM.is_velocity]).max() > 0.1
    scene = observation_of(PLATFORM, KITCHEN, base=base)
    shut = brain.predict_chunk(scene, CLOSE).actions
    assert np.abs(shut[:, PLATFORM.is_velocity]).max() == 0.0  # It is shut already.


def test_what_moves_not_is_not_opened(brain, caplog):
    brain.predict_chunk(observation_of(PLATFORM, KITCHEN), "open the sink")
    assert "no 'the sink' here that moves" in caplog.text
    with pytest.raises(UnknownText, match="put the items in the drawer"):
        brain.predict_subtask(observation_of(PLATFORM, KITCHEN), "fill the drawer")
