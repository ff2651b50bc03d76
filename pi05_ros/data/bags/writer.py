"""Writer of one episode's bag, which survives a killed process and a failed disk.

docs/design/bags.md lists what is lost in each case.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.data.bags.background_sync import BackgroundSync
from pi05_ros.data.bags.compressibility import Compressibility
from pi05_ros.data.bags.definitions import type_hash
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.mark import IncompleteMark, Reserve
from pi05_ros.data.bags.mcap_file import OpenChunk
from pi05_ros.data.bags.metadata import FILE
from pi05_ros.data.bags.parts import BagParts, BagTopic
from pi05_ros.data.bags.sink import sync_folder, write_atomically
from pi05_ros.foundation.settings import setting

__all__ = ["BagTopic", "BagWriter", "WriterSettings"]

_COMPRESSIONS = {"zstd": "zstd", "lz4": "lz4", "none": ""}
_RESERVE = 1 << 20  # bytes for the summary at first; it grows with the file
_METADATA_RESERVE = 128 << 10  # bytes for metadata.yaml; 30 topics need 30 kB


@dataclass(frozen=True)
class WriterSettings:
    """Settings of BagWriter. With the defaults kill -9 loses at most 1 s of any topic."""

    chunk_bytes: int = 1 << 20  # a chunk is closed when it has this many bytes
    flush_after_s: float = 0.5  # or when its first message is this old [s]
    sync_every_s: float = 1.0  # period of fdatasync [s]
    split_after_s: float = setting(
        0.0,
        "Duration after which a bag continues in another file [s]; 0: never.",
        minimum=0.0,
    )
    compression: str = setting(
        "zstd",
        "Compression of the bag's chunks; see docs/design/recording.md.",
        choices=tuple(_COMPRESSIONS),
    )

    def __post_init__(self) -> None:
        if self.chunk_bytes < 1:
            raise ValueError(f"chunk_bytes: wanted at least 1, got {self.chunk_bytes}")
        for name in ("flush_after_s", "sync_every_s", "split_after_s"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name}: wanted a time >= 0, got {getattr(self, name)}")
        if self.compression not in _COMPRESSIONS:
            raise ValueError(
                f"compression: wanted one of {', '.join(_COMPRESSIONS)}, got {self.compression!r}"
            )


class BagWriter:
    """Writes one bag from one thread; messages are not decoded.

    Args:
        folder: The bag's folder, which must not exist; its parents are made.
        facts: The facts at the start; `close` takes the final ones.
        settings: How the bag is written.
        clock: Monotonic time [s], for flushes, syncs and splits.

    Raises:
        BagError: The folder exists, or cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        facts: EpisodeFacts,
        settings: WriterSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.settings = settings or WriterSettings()
        self.dropped = 0  # messages pending when the disk failed, or written afterwards
        self._facts = facts
        self._clock = clock
        self._accepted: Counter[str] = Counter()
        self._topics: dict[str, str] = {}  # name -> type
        self._pays = Compressibility()
        self._packed = _COMPRESSIONS[self.settings.compression]
        self._chunks: dict[str, OpenChunk] = {}  # by compression
        self._waiting_since: dict[str, float] = {}  # time of an open chunk's first message
        self._failure: OSError | None = None
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            raise BagError(
                f"{folder} exists already: an episode gets a folder of its own"
            ) from error
        except OSError as error:
            raise BagError(f"{folder}: no bag can be begun there ({_why(error)})") from error
        try:
            self._mark = IncompleteMark(folder)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise BagError(f"{folder}: no bag can be begun there ({_why(error)})") from error
        try:
            sync_folder(folder.parent)
            self._reserve = Reserve(folder, _RESERVE, _METADATA_RESERVE)
            self._parts = BagParts(folder, facts)
        except OSError as error:
            self._mark.release()
            shutil.rmtree(folder, ignore_errors=True)
            raise BagError(f"{folder}: no bag can be begun there ({_why(error)})") from error
        self._sync = BackgroundSync()
        self._synced = self._part_began = self._clock()

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of messages by topic, on the disk or in a chunk that is not written yet."""
        # A copy: another thread may read while a topic is added.
        return {name: self._accepted[name] for name in list(self._topics)}

    @property
    def bytes_written(self) -> int:
        """Number of bytes in the bag's files."""
        return self._parts.bytes

    @property
    def failure(self) -> str:
        """Reason why writing ended before `close`; "": it did not."""
        return "" if self._failure is None else _why(self._failure)

    def add_topic(self, topic: BagTopic) -> None:
        """Add a topic, at any time. A known topic, or a call after a failure, is ignored.

        Raises:
            BagError: The type is not installed, the topic was added with another type, or the
                disk failed.
        """
        known = self._topics.get(topic.name)
        if known is not None:
            if known != topic.type:
                raise BagError(
                    f"{self.folder}: topic {topic.name} is recorded as {known} and cannot "
                    f"become {topic.type}"
                )
            return
        if self._failure is not None:
            return
        if not topic.type_hash:
            topic = dataclasses.replace(topic, type_hash=type_hash(topic.type))
        self._guarded(lambda: self._parts.add_topic(topic))
        self._topics[topic.name] = topic.type

    def write(
        self, topic: str, data: bytes, log_ns: int, publish_ns: int, sequence: int = 0
    ) -> None:
        """Add a message.

        Args:
            topic: A topic that was added.
            data: The serialized message (CDR).
            log_ns: Time of reception on the recorder's clock [ns].
            publish_ns: Time of publication [ns]. Values up to 0 mean not known (DDS reports -1
                for publishers that send no time); the file then holds log_ns, as MCAP specifies.
            sequence: Publication sequence number; MCAP keeps the lower 32 bits. 0: not known.

        Raises:
            BagError: The topic was not added; or, once, the disk failed. Later messages are
                counted in `dropped`.
        """
        channel = self._parts.channel(topic)
        if self._failure is not None:
            self.dropped += 1
            return
        if channel is None:
            raise BagError(f"{self.folder}: a message of {topic}, which was not added")
        if not isinstance(data, bytes):
            data = bytes(data)  # the chunk references it; the caller may reuse its buffer
        lane = self._packed if self._packed and self._pays.pays(channel, data) else ""
        chunk = self._chunks.get(lane)
        now = self._clock()
        if chunk is None:
            chunk = self._chunks[lane] = OpenChunk(lane)
            self._waiting_since[lane] = now
        chunk.add(channel, log_ns, publish_ns if publish_ns > 0 else log_ns, sequence, data)
        self._accepted[topic] += 1
        late = now - self._waiting_since[lane] >= self.settings.flush_after_s
        if chunk.size >= self.settings.chunk_bytes or late:
            self._guarded(lambda: self._flush(lane))

    def update_facts(self, facts: EpisodeFacts) -> None:
        """Write the current facts into the file, where recovery finds them.

        Raises:
            BagError: The disk failed; raised once.
        """
        if self._failure is None:
            self._facts = facts
            self._guarded(lambda: self._parts.update_facts(facts))

    def tick(self) -> None:
        """Write chunks by time, sync, and split. Call it at least five times a second.

        Raises:
            BagError: The disk failed; raised once.
        """
        if self._failure is None:
            self._guarded(self._tick)

    def close(self, facts: EpisodeFacts) -> None:
        """Finish the bag, read it back, write metadata.yaml and remove the mark.

        After a disk failure it closes what was written; `ended` then holds the failure unless the
        facts give another reason.

        Args:
            facts: The final facts.

        Raises:
            BagError: The bag could not be finished or does not hold what was written; the mark
                stays.
        """
        if self._failure is None:
            try:
                self._flush_all()
            except OSError as error:
                self._failed(error)
        self._reserve.free()
        if self._failure is not None and not facts.ended:
            facts = dataclasses.replace(facts, ended=f"the disk failed: {self.failure}")
        self._sync.stop()
        try:
            self._sync.check()
            self._parts.end(facts, may_drop=True)
            self._parts.file.sink.sync()
            self._parts.file.close()
            self._parts.verify()
            text = self._parts.metadata(facts).to_yaml()
            write_atomically(self.folder / FILE, text)
            self._mark.remove()
        except BagError:
            self.abandon()
            raise
        except OSError as error:
            self.abandon()
            raise BagError(
                f"{self.folder} could not be closed ({_why(error)}): free some space, then "
                f"`./pi05 bags recover {self.folder}`"
            ) from error

    def abandon(self) -> None:
        """Close the files as they are. The bag stays marked; `recover` repairs it."""
        self._sync.stop()
        self._reserve.free()
        self._parts.file.close()
        self._mark.release()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> BagError:
        """Enter the failed state; the files end with their last whole records."""
        self._failure = error
        room = self._reserve.size // 4  # most of it is the summary's
        self._reserve.free()
        # Usually a chunk of pictures did not fit; states and commands still do.
        with suppress(OSError):
            for lane in [lane for lane, chunk in self._chunks.items() if chunk.size < room]:
                self._flush(lane)
        for chunk in self._chunks.values():
            for channel, entries in chunk.indexes.items():
                self._accepted[self._parts.topic_of(channel)] -= len(entries)
                self.dropped += len(entries)
        self._chunks.clear()
        self._waiting_since.clear()
        return BagError(
            f"{self.folder}: recording ends, the disk takes no more ({_why(error)}); what was "
            "written up to now can be closed"
        )

    def _tick(self) -> None:
        self._sync.check()
        now = self._clock()
        for lane, since in list(self._waiting_since.items()):
            if now - since >= self.settings.flush_after_s:
                self._flush(lane)
        if now - self._synced >= self.settings.sync_every_s:
            self._synced = now
            self._sync.request(self._parts.file.sink)
            self._reserve.grow(2 * self._parts.file.summary_size)
        if 0.0 < self.settings.split_after_s <= now - self._part_began:
            self._flush_all()
            self._parts.end(self._facts)
            self._sync.retire(self._parts.begin_next().sink)
            self._part_began = now

    def _flush(self, lane: str) -> None:
        chunk = self._chunks.get(lane)
        if chunk is not None:
            self._parts.file.add_chunk(chunk)
            del self._chunks[lane], self._waiting_since[lane]

    def _flush_all(self) -> None:
        for lane in list(self._chunks):
            self._flush(lane)


def _why(error: OSError) -> str:
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error))
