"""Pictures as JPEG: encoded once however many look, no more often than asked for."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

JPEG_QUALITY = 70
MAX_WIDTH = 640  # Pixels; wider pictures are made smaller.
_PASS_ON = 120_000  # Bytes of a JPEG that is handed on as it came.
_HEADER = struct.Struct("<B3xId")


@dataclass(frozen=True)
class Picture:
    """One picture of one camera, ready to be sent."""

    sequence: int  # Rises with each picture of a camera, from 1.
    message: bytes  # Camera's index (u8, 3 bytes unused), sequence (u32), stamp [s] (f64), JPEG.


def encode_jpeg(rgb: np.ndarray) -> bytes:
    """(H, W, 3) uint8 rgb as JPEG, at most MAX_WIDTH wide."""
    height, width = rgb.shape[:2]
    if width > MAX_WIDTH:
        size = (MAX_WIDTH, max(1, round(height * MAX_WIDTH / width)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture of {rgb.shape} cannot be written as JPEG")
    return data.tobytes()


def passes_as_it_is(data: bytes) -> bool:
    """Whether a driver's compressed picture is a JPEG that is small enough to hand on."""
    return data[:3] == b"\xff\xd8\xff" and len(data) <= _PASS_ON


class Pictures:
    """The newest picture of each camera.

    Args:
        cameras: Names, in the order of their index.
        rate_hz: At most so many of each camera.
        clock: Steady time [s].
    """

    def __init__(self, cameras: Sequence[str], rate_hz: float, clock: Callable[[], float]) -> None:
        self._index = {name: index for index, name in enumerate(cameras)}
        self._period, self._clock = 1.0 / rate_hz, clock
        self._lock = threading.Lock()
        self._newest: dict[str, Picture] = {}
        self._due = dict.fromkeys(cameras, float("-inf"))

    def wants(self, camera: str) -> bool:
        """Whether the next picture of a camera is due; asked once for each that arrives."""
        now = self._clock()
        # A camera at just our rate must not lose every other picture to a late one.
        if now < self._due[camera] - 0.25 * self._period:
            return False
        self._due[camera] = max(self._due[camera] + self._period, now + 0.5 * self._period)
        return True

    def put(self, camera: str, stamp: float, jpeg: bytes) -> None:
        """Sets a camera's picture. stamp: when it was taken [s]."""
        with self._lock:
            before = self._newest.get(camera)
            sequence = (before.sequence if before else 0) + 1
            head = _HEADER.pack(self._index[camera], sequence & 0xFFFFFFFF, stamp)
            self._newest[camera] = Picture(sequence, head + jpeg)

    def since(self, known: dict[str, int]) -> dict[str, Picture]:
        """Cameras with a picture newer than the sequence that is known of them."""
        with self._lock:
            return {
                name: picture
                for name, picture in self._newest.items()
                if picture.message and picture.sequence > known.get(name, 0)
            }

    def clear(self) -> None:
        """Shows nothing old to who comes next; sequences go on."""
        with self._lock:
            self._newest = {
                name: Picture(picture.sequence, b"") for name, picture in self._newest.items()
            }
