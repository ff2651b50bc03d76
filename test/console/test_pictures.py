import struct

import cv2
import numpy as np
import pytest
from fakes.console_pages import TurnedClock

from pi05_ros.console.pictures import Pictures, encode_jpeg, passes_as_it_is


def test_a_picture_keeps_its_colours_and_is_made_smaller():
    rgb = np.zeros((300, 1280, 3), np.uint8)
    rgb[:, :640] = (250, 20, 20)
    rgb[:, 640:] = (20, 20, 250)
    bgr = cv2.imdecode(np.frombuffer(encode_jpeg(rgb), np.uint8), cv2.IMREAD_COLOR)
    assert bgr.shape == (150, 640, 3)
    assert np.abs(bgr[75, 100].astype(int) - (20, 20, 250)).max() < 12
    assert np.abs(bgr[75, 600].astype(int) - (250, 20, 20)).max() < 12


@pytest.mark.parametrize("camera_hz, wanted", [(10, 100), (30, 100), (4, 40), (11, 100)])
def test_a_camera_gives_at_most_the_rate(camera_hz, wanted):
    clock = TurnedClock()
    pictures = Pictures(("front",), 10.0, clock)
    taken = 0
    for _ in range(10 * camera_hz):
        clock.now += 1 / camera_hz
        taken += pictures.wants("front")
    assert abs(taken - wanted) <= 0.06 * wanted + 1


def test_jitter_costs_no_picture():
    clock = TurnedClock()
    pictures = Pictures(("front",), 10.0, clock)
    taken = 0
    for index in range(100):
        clock.now = 1000 + 0.1 * index + (0.02 if index % 2 else 0.0)
        taken += pictures.wants("front")
    assert taken >= 98


def test_who_comes_gets_the_newest_and_each_once():
    pictures = Pictures(("front", "back"), 10.0, TurnedClock())
    pictures.put("back", 1.5, b"one")
    pictures.put("back", 2.5, b"two")
    (picture,) = pictures.since({}).values()
    assert struct.unpack("<B3xId", picture.message[:16]) == (1, 2, 2.5)
    assert picture.message[16:] == b"two"
    assert pictures.since({"back": picture.sequence}) == {}


def test_nothing_old_is_shown_to_who_comes_next():
    pictures = Pictures(("front",), 10.0, TurnedClock())
    pictures.put("front", 1.0, b"old")
    pictures.clear()
    assert pictures.since({}) == {}
    pictures.put("front", 2.0, b"new")
    assert pictures.since({"front": 1})["front"].sequence == 2


def test_a_small_jpeg_is_handed_on():
    jpeg = encode_jpeg(np.zeros((8, 8, 3), np.uint8))
    assert passes_as_it_is(jpeg)
    assert not passes_as_it_is(b"\x89PNG" + jpeg)
    assert not passes_as_it_is(jpeg + bytes(200_000))
