"""The live observations of an episode, kept in the cache: matching takes 0.2 s a minute."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Sequence

import numpy as np

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.episodes.live import LiveMoments, live_moments

_FORMAT = 1  # Changes with the rules of matching.


def cached_moments(
    episode: Episode,
    cameras: Sequence[str],
    optional: Collection[str] = (),
    cache: CacheFolder | None = None,
) -> LiveMoments:
    """The observations that a brain with these cameras gets; see `live_moments`.

    Args:
        episode: The episode.
        cameras: Cameras of the brain.
        optional: Those without which it goes on.
        cache: Where they are kept; None: they are matched at each call.
    """
    if cache is None:
        return live_moments(episode, needed=cameras, optional=optional)
    name = _name(cameras, optional)
    data = cache.read(episode.recording_fingerprint, name)
    found = None if data is None else _from_bytes(data, cameras)
    if found is None:
        found = live_moments(episode, needed=cameras, optional=optional)
        cache.write(episode.recording_fingerprint, name, _to_bytes(found, cameras))
    return found


def _name(cameras: Sequence[str], optional: Collection[str]) -> str:
    both = json.dumps([list(cameras), sorted(optional)])
    return f"moments-{_FORMAT}-{hashlib.sha256(both.encode()).hexdigest()[:16]}.npz"


def _to_bytes(moments: LiveMoments, cameras: Sequence[str]) -> bytes:
    frames = np.array([_frames(moments, camera) for camera in cameras], np.int64)
    buffer = io.BytesIO()
    np.savez(buffer, times_ns=moments.times_ns, rows=moments.rows, frames=frames)
    return buffer.getvalue()


def _frames(moments: LiveMoments, camera: str) -> np.ndarray:
    """Pictures of a camera, which the episode may lack."""
    return moments.frames.get(camera, np.full(len(moments.rows), -1, np.int64))


def _from_bytes(data: bytes, cameras: Sequence[str]) -> LiveMoments | None:
    """The inverse of `_to_bytes`; None: the bytes are damaged."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = dict(file)  # Reads the whole file, which checks the CRC of each array.
        frames = dict(zip(cameras, arrays["frames"], strict=True))
        return LiveMoments(arrays["times_ns"], arrays["rows"], frames)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
