"""The expert does the whole task, in process; and what stands in for the bridge keeps its word."""

import numpy as np
import pytest

from pi05_ros.evaluation.rollout import Rollout, RolloutConfig, StreamStandIn, parse_homes
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.home_spec import item_joint


@pytest.mark.parametrize("name", platform_names())
def test_the_expert_puts_all_dishes_into_the_sink(name):
    platform = load_platform(name)
    result = Rollout(platform, 6, ExpertBrain(platform), RolloutConfig(seconds=90)).run()
    assert result.points == 8, result.missed
    assert result.done
    assert result.bumps == 0
    assert result.limited == 0
    texts = [text for _, text in result.subtasks]
    assert texts[0].startswith("pick up the ") and texts[-1] == ""
    assert sum(text.endswith(" in the sink") for text in texts) == 4


def test_late_and_lost_chunks_are_survived():
    platform = load_platform("mobile_18dof")
    config = RolloutConfig(seconds=120, delay=0.3, dropped=0.2, seed=5)
    result = Rollout(platform, 3, ExpertBrain(platform), config).run()
    assert result.points == 8, result.missed


def test_rows_go_out_by_their_stamp_and_the_base_stops_after_the_last():
    platform = load_platform("mobile_18dof")
    start = np.array(platform.home)
    stream = StreamStandIn(platform, start)
    vx = platform.index("base_vx")
    chunk = np.tile(start, (5, 1))
    chunk[:, vx] = np.linspace(0.01, 0.05, 5)
    assert np.isnan(stream.commanded).all()
    stream.accept(chunk, stamp=1.0)
    sent = [stream.tick(1.0 + k * platform.period)[vx] for k in range(8)]
    np.testing.assert_allclose(sent[:5], chunk[:, vx])
    assert sent[-1] == 0.0


def test_what_is_too_fast_is_cut_and_counted():
    platform = load_platform("mobile_18dof")
    stream = StreamStandIn(platform, np.array(platform.home))
    chunk = np.tile(platform.home, (5, 1))
    chunk[:, 0] += 1.0
    stream.accept(chunk, stamp=0.0)
    first = stream.tick(0.0)
    step = platform.max_velocity[0] * platform.period
    assert first[0] == pytest.approx(platform.home[0] + step)
    assert stream.limited == 1


def test_lists_of_homes():
    assert parse_homes("0-3,7") == [0, 1, 2, 3, 7]
    with pytest.raises(ValueError):
        parse_homes("a-b")


def test_conditions_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="dropped 1.5 is not a share"):
        RolloutConfig(dropped=1.5)


def test_a_dish_that_slips_and_dishes_that_are_moved_are_dealt_with():
    platform = load_platform("mobile_18dof")
    rollout = Rollout(platform, 2, ExpertBrain(platform), RolloutConfig(seconds=120))
    world, step, slipped = rollout.world, rollout.world.step, []

    def disturbed(duration):
        lifted = [n for n in world.held() if height(world, n) > world.kitchen.sink.top + 0.03]
        if lifted and not slipped:
            slipped.append(world.time)
            world.grasps.reset(world.data)  # Lets go of everything.
            for item in world.kitchen.dishes:
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


def height(world, name):
    """Of an item above the floor [m]."""
    return world.scene_state().objects[name].position[2]
