"""Fitness of the policy, on a clock that the test advances."""

import pytest

from pi05_ros.chunking.inference_watch import InferenceWatch

SECOND = 1_000_000_000


def ns(seconds):
    return round(seconds * SECOND)


@pytest.fixture
def watch():
    return InferenceWatch(3.0)


def test_an_inference_that_does_not_return_is_unfit_after_the_limit(watch):
    assert watch.problem(0, ns(5)) == ""
    assert watch.problem(77, ns(10)) == ""
    assert watch.problem(77, ns(13)) == ""
    assert watch.problem(77, ns(13.04)) == (
        "an inference has not returned for 3.0 s: if it lasts, restart this node"
    )
    assert "for 60.0 s" in watch.problem(77, ns(70))


def test_inferences_that_return_one_after_another_are_fit_however_long_there_is_work(watch):
    for k in range(100):
        assert watch.problem(100 + k, ns(0.8 * k)) == ""


def test_it_is_fit_again_when_the_inference_returns(watch):
    watch.problem(77, ns(10))
    assert watch.problem(77, ns(20))
    assert watch.problem(78, ns(20.04)) == "" and watch.problem(0, ns(30)) == ""


def test_a_step_of_the_systems_clock_is_no_stall(watch):
    watch.problem(77 * SECOND, ns(10))  # Pending since a time that is far from the caller's.
    assert watch.problem(77 * SECOND, ns(10.5)) == ""


def test_three_failures_in_a_row_are_unfit_until_one_succeeds(watch):
    for count in range(1, 5):
        watch.failed("out of memory")
        assert bool(watch.problem(0, ns(1))) is (count >= 3)
    assert watch.problem(0, ns(1)) == "4 inferences in a row failed (out of memory): see its log"
    watch.succeeded()
    assert watch.problem(0, ns(1)) == ""
    watch.failed("once")
    assert watch.problem(0, ns(1)) == ""
