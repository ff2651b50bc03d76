"""The limiter: exact where it can be, inside the limits always."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.control.limiter import BASE_STOP_TIME, Limiter
from pi05_ros.platforms import load_platform

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


def assert_within_limits(commands: np.ndarray) -> None:
    """Positions, velocities and accelerations of commands (N, D) hold the platform's limits."""
    slack = 1e-9
    moving, base = ~PLATFORM.is_velocity, PLATFORM.is_velocity
    assert (commands >= PLATFORM.lower - slack).all() and (
        commands <= PLATFORM.upper + slack
    ).all()
    steps = np.diff(commands, axis=0) / DT
    assert (np.abs(steps[:, moving]) <= PLATFORM.max_velocity[moving] + slack).all()
    changes = np.diff(np.vstack([np.zeros(PLATFORM.size), steps]), axis=0) / DT
    bound = PLATFORM.max_acceleration
    assert (np.abs(changes[:, moving]) <= bound[moving] * (1 + 1e-6)).all()
    assert (np.abs(steps[:, base]) <= bound[base] * (1 + 1e-6)).all()


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


def test_limited_says_which_values_could_not_be_met():
    target = PLATFORM.home.copy()
    target[JOINT] += 1.0
    limited = limiter().step(target).limited
    assert limited[JOINT] and limited.sum() == 1


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
    with pytest.raises(ValueError, match="finite targets only"):
        made.step(target)
    with pytest.raises(ValueError, match="finite values only"):
        made.reset(target)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.01, 0.3, 1.0, 5.0, 1e6]))
def test_no_stream_of_targets_leaves_the_limits(seed, scale):
    """Jumps, drifts, oscillations at half the rate, far beyond the limits, with holds between."""
    rng = np.random.default_rng(seed)
    made = limiter()
    commands = [made.values]
    span = PLATFORM.upper - PLATFORM.lower
    for _ in range(12):
        kind = rng.integers(4)
        start = (
            rng.uniform(PLATFORM.lower, PLATFORM.upper)
            + scale * rng.normal(size=PLATFORM.size) * span
        )
        slope = rng.normal(size=PLATFORM.size) * span * scale * 0.02
        for k in range(rng.integers(1, 20)):
            if kind == 0:
                # A hold may brake the base harder than it may be driven: positions only.
                values = made.hold().values
                values[PLATFORM.is_velocity] = commands[-1][PLATFORM.is_velocity]
                made._values[PLATFORM.is_velocity] = values[PLATFORM.is_velocity]
            elif kind == 1:
                values = made.step(start).values
            elif kind == 2:
                values = made.step(start + slope * k).values
            else:
                values = made.step(start * (-1) ** k).values
            commands.append(values)
    assert_within_limits(np.array(commands))
