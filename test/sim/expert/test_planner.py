"""Choice of the next subtask from the positions of the dishes."""

import numpy as np
import pytest
from fakes.scene import in_sink, kitchen_with, observation_of

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.grasps import hand_poses
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.language import pick_text, place_text
from pi05_ros.sim.expert.transforms import Transform, on_floor
from pi05_ros.sim.homes.geometry import FloorPose

TASK = "put the dishes in the sink"
PLATFORM = load_platform("mobile_18dof")
KITCHEN = kitchen_with("cup")


@pytest.fixture(scope="module")
def shared():
    return ExpertBrain(PLATFORM)


@pytest.fixture
def brain(shared):
    shared.begin_task(TASK)
    return shared


def ask(brain, stamp=1.0, task=TASK, **scene):
    return brain.predict_subtask(observation_of(PLATFORM, KITCHEN, stamp=stamp, **scene), task)


def held(item, lift):
    """Arguments of `ask`: the item in the left hand, its base `lift` [m] above the counter."""
    counter = KITCHEN.counters[0]
    state = np.array(PLATFORM.home)
    state[PLATFORM.index("left_gripper")] = 0.1
    base = (*counter.pose.point((-0.34, 0.0)), counter.pose.yaw)
    kinematics = ArmKinematics(PLATFORM)
    pose = Transform.from_pose(item.pose)
    hand_to_item = pose.position - hand_poses(item.grasp, pose, counter.pose.yaw)[0].position
    tcp = kinematics.tcps(state)["left"].position
    # The torso brings the hand to where the item hangs at the wanted height.
    state[PLATFORM.index("torso_lift")] += counter.height + lift - (tcp + hand_to_item)[2]
    tcp = on_floor(FloorPose(*base)).apply(kinematics.tcps(state)["left"].position)
    return {"state": state, "base": base, "moved": {item.name: tcp + hand_to_item}}


def test_it_begins_with_the_nearest_dish(brain):
    counter = KITCHEN.counters[0]
    for item in KITCHEN.dishes:
        y = float(counter.pose.local(item.position)[1])
        brain.begin_task(TASK)
        base = (*counter.pose.point((-0.5, y)), counter.pose.yaw)
        text = ask(brain, base=base).text
        near = [d for d in KITCHEN.dishes if abs(counter.pose.local(d.position)[1] - y) < 0.4]
        assert text in [pick_text(d) for d in near]


def test_it_stays_with_the_dish_it_began_with(brain):
    first = ask(brain).text
    far = (*KITCHEN.counters[0].pose.point((-0.5, 1.2)), 0.0)
    near = (*KITCHEN.counters[0].pose.point((-0.5, -1.2)), 0.0)
    assert ask(brain, stamp=2.0, base=far).text == first
    assert ask(brain, stamp=3.0, base=near).text == first


def test_dishes_in_the_sink_are_left_alone(brain):
    moved = {item.name: in_sink(KITCHEN) for item in KITCHEN.dishes[:3]}
    assert ask(brain, moved=moved).text == pick_text(KITCHEN.dishes[3])


def test_done_when_all_are_in_the_sink(brain):
    moved = {item.name: in_sink(KITCHEN) for item in KITCHEN.dishes}
    prediction = ask(brain, moved=moved)
    assert (prediction.text, prediction.done, prediction.boxes) == ("", True, ())


def test_a_task_about_one_dish_is_about_that_dish(brain):
    item = KITCHEN.dishes[2]
    task = place_text(item)
    assert ask(brain, task=task).text == pick_text(item)
    assert ask(brain, task=task, moved={item.name: in_sink(KITCHEN)}).done


def test_what_is_lifted_goes_to_the_sink(brain):
    item = next(d for d in KITCHEN.dishes if d.design.kind == "cup")
    assert ask(brain, stamp=1.0, **held(item, lift=0.001)).text == pick_text(item)
    assert ask(brain, stamp=2.0, **held(item, lift=0.08)).text == place_text(item)
    # Lowered into the sink it is still on its way.
    assert ask(brain, stamp=3.0, **held(item, lift=-0.05)).text == place_text(item)


def test_a_dish_that_slipped_out_of_the_hand_is_picked_up_again(brain):
    item = next(d for d in KITCHEN.dishes if d.design.kind == "cup")
    scene = held(item, lift=0.08)
    assert ask(brain, stamp=1.0, **scene).text == place_text(item)
    scene["moved"] = {}  # Back on the counter.
    assert ask(brain, stamp=2.0, **scene).text.startswith("pick up")


@pytest.mark.parametrize(("x", "is_tried"), [(-0.5, True), (0.3, False)])
def test_a_dish_on_the_floor_is_fetched_where_the_base_has_room(brain, x, is_tried):
    item, frame = KITCHEN.dishes[0], KITCHEN.counters[0].pose
    floor = frame.point((x, 0.0, 0.0))  # In front of the counter, or below it.
    others = {d.name: in_sink(KITCHEN) for d in KITCHEN.dishes[1:]}
    prediction = ask(brain, moved={item.name: floor, **others})
    assert prediction.text == (pick_text(item) if is_tried else "")
    assert not prediction.done


def test_what_takes_too_long_is_put_off_and_at_last_given_up(brain):
    limit = ScriptedExpertConfig().give_up
    texts, stamp = [], 0.0
    for _ in range(13):
        texts.append(ask(brain, stamp=stamp).text)
        stamp += limit + 1.0
    dishes = {pick_text(item) for item in KITCHEN.dishes}
    assert set(texts[:4]) == dishes  # Each gets its turn before one gets a second.
    assert set(texts[4:8]) == dishes
    assert texts[12] == ""  # After three rounds without any success it says so.
    assert not ask(brain, stamp=stamp).done
