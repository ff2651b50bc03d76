"""Camera pictures as JPEG, encoded once for all pages, at a limited rate."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

JPEG_QUALITY = 70
MAX_WIDTH = 640  # Pixels; wider pictures are scaled down.
_PASS_ON = 120_000  # Maximum bytes of a JPEG that is forwarded unchanged.
_HEADER = struct.Struct("<B3xId")


@dataclass(frozen=True)
class Picture:
    """One picture of one camera, ready to be sent."""

    sequence: int  # Rises with each picture of a camera, from 1.
    message: bytes  # Camera's index (u8, 3 bytes unused), sequence (u32), stamp [s] (f64), JPEG.


def encode_jpeg(rgb: np.ndarray) -> bytes:
    """Encode (H, W, 3) uint8 rgb as JPEG, at most MAX_WIDTH wide."""
    height, width = rgb.shape[:2]
    if width > MAX_WIDTH:
        size = (MAX_WIDTH, max(1, round(height * MAX_WIDTH / width)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be encoded as JPEG")
    return data.tobytes()


def passes_as_it_is(data: bytes) -> bool:
    """Check whether a compressed picture is a JPEG small enough to forward unchanged."""
    return data[:3] == b"\xff\xd8\xff" and len(data) <= _PASS_ON


class Pictures:
    """The newest picture of each camera.

    Args:
        cameras: Names, in the order of their index.
        rate_hz: Maximum rate of each camera.
        clock: Steady time [s].
    """

    def __init__(self, cameras: Sequence[str], rate_hz: float, clock: Callable[[], float]) -> None:
        self._index = {name: index for index, name in enumerate(cameras)}
        self._period, self._clock = 1.0 / rate_hz, clock
        self._lock = threading.Lock()
        self._newest: dict[str, Picture] = {}
        self._due = dict.fromkeys(cameras, float("-inf"))

    def wants(self, camera: str) -> bool:
        """Check whether the next picture of a camera is due; called once for each arrival."""
        now = self._clock()
        # A camera at exactly this rate must not lose every second picture to jitter.
        if now < self._due[camera] - 0.25 * self._period:
            return False
        self._due[camera] = max(self._due[camera] + self._period, now + 0.5 * self._period)
        return True

    def put(self, camera: str, stamp: float, jpeg: bytes) -> None:
        """Set a camera's picture. stamp: acquisition time [s]."""
        with self._lock:
            before = self._newest.get(camera)
            sequence = (before.sequence if before else 0) + 1
            head = _HEADER.pack(self._index[camera], sequence & 0xFFFFFFFF, stamp)
            self._newest[camera] = Picture(sequence, head + jpeg)

    def since(self, known: dict[str, int]) -> dict[str, Picture]:
        """Return the pictures newer than the known sequence numbers."""
        with self._lock:
            return {
                name: picture
                for name, picture in self._newest.items()
                if picture.message and picture.sequence > known.get(name, 0)
            }

    def clear(self) -> None:
        """Drop all pictures, so that the next page gets no old ones; sequences continue."""
        with self._lock:
            self._newest = {
                name: Picture(picture.sequence, b"") for name, picture in self._newest.items()
            }
