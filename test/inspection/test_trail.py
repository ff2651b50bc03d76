"""Entries of a trail by time."""

import numpy as np
import pytest

from pi05_ros.inspection.trail import Trail

MS = 1_000_000


def test_points_are_thinned_and_forgotten_and_know_their_age():
    trail = Trail(spacing=0.1, memory=1.0)
    for k in range(200):  # 4 s at 50 Hz.
        trail.add(k * 20 * MS, np.full((2, 3), k), driven=k == 195)
    ages, points, driven = trail.since(4000 * MS)
    assert len(trail) == 11
    assert ages == pytest.approx(np.arange(1.0, 0.05, -0.1))  # The last was kept at 3.9 s.
    assert points.shape == (10, 2, 3) and points[-1, 0, 0] == 195
    assert driven.tolist() == [False] * 9 + [True]
    ages, points, driven = trail.since(9000 * MS)
    assert ages.shape == driven.shape == (0,) and points.shape[0] == 0


def test_an_empty_trail_has_no_points():
    ages, points, _ = Trail(0.1, 1.0).since(0)
    assert ages.shape == (0,) and points.shape[0] == 0
