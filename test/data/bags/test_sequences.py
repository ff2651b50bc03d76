"""Sequence numbers reveal a clock that jumped back."""

import pytest

from pi05_ros.data.bags.sequences import clock_jumped_back


@pytest.mark.parametrize(
    ("sequences", "jumped"),
    [
        ([], False),
        ([7], False),
        ([3, 4, 5, 8, 9], False),  # 6 and 7 were lost.
        ([1, 2, 3, 1, 2, 3, 4], False),  # Restarted.
        ([501, 502, 1, 2, 3], False),  # Restarted, after a late subscription.
        ([1, 2, 5, 3, 6, 4, 7, 8], True),  # Rows 5 to 8 came after the clock went back.
        ([0, 0, 0], False),
        ([1, 5, 2, 6, 0], False),
    ],
)
def test_numbers_that_go_up_and_down(sequences, jumped):
    assert clock_jumped_back(sequences) is jumped
