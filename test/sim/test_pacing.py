"""Deadlines on a clock that the test advances."""

import pytest

from pi05_ros.sim.pacing import Pacer


class Wall:
    """A wall clock that sleeping and working advance."""

    def __init__(self):
        self.time = 100.0
        self.slept = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


def pacer(wall, factor=1.0):
    return Pacer(0.02, factor, wall.now, wall.sleep)


def test_waits_for_what_the_work_left_over():
    wall = Wall()
    p = pacer(wall)
    for _ in range(50):
        wall.time += 0.005
        p.wait()
    assert wall.slept == pytest.approx([0.015] * 50)
    assert wall.time == pytest.approx(101.0)
    assert p.factor == pytest.approx(1.0)
    assert p.slips == 0


def test_deadlines_are_absolute():
    """A sleep that overshoots is compensated by the next one."""
    wall = Wall()
    p = pacer(wall)

    def oversleep(seconds):
        wall.time += seconds + 0.001

    p._sleep = oversleep
    for _ in range(100):
        p.wait()
    assert wall.time == pytest.approx(100.0 + 100 * 0.02 + 0.001)


def test_a_stall_is_made_up_for_a_quarter_period_at_a_time():
    wall = Wall()
    p = pacer(wall)
    wall.time += 0.1 + 0.02
    p.wait()
    assert wall.slept == []
    for _ in range(30):
        p.wait()
    assert wall.slept == pytest.approx([0.015] * 20 + [0.02] * 10)
    assert wall.time == pytest.approx(100.0 + 31 * 0.02)
    assert p.slips == 0


def test_a_long_stall_slips():
    wall = Wall()
    p = pacer(wall)
    wall.time += 10.0
    for _ in range(201):
        p.wait()
    assert p.slips == 1
    assert wall.time == pytest.approx(110.0 + 200 * 0.02 - 0.5)


@pytest.mark.parametrize(("factor", "period"), [(2.0, 0.01), (0.5, 0.04)])
def test_factor_scales_the_wall_period(factor, period):
    wall = Wall()
    p = pacer(wall, factor)
    for _ in range(10):
        p.wait()
    assert wall.slept == pytest.approx([period] * 10)
    assert p.factor == pytest.approx(factor)


def test_factor_0_never_waits_and_still_measures():
    wall = Wall()
    p = pacer(wall, 0.0)
    for _ in range(500):
        wall.time += 0.004
        p.wait()
    assert wall.slept == []
    assert p.factor == pytest.approx(5.0)


def test_arguments():
    with pytest.raises(ValueError, match="factor -1"):
        Pacer(0.02, -1)
