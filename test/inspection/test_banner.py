"""The banner above pictures."""

import numpy as np

from pi05_ros.inspection.banner import BannerRow, BannerText, banner
from pi05_ros.inspection.lettering import BACKGROUND


def row(left="pick up the cup", right="front", height=30):
    return BannerRow(height, BannerText(left, 20), BannerText(right))


def inked(picture):
    """Columns with anything else than background."""
    return np.flatnonzero((picture != BACKGROUND).any(axis=(0, 2)))


def test_rows_stand_below_each_other():
    picture = banner(320, [row(height=30), row(height=24)])
    assert picture.shape == (54, 320, 3) and picture.dtype == np.uint8
    assert np.array_equal(picture[:30], banner(320, [row(height=30)]))


def test_the_right_part_ends_at_the_margin_and_the_left_one_is_cut_before_it():
    columns = inked(banner(320, [row(left="x" * 100)]))
    assert 11 <= columns.min() <= 16 and 300 <= columns.max() <= 308
    right = inked(banner(320, [row(left="")]))
    cut = inked(banner(320, [row(left="x" * 100, right="")]))
    assert cut.max() > right.min()  # Without a right part there is more room.
    left = columns[columns < right.min()]
    assert right.min() - left.max() >= 20


def test_a_stripe_moves_the_text():
    plain, striped = banner(320, [row()]), banner(320, [row()], stripe="#ff0000")
    assert striped[5, 3].tolist() == [255, 0, 0] and plain[5, 3].tolist() == list(BACKGROUND)
    assert np.array_equal(plain[:, 12:100], striped[:, 20:108])
