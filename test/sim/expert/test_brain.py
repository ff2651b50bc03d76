"""Chunks within the platform's limits from any state; texts and invalid input."""

import logging

import numpy as np
import pytest
from fakes.scene import in_sink, observation_of

from pi05_ros.brain.continuation import Continuation, ContinuationError
from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import load_platform, robot_names
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.language import UnknownText, pick_text, place_text
from pi05_ros.sim.homes.kitchen import draw_kitchen

TASK = "put the dishes in the sink"


@pytest.fixture(scope="module", params=robot_names())
def brain(request):
    expert = ExpertBrain(load_platform(request.param))
    expert.warm_up()
    return expert


def platform_of(brain):
    return load_platform(brain._platform.name)


def check_limits(platform, chunk, commanded):
    """Finite, inside the ranges, and with a tenth of the rates' limits to spare."""
    assert chunk.shape == (50, platform.size) and chunk.dtype == np.float64
    assert np.isfinite(chunk).all()
    assert (chunk >= platform.lower - 1e-9).all() and (chunk <= platform.upper + 1e-9).all()
    rows = np.vstack([commanded, chunk])
    rate = np.diff(rows, axis=0) / platform.period
    velocity = np.where(platform.is_velocity, chunk, rate)
    assert (np.abs(velocity) <= 0.9 * platform.max_velocity + 1e-9).all()
    moving = np.vstack([np.where(platform.is_velocity, commanded, 0.0), velocity])
    acceleration = np.diff(moving, axis=0) / platform.period
    assert (np.abs(acceleration) <= 0.9 * platform.max_acceleration + 1e-6).all()


@pytest.mark.parametrize("seed", range(25))
def test_limits_hold_from_any_moment(brain, seed):
    platform, rng = platform_of(brain), np.random.default_rng(seed)
    kitchen = draw_kitchen(int(rng.integers(50)))
    counter = kitchen.counters[0]
    base = counter.pose.point((rng.uniform(-1.5, -0.3), rng.uniform(-1, 1)))
    state = np.array(platform.home)
    arms = ~platform.is_velocity
    state[arms] += rng.uniform(-0.4, 0.4, arms.sum())
    state = np.clip(state, platform.lower, platform.upper)
    commanded = np.clip(state + 0.02 * arms, platform.lower, platform.upper)
    commanded[~arms] = rng.uniform(-0.3, 0.3, len(platform.base_axes))
    item = kitchen.dishes[int(rng.integers(4))]
    observation = observation_of(
        platform,
        kitchen,
        state=state,
        commanded=commanded,
        base=(*base, counter.pose.yaw + rng.uniform(-0.5, 0.5)),
        stamp=float(10 * seed),
    )
    text = (pick_text(item), place_text(item), "")[int(rng.integers(3))]
    check_limits(platform, brain.predict_chunk(observation, text).actions, commanded)


def test_the_next_chunk_goes_on_where_the_last_one_leads(brain):
    platform = platform_of(brain)
    kitchen = draw_kitchen(4)
    text = pick_text(kitchen.dishes[0])
    first = brain.predict_chunk(observation_of(platform, kitchen, stamp=100.0), text).actions
    # 20 rows later, as if all had been followed exactly.
    sent = first[:20]
    x, y, yaw = 0.0, 0.0, 0.0
    for vx, vy, wz in platform.base_twist(sent):
        half = yaw + wz * platform.period / 2
        x += platform.period * (np.cos(half) * vx - np.sin(half) * vy)
        y += platform.period * (np.sin(half) * vx + np.cos(half) * vy)
        yaw += platform.period * wz
    later = observation_of(
        platform, kitchen, state=sent[-1], commanded=sent[-1], base=(x, y, yaw), stamp=100.4
    )
    second = brain.predict_chunk(later, text).actions
    np.testing.assert_allclose(second[:10], first[20:30], atol=1e-9)
    # Whatever row the switch happens at, the command does not jump.
    jump = np.abs(second[:30] - first[20:]) / platform.period
    positions = ~platform.is_velocity
    assert (jump[:, positions] <= 0.5 * platform.max_velocity[positions]).all()


def test_it_goes_for_the_dish_and_opens_its_hand(brain):
    platform = platform_of(brain)
    kitchen = draw_kitchen(4)
    state = np.array(platform.home)
    hands = [platform.slices[g.name].start for g in platform.groups_of("parallel_gripper")]
    state[hands] = 0.0
    observation = observation_of(platform, kitchen, state=state, stamp=200.0)
    chunk = brain.predict_chunk(observation, pick_text(kitchen.dishes[0])).actions
    drives = platform.index("base_vx" if 1 in platform.base_axes else "base_wz")
    assert np.abs(chunk[-1, drives]) > 0.2  # Towards the counter, or to face its way there.
    # The hand that will grasp opens, and no other.
    assert sorted(chunk[-1, hands]) == [0.0, 1.0][-len(hands) :]


