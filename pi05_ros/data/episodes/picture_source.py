"""An episode's pictures at the model's size, from the cache where it has them."""

from __future__ import annotations

import logging

import numpy as np

from pi05_ros.cameras.model_input import InputSizes
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.episodes.frame_cache import CachedFrames, FrameCache

_log = logging.getLogger(__name__)


class PictureSource:
    """Pictures of one episode. It can be pickled, and read by many threads.

    Args:
        episode: The episode.
        cache: Cache of decoded pictures; None: each picture is decoded when it is read.
    """

    def __init__(self, episode: Episode, cache: FrameCache | None) -> None:
        self._episode, self._cache = episode, cache
        self.sizes = cache.sizes if cache is not None else InputSizes()
        self._cached: dict[str, CachedFrames | None] = {}

    def usable(self, camera: str) -> np.ndarray | None:
        """Pictures that can be decoded, (N,) bool; None: not known before they are read."""
        cached = self._cached_frames(camera)
        return None if cached is None else cached.usable

    def read(self, camera: str, index: int) -> np.ndarray:
        """Return a picture as the model gets it, (height, width, 3) uint8 rgb.

        Raises:
            Pi05Error: The picture cannot be decoded.
        """
        cached = self._cached_frames(camera)
        if cached is not None:
            picture = cached.read(index)
            if picture is not None:
                return picture
            assert self._cache is not None
            _log.warning(
                "%s: cached picture %d of camera '%s' is damaged; decoded from the episode, and "
                "the cache is rebuilt next time",
                *(self._episode.source, index, camera),
            )
            self._cache.forget(self._episode, camera)
        return self.sizes.fit(self._episode.picture(camera, index), camera)

    def _cached_frames(self, camera: str) -> CachedFrames | None:
        if self._cache is None:
            return None
        if self._cached.get(camera) is None:
            self._cached[camera] = self._cache.frames(self._episode, camera)
        return self._cached[camera]

    def __getstate__(self) -> dict[str, object]:
        """Leave out memory maps, which the copy opens again."""
        return {**self.__dict__, "_cached": {}}
