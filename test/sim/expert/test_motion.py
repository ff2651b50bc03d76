"""LimitedMotion: arrival in time, together, on a line, within the limits."""

import numpy as np
import pytest

from pi05_ros.sim.expert.motion import LimitedMotion

PERIOD = 0.02
VELOCITY = np.array([1.0, 0.5, 2.0])
ACCELERATION = np.array([4.0, 1.0, 10.0])


def run(error, velocity=(0.0, 0.0, 0.0), steps=1000):
    """Positions and velocities of `steps` steps towards 0 from -error."""
    motion = LimitedMotion(VELOCITY, ACCELERATION, PERIOD)
    position, velocity = -np.asarray(error, float), np.asarray(velocity, float)
    positions, velocities = [position], [velocity]
    for _ in range(steps):
        velocity = motion.velocity(-position, velocity)
        position = position + velocity * PERIOD
        positions.append(position)
        velocities.append(velocity)
    return np.array(positions), np.array(velocities)


def test_arrives_and_stays():
    positions, velocities = run([1.0, -0.3, 0.02])
    assert np.abs(positions[-1]).max() < 1e-6
    assert np.abs(velocities[-1]).max() < 1e-6


def test_takes_the_time_of_a_trapezoid():
    positions, _ = run([1.0, 0.0, 0.0])
    steps = np.argmax(np.abs(positions[:, 0]) < 1e-3)
    # v = 1 m/s, a = 4 m/s²: 0.25 s to speed up, 0.75 s in all at full speed, 0.25 s to stop.
    assert steps * PERIOD == pytest.approx(1.25, abs=0.1)


def test_from_rest_it_is_a_straight_line():
    positions, _ = run([0.8, -0.4, 0.2])
    line = positions[:, :1] * np.array([1.0, -0.5, 0.25])
    np.testing.assert_allclose(positions, line, atol=1e-3)


def test_groups_do_not_wait_for_each_other():
    motion = LimitedMotion(VELOCITY, ACCELERATION, PERIOD, groups=(0, 1))
    alone = motion.velocity(np.array([5.0, 0.1, 0.1]), np.zeros(3))
    together = LimitedMotion(VELOCITY, ACCELERATION, PERIOD).velocity(
        np.array([5.0, 0.1, 0.1]), np.zeros(3)
    )
    assert alone[1] == pytest.approx(ACCELERATION[1] * PERIOD)
    assert 0 < together[1] < 0.5 * alone[1]


@pytest.mark.parametrize("seed", range(20))
def test_any_start_stays_within_limits_and_settles(seed):
    rng = np.random.default_rng(seed)
    error = rng.uniform(-2, 2, 3)
    start = rng.uniform(-1, 1, 3) * VELOCITY
    positions, velocities = run(error, start)
    assert (np.abs(velocities) <= VELOCITY + 1e-9).all()
    change = np.abs(np.diff(velocities, axis=0)) / PERIOD
    assert (change <= ACCELERATION + 1e-6).all()
    assert np.abs(positions[-1]).max() < 1e-4


@pytest.mark.parametrize("distance", np.linspace(0.003, 1.7, 40))
def test_does_not_overshoot_from_rest(distance):
    positions, velocities = run([distance, 0.3 * distance, 0.5])
    assert positions.max() < 1e-9
    assert (np.abs(np.diff(velocities, axis=0)) <= ACCELERATION * PERIOD + 1e-9).all()


def test_too_fast_a_start_is_slowed_within_the_acceleration():
    _, velocities = run([10.0, 0.0, 0.0], velocity=(1.5, 0.0, 0.0), steps=20)
    assert np.abs(np.diff(velocities[:, 0])).max() <= ACCELERATION[0] * PERIOD + 1e-9
    assert velocities[-1, 0] == pytest.approx(1.0)
