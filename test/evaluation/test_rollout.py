"""The expert does the whole task in process, through the bridge that ships."""

import pytest

from pi05_ros.errors import ConfigError
from pi05_ros.evaluation.rollout import Rollout, RolloutConfig, parse_homes
from pi05_ros.platforms.platform import load_platform, robot_names
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.home_spec import fixture_joint, item_joint


@pytest.mark.parametrize("name", robot_names())
def test_the_expert_puts_all_dishes_into_the_sink(name):
    platform = load_platform(name)
    result = Rollout(platform, 6, ExpertBrain(platform), RolloutConfig(seconds=90)).run()
    assert result.points == 8, result.missed
    assert result.done
    assert result.bumps == 0
    # The first chunk finds the robot at rest, and its rows are due already: the base catches up.
    assert result.limited < 60
    assert result.rejected == 0 and not result.fault
    texts = [text for _, text in result.subtasks]
    assert texts[0].startswith("pick up the ") and texts[-1] == ""
    assert sum(text.endswith(" in the sink") for text in texts) == 4


def test_late_and_lost_chunks_do_not_cost_points():
    platform = load_platform("mobile_18dof")
    config = RolloutConfig(seconds=120, delay=0.3, dropped=0.2, seed=5)
    result = Rollout(platform, 3, ExpertBrain(platform), config).run()
    assert result.points == 8 and not result.fault, result.missed


def test_a_delay_of_a_slow_machine_costs_no_points():
    platform = load_platform("mobile_18dof")
    config = RolloutConfig(seconds=45, delay=0.3)
    result = Rollout(platform, 10011, ExpertBrain(platform), config).run()
    assert result.points == 8 and not result.fault, (result.missed, result.fault)
    assert result.bumps == 0 and result.limited < 150


def test_a_rollout_is_deterministic():
    platform = load_platform("mobile_18dof")
    config = RolloutConfig(seconds=8, delay=0.2, dropped=0.3, seed=1)
    results = [Rollout(platform, 1, ExpertBrain(platform), config) for _ in range(2)]
    states = [(r.run().subtasks, r.world.snapshot().qpos.tolist()) for r in results]
    assert states[0] == states[1]


def test_targets_beyond_the_limits_are_counted_and_a_robot_that_faults_is_reported():
    platform = load_platform("mobile_18dof")

    class JumpingBrain(ExpertBrain):
        def predict_chunk(self, observation, subtask, continuation=None):
            prediction = super().predict_chunk(observation, subtask, continuation)
            prediction.actions[:, 0] += 1.0
            return prediction

    rollout = Rollout(platform, 1, JumpingBrain(platform), RolloutConfig(seconds=2))
    rollout.run()
    assert rollout.result.limited > 20 and not rollout.result.fault
    rollout.loop.robot.bridge.fault(rollout.loop.now_ns, "a test")
    assert Rollout.run(rollout).fault == "a test"


def test_lists_of_homes():
    assert parse_homes("0-3,7") == [0, 1, 2, 3, 7]
    with pytest.raises(ValueError):
        parse_homes("a-b")


def test_conditions_out_of_range_are_rejected():
    with pytest.raises(ValueError, match="dropped 1.5 is not a share"):
        RolloutConfig(dropped=1.5)


def test_the_expert_recovers_from_a_dish_that_slips_and_from_moved_dishes():
    platform = load_platform("mobile_18dof")
    rollout = Rollout(platform, 2, ExpertBrain(platform), RolloutConfig(seconds=120))
    world, step, slipped = rollout.world, rollout.world.step, []

    def disturbed(duration):
        lifted = [n for n in world.held() if height(world, n) > world.room.sink.top + 0.03]
        if lifted and not slipped:
            slipped.append(world.time)
            world.grasps.reset(world.data)  # Releases everything.
            for item in world.room.dishes:
                if item.name not in lifted:
                    place = world.model.joint(item_joint(item.name)).qposadr[0]
                    world.data.qpos[place] += 0.02
        step(duration)

    world.step = disturbed
    result = rollout.run()
    assert slipped
    assert result.points == 8, result.missed
    texts = [text for _, text in result.subtasks]
    assert sum(text.startswith("pick up") for text in texts) >= 4


def test_the_expert_puts_an_item_into_a_drawer_that_somebody_shuts_again():
    platform = load_platform("mobile_18dof")
    config = RolloutConfig(task="put the items in the drawer", seconds=60)
    rollout = Rollout(platform, 10001, ExpertBrain(platform), config)
    world, step, shut = rollout.world, rollout.world.step, []
    (item,) = world.room.belonging_in("drawer_1")
    slide = world.data.joint(fixture_joint("drawer_1", 0))

    def disturbed(duration):
        if slide.qpos[0] > 0.2 and list(world.held()) == [item.name] and not shut:
            shut.append(world.time)
            slide.qpos[0] = 0.02
        step(duration)

    world.step = disturbed
    result = rollout.run()
    assert shut
    assert result.points == 4 and result.done and not result.fault, result.missed
    assert result.bumps == 0
    texts = [text for _, text in result.subtasks]
    assert texts[0].startswith("pick up the ") and texts[-2:] == ["close the drawer", ""]


def height(world, name):
    """Return the height of an item above the floor [m]."""
    return world.scene_state().objects[name].position[2]


def test_the_expert_follows_language_in_a_home_that_is_not_ideal():
    platform = load_platform("mobile_18dof")
    config = RolloutConfig(task="language_unseen", difficulty="normal", seconds=30)
    rollout = Rollout(platform, 10041, ExpertBrain(platform), config)
    assert rollout.world.room.kind == "kitchen_language_unseen"
    result = rollout.run()
    assert (result.points, result.max_points) == (2, 2), result.missed
    with pytest.raises(ConfigError, match="there is no preset 'easy'"):
        RolloutConfig(difficulty="easy")
