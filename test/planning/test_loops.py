"""Detection of subtask cycles."""

import itertools

import pytest

from pi05_ros.planning.loops import LoopDetector

S = 1_000_000_000


def watch(texts, step=10, repeats=3, window=180.0):
    made = LoopDetector(repeats, window)
    for k, text in enumerate(texts):
        made.add(text, k * step * S)
    return made, (len(texts) - 1) * step * S


@pytest.mark.parametrize("cycle", ["ab", "abc", "abcd", "abac"])
def test_a_cycle_is_noticed_when_it_has_come_three_times(cycle):
    before, now = watch("xy" + cycle * 3 + cycle[:-1])
    assert len(before.cycle(now)) == len(cycle)  # Whole three times, wherever it is cut.
    early, now = watch("xy" + (cycle * 3)[:-1])
    assert early.cycle(now) == ()
    full, now = watch("xy" + cycle * 3)
    assert full.cycle(now) == tuple(cycle)


@pytest.mark.parametrize("texts", ["abcde" * 3, "abab", "abcabd" * 2, "abcdefghij", ""])
def test_what_is_no_cycle_of_two_to_four_is_none(texts):
    made, now = watch(texts)
    assert made.cycle(max(now, 0)) == ()


def test_random_words_without_repetition_are_never_a_loop():
    for texts in itertools.permutations("abcdef"):
        made, now = watch(texts, repeats=2)
        assert made.cycle(now) == ()


def test_a_slow_cycle_is_none_and_an_old_one_is_forgotten():
    slow, now = watch("ababab", step=40)
    assert slow.cycle(now) == ()
    made, now = watch("ababab", step=10)
    assert made.cycle(now + 130 * S) == ("a", "b")
    assert made.cycle(now + 131 * S) == ()


def test_another_subtask_ends_it_and_so_do_people_and_time_that_jumps_back():
    made, now = watch("ababab")
    made.add("c", now + S)
    assert made.cycle(now + S) == ()
    made, now = watch("ababab")
    made.clear()
    assert made.cycle(now) == ()
    made, now = watch("ababab")
    made.add("a", now - S)
    assert made.cycle(now) == ()
