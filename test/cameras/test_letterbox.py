"""Fitting pictures into the model's square."""

import numpy as np
import pytest

from pi05_ros.cameras.letterbox import Letterbox


def test_wide_picture_gets_equal_bars_above_and_below():
    box = Letterbox.fit(320, 240, 224, 224)
    assert (box.x, box.y, box.width, box.height) == (0, 28, 224, 168)
    canvas = box.apply(np.full((240, 320, 3), 200, np.uint8))
    assert canvas.shape == (224, 224, 3)
    assert (canvas[:28] == 0).all() and (canvas[196:] == 0).all()
    assert (canvas[28:196] == 200).all()


def test_tall_picture_gets_bars_left_and_right():
    box = Letterbox.fit(100, 200, 50, 50)
    assert (box.x, box.y, box.width, box.height) == (12, 0, 25, 50)


def test_same_size_copies_every_pixel():
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    assert (Letterbox.fit(48, 32, 48, 32).apply(picture) == picture).all()


def test_shrinking_by_two_averages_two_by_two_pixels():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:2, :2] = [[[0], [100]], [[100], [200]]]
    assert Letterbox.fit(4, 4, 2, 2).apply(picture)[0, 0, 0] == 100


def test_canvas_is_cleared_when_it_is_used_again():
    box = Letterbox.fit(4, 2, 4, 4)
    out = np.full((4, 4, 3), 9, np.uint8)
    box.apply(np.full((2, 4, 3), 7, np.uint8), out)
    assert out[:, :, 0].tolist() == [[0] * 4, [7] * 4, [7] * 4, [0] * 4]


def test_coordinates_round_trip_and_clip_to_the_picture():
    box = Letterbox.fit(640, 480, 224, 224)
    for point in ((0.0, 0.0), (0.25, 0.75), (1.0, 1.0)):
        assert box.to_picture(*box.to_canvas(*point)) == pytest.approx(point)
    assert box.to_canvas(0.5, 0.0) == (0.5, 28 / 224)
    assert box.to_picture(0.5, 0.0) == (0.5, 0.0)


def test_empty_picture_is_refused():
    with pytest.raises(ValueError, match="cannot fit 0x240 into 224x224"):
        Letterbox.fit(0, 240, 224, 224)
    with pytest.raises(ValueError, match=r"wanted a picture of shape \(240, 320, 3\)"):
        Letterbox.fit(320, 240, 224, 224).apply(np.zeros((10, 10, 3), np.uint8))
