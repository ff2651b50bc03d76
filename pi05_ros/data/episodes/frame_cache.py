"""An episode's pictures at the model's size, decoded once and then read from a memory map."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import threading
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from pi05_ros.cameras.decoding import PictureError
from pi05_ros.cameras.model_input import InputSizes
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode

_log = logging.getLogger(__name__)

# Changes with resizing and with what is refused as damaged; OpenCV's decoders may differ by
# version.
_FORMAT = f"3-cv{cv2.__version__}"
_PART = 64  # Pictures that one thread decodes at a time.


class CachedFrames:
    """The pictures of one camera of one episode. Reading is thread-safe.

    Args:
        path: File with the pixels, (N, height, width, 3) uint8.
        size: (height, width) [pixel].
        usable: See Attributes.
        checks: (N,) uint32, CRC-32 of each picture.

    Attributes:
        usable: (N,) bool; False: the driver's picture could not be decoded.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], usable: np.ndarray, checks: np.ndarray
    ) -> None:
        shape = (len(usable), *size, 3)
        self._pixels = np.memmap(path, np.uint8, "r", shape=shape) if len(usable) else None
        self._checks = checks
        self._checked = np.zeros(len(usable), bool)
        self.usable = usable

    def read(self, index: int) -> np.ndarray | None:
        """Return a copy of a picture, (height, width, 3) uint8; None: it is damaged there."""
        assert self._pixels is not None
        picture = np.array(self._pixels[index])
        if not self._checked[index]:
            if zlib.crc32(picture.data) != self._checks[index]:
                return None
            self._checked[index] = True
        return picture


