"""Floors of spans: numbers computed by hand, and a fit of FAST that fails without them."""

import dataclasses
import math

import numpy as np
import pytest
from fakes.episodes import MemoryEpisode, layout_facts, wandering

from pi05_ros.data.statistics.clipping import clipped_counts
from pi05_ros.data.statistics.floors import Ranges, SpanFloors, floored
from pi05_ros.data.statistics.robot import Layout, RobotStatistics
from pi05_ros.model.normalization import CLIP, clip_for_fast

# A velocity of at most 0.5 m/s, and a joint from -1 to 3 rad.
RANGES = Ranges(("m/s", "rad"), np.array([-0.5, -1.0]), np.array([0.5, 3.0]))
NO_FLOORS = SpanFloors(0.0, 0.0, math.inf)


def widened(ends, seen, ranges=RANGES, difference=(False, False), floors=None):
    found = floored(
        np.array(ends, float).T,
        np.array(seen, float).T,
        ranges,
        np.array(difference),
        floors or SpanFloors(),
    )
    return found.T.tolist()


@pytest.mark.parametrize(
    ("ends", "velocity"),
    [
        ((0.0, 0.0), (-0.1, 0.1)),  # At rest: a fifth of 0.5 m/s to both sides.
        ((0.02, 0.4), (-0.1, 0.4)),  # Always forwards: rest is inside.
        ((-0.3, 0.05), (-0.3, 0.1)),
        ((-0.2, 0.3), (-0.2, 0.3)),  # Sufficient: kept exactly.
    ],
)
def test_a_velocity_range_contains_a_fifth_of_the_limit(ends, velocity):
    found = widened([ends, (0, 2)], [(-0.5, 0.5), (0, 2)])
    assert found[0] == pytest.approx(velocity)
    for speed in (-0.5, 0.5):
        low, high = found[0]
        assert abs(2 * (speed - low) / (high - low) - 1) <= 5 + 1e-9


@pytest.mark.parametrize(
    ("ends", "seen", "joint"),
    [
        ((1.0, 1.0), (1.0, 1.0), (0.9, 1.1)),  # 5 % of 4 rad.
        ((1.0, 1.1), (0.95, 1.15), (0.95, 1.15)),
        ((1.0, 1.0), (1.0, 2.0), (0.8, 1.2)),  # 1 rad away becomes 5.
        ((1.0, 1.0), (1.0, 900.0), (0.6, 1.4)),  # A glitch counts as the limit, 2 rad away.
        ((0.0, 0.5), (-0.9, 1.4), (0.0, 0.5)),  # 4.6 at most: kept exactly.
    ],
)
def test_a_joint_that_rarely_moves(ends, seen, joint):
    assert widened([(-0.2, 0.3), ends], [(-0.2, 0.3), seen])[1] == pytest.approx(joint)


def test_a_difference_reaches_as_far_as_the_range_in_both_directions():
    ends, seen = [(-0.2, 0.3), (0.0, 0.0)], [(-0.2, 0.3), (-3.0, 1.0)]
    assert widened(ends, seen, difference=(False, True))[1] == pytest.approx((-0.6, 0.6))
    # As a value, -3 rad is beyond the limit of -1, and 1 rad away from the middle.
    assert widened(ends, seen)[1] == pytest.approx((-0.2, 0.2))


def test_robots_without_known_limits_have_floors_by_unit():
    ranges = Ranges.of_units(("m/s", "rad/s", "rad", "m", "fraction", ""))
    found = widened([(0, 0)] * 6, [(-9, 9)] * 6, ranges, (False,) * 6)
    wanted = [(-0.1, 0.1), (-0.2, 0.2), (-0.05, 0.05), (-0.01, 0.01), (-0.05, 0.05), (0, 0)]
    np.testing.assert_allclose(found, wanted)


def test_numbers_that_are_no_floors_are_refused():
    with pytest.raises(ValueError, match="velocity_share 1: wanted a share from 0 to 1"):
        SpanFloors(velocity_share=1.0)
    with pytest.raises(ValueError, match="reach 0.5: wanted at least 1"):
        SpanFloors(reach=0.5)


def driving(rows=4000, parts=1):
    """Episodes whose base is at rest in 98 % of the rows, and drives at 0.4 m/s in the others.

    At most 4096 rows: sketches are exact.
    """
    episode = wandering(rows)
    velocity = 0.002 * np.sin(np.arange(rows))
    velocity[1000:1040] = 0.4
    velocity[2000:2039] = -0.4
    episode.states[:, 0] = episode.actions[:, 0] = velocity
    episode.actions[:, 1] = episode.states[:, 1]
    facts = layout_facts(("base_vx", "joint_1"), ("m/s", "rad"))
    cuts = np.array_split(np.arange(rows), parts)
    return [MemoryEpisode(episode.states[c], episode.actions[c], facts) for c in cuts]


def statistics_of(*episodes):
    found = RobotStatistics(Layout.of(episodes[0]))
    for episode in episodes:
        found.add(episode)
    return found


def chunks(episode, norm_stats):
    for row in range(0, len(episode) - 50, 50):
        actions = episode.actions[row : row + 50]
        yield norm_stats.normalize_actions(actions, episode.states[row])


