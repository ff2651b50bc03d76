"""Sets for consumers with different cameras, and each consumer's choice among them."""

import numpy as np
import pytest

from pi05_ros.cameras.consumers import ConsumerSets, SetChoice

MS = 1_000_000
CAMERAS = ("front", "back", "left", "right")
POLICY = ("front", "left", "right")


def matched(rates, seconds=4.0, policy=POLICY, latency=None, jitter=0):
    """Play drivers: (arrival [ms], ConsumerSet) of each set."""
    rng = np.random.default_rng(0)
    sets = ConsumerSets(CAMERAS, {"policy": policy, "planner": CAMERAS}, 0.05, 0.25)
    pictures = []
    for name, rate in rates.items():
        for k in range(int(seconds * rate)):
            stamp = 1000 + 1000 * k / rate + rng.uniform(-jitter, jitter)
            pictures.append((stamp + (latency or {}).get(name, 10.0), name, stamp))
    found = []
    for arrival, name, stamp in sorted(pictures):
        found += [(arrival, s) for s in sets.add(name, round(stamp * MS), (name, stamp))]
    return found


def stamps(one):
    return {
        name: stamp
        for name, stamp in zip(CAMERAS, one.matched.stamps_ns, strict=True)
        if stamp is not None
    }


def taken(found, cameras):
    """What a consumer with these cameras takes: arrival [ms], stamp [ns], its stamps."""
    choice, result = SetChoice(cameras), []
    for arrival, one in found:
        have = stamps(one)
        stamp = choice.stamp(have, 0)
        if choice.take(stamp, have.keys() >= set(cameras)):
            result.append((arrival, stamp, have))
    return result


@pytest.mark.parametrize("late", [0.0, 25.0, 80.0])
@pytest.mark.parametrize("jitter", [0, 3])
def test_a_slow_camera_of_the_planner_does_not_slow_the_policy(late, jitter):
    rates = {"front": 30, "left": 30, "right": 30, "back": 5}
    found = matched(rates, latency={"back": 10.0 + late}, jitter=jitter)
    policy = [one for one in taken(found, POLICY) if one[2].keys() >= set(POLICY)]
    assert len(policy) >= 4 * 30 - 6
    for arrival, stamp, have in policy:
        assert stamp == min(have[name] for name in POLICY)
        assert arrival - stamp / MS <= 10 + 2 * jitter + 5
    times = [stamp for _, stamp, _ in policy]
    assert (np.diff(times) > 0).all()
    planner = [one for one in taken(found, CAMERAS) if len(one[2]) == 4]
    assert len(planner) >= 4 * 5 - 3
    for _, stamp, have in planner:
        assert stamp == min(have.values()) and max(have.values()) - stamp <= 50 * MS


def test_a_set_of_all_cameras_serves_both_when_they_are_complete_together():
    rates = dict.fromkeys(("back", "front", "left", "right"), 10)
    found = matched(rates)
    whole = [one for _, one in found if len(stamps(one)) == 4]
    assert len(whole) >= 38 and len(found) <= len(whole) + 3  # While the drivers start.
    assert all(one.consumers == ("policy", "planner") for one in whole)


def test_pictures_that_come_again_for_the_planner_are_no_new_observation_of_the_policy():
    found = matched(dict.fromkeys(CAMERAS, 10), latency={"back": 30.0})
    assert len(found) >= 2 * 38  # One for the policy, and later one with the back camera.
    assert 38 <= len(taken(found, POLICY)) <= 41
    assert 38 <= len([one for one in taken(found, CAMERAS) if len(one[2]) == 4]) <= 41


def test_a_brain_with_other_cameras_is_matched_by_those():
    rates = {"front": 30, "left": 30, "right": 30, "back": 5}
    found = matched(rates, policy=("front", "back"))
    policy = taken(found, ("front", "back"))
    assert 17 <= len([one for one in policy if {"front", "back"} <= one[2].keys()]) <= 21


def test_consumers_change_their_cameras_while_pictures_come():
    sets = ConsumerSets(("a", "b"), {"policy": ("a", "b")}, 0.05, 0.25)
    sets.add("b", 990 * MS, 0)
    sets.set_cameras("policy", ("a",))
    (one,) = sets.add("a", 1000 * MS, 1)
    assert one.consumers == ("policy",) and one.matched.items[0] == 1
    sets.set_cameras("policy", ())
    with pytest.raises(ValueError, match="wanted cameras of a, b, found c"):
        sets.set_cameras("policy", ("c",))


def test_a_silent_camera_of_the_policy_shows_after_a_while():
    choice = SetChoice(("a", "b"))
    assert choice.take(1000 * MS, has_all=True)
    assert not choice.take(1100 * MS, has_all=False)
    assert not choice.take(1290 * MS, has_all=False)
    assert choice.take(1300 * MS, has_all=False)
    assert choice.take(1333 * MS, has_all=False)
    assert choice.take(1366 * MS, has_all=True)
    assert not choice.take(1400 * MS, has_all=False)


def test_a_consumer_that_never_had_all_its_cameras_takes_what_there_is():
    choice = SetChoice(("a", "b"))
    assert choice.take(1000 * MS, has_all=False)
    assert choice.take(1033 * MS, has_all=False)


def test_a_choice_begins_again_when_time_jumps_back():
    choice = SetChoice(("a",))
    assert choice.take(100_000 * MS, has_all=True)
    assert not choice.take(99_900 * MS, has_all=True)
    assert choice.take(5_000 * MS, has_all=True)
