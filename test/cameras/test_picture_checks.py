"""Fingerprints and blindness of pictures."""

import array

import numpy as np
import pytest

from pi05_ros.cameras.picture_checks import blindness_of, fingerprint

NOISE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [0, 1, 1000, 1 << 20, (1 << 20) + 1, 25_000_000])
def test_equal_bytes_have_equal_fingerprints_in_a_message_and_out_of_it(size):
    data = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes()
    assert fingerprint(data) == fingerprint(array.array("B", data))


@pytest.mark.parametrize("place", [0, 1000, 230_399])
def test_one_pixel_changes_the_fingerprint(place):
    changed = NOISE.copy()
    changed.reshape(-1)[place] ^= 1
    assert fingerprint(changed.tobytes()) != fingerprint(NOISE.tobytes())


def test_noise_changes_the_fingerprint_of_a_picture_that_is_only_sampled():
    large = np.zeros((2160, 3840, 3), np.uint8)
    noisy = large.copy()
    noisy[::16] ^= 1  # Some rows differ.
    assert fingerprint(large.tobytes()) != fingerprint(noisy.tobytes())
    noisy = large.copy()
    noisy[-1, -100:] = 1  # The last block reaches nearly to the end.
    assert fingerprint(large.tobytes()) != fingerprint(noisy.tobytes())


def flat(value):
    return np.full((240, 320, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("picture", "blindness"),
    [
        (flat(0), "black"),
        (np.random.default_rng(2).integers(0, 13, (240, 320, 3), dtype=np.uint8), "black"),
        (flat(255), "saturated"),
        (flat(128), "covered"),
        ((flat(90) + NOISE % 8).astype(np.uint8), "covered"),
        (NOISE, ""),
        (np.tile(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], (240, 1, 3)), ""),
    ],
    ids=["black", "dark noise", "saturated", "grey", "grey noise", "noise", "ramp"],
)
def test_blindness_of_pictures(picture, blindness):
    assert blindness_of(picture) == blindness


def test_a_lamp_in_the_dark_is_not_blind():
    picture = flat(0)
    picture[100:150, 100:150] = 255
    assert blindness_of(picture) == ""


def test_a_tiny_picture_is_checked_too():
    assert blindness_of(np.full((1, 1, 3), 255, np.uint8)) == "saturated"