def test_without_commands_it_starts_from_the_measured_state(brain):
    platform = platform_of(brain)
    nothing = np.full(platform.size, np.nan)
    observation = observation_of(platform, draw_kitchen(1), commanded=nothing, stamp=300.0)
    chunk = brain.predict_chunk(observation, pick_text(draw_kitchen(1).dishes[0])).actions
    check_limits(platform, chunk, np.array(platform.home))


@pytest.mark.parametrize("text", ["", "go home", "sing a song", "pick up the elephant"])
def test_nothing_to_do_or_not_understood_holds_still(brain, text, caplog):
    platform = platform_of(brain)
    commanded = np.array(platform.home)
    commanded[platform.index("base_vx")] = 0.3
    observation = observation_of(platform, draw_kitchen(1), commanded=commanded, stamp=400.0)
    with caplog.at_level(logging.WARNING):
        chunk = brain.predict_chunk(observation, text).actions
        brain.predict_chunk(observation, text)
    positions = ~platform.is_velocity
    np.testing.assert_allclose(chunk[:, positions], np.tile(commanded[positions], (50, 1)))
    assert (np.diff(chunk[:, platform.index("base_vx")]) <= 0).all()
    np.testing.assert_allclose(chunk[-1, platform.is_velocity], 0.0, atol=1e-9)
    said = [r.message for r in caplog.records if "holds still" in r.message]
    assert len(said) == (text not in ("", "go home"))  # Said once, not at every chunk.


def test_the_low_level_sees_the_subtask_alone(brain):
    platform = platform_of(brain)
    kitchen = draw_kitchen(2)
    observation = observation_of(platform, kitchen, stamp=500.0)
    text = pick_text(kitchen.dishes[1])
    brain.begin_task("put " + kitchen.dishes[0].phrase + " in the sink")
    one = brain.predict_chunk(observation, text).actions
    brain.begin_task(TASK)
    other = brain.predict_chunk(observation_of(platform, kitchen, stamp=600.0), text).actions
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_bad_observations_are_refused_with_a_sentence(brain):
    platform = platform_of(brain)
    kitchen = draw_kitchen(0)
    good = observation_of(platform, kitchen)
    blind = type(good)(good.stamp_ns, good.names, good.state, good.commanded)
    with pytest.raises(Pi05Error, match="needs the ground truth of a mock home"):
        brain.predict_chunk(blind, "")
    state = np.array(platform.home)
    state[3] = np.nan
    with pytest.raises(Pi05Error, match=f"state of {platform.names[3]} is not finite"):
        brain.predict_subtask(observation_of(platform, kitchen, state=state), TASK)
    other = type(good)(good.stamp_ns, good.names[1:], good.state, good.commanded, scene=good.scene)
    with pytest.raises(Pi05Error, match="was made for a vector of"):
        brain.predict_chunk(other, "")


def test_an_unknown_task_is_refused(brain):
    observation = observation_of(platform_of(brain), draw_kitchen(0))
    with pytest.raises(UnknownText, match="make the bed"):
        brain.predict_subtask(observation, "make the bed")


def test_info(brain):
    info = brain.info
    assert (info.name, info.checkpoint, info.subtask_source) == ("expert", "", "external")
    assert info.needs_scene and info.image_size is None
    assert (info.horizon, info.period) == (50, pytest.approx(0.02))


def test_subtask_and_boxes_are_about_the_same_item(brain):
    platform = platform_of(brain)
    kitchen = draw_kitchen(3)
    counter = kitchen.counters[0]
    rest = {item.name: in_sink(kitchen) for item in kitchen.dishes[1:]}
    item = kitchen.dishes[0]
    y = float(counter.pose.local(item.position)[1])
    base = (*counter.pose.point((-0.6, y)), counter.pose.yaw)
    observation = observation_of(platform, kitchen, base=base, moved=rest, stamp=700.0)
    brain.begin_task(TASK)
    prediction = brain.predict_subtask(observation, TASK)
    assert prediction.text == pick_text(item)
    assert not prediction.done
    front = [box for box in prediction.boxes if box.camera == "front"]
    assert len(front) == 1 and front[0].label == item.label
    # A 4:3 picture in a square has black bars above and below.
    assert 0 <= front[0].x_min < front[0].x_max <= 1
    assert 0.125 - 1e-6 <= front[0].y_min < front[0].y_max <= 0.875 + 1e-6


def test_the_expert_supports_no_continuation(brain):
    platform = platform_of(brain)
    observation = observation_of(platform, draw_kitchen(0))
    continuation = Continuation(np.tile(platform.home, (50, 1)), 3, 10, "rtc")
    assert brain.info.continuations == ()
    with pytest.raises(ContinuationError, match="does not go on from chunks by 'rtc'; use async"):
        brain.predict_chunk(observation, "", continuation)