@dataclass(frozen=True)
class FrameCache:
    """A cache of decoded pictures. It can be pickled."""

    folder: CacheFolder = field(default_factory=CacheFolder)
    sizes: InputSizes = field(default_factory=InputSizes)

    def frames(self, episode: Episode, camera: str) -> CachedFrames | None:
        """Open the pictures of a camera; None: they must be built."""
        name = self._name(camera)
        summary = self.folder.read(episode.recording_fingerprint, f"{name}.npz")
        if summary is None:
            return None
        count = len(episode.frame_times_ns(camera))
        path = self.folder.folder / episode.recording_fingerprint / f"{name}.u8"
        try:
            with np.load(io.BytesIO(summary), allow_pickle=False) as file:
                usable, checks = file["usable"], file["checks"]
            if len(usable) != count or len(checks) != count:
                raise ValueError(f"wanted {count} pictures, found {len(usable)}")
            if path.stat().st_size != count * self._bytes_of(camera):
                raise ValueError(f"{path.stat().st_size} bytes are not {count} pictures")
            return CachedFrames(path, self.sizes.of(camera), usable, checks)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            _log.warning("%s: the cached pictures are damaged (%s); rebuilding them", path, error)
            self.forget(episode, camera)
            return None

    def forget(self, episode: Episode, camera: str) -> None:
        """Remove a camera's pictures, so that they are rebuilt."""
        folder = self.folder.folder / episode.recording_fingerprint
        for suffix in ("npz", "u8"):
            with suppress(OSError):
                (folder / f"{self._name(camera)}.{suffix}").unlink()

    def build(
        self,
        episodes: Sequence[Episode],
        cameras: Collection[str],
        *,
        workers: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Decode the missing pictures, on all cores.

        Args:
            episodes: The episodes.
            cameras: Names of the cameras; an episode may lack some.
            workers: Number of threads; None: one for each core of this process. Decoding, resizing
                and decompressing release the GIL.
            progress: Called with the pictures done and the pictures in all.

        Returns:
            The number of pictures that were decoded.

        Raises:
            CacheError: The pictures do not fit into the cache.
            Pi05Error: An episode cannot be read.
        """
        cores = workers or len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(cores, "indices") as pool:
            list(pool.map(len, episodes))  # Reads each bag once, unless its index is cached.
        missing = [
            (episode, camera)
            for episode in episodes
            for camera in cameras
            if camera in episode.cameras and self.frames(episode, camera) is None
        ]
        counts = [len(episode.frame_times_ns(camera)) for episode, camera in missing]
        keep = {episode.recording_fingerprint for episode in episodes}
        needed = sum(
            count * self._bytes_of(camera)
            for count, (_, camera) in zip(counts, missing, strict=True)
        )
        self.folder.make_room(needed, keep)
        counter = _Progress(sum(counts), progress)
        # The outer threads wait and the inner ones decode, so short episodes use many cores too.
        with (
            ThreadPoolExecutor(cores, "pictures") as inner,
            ThreadPoolExecutor(cores, "cameras") as outer,
        ):
            jobs = [
                outer.submit(self._build_one, inner, episode, camera, count, counter)
                for (episode, camera), count in zip(missing, counts, strict=True)
            ]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                for job in jobs:
                    job.cancel()
                inner.shutdown(wait=False, cancel_futures=True)
                raise
        return counter.done

    def _build_one(
        self,
        pool: ThreadPoolExecutor,
        episode: Episode,
        camera: str,
        count: int,
        counter: _Progress,
    ) -> None:
        key, name = episode.recording_fingerprint, self._name(camera)
        with self.folder.exclusive(key, name):
            if self.frames(episode, camera) is not None:  # Another process built it meanwhile.
                counter.advance(count)
                return
            usable, checks = np.ones(count, bool), np.zeros(count, np.uint32)
            with self.folder.replacing(key, f"{name}.u8") as path:
                pixels = _new_pixels(path, (count, *self.sizes.of(camera), 3))

                def part(start: int) -> None:
                    stop = min(start + _PART, count)
                    _decode(episode, camera, start, stop, pixels, usable, self.sizes)
                    for index in range(start, stop):
                        checks[index] = zlib.crc32(pixels[index].data)
                    counter.advance(stop - start)

                for done in [pool.submit(part, start) for start in range(0, count, _PART)]:
                    done.result()
            buffer = io.BytesIO()
            np.savez(buffer, usable=usable, checks=checks)
            # Written last: its presence means that the pictures are complete.
            self.folder.write(key, f"{name}.npz", buffer.getvalue())

    def _name(self, camera: str) -> str:
        """Stem of a camera's files; characters with a meaning in a path are quoted."""
        plain = urllib.parse.quote(camera, safe="")
        if len(plain) > 100:
            plain = hashlib.sha256(camera.encode()).hexdigest()
        height, width = self.sizes.of(camera)
        # A reduced picture differs from one that is fitted to its size at once.
        way = f"{self.sizes.height}x{self.sizes.width}to" if height < self.sizes.height else ""
        return f"{plain}.{way}{height}x{width}-{_FORMAT}"

    def _bytes_of(self, camera: str) -> int:
        """Bytes of a picture of a camera."""
        height, width = self.sizes.of(camera)
        return height * width * 3


def _new_pixels(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Map a new file as an array, allocated now: a full disk would mean SIGBUS later."""
    size = int(np.prod(shape))
    with open(path, "wb") as file:
        if not size:
            return np.zeros(shape, np.uint8)
        os.posix_fallocate(file.fileno(), 0, size)
    return np.memmap(path, np.uint8, "r+", shape=shape)


def _decode(
    episode: Episode,
    camera: str,
    start: int,
    stop: int,
    pixels: np.ndarray,
    usable: np.ndarray,
    sizes: InputSizes,
) -> None:
    """Decode pictures `start` to `stop`; those that fail are marked unusable."""
    index = start
    while index < stop:
        try:
            for picture in episode.pictures(camera, index, stop):
                sizes.fit(picture, camera, pixels[index])
                index += 1
            if index < stop:
                raise PictureError(
                    f"{episode.source}: wanted {stop} pictures of camera '{camera}', found {index}"
                )
        except PictureError as error:
            _log.warning("%s: picture %d of camera '%s': %s", episode.source, index, camera, error)
            pixels[index] = 0
            usable[index] = False
            index += 1


class _Progress:
    """Progress of several threads."""

    def __init__(self, total: int, report: Callable[[int, int], None] | None) -> None:
        self.done = 0
        self._total, self._report = total, report
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        with self._lock:
            self.done += count
            if self._report is not None:
                self._report(self.done, self._total)
