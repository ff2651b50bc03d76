"""The expert on robots that stand still, in process, through the bridge that ships."""

import pytest

from pi05_ros.evaluation.collection.settings import ONE_DISH, CollectError, CollectSettings
from pi05_ros.evaluation.rollout import Rollout, RolloutConfig
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.standing import WithinReach
from pi05_ros.sim.world import World


def rollout(name, home, task):
    platform = load_platform(name)
    return Rollout(platform, home, ExpertBrain(platform), RolloutConfig(task, seconds=60)).run()


def test_one_arm_sorts_blocks_into_the_tray():
    result = rollout("single_8dof", 10_001, "put the blocks in the tray")
    assert result.points == result.max_points == 6, result.missed
    assert result.done and result.bumps == 0 and not result.fault


def test_two_arms_put_what_they_reach_into_the_sink_and_leave_out_the_rest():
    platform = load_platform("bimanual_14dof")
    world = World(platform, 10_002)
    dishes = {dish.name for dish in world.room.dishes}
    near = {name for name, place in world.within_reach.pairs if place == "sink"} & dishes
    assert 0 < len(near) < 4
    result = rollout("bimanual_14dof", 10_002, "put the dishes in the sink")
    assert result.points >= 2 * len(near) and result.points < 8
    assert result.done and result.seconds < 40 and not result.fault  # Nothing was given up.
    texts = [text for _, text in result.subtasks]
    assert sum(text.endswith(" in the sink") for text in texts) == result.points / 2


def test_a_drawn_task_is_about_what_is_in_reach():
    world = World(load_platform("bimanual_14dof"), 10_002)
    settings = CollectSettings("bimanual_14dof", task=ONE_DISH)
    tasks = {settings.task_in(world.room, seed, world.within_reach) for seed in range(20)}
    phrases = {
        f"put {world.room.item(name).phrase} in the sink"
        for name, place in world.within_reach.pairs
        if place == "sink" and world.room.item(name).is_dish
    }
    assert tasks == phrases
    nothing = WithinReach(frozenset(), frozenset())
    with pytest.raises(CollectError, match="nothing in its kitchen is in reach for 'one dish'"):
        settings.task_in(world.room, 0, nothing)
