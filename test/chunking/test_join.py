"""The step between committed rows and what a flow made behind them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pi05_ros.brain.continuation import Continuation
from pi05_ros.chunking.join import join

HORIZON, FADE = 50, 12
ROWS = np.arange(HORIZON)


def running(committed, overlap=40, slope=0.1):
    actions = slope * np.minimum(ROWS, overlap - 1.0)[:, None]
    return Continuation(actions, committed, overlap, "rtc")


def chunk(runs, away):
    """A chunk that goes on beside the running one, `away` from it."""
    actions = runs.actions + away
    actions[: runs.committed] = runs.actions[: runs.committed]
    return actions


def test_a_step_behind_the_committed_rows_fades():
    runs = running(8)
    joined = join(chunk(runs, 1.0), runs, FADE)
    np.testing.assert_array_equal(joined[:8], runs.actions[:8])
    np.testing.assert_allclose(joined[8 + FADE :], runs.actions[8 + FADE :] + 1.0)
    away = (joined - runs.actions)[7 : 9 + FADE, 0]
    assert np.all(np.diff(away) > 0)
    # Greatest slope of the minimum-jerk step: 15/8 of the mean one.
    assert np.diff(away).max() < 1.9 / (FADE + 1)


def test_it_fades_within_what_is_a_plan():
    runs = running(36)
    joined = join(chunk(runs, 1.0), runs, FADE)
    np.testing.assert_allclose(joined[40:], runs.actions[40:] + 1.0)
    assert 0 < joined[36, 0] - runs.actions[36, 0] < joined[39, 0] - runs.actions[39, 0] < 1


def test_without_committed_rows_or_without_a_plan_behind_them_nothing_changes():
    for runs in (running(0), running(40)):
        actions = chunk(runs, 1.0)
        np.testing.assert_array_equal(join(actions, runs, FADE), actions)
    runs = running(8)
    actions = chunk(runs, 1.0)
    np.testing.assert_array_equal(join(actions, runs, 0), actions)


@given(st.integers(0, HORIZON), st.data(), st.floats(-2, 2))
def test_what_fits_already_stays_and_what_does_not_comes_between(overlap, data, away):
    committed = data.draw(st.integers(0, overlap))
    runs = Continuation(np.sin(ROWS / 7.0)[:, None], committed, overlap, "trained_rtc")
    np.testing.assert_allclose(join(runs.actions, runs, FADE), runs.actions, atol=1e-12)
    actions = chunk(runs, away)
    before = actions.copy()
    joined = join(actions, runs, FADE)
    np.testing.assert_array_equal(actions, before)
    low = np.minimum(actions, runs.actions) - 1e-12
    high = np.maximum(actions, runs.actions) + 1e-12
    assert np.all((low <= joined) & (joined <= high))
    np.testing.assert_array_equal(joined[:committed], actions[:committed])
