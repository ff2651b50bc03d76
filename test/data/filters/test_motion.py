"""Idle stretches, counted by hand at 50 Hz."""

import numpy as np
import pytest
from fakes.episodes import MemoryEpisode, layout_facts

from pi05_ros.data.filters.motion import idle_rows


def episode(states, actions=None, units=("rad",), action_names=()):
    states = np.array(states, float)
    states = states if states.ndim == 2 else states[:, None]
    actions = states if actions is None else np.array(actions, float)
    actions = actions if actions.ndim == 2 else actions[:, None]
    names = tuple(f"e{i}" for i in range(states.shape[1]))
    facts = layout_facts(names, units, action_names=action_names)
    return MemoryEpisode(states, actions, facts)


def spans(rows):
    """Starts and stops of the runs of True."""
    edges = np.flatnonzero(np.diff(np.r_[0, rows.astype(int), 0]))
    return [tuple(pair) for pair in edges.reshape(-1, 2).tolist()]


def ramp_rest_ramp(rest):
    """10 rows of movement, `rest` rows of standing, 10 rows of movement: 0.1 rad a row."""
    return np.r_[np.arange(10) * 0.1, np.full(rest, 1.0), 1.1 + np.arange(10) * 0.1]


def test_a_stretch_of_the_length_is_idle_and_a_shorter_one_is_not():
    # 1 s at 50 Hz are 51 rows.
    assert spans(idle_rows(episode(ramp_rest_ramp(51)), 1.0)) == [(10, 61)]
    assert spans(idle_rows(episode(ramp_rest_ramp(50)), 1.0)) == []
    assert spans(idle_rows(episode(ramp_rest_ramp(200)), 1.0)) == [(10, 210)]


def test_the_last_rows_and_the_whole_episode_can_be_idle():
    assert spans(idle_rows(episode(ramp_rest_ramp(80)[:90]), 1.0)) == [(10, 90)]
    assert spans(idle_rows(episode(np.zeros(51)), 1.0)) == [(0, 51)]
    assert spans(idle_rows(episode(np.zeros(50)), 1.0)) == []


def test_noise_is_still_and_a_slow_movement_is_not():
    noise = 0.009 * np.sin(np.arange(200))  # Within 0.02 rad.
    assert spans(idle_rows(episode(noise), 1.0)) == [(0, 200)]
    slow = np.arange(200) * 0.0005  # 0.025 rad in a second.
    assert spans(idle_rows(episode(slow), 1.0)) == []


def test_a_command_that_moves_is_not_idle_though_the_robot_stands():
    states, actions = np.zeros(200), np.zeros(200)
    actions[100:] = 0.5  # A blocked arm: the windows that hold the step are not still.
    assert spans(idle_rows(episode(states, actions), 1.0)) == [(0, 200)]
    actions[100:] = np.arange(100) * 0.01
    assert spans(idle_rows(episode(states, actions), 1.0)) == [(0, 103)]


@pytest.mark.parametrize(("speed", "found"), [(0.4, []), (0.01, [(0, 100)])])
def test_a_base_that_drives_at_a_constant_speed_is_not_idle(speed, found):
    drives = episode(np.c_[np.zeros(100), np.full(100, speed)], units=("rad", "m/s"))
    assert spans(idle_rows(drives, 1.0)) == found


def test_an_entry_of_an_unknown_unit_is_still_within_a_hundredth_of_its_range():
    values = ramp_rest_ramp(60) * 100  # From 0 to 200.
    values[10:70] += 0.9 * np.sin(np.arange(60))  # 1.8 of 2.0 that count as still.
    assert spans(idle_rows(episode(values, units=("",)), 1.0)) == [(10, 70)]
    values[10:70] += 0.3 * np.sin(np.arange(60))
    assert spans(idle_rows(episode(values, units=("",)), 1.0)) == []


def test_values_that_are_not_finite_are_not_idle():
    values = np.zeros(200)
    values[100] = np.nan
    assert spans(idle_rows(episode(values), 1.0)) == [(0, 100), (101, 200)]


def test_actions_of_other_entries_are_judged_by_their_own_names():
    # The action is named e1, which is a velocity of the state; the state's e0 stands.
    states = np.zeros((100, 2))
    drives = episode(states, np.full(100, 0.4), ("rad", "m/s"), ("e1",))
    assert spans(idle_rows(drives, 1.0)) == []
