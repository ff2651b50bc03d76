"""Validation of continuations."""

from __future__ import annotations

import numpy as np
import pytest

from pi05_ros.brain.continuation import Continuation, ContinuationError

ROWS = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(("committed", "overlap"), [(0, 0), (2, 3), (4, 4)])
def test_rows_in_order_are_a_continuation(committed, overlap):
    continuation = Continuation(ROWS, committed, overlap, "rtc")
    assert continuation.horizon == 4
    np.testing.assert_array_equal(continuation.actions, ROWS)


@pytest.mark.parametrize(
    ("actions", "committed", "overlap", "mode", "message"),
    [
        (ROWS, 3, 2, "rtc", "wanted 0 <= committed <= overlap <= 4 .* committed 3 and overlap 2"),
        (ROWS, -1, 2, "rtc", "found committed -1"),
        (ROWS, 0, 5, "rtc", "overlap 5"),
        (ROWS[0], 0, 0, "rtc", r"wanted actions \(H, D\) float64, found \(3,\)"),
        (ROWS.astype("f"), 0, 0, "rtc", "float32"),
        (np.where(ROWS == 11, np.nan, ROWS), 0, 0, "rtc", "found NaN or infinity"),
        (ROWS, 0, 0, "async", "wanted a mode of rtc, trained_rtc, found 'async'"),
    ],
)
def test_what_is_no_continuation(actions, committed, overlap, mode, message):
    with pytest.raises(ContinuationError, match=message):
        Continuation(actions, committed, overlap, mode)
