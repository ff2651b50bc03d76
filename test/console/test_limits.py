import pytest
from fakes.console_pages import TurnedClock

from pi05_ros.console.limits import Bucket, Buckets, Rate


def test_a_burst_then_the_rate():
    clock = TurnedClock()
    bucket = Bucket(Rate(10, 3), clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    assert bucket.empty
    clock.now += 0.1001
    assert not bucket.empty
    assert [bucket.take(), bucket.take()] == [True, False]
    clock.now += 1000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_each_address_has_its_own_and_the_longest_silent_is_forgotten():
    buckets = Buckets(Rate(1, 1), TurnedClock(), most=2)
    assert buckets.of("a").take() and not buckets.of("a").take()
    assert buckets.of("b").take()
    assert not buckets.of("a").take()
    assert buckets.of("c").take()  # Drops b, which was silent for longest.
    assert not buckets.of("a").take()
    assert buckets.of("b").take()


@pytest.mark.parametrize("rate", [(0, 1), (1, 0)])
def test_a_rate_lets_something_through(rate):
    with pytest.raises(ValueError, match="burst at least 1"):
        Rate(*rate)
