"""Spline segments against polynomials that can be written down by hand."""

import numpy as np
import pytest

from pi05_ros.sim.controllers.spline import JointPoint, interpolate

SECOND = 1_000_000_000


def point(position, velocity=None, acceleration=None):
    """A point of one joint."""

    def array(value):
        return None if value is None else np.array([value], dtype=np.float64)

    return JointPoint(0, array(position), array(velocity), array(acceleration))


@pytest.mark.parametrize(
    ("a", "b", "duration", "time", "expected"),
    [
        # A line from 1 to 3 in 0.5 s has slope 4.
        ((1.0,), (3.0,), 0.5, 0.125, (1.5, 4.0, 0.0)),
        ((1.0,), (3.0,), 0.5, 0.0, (1.0, 4.0, 0.0)),
        # 3t² - 2t³ at 0.25 and 0.5.
        ((0.0, 0.0), (1.0, 0.0), 1.0, 0.25, (0.15625, 1.125, 3.0)),
        ((0.0, 0.0), (1.0, 0.0), 1.0, 0.5, (0.5, 1.5, 0.0)),
        # t - t²/2 over 2 s: a parabola is a cubic too.
        ((0.0, 1.0), (0.0, -1.0), 2.0, 1.0, (0.5, 0.0, -1.0)),
        # t³ over 2 s, as cubic and as quintic.
        ((0.0, 0.0), (8.0, 12.0), 2.0, 1.0, (1.0, 3.0, 6.0)),
        ((0.0, 0.0, 0.0), (8.0, 12.0, 12.0), 2.0, 1.0, (1.0, 3.0, 6.0)),
        # t⁵: 1/32, 5/16, 20/8 at one half.
        ((0.0, 0.0, 0.0), (1.0, 5.0, 20.0), 1.0, 0.5, (0.03125, 0.3125, 2.5)),
        # Least jerk, 10t³ - 15t⁴ + 6t⁵.
        ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1.0, 0.25, (0.103515625, 1.0546875, 5.625)),
        # One end without velocities: a line, whatever the other carries.
        ((0.0,), (1.0, 5.0), 1.0, 0.25, (0.25, 1.0, 0.0)),
        # Velocities at both ends, accelerations at one: a cubic.
        ((0.0, 0.0, 7.0), (1.0, 0.0), 1.0, 0.25, (0.15625, 1.125, 3.0)),
        # Accelerations without velocities: the real controller commands 0.
        ((2.0, None, 0.0), (3.0, None, 0.0), 1.0, 0.5, (0.0, 0.0, 0.0)),
    ],
)
def test_segment(a, b, duration, time, expected):
    start = 7 * SECOND
    state = interpolate(
        start,
        point(*a),
        start + round(duration * SECOND),
        point(*b),
        start + round(time * SECOND),
    )
    np.testing.assert_allclose(
        [state.positions[0], state.velocities[0], state.accelerations[0]], expected, atol=1e-12
    )


@pytest.mark.parametrize("derivatives", [0, 1, 2])
def test_ends_are_met(derivatives):
    rng = np.random.default_rng(derivatives)
    a, b = (JointPoint(0, *rng.normal(size=(derivatives + 1, 6))) for _ in range(2))
    for time_ns, wanted in ((0, a), (1_700_000_000, b)):
        state = interpolate(0, a, 1_700_000_000, b, time_ns)
        np.testing.assert_allclose(state.positions, wanted.positions, atol=1e-9)
        if derivatives >= 1:
            np.testing.assert_allclose(state.velocities, wanted.velocities, atol=1e-9)
        if derivatives == 2:
            np.testing.assert_allclose(state.accelerations, wanted.accelerations, atol=1e-9)


def test_derivatives_agree_with_finite_differences():
    rng = np.random.default_rng(3)
    a, b = (JointPoint(0, *rng.normal(size=(3, 6))) for _ in range(2))
    step = 1000
    before, here, after = (
        interpolate(0, a, SECOND, b, 400_000_000 + offset) for offset in (-step, 0, step)
    )
    np.testing.assert_allclose(
        (after.positions - before.positions) / (2e-9 * step), here.velocities, rtol=1e-5
    )
    np.testing.assert_allclose(
        (after.velocities - before.velocities) / (2e-9 * step), here.accelerations, rtol=1e-5
    )


def test_a_segment_without_duration_gives_its_start():
    for ends in (((1.0,), (2.0,)), ((1.0, 0.0), (2.0, 0.0)), ((1.0, 0.0, 0.0), (2.0, 0.0, 0.0))):
        state = interpolate(5, point(*ends[0]), 5, point(*ends[1]), 5)
        assert state.positions[0] == 1.0
