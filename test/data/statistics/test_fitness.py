"""Each fault of the data gives its finding, and blocks until it is accepted."""

import dataclasses
import math

import numpy as np
import pytest
from fakes.episodes import MemoryEpisode, layout_facts

from pi05_ros.data.statistics.fitness import (
    KINDS,
    UnfitStatisticsError,
    check_fitness,
    require_fit,
)
from pi05_ros.data.statistics.floors import Ranges, SpanFloors
from pi05_ros.data.statistics.robot import Layout, RobotStatistics
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
UNITS = tuple(str(dimension.unit) for dimension in PLATFORM.dimensions)
SPAN = PLATFORM.upper - PLATFORM.lower


def sound(rows=2000):
    """An episode in which every entry moves within its limits."""
    phase = np.arange(rows)[:, None] / 100 + np.arange(PLATFORM.size)
    states = (PLATFORM.lower + PLATFORM.upper) / 2 + 0.4 * SPAN * np.sin(phase)
    facts = layout_facts(PLATFORM.names, UNITS, PLATFORM.name)
    return MemoryEpisode(states, states + 0.01 * SPAN * np.cos(phase), facts)


def findings(episode, relative=(), norm_stats=None):
    statistics = RobotStatistics(Layout.of(episode))
    statistics.add(episode)
    own = statistics.norm_stats(relative, Ranges.of_platform(PLATFORM))
    return check_fitness(statistics, PLATFORM, norm_stats or own)


def without_floors(episode):
    """The percentiles themselves, as statistics from before the floors have them."""
    statistics = RobotStatistics(Layout.of(episode))
    statistics.add(episode)
    return statistics.norm_stats((), Ranges.of_platform(PLATFORM), SpanFloors(0.0, 0.0, math.inf))


def kinds(found):
    return {(finding.kind, finding.severity, finding.entry) for finding in found}


def test_sound_data_give_no_finding():
    assert findings(sound()) == ()
    assert findings(sound(), relative=PLATFORM.names[:14]) == ()
    assert require_fit(()) == ()


def test_too_few_rows():
    found = findings(sound(999))
    assert kinds(found) == {("too-few", "error", "")}
    assert "wanted at least 1000 rows" in found[0].sentence
    assert "found 999" in found[0].sentence


def test_nan_in_an_action():
    episode = sound()
    episode.actions[100:103, 5] = np.nan
    found = findings(episode)
    assert kinds(found) == {("not-finite", "error", PLATFORM.names[5])}
    assert "3 values of the action are not finite" in found[0].sentence


def test_infinity_in_a_state():
    episode = sound()
    episode.states[7, 0] = np.inf
    assert ("not-finite", "error", PLATFORM.names[0]) in kinds(findings(episode))


def test_an_entry_that_hardly_moves():
    episode = sound()
    episode.states[:, 14] = 0.25 + 1e-5 * np.sin(np.arange(2000))
    found = findings(episode)
    assert kinds(found) == {("near-constant", "warning", "torso_lift")}
    assert "torso_lift: the state hardly moves" in found[0].sentence
    assert found[0].sentence.endswith("it is normalised by a span of 0.025 m")  # 5 % of 0.5 m.
    assert require_fit(found) == ()


def test_statistics_that_amplify_noise_block():
    episode = sound()
    episode.states[:, 14] = 0.25 + 1e-5 * np.sin(np.arange(2000))
    found = findings(episode, norm_stats=without_floors(episode))
    assert kinds(found) == {("near-constant", "error", "torso_lift")}
    assert "normalised by a span of 2e-05 m, of 0.5 that" in found[0].sentence


def test_a_relative_action_is_checked_by_its_differences():
    episode = sound()
    episode.actions[:] = episode.states  # Absolute ones move; relative ones move less...
    episode.states[:, 14] = episode.actions[:, 14] = np.linspace(0.2, 0.2 + 1e-4, 2000)
    found = findings(episode, relative=["torso_lift"])
    assert {f.entry for f in found} == {"torso_lift"}
    assert any("the relative action hardly moves" in f.sentence for f in found)
    assert not any("the action hardly moves" in f.sentence for f in found)


def test_values_outside_the_limits():
    episode = sound()
    episode.states[:, 3] *= 57.3  # Degrees.
    found = [f for f in findings(episode) if f.kind == "outside-limits"]
    assert [f.entry for f in found] == [PLATFORM.names[3]]
    assert "another unit?" in found[0].sentence


def test_a_small_overshoot_of_a_limit_is_no_finding():
    episode = sound()
    episode.states[:, 3] = PLATFORM.upper[3] + 0.04 * SPAN[3] * np.sin(np.arange(2000))
    assert "outside-limits" not in {f.kind for f in findings(episode)}


def test_statistics_of_other_data():
    episode, other = sound(), sound()
    other.states[:, 2] *= 0.3
    statistics = RobotStatistics(Layout.of(other))
    statistics.add(other)
    found = findings(episode, norm_stats=statistics.norm_stats())
    assert kinds(found) == {("outside-range", "error", PLATFORM.names[2])}
    assert "outside [-1, 1]" in found[0].sentence


def test_a_far_value_warns_and_does_not_block():
    episode = sound()
    episode.states[:, 9] *= 0.01
    episode.states[50, 9] = PLATFORM.upper[9]
    assert findings(episode) == ()  # Its own statistics reach it.
    found = findings(episode, norm_stats=without_floors(episode))
    assert kinds(found) == {("outlier", "warning", PLATFORM.names[9])}
    assert require_fit(found) == ()


def test_another_layout():
    episode = sound()
    facts = dataclasses.replace(episode.facts, names=PLATFORM.names[::-1])
    found = findings(dataclasses.replace(episode, facts=facts))
    assert kinds(found) == {("layout", "error", "")}
    assert f"wanted {PLATFORM.names[0]} [rad] as entry 0" in found[0].sentence


def test_errors_block_until_they_are_accepted_and_accepted_ones_are_returned():
    found = findings(sound(999))
    with pytest.raises(UnfitStatisticsError, match="wanted at least 1000 rows.*--accept too-few"):
        require_fit(found)
    with pytest.raises(UnfitStatisticsError):
        require_fit(found, accept=["outlier"])
    assert require_fit(found, accept=["too-few"]) == found


def test_an_unknown_kind_cannot_be_accepted():
    with pytest.raises(ConfigError, match="'too-fev'; did you mean 'too-few'"):
        require_fit((), accept=["too-fev"])


def test_every_kind_is_described():
    assert all(KINDS.values()) and len(KINDS) == 8


def test_actions_that_fast_targets_clip_are_counted():
    episode = sound()
    episode.actions[:, 15] = 0.4 * np.sin(np.arange(2000))
    known = without_floors(episode)
    low, high = known.dimensions[15].action_q01, known.dimensions[15].action_q99
    middle, half = (low + high) / 2, (high - low) / 2
    episode.actions[100:107, 15] = middle + 5.01 * half
    episode.actions[200:210, 15] = middle + 4.99 * half
    found = [f for f in findings(episode, norm_stats=known) if f.kind == "clipped"]
    assert [(f.severity, f.entry) for f in found] == [("warning", "base_vx")]
    assert "base_vx: 7 of 2000 actions are beyond ±5 after normalisation" in found[0].sentence
