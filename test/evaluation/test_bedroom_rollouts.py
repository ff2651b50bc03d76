"""The expert does the tasks of a bedroom, and goes on after a disturbance."""

import numpy as np

from pi05_ros.evaluation.rollout import Rollout, RolloutConfig
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.home_spec import fixture_joint, item_joint
from pi05_ros.sim.tasks.registry import BED, LAUNDRY


def rollout_of(task, home, name="mobile_18dof", disturb=None):
    """A finished rollout; `disturb(world)` is called before each step until it returns True."""
    platform = load_platform(name)
    config = RolloutConfig(task=task.text, seconds=task.seconds)
    rollout = Rollout(platform, home, ExpertBrain(platform), config)
    world, step, done = rollout.world, rollout.world.step, []

    def disturbed(duration):
        if disturb is not None and not done and disturb(world):
            done.append(world.time)
        step(duration)

    world.step = disturbed
    rollout.run()
    assert disturb is None or done
    return rollout


def assert_well_done(result):
    assert result.points == result.max_points, result.missed
    assert result.done
    assert result.bumps == 0
    assert result.rejected == 0 and not result.fault


def test_the_laundry_goes_into_the_basket():
    result = rollout_of(LAUNDRY, 10000, "mobile_19dof").result
    assert_well_done(result)
    texts = [text for _, text in result.subtasks]
    assert texts == ["pick up the trousers", "put the trousers in the basket", ""]


def test_the_bed_is_made():
    result = rollout_of(BED, 10000).result
    assert_well_done(result)
    texts = [text for _, text in result.subtasks]
    assert texts[0] == "straighten the blanket"
    assert [text.split()[-2:] for text in texts[1:]].count(["the", "bed"]) == 2


def test_a_garment_that_slips_is_picked_up_again():
    def slip(world):
        (garment,) = world.room.laundry
        moved = world.scene_state().objects[garment.name].position - np.array(garment.position)
        if garment.name in world.held() and np.hypot(*moved[:2]) > 0.25:
            world.grasps.reset(world.data)
            return True
        return False

    result = rollout_of(LAUNDRY, 10003, disturb=slip).result
    assert_well_done(result)
    assert sum(text.startswith("pick up") for _, text in result.subtasks) == 2


def test_a_blanket_that_is_pulled_away_is_straightened_again():
    def pull(world):
        if world.room.pillows[0].name not in world.held():
            return False
        along = world.model.joint(fixture_joint("blanket", 1)).qposadr[0]
        world.data.qpos[along] += 0.2
        return True

    result = rollout_of(BED, 10002, disturb=pull).result
    assert_well_done(result)
    texts = [text for _, text in result.subtasks]
    assert texts.count("straighten the blanket") == 2


def test_a_pillow_that_falls_beside_the_bed_is_fetched_from_the_floor():
    def knock(world):
        if "blanket" not in world.held():
            return False
        room, item = world.room, world.room.pillows[0]
        foot = -room.head * (room.bed.length / 2 + 0.35)
        place = world.model.joint(item_joint(item.name)).qposadr[0]
        x, y = room.bed.pose.point((0.1, foot))
        world.data.qpos[place : place + 3] = x, y, 0.05
        return True

    result = rollout_of(BED, 10005, disturb=knock).result
    assert result.points == 5, result.missed
