"""Rotation of pictures and of points in them."""

import numpy as np
import pytest

from pi05_ros.cameras.rotation import to_driver, to_upright, upright, upright_size

TURNS = (0, 90, 180, 270)
# Two rows of three pixels, numbered.
PICTURE = np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3, 1), 3, axis=2)


@pytest.mark.parametrize(
    ("degrees", "wanted"),
    [
        (0, [[0, 1, 2], [3, 4, 5]]),
        (90, [[3, 0], [4, 1], [5, 2]]),  # Clockwise: the first row becomes the last column.
        (180, [[5, 4, 3], [2, 1, 0]]),
        (270, [[2, 5], [1, 4], [0, 3]]),
    ],
)
def test_a_picture_is_turned_clockwise(degrees, wanted):
    found = upright(PICTURE, degrees)
    assert found[..., 0].tolist() == wanted and found.flags.c_contiguous
    assert upright_size(3, 2, degrees) == (found.shape[1], found.shape[0])


@pytest.mark.parametrize("degrees", TURNS)
def test_points_move_with_their_pixels(degrees):
    turned = upright(PICTURE, degrees)
    for row in range(2):
        for column in range(3):
            at = np.array([(column + 0.5) / 3, (row + 0.5) / 2])
            x, y = to_upright(at, degrees) * (turned.shape[1], turned.shape[0])
            assert (turned[int(y), int(x)] == PICTURE[row, column]).all()


@pytest.mark.parametrize("degrees", TURNS)
def test_the_way_back_is_the_inverse(degrees):
    points = np.random.default_rng(0).random((20, 2))
    np.testing.assert_allclose(to_driver(to_upright(points, degrees), degrees), points)
