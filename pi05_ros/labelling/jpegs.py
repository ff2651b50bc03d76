"""An episode's pictures as JPEG, for a page that plays and scrubs them."""

from __future__ import annotations

import threading
from collections import OrderedDict

from pi05_ros.console.pictures import encode_jpeg
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.errors import Pi05Error

_AHEAD = 8  # Pictures decoded at a time: a bag is read in chunks of many.
_MOST_BYTES = 128 << 20


class Jpegs:
    """Pictures of an episode as JPEG; recent ones are kept. Thread-safe.

    Args:
        episode: The episode.
        most_bytes: Size of what is kept [byte].
    """

    def __init__(self, episode: Episode, most_bytes: int = _MOST_BYTES) -> None:
        self._episode, self._most = episode, most_bytes
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        # One thread of a camera decodes; the others find what it has decoded.
        self._decoding = {camera: threading.Lock() for camera in episode.cameras}

    def get(self, camera: str, index: int) -> bytes:
        """Return a picture as JPEG.

        Raises:
            KeyError: There is no such camera.
            IndexError: There is no such picture.
            Pi05Error: The picture cannot be decoded.
        """
        count = len(self._episode.frame_times_ns(camera))
        if not 0 <= index < count:
            raise IndexError(f"picture {index} of {count}")
        with self._decoding[camera]:
            stop = min(index + _AHEAD, count)
            return self._find(camera, index) or self._decode(camera, index, stop)

    def _find(self, camera: str, index: int) -> bytes:
        with self._lock:
            found = self._kept.get((camera, index), b"")
            if found:
                self._kept.move_to_end((camera, index))
            return found

    def _decode(self, camera: str, index: int, stop: int) -> bytes:
        first = b""
        try:
            for place, picture in enumerate(self._episode.pictures(camera, index, stop), index):
                jpeg = encode_jpeg(picture)
                self._keep(camera, place, jpeg)
                first = first or jpeg
        except Pi05Error:
            if not first:
                raise
            # A later picture is damaged: reported when it is asked for.
        return first

    def _keep(self, camera: str, index: int, jpeg: bytes) -> None:
        with self._lock:
            self._size += len(jpeg) - len(self._kept.pop((camera, index), b""))
            self._kept[camera, index] = jpeg
            while self._size > self._most and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])
