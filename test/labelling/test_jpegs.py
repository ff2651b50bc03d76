import cv2
import numpy as np
import pytest
from fakes.episodes import wandering

from pi05_ros.errors import Pi05Error
from pi05_ros.labelling.jpegs import Jpegs


class Counted:
    """An episode of 20 pictures, of grey level = number, that counts what is decoded."""

    def __init__(self, damaged=-1):
        pixels = np.repeat(np.arange(20, dtype=np.uint8), 48).reshape(20, 4, 4, 3) * 10
        times = 10**9 + np.arange(20) * 10**8
        self._episode = wandering(10, frames={"front": (times, pixels)})
        self.decoded, self._damaged = [], damaged

    def __getattr__(self, name):
        return getattr(self._episode, name)

    def pictures(self, camera, start, stop):
        for index in range(start, stop):
            if index == self._damaged:
                raise Pi05Error("damaged")
            self.decoded.append(index)
            yield self._episode.picture(camera, index)


def grey(jpeg):
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return round(pixels.mean() / 10) * 10  # JPEG is not exact.


def test_pictures_are_decoded_ahead_once():
    episode = Counted()
    jpegs = Jpegs(episode)
    assert [grey(jpegs.get("front", k)) for k in (3, 4, 10, 3)] == [30, 40, 100, 30]
    assert episode.decoded == list(range(3, 11))
    jpegs.get("front", 19)
    assert episode.decoded[-1] == 19


def test_only_so_much_is_kept():
    episode = Counted()
    jpegs = Jpegs(episode, most_bytes=1)
    jpegs.get("front", 0)
    episode.decoded.clear()
    assert grey(jpegs.get("front", 0)) == 0
    assert episode.decoded == list(range(8))


def test_a_damaged_picture_does_not_take_others_with_it():
    jpegs = Jpegs(Counted(damaged=5))
    assert grey(jpegs.get("front", 3)) == 30
    assert grey(jpegs.get("front", 4)) == 40
    with pytest.raises(Pi05Error, match="damaged"):
        jpegs.get("front", 5)


def test_what_there_is_not_is_an_error():
    jpegs = Jpegs(Counted())
    for index in (-1, 20):
        with pytest.raises(IndexError, match=f"picture {index} of 20"):
            jpegs.get("front", index)
    with pytest.raises(KeyError):
        jpegs.get("back", 0)
