"""An episode in a rosbag2 bag."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from pi05_ros.cameras.decoding import PictureError, decode_message
from pi05_ros.cameras.rotation import upright
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.reader import BagReader, RawMessage
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.bag_index import BagIndex, EpisodeTopics, read_index, stamp_of
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import DeviceSpan, Plan, SubtaskLabel
from pi05_ros.data.episodes.index_file import index_from_bytes, index_to_bytes
from pi05_ros.data.episodes.label_overlay import with_recorded_details
from pi05_ros.data.episodes.label_spans import LabelFile
from pi05_ros.data.episodes.labelled_plans import labelled_plans
from pi05_ros.data.episodes.rows import newest_frames

_INDEX = "index-5.npz"  # The number changes with the content of the index.
_OPEN_READERS = 4  # For each thread: a reader keeps a file open and its summary in memory.
_HEAD, _TAIL = 1 << 16, 1 << 20  # Bytes of a file that enter its fingerprint.


class BagEpisode:
    """The Episode in a bag. Everything but its facts is read on first use.

    Args:
        path: The bag's folder, or one file of it.
        cache: Folder in which the bag's index is kept; None: each process reads the bag.
        reader: The bag, open already, for an episode that is used in this thread alone and not
            longer than the reader; None: the bag is opened for each use.

    Raises:
        BagError: The bag is damaged, no episode of the suite or without rows, or the labels beside
            it are damaged or of another recording.
    """

    def __init__(
        self, path: Path, cache: CacheFolder | None = None, reader: BagReader | None = None
    ) -> None:
        self._path, self._cache, self._reader = Path(path), cache, reader
        with self._opened() as reader:
            self._topics = self._topics_of(reader)
            assert reader.facts is not None  # _topics_of checked.
            # The pictures of an Episode are upright.
            self._rotations = reader.facts.rotations
            self._facts = dataclasses.replace(reader.facts, rotations={})
            self._types = {
                name: reader.topics[topic].type for name, topic in self._topics.cameras.items()
            }
            self._fingerprint = fingerprint_of(reader.files, self._rotations)
            self._bag_facts = reader.facts
            self._recording_key = label_file.recording_key(reader.facts)
            self._label_file, self._label_digest = label_file.read(
                label_file.folder_of(self._path), reader.facts
            )
        if self._facts.rate_hz <= 0:
            raise BagError(f"{path}: wanted the rate of its rows in its metadata, found none")
        self._index: BagIndex | None = None
        self._given_labels: tuple[SubtaskLabel, ...] | None = None
        self._lock = threading.Lock()

    @property
    def facts(self) -> EpisodeFacts:
        """See Episode."""
        return self._facts

    @property
    def source(self) -> Path:
        """See Episode."""
        return self._path

    @property
    def fingerprint(self) -> str:
        """See Episode."""
        if self._label_file is None:
            return self._fingerprint
        both = f"{self._fingerprint} {self._label_digest}"
        return hashlib.blake2b(both.encode(), digest_size=16).hexdigest()

    @property
    def recording_fingerprint(self) -> str:
        """See Episode."""
        return self._fingerprint

    @property
    def rate_hz(self) -> float:
        """See Episode."""
        return self._facts.rate_hz

    @property
    def cameras(self) -> tuple[str, ...]:
        """See Episode."""
        return tuple(self._topics.cameras)

    def __len__(self) -> int:
        return len(self.index.times_ns)

    @property
    def times_ns(self) -> np.ndarray:
        """See Episode."""
        return self.index.times_ns

    @property
    def states(self) -> np.ndarray:
        """See Episode."""
        return self.index.states

    @property
    def actions(self) -> np.ndarray:
        """See Episode."""
        return self.index.actions

    @property
    def modes(self) -> np.ndarray:
        """See Episode."""
        return self.index.modes

    @property
    def control_sources(self) -> np.ndarray:
        """See Episode."""
        return self.index.control_sources

    @property
    def devices(self) -> tuple[DeviceSpan, ...]:
        """See Episode."""
        return self.index.devices

    @property
    def labels(self) -> tuple[SubtaskLabel, ...]:
        """See Episode. The labels beside the bag, else the subtasks in it."""
        if self._label_file is not None:
            if self._given_labels is None:  # Samples ask for them at each access.
                given = self._label_file.labels(self.times_ns)
                self._given_labels = with_recorded_details(given, self.index.labels)
            return self._given_labels
        return self.index.labels

    @property
    def label_file(self) -> LabelFile | None:
        """The labels beside the bag (labels.json); None: there are none."""
        return self._label_file

    @property
    def recording_key(self) -> str:
        """Hash by which labels recognise the bag."""
        return self._recording_key

    @property
    def bag_facts(self) -> EpisodeFacts:
        """The facts of the bag; those of an episode differ where a bag holds several."""
        return self._bag_facts

    @property
    def recorded_plans(self) -> tuple[Plan, ...]:
        """Plans in the bag, also where labels beside it replace some."""
        return self.index.plans

    @property
    def recorded_labels(self) -> tuple[SubtaskLabel, ...]:
        """Labels of the subtasks in the bag, also where others beside it replace them."""
        return self.index.labels

    @property
    def plans(self) -> tuple[Plan, ...]:
        """See Episode."""
        index = self.index
        if self._label_file is None:
            return index.plans
        recorded = (index.labels, index.plans, index.times_ns, self.rate_hz)
        return labelled_plans(self._label_file, self.labels, *recorded)

    def frame_times_ns(self, camera: str) -> np.ndarray:
        """See Episode."""
        return self.index.frames[camera].times_ns

    def frame_of_row(self, camera: str) -> np.ndarray:
        """See Episode."""
        return newest_frames(self.frame_times_ns(camera), self.times_ns)

    def picture(self, camera: str, index: int) -> np.ndarray:
        """See Episode."""
        count = len(self.frame_times_ns(camera))
        if not -count <= index < count:
            raise IndexError(f"picture {index} of {count}")
        index %= count
        return next(self.pictures(camera, index, index + 1))

    def pictures(self, camera: str, start: int, stop: int) -> Iterator[np.ndarray]:
        """See Episode.

        Raises:
            BagError: The bag is damaged, or was changed since it was opened.
            PictureError: A picture cannot be decoded; the iterator ends with it.
        """
        frames, topic = self.index.frames[camera], self._topics.cameras[camera]
        times, logs = frames.times_ns[start:stop], frames.log_ns[start:stop]
        if not len(times):
            return
        wanted = dict(zip(times.tolist(), range(len(times)), strict=True))
        # Drivers send in order, but a bag is in the order of reception.
        due: dict[int, bytes] = {}
        following = 0
        reader = self._reader or _readers.get(self._path, self._fingerprint)
        for message in reader.messages([topic], int(logs.min()), int(logs.max()) + 1):
            place = wanted.get(self._picture_time(camera, message))
            if place is None or place in due or message.log_ns != logs[place]:
                continue
            due[place] = message.data
            while following in due:
                yield self._decode(reader, camera, start + following, due.pop(following))
                following += 1
        if following < len(times):
            raise BagError(
                f"{self._path}: wanted picture {start + following} of camera '{camera}', and it "
                "is no longer there: the bag was changed while it was read"
            )

    @property
    def index(self) -> BagIndex:
        """Rows, recorded labels and the pictures' times; read on first use.

        Raises:
            BagError: The bag is damaged or inconsistent.
        """
        with self._lock:
            if self._index is None:
                self._index = self._cached_index() or self._read_index()
            return self._index

    def _cached_index(self) -> BagIndex | None:
        data = self._cache.read(self._fingerprint, _INDEX) if self._cache else None
        if data is None:
            return None
        try:
            return index_from_bytes(data)
        except ValueError:
            return None  # Damaged: it is rebuilt.

    def _read_index(self) -> BagIndex:
        with self._opened() as reader:
            index = self._index_of(reader)
        if self._cache is not None:
            self._cache.write(self._fingerprint, _INDEX, index_to_bytes(index))
        return index

    def _topics_of(self, reader: BagReader) -> EpisodeTopics:
        """Find the topics; a recording of another stack has others."""
        return EpisodeTopics.of(reader)

    def _index_of(self, reader: BagReader) -> BagIndex:
        """Read the whole bag."""
        return read_index(reader, self._topics)

    def _picture_time(self, camera: str, message: RawMessage) -> int:
        """Acquisition time of a picture [ns]."""
        return stamp_of(message.data)

    def _opened(self) -> AbstractContextManager[BagReader]:
        """The reader that was given, which stays open, or one of its own."""
        return nullcontext(self._reader) if self._reader else BagReader(self._path)

    def _decode(self, reader: BagReader, camera: str, index: int, data: bytes) -> np.ndarray:
        try:
            message = reader.decode(self._topics.cameras[camera], data)
            picture = decode_message(self._types[camera], message)
            return upright(picture, self._rotations.get(camera, 0))
        except (BagError, PictureError) as error:
            where = f"{self._path}: picture {index} of camera '{camera}'"
            raise PictureError(f"{where}: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        """Leave out lock and reader, and an index that can be read from the cache."""
        state = {**self.__dict__, "_lock": None, "_reader": None}
        if self._cache is not None:
            state["_index"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def fingerprint_of(files: tuple[Path, ...], rotations: Mapping[str, int] | None = None) -> str:
    """Hash that changes, for practical purposes, whenever the content of a bag's files does.

    It covers each file's size, modification time, first 64 KiB and last MiB. An MCAP file ends
    with the offsets, times and sizes of all its chunks, and a CRC over these. The turns of the
    cameras stand in metadata.yaml, and pictures are kept after them.
    """
    digest = hashlib.blake2b(digest_size=16)
    turned = {camera: degrees for camera, degrees in (rotations or {}).items() if degrees}
    if turned:
        digest.update(json.dumps(turned, sort_keys=True).encode())
    for path in files:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            digest.update(f"{status.st_size} {status.st_mtime_ns} ".encode())
            digest.update(file.read(_HEAD))
            file.seek(max(0, status.st_size - _TAIL))
            digest.update(file.read(_TAIL))
    return digest.hexdigest()


class _Readers(threading.local):
    """The bags from which a thread has last read pictures, kept open."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[int, Path, str], BagReader] = OrderedDict()

    def get(self, path: Path, fingerprint: str) -> BagReader:
        # A forked worker of a data loader must not share its parent's place in a file.
        key = (os.getpid(), path, fingerprint)
        reader = self._open.pop(key, None) or BagReader(path)
        self._open[key] = reader
        while len(self._open) > _OPEN_READERS:
            self._open.popitem(last=False)  # Not closed: an iterator may still read from it.
        return reader


_readers = _Readers()