def test_a_base_at_rest_in_98_percent_of_the_rows_stays_within_the_reach():
    (episode,) = driving()
    statistics = statistics_of(episode)
    bare = statistics.norm_stats((), RANGES, NO_FLOORS)
    assert bare.normalize_state(np.array([0.4, 0.0]))[0] > 150  # 0.4 / 0.002, and no model fits.
    found = statistics.norm_stats((), RANGES)
    assert found.dimensions[0].action_q01 == pytest.approx(-0.1)
    assert found.dimensions[0].action_q99 == pytest.approx(0.1)
    assert found.normalize_state(np.array([0.4, 0.0]))[0] == pytest.approx(4.0, abs=1e-3)
    assert found.normalize_state(np.array([0.5, 0.0]))[0] == pytest.approx(5.0, abs=1e-3)
    plain = bare.dimensions[1]
    assert found.dimensions[1] == plain  # A joint that moves keeps its percentiles.
    assert clipped_counts(statistics, found).tolist() == [0, 0]
    assert clipped_counts(statistics, bare)[0] == 79


def test_fast_can_be_fitted_to_it_and_restores_its_chunks():
    fast = pytest.importorskip("pi05_ros.model.text.fast")
    (episode,) = driving()
    statistics = statistics_of(episode)
    bare = statistics.norm_stats((), RANGES, NO_FLOORS)
    with pytest.raises(ValueError, match="do not fit into 1024 tokens"):
        fast.FastTokenizer.fit(chunks(episode, bare))
    found = statistics.norm_stats((), RANGES)
    tokenizer = fast.FastTokenizer.fit(chunks(episode, found))
    assert tokenizer.limit <= CLIP == fast.PUBLIC_LIMIT
    for chunk in chunks(episode, found):
        decoded = tokenizer.decode(tokenizer.encode(chunk), 50, 2)
        assert np.abs(decoded - chunk).max() <= tokenizer.error_bound(50)


def test_a_fit_with_the_clip_as_its_limit_encodes_every_clipped_chunk():
    fast = pytest.importorskip("pi05_ros.model.text.fast")
    quiet = [np.full((50, 2), 0.3 * value) for value in np.linspace(-1, 1, 20)]
    far, _ = clip_for_fast(np.full((50, 2), 80.0))
    with pytest.raises(fast.FastError, match="within ±1, found one of 5"):
        fast.FastTokenizer.fit(quiet).encode(far)
    tokenizer = fast.FastTokenizer.fit(quiet, limit=CLIP)
    # 5 · √50 · 10 = 353.6: the first character, and the public file's min_token.
    assert (tokenizer.limit, tokenizer.min_token) == (5.0, -354)
    for chunk in (far, -far):
        decoded = tokenizer.decode(tokenizer.encode(chunk), 50, 2)
        assert np.abs(decoded - chunk).max() <= tokenizer.error_bound(50)
    with pytest.raises(ValueError, match="limit 0.5: wanted a number of at least 1"):
        fast.FastTokenizer.fit(quiet, limit=0.5)


def test_floors_are_applied_after_merging():
    parts = driving(parts=5)
    merged = statistics_of(parts[0])
    for part in parts[1:]:
        merged.merge(statistics_of(part))
    assert merged.norm_stats((), RANGES) == statistics_of(*parts).norm_stats((), RANGES)


def test_relative_actions_of_an_arm_that_rests_have_floors_too():
    (episode,) = driving()
    episode.states[:, 1] = 1.0
    episode.actions[:, 1] = 1.0 + 0.001 * np.sin(np.arange(len(episode)))
    episode.actions[3000:3020, 1] = 2.0
    relative = statistics_of(episode).norm_stats(["joint_1"], RANGES).dimensions[1]
    # The farthest difference is 1 rad, and 1 rad becomes 5.
    assert (relative.action_q99 - relative.action_q01) / 2 == pytest.approx(0.2, rel=0.01)


def test_only_fast_targets_are_clipped_and_the_mask_says_where():
    actions = np.array([[-6.0, 5.0], [0.25, 5.5]])
    clipped, beyond = clip_for_fast(actions)
    assert clipped.tolist() == [[-5.0, 5.0], [0.25, 5.0]]
    assert beyond.tolist() == [[True, False], [False, True]]
    stats = statistics_of(wandering(500)).norm_stats()
    wide = dataclasses.replace(stats.dimensions[0], action_q01=0.0, action_q99=0.01)
    stats = dataclasses.replace(stats, dimensions=(wide, stats.dimensions[1]))
    flow = stats.normalize_actions(np.array([[1.0, 0.0]]), np.zeros(2))
    assert flow[0, 0] == pytest.approx(199, rel=1e-3)  # As it is.


def test_rounding_at_the_bound_is_not_clipped():
    far = np.array([[CLIP * (1 + 4e-16), -CLIP, CLIP * (1 + 1e-6)]])
    clipped, beyond = clip_for_fast(far)
    assert clipped.tolist() == [[CLIP, -CLIP, CLIP]] and beyond.tolist() == [[False, False, True]]
