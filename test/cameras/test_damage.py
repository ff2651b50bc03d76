"""Damaged JPEGs and PNGs: lost bytes are found, whole pictures are never refused."""

import cv2
import numpy as np
import pytest

from pi05_ros.cameras.damage import damage_of
from pi05_ros.cameras.decoding import PictureError, decode_compressed

RNG = np.random.default_rng(1)


def scene(height=480, width=640, noise=4.0):
    """A smooth picture with the noise of a sensor."""
    small = RNG.integers(0, 255, (9, 12, 3), dtype=np.uint8)
    smooth = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + RNG.normal(0, noise, smooth.shape), 0, 255).astype(np.uint8)


def grey_below(rows, height=480, width=640):
    """Noise above, and exactly what a decoder fills missing blocks with below."""
    picture = np.full((height, width, 3), 128, np.uint8)
    picture[:rows] = RNG.integers(0, 255, (rows, width, 3))
    return picture


def jpeg(picture, quality=90, **settings):
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    for name, value in settings.items():
        flags += [getattr(cv2, f"IMWRITE_JPEG_{name.upper()}"), value]
    return cv2.imencode(".jpg", picture, flags)[1].tobytes()


def without(data, where, lost):
    """A JPEG that lost bytes of its scan, at a share of it; the end marker stays."""
    begin = data.index(b"\xff\xda") + 14
    at = begin + int((len(data) - begin) * where)
    return data[:at] + data[at + lost :]


KINDS = {
    "4:2:0": {},
    "4:2:2": {"sampling_factor": 0x211111},
    "4:4:4": {"sampling_factor": 0x111111},
    "poor": {"quality": 40},
    "own tables": {"optimize": 1},
    "restart markers": {"rst_interval": 10},
}


@pytest.mark.parametrize(
    ("where", "lost"), [(0.25, 512), (0.5, 1024), (0.1, 9216), (0.8, 512), (0.01, 1400)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_that_lost_a_packet_is_damaged(kind, where, lost):
    data = without(jpeg(scene(), **KINDS[kind]), where, lost)
    assert damage_of(data).startswith("the JPEG is damaged: ")
    with pytest.raises(PictureError, match="the JPEG is damaged"):
        decode_compressed(data, "jpeg")


def test_a_grey_jpeg_that_lost_a_packet_is_damaged():
    assert "a part of its data is missing" in damage_of(without(jpeg(scene()[..., 0]), 0.4, 700))


def test_a_jpeg_that_was_cut_off_is_damaged():
    data = jpeg(scene())
    assert damage_of(data[: len(data) // 2]).startswith("the JPEG is damaged")
    assert damage_of(data[:300]).startswith("the JPEG is damaged")


@pytest.mark.parametrize("size", [(480, 640), (243, 321), (48, 64), (8, 8), (1, 1), (720, 1280)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_jpeg_is_accepted(kind, size):
    for picture in (
        scene(*size),
        scene(*size, noise=0.0),
        np.full((*size, 3), 128, np.uint8),
        np.zeros((*size, 3), np.uint8),
        np.full((*size, 3), 255, np.uint8),
    ):
        assert damage_of(jpeg(picture, **KINDS[kind])) == ""


@pytest.mark.parametrize("rows", [0, 1, 16, 40, 464, 470, 479])
@pytest.mark.parametrize("kind", KINDS)
def test_real_grey_at_the_end_is_not_taken_for_missing_data(kind, rows):
    assert damage_of(jpeg(grey_below(rows), **KINDS[kind])) == ""


@pytest.mark.parametrize("kind", ["4:2:0", "restart markers"])
def test_lost_data_in_front_of_real_grey_is_found(kind):
    assert damage_of(without(jpeg(grey_below(300), **KINDS[kind]), 0.5, 2000))


def test_bytes_behind_the_end_and_a_missing_end_marker_are_no_damage():
    data = jpeg(scene())
    assert damage_of(data + bytes(2000)) == ""
    assert damage_of(data[:-2]) == ""


def test_progressive_jpegs_are_left_to_opencv():
    assert damage_of(jpeg(scene(), progressive=1)) == ""


def test_a_png_is_checked_by_its_checksums():
    data = cv2.imencode(".png", scene(48, 64))[1].tobytes()
    assert damage_of(data) == ""
    assert "a checksum is wrong" in damage_of(data[:2000] + data[2100:])
    assert "its end is missing" in damage_of(data[:3000])
    with pytest.raises(PictureError, match="the PNG is damaged"):
        decode_compressed(data[:2000] + data[2100:], "png")


def test_random_bytes_behind_a_jpegs_head_never_crash():
    head = jpeg(scene(48, 64))
    for _ in range(300):
        damaged = bytearray(head)
        for at in RNG.integers(2, len(head), 5):
            damaged[at] = int(RNG.integers(256))
        assert isinstance(damage_of(bytes(damaged)), str)
