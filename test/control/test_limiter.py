"""The limiter: exact where it can be, inside the limits always."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.control.limiter import BASE_STOP_TIME, Limiter
from pi05_ros.control.smoothing import Smoothing
from pi05_ros.platforms.platform import Platform, load_platform

PLATFORM = load_platform("mobile_18dof")
DT = PLATFORM.period
JOINT = PLATFORM.index("left_arm_joint_1")
BASE = PLATFORM.index("base_vx")


def limiter() -> Limiter:
    made = Limiter(PLATFORM)
    made.reset(PLATFORM.home)
    return made


def follow(made: Limiter, targets: np.ndarray) -> np.ndarray:
    """Steps through targets (N, D); returns the commands (N + 1, D), the start included."""
    return np.array([made.values, *[made.step(target).values for target in targets]])


def assert_within_limits(
    commands: np.ndarray, held: np.ndarray | None = None, platform: Platform = PLATFORM
) -> None:
    """Positions, velocities, accelerations and jerks of commands (N, D) hold the limits.

    `held` (N,) bool says which commands are of a hold: there the base may brake harder.
    """
    slack = 1e-9
    moving, base = ~platform.is_velocity, platform.is_velocity
    held = np.zeros(len(commands), dtype=bool) if held is None else held
    assert (commands >= platform.lower - slack).all()
    assert (commands <= platform.upper + slack).all()
    steps = np.diff(commands, axis=0) / DT
    assert (np.abs(steps[:, moving]) <= platform.max_velocity[moving] + slack).all()
    changes = np.diff(np.vstack([np.zeros(platform.size), steps]), axis=0) / DT
    bound = platform.max_acceleration
    assert (np.abs(changes[:, moving]) <= bound[moving] * (1 + 1e-6)).all()
    braking = np.maximum(bound, platform.max_velocity / BASE_STOP_TIME)
    allowed = np.where(held[1:, None], braking, bound)[:, base]
    assert (np.abs(steps[:, base]) <= allowed * (1 + 1e-6)).all()
    jerks = np.diff(np.vstack([np.zeros(platform.size), changes]), axis=0) / DT
    for index, dimension in enumerate(platform.dimensions):
        if dimension.max_jerk is not None and moving[index]:
            # Differences of differences of numbers of size 1, thrice over 0.02 s.
            assert np.abs(jerks[:, index]).max() <= dimension.max_jerk * (1 + 1e-6) + 1e-8


def test_a_target_that_moves_within_the_limits_is_met_exactly():
    time = np.arange(1, 200) * DT
    targets = np.tile(PLATFORM.home, (len(time), 1))
    targets[:, JOINT] = 0.3 * (1 - np.cos(2.0 * time))  # At most 0.6 rad/s and 1.2 rad/s².
    made = limiter()
    commands = np.array([made.step(target).values for target in targets])
    np.testing.assert_allclose(commands, targets, atol=1e-9)


def test_a_jump_is_reached_without_overshoot_and_as_fast_as_allowed():
    target = PLATFORM.home.copy()
    target[JOINT] += 1.0
    commands = follow(limiter(), np.tile(target, (100, 1)))
    assert_within_limits(commands)
    assert commands[:, JOINT].max() <= target[JOINT] + 1e-9
    # Trapezoid at v = 1.8 rad/s, a = 7 rad/s²: 1/1.8 + 1.8/7 = 0.813 s.
    reached = np.argmax(commands[:, JOINT] >= target[JOINT] - 1e-6) * DT
    assert 0.80 <= reached <= 0.90


def test_lag_says_how_far_each_value_stays_behind():
    target = PLATFORM.home.copy()
    target[JOINT] += 1.0
    lag = limiter().step(target).lag
    # In the first period it moves by a·dt² = 7 · 0.02² = 0.0028 rad.
    assert lag[JOINT] == pytest.approx(1.0 - 0.0028) and lag.sum() == lag[JOINT]
    assert not limiter().hold().lag.any()


def test_hold_brings_the_base_to_rest_within_its_stop_time():
    made = limiter()
    target = PLATFORM.home.copy()
    target[BASE : BASE + 3] = PLATFORM.max_velocity[BASE : BASE + 3]
    commands = follow(made, np.tile(target, (60, 1)))
    assert commands[-1, BASE] == pytest.approx(0.5)
    for _ in range(round(BASE_STOP_TIME / DT)):
        values = made.hold().values
    assert (np.abs(values[PLATFORM.is_velocity]) < 1e-12).all()


def test_hold_brakes_a_moving_joint_at_its_acceleration_limit():
    made = limiter()
    target = PLATFORM.home.copy()
    target[JOINT] += 2.0
    commands = list(follow(made, np.tile(target, (30, 1))))
    commands += [made.hold().values for _ in range(30)]
    assert_within_limits(np.array(commands)[:, :])
    assert np.ptp(np.array(commands)[-5:, JOINT]) == 0.0


def test_a_start_outside_the_limits_begins_at_the_limit():
    state = PLATFORM.home.copy()
    state[JOINT] = PLATFORM.upper[JOINT] + 0.01
    made = Limiter(PLATFORM)
    made.reset(state)
    assert made.values[JOINT] == PLATFORM.upper[JOINT]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    made, target = limiter(), PLATFORM.home.copy()
    target[3] = bad
    with pytest.raises(ValueError, match=r"^a limiter takes finite targets only$"):
        made.step(target)
    with pytest.raises(ValueError, match=r"^a limiter starts from finite values only$"):
        made.reset(target)


def drive(made: Limiter, rng: np.random.Generator, scale: float, platform: Platform):
    """Jumps, drifts, oscillations at half the rate, far beyond the limits, with holds between.

    Returns:
        The commands (N, D), and which of them are of a hold (N,).
    """
    commands, held = [made.values], [False]
    span = platform.upper - platform.lower
    for _ in range(12):
        kind = rng.integers(4)
        start = (
            rng.uniform(platform.lower, platform.upper)
            + scale * rng.normal(size=platform.size) * span
        )
        slope = rng.normal(size=platform.size) * span * scale * 0.02
        for k in range(rng.integers(1, 20)):
            target = (start, start, start + slope * k, start * (-1) ** k)[kind]
            values = made.hold().values if kind == 0 else made.step(target).values
            commands.append(values)
            held.append(kind == 0)
    return np.array(commands), np.array(held)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.01, 0.3, 1.0, 5.0, 1e6]))
def test_no_stream_of_targets_leaves_the_limits(seed, scale):
    commands, held = drive(limiter(), np.random.default_rng(seed), scale, PLATFORM)
    assert_within_limits(commands, held)


def jerky(**jerks: float) -> Platform:
    """The platform with a jerk limit for some dimensions."""
    groups = tuple(
        replace(
            group,
            dimensions=tuple(replace(d, max_jerk=jerks.get(d.name)) for d in group.dimensions),
        )
        for group in PLATFORM.groups
    )
    return replace(PLATFORM, groups=groups)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.01, 0.3, 1.0, 5.0, 1e6]))
def test_jerk_limits_hold_with_all_the_others(seed, scale):
    platform = jerky(left_arm_joint_1=100.0, right_arm_joint_2=60.0, torso_lift=4.0, base_vx=9.0)
    made = Limiter(platform)
    made.reset(platform.home)
    commands, held = drive(made, np.random.default_rng(seed), scale, platform)
    assert_within_limits(commands, held, platform)
    for _ in range(60):
        made.hold()
    assert made.at_rest


def test_smoothing_delays_by_half_its_length_and_arrives_exactly():
    platform = jerky(left_arm_joint_1=100.0)  # n = 2 · 7 / (100 · 0.02) = 7 periods.
    assert platform.smoothing_periods[JOINT] == 7
    assert (np.delete(platform.smoothing_periods, JOINT) == 1).all()
    made, plain = Limiter(platform), limiter()
    made.reset(platform.home)
    ramp = np.tile(platform.home, (60, 1))
    ramp[:, JOINT] = platform.home[JOINT] + 0.5 * (1 - np.cos(np.arange(60) * np.pi / 59)) * 0.2
    smooth, sharp = follow(made, ramp)[:, JOINT], follow(plain, ramp)[:, JOINT]
    np.testing.assert_allclose(smooth[7:], np.convolve(sharp, np.ones(7) / 7, "valid")[1:])
    assert not made.at_rest
    follow(made, np.tile(ramp[-1], (7, 1)))
    assert made.values[JOINT] == ramp[-1, JOINT]


def test_a_hold_stops_a_smoothed_base_in_time():
    platform = jerky(base_vx=5.0)
    made = Limiter(platform)
    made.reset(platform.home)
    target = platform.home.copy()
    target[BASE] = 0.5
    assert follow(made, np.tile(target, (80, 1)))[-1, BASE] == pytest.approx(0.5)
    held = [made.hold().values[BASE] for _ in range(5)]
    assert held[-1] == 0.0 and held == sorted(held, reverse=True)
    # And it starts again from there, smoothly.
    after = [made.step(target).values[BASE] for _ in range(3)]
    assert 0.0 < after[0] < after[1] < after[2] < 0.03


def test_coasting_says_where_the_next_step_would_lead():
    made, target = limiter(), PLATFORM.home.copy()
    target[JOINT] += 0.5
    follow(made, np.tile(target, (4, 1)))
    before = made.values
    ahead = made.coasting
    assert ahead[JOINT] - before[JOINT] == pytest.approx(4 * 7 * DT**2)
    ahead[0] = 9.0  # A copy: nobody outside moves the limiter.
    assert made.coasting[0] != 9.0


def test_it_starts_inside_its_limits_with_a_base_that_stands():
    made = Limiter(PLATFORM)
    for outside in (PLATFORM.lower - 1.0, PLATFORM.upper + 1.0):
        made.reset(outside)
        limits = np.clip(outside, PLATFORM.lower, PLATFORM.upper)
        np.testing.assert_array_equal(made.values, np.where(PLATFORM.is_velocity, 0.0, limits))
        assert made.at_rest
        np.testing.assert_array_equal(made.coasting, made.values)


def test_a_fresh_limiter_stands_at_home():
    made = Limiter(PLATFORM)
    np.testing.assert_array_equal(made.values, PLATFORM.home)
    assert made.at_rest
    assert not made.step(PLATFORM.home).lag.any()


def test_a_base_that_drives_is_no_velocity_of_a_position():
    made, target = limiter(), PLATFORM.home.copy()
    target[BASE] = 0.3
    follow(made, np.tile(target, (30, 1)))
    assert made.coasting[BASE] == made.values[BASE] == 0.3
    assert not made.at_rest
    follow(made, np.tile(PLATFORM.home, (30, 1)))
    assert made.at_rest


@pytest.mark.parametrize("distance", [0.001, 0.0028, 0.01, 0.0371, 0.2, 0.5])
def test_it_brakes_as_late_as_it_can(distance):
    """Rest to rest over `distance` takes no more periods than the limits ask for."""
    a, v = PLATFORM.max_acceleration[JOINT] * DT**2, PLATFORM.max_velocity[JOINT] * DT
    top = min(v, np.sqrt(distance * a))  # Triangle, or trapezoid.
    least = distance / top + top / a  # [periods]
    made, target = limiter(), PLATFORM.home.copy()
    target[JOINT] += distance
    commands = follow(made, np.tile(target, (100, 1)))[:, JOINT]
    taken = np.argmax(np.abs(commands - target[JOINT]) < 1e-12)
    assert least - 1 <= taken <= least + 2.5
    assert_within_limits(follow(limiter(), np.tile(target, (100, 1))))


def test_each_dimension_is_smoothed_over_its_own_length():
    platform = jerky(left_arm_joint_1=100.0, torso_lift=4.0)
    torso = platform.index("torso_lift")
    assert platform.smoothing_periods[JOINT] == 7 and platform.smoothing_periods[torso] == 20
    smoothing = Smoothing(platform)
    smoothing.reset(platform.home)
    pushed = platform.home.copy()
    pushed[[JOINT, torso]] += 0.1
    for count in range(1, 30):
        values = smoothing.push(pushed)
        assert values[JOINT] - platform.home[JOINT] == pytest.approx(0.1 * min(1, count / 7))
        assert values[torso] - platform.home[torso] == pytest.approx(0.1 * min(1, count / 20))
        assert smoothing.at_rest == (count >= 20)
    np.testing.assert_array_equal(smoothing.values, pushed)
