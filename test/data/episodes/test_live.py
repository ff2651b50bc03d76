"""The observations of the live path, reconstructed from an episode."""

import numpy as np
from fakes.episodes import wandering
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.brain.observation_buffer import ObservationBuffer, Pictures, StateSample
from pi05_ros.data.episodes.live import live_moments

MS = 1_000_000
BEGAN = 1000 * MS


def after(times_ns):
    """Times in ms after BEGAN."""
    return ((times_ns - BEGAN) // MS).tolist()


def episode_with(frames, rows=20):
    """Rows every 20 ms from BEGAN; pictures of each camera at times after it in ms."""
    times = {name: BEGAN + np.array(at, np.int64) * MS for name, at in frames.items()}
    episode = wandering(
        rows, frames={n: (t, np.zeros((len(t), 1, 1, 3))) for n, t in times.items()}
    )
    episode.times_ns = BEGAN + np.arange(rows) * 20 * MS
    return episode


def test_pictures_of_one_time_meet_the_nearest_state():
    episode = episode_with({"front": [100, 200, 300], "wrist": [95, 215, 290]})
    found = live_moments(episode, 0.05, 0.25)
    assert after(found.times_ns) == [95, 200, 290]
    assert found.rows.tolist() == [5, 10, 14]  # 290 lies between two: the earlier.
    # The very first picture makes a set alone: the other cameras have sent nothing yet.
    assert found.frames["front"].tolist() == [-1, 1, 2]
    assert found.frames["wrist"].tolist() == [0, 1, 2]


def test_a_set_without_a_needed_camera_is_left_out():
    episode = episode_with({"front": [0, 100, 200, 300, 399], "wrist": [-1, 100]})
    some = live_moments(episode, 0.05, 0.25)
    assert some.frames["wrist"].tolist() == [0, 1, -1]
    assert after(some.times_ns) == [-1, 100, 399]
    both = live_moments(episode, 0.05, 0.25, needed=["front", "wrist"])
    assert after(both.times_ns) == [100]


def test_a_slow_camera_of_others_does_not_slow_the_brains_cameras():
    every, seldom = range(3, 390, 33), [0, 200, 380]
    episode = episode_with({"front": every, "wrist": [t - 2 for t in every], "back": seldom})
    brain = live_moments(episode, 0.05, 0.25, needed=["front", "wrist"])
    # As old as the brain's own oldest picture, not as the back camera's.
    # The first of them makes a set alone: the other cameras have sent nothing yet.
    assert after(brain.times_ns) == [t - 2 for t in every][1:]
    assert brain.frames["front"].tolist() == list(range(len(every)))[1:]
    assert (brain.frames["back"] >= 0).sum() <= 2
    planner = live_moments(episode, 0.05, 0.25, needed=["front", "wrist", "back"])
    assert (planner.frames["back"] >= 0).all() and len(planner.rows) == 2


def test_a_set_far_from_any_state_is_left_out():
    episode = episode_with({"front": [100, 430, 450]})  # The last row is at 380 ms.
    assert after(live_moments(episode, 0.05, 0.25).times_ns) == [100, 430]


def test_no_pictures_no_moments():
    assert live_moments(episode_with({"front": []}), 0.05, 0.25).rows.shape == (0,)
    assert live_moments(episode_with({}), 0.05, 0.25).times_ns.shape == (0,)


@given(st.lists(st.integers(0, 450), min_size=1, max_size=8, unique=True))
@settings(max_examples=100, deadline=None)
def test_the_state_is_the_one_that_the_observation_buffer_takes(at):
    episode = episode_with({"front": sorted(at)})
    found = live_moments(episode, 0.05, 0.25)
    chosen = dict(zip(after(found.times_ns), found.rows.tolist(), strict=True))
    buffer = ObservationBuffer(["front"], needs_scene=False)
    for row, stamp in enumerate(episode.times_ns):
        state = episode.states[row]
        buffer.add_state(StateSample(int(stamp), ("a", "b"), state, state, 1, 1))
    for when in sorted(at):
        buffer.add_pictures(Pictures(BEGAN + when * MS, {"front": np.zeros((1, 1, 3))}, {}))
        moment = buffer.latest(BEGAN + when * MS)
        assert (moment is None) == (when not in chosen)
        if moment is not None:
            assert moment.observation.state is not None
            np.testing.assert_array_equal(moment.observation.state, episode.states[chosen[when]])
