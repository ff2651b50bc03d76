"""One episode on its way to the disk: a queue, a bag, and the thread that owns the bag."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings
from pi05_ros.errors import Pi05Error
from pi05_ros.recording.disk import DiskProbe, disk_space
from pi05_ros.recording.queue import Message, QueueLimits, WritingQueue
from pi05_ros.recording.tallies import Tallies

_BATCH_BYTES = 1 << 20  # Between two looks at the disk: little beside the space that is kept.
_WAIT_S = 0.1  # The bag is ticked at least so often: it closes chunks by time.

OpenBag = Callable[[Path, EpisodeFacts, WriterSettings], BagWriter]


@dataclass(frozen=True)
class SessionSettings:
    """How an episode is written."""

    writer: WriterSettings = field(default_factory=WriterSettings)
    queue: QueueLimits = field(default_factory=QueueLimits)


class Session:
    """Writes one episode.

    `put` and `add_topic` are for the thread that listens, `finish` and `discard` for the one that
    was asked to; the bag is opened, written and closed in a thread of its own, so that a slow disk
    stands in nobody's way.

    Attributes:
        folder: The bag's.
        tallies: Counts of what came in.
        opened: Set when the bag is open, or could not be opened.
        trouble: Why recording ended by itself, one clause; empty: it did not.
        failure: Why there is no verified bag, one clause; empty: there is one, or there will be.
        done: Set when nothing more happens.
    """

    def __init__(
        self,
        folder: Path,
        facts: EpisodeFacts,
        settings: SessionSettings,
        *,
        open_bag: OpenBag = BagWriter,
        disk: DiskProbe = disk_space,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.tallies = Tallies()
        self.opened, self.done = threading.Event(), threading.Event()
        self.trouble = self.failure = ""
        self._settings = settings
        self._open_bag, self._disk, self._clock = open_bag, disk, clock
        self._queue = WritingQueue(settings.queue)
        self._topics: deque[BagTopic] = deque()
        self._known: set[str] = set()
        self._lock = threading.Lock()  # Guards the facts.
        self._facts = self._told = facts  # Known, and written into the bag.
        self._stop = threading.Event()
        self._discarded = False
        self._bag: BagWriter | None = None

    @property
    def facts(self) -> EpisodeFacts:
        """What the bag will say of itself."""
        with self._lock:
            return self._facts

    def change(self, change: Callable[[EpisodeFacts], EpisodeFacts]) -> None:
        """Changes the facts; the bag knows them soon, and when it is closed."""
        with self._lock:
            self._facts = change(self._facts)

    @property
    def messages_written(self) -> int:
        """So far."""
        return sum(dict(self._bag.counts).values()) if self._bag else 0

    @property
    def bytes_written(self) -> int:
        """On disk, so far."""
        return self._bag.bytes_written if self._bag else 0

    @property
    def queue_bytes(self) -> int:
        """Received and not yet written."""
        return self._queue.bytes

    # For the thread that listens.

    def add_topic(self, topic: BagTopic) -> None:
        """Announces a topic, before its first message. Again: nothing happens."""
        self.tallies.add_topic(topic.name, topic.type, self._clock())
        if topic.name not in self._known:
            self._known.add(topic.name)
            self._topics.append(topic)

    def put(self, message: Message) -> None:
        """Takes a message; never waits. What finds no room is counted as dropped."""
        taken = self._queue.put(message)
        self.tallies.arrived(message.topic, len(message.data), message.sequence, taken)

    # For whoever ends it.

    def finish(self) -> None:
        """Asks for the end: what waits is written, then the bag is closed and verified."""
        self._stop.set()

    def discard(self) -> None:
        """Asks for the end; the folder is removed."""
        self._discarded = True
        self._stop.set()

    # The thread that owns the bag.

    def run(self) -> None:
        """From the first byte to the verified bag. The body of a thread."""
        try:
            if self._open():
                while self.step(_WAIT_S):
                    pass
                self._close()
        except Exception:  # Our own fault: it must be told, and what is on disk be recovered.
            self.trouble = self.trouble or "the recorder failed: its log says why"
            self.failure = traceback.format_exc()
            if self._bag is not None:
                with contextlib.suppress(Exception):
                    self._bag.abandon()
        finally:
            self._queue.close()
            self.opened.set()
            self.done.set()

    def step(self, timeout_s: float) -> bool:
        """Writes some of what waits. Returns whether there will be more."""
        bag = self._bag
        assert bag is not None
        if self._discarded:
            return False
        stopping = self._stop.is_set()  # Before the look into the queue: nothing comes after it.
        batch = self._queue.take(_BATCH_BYTES, 0.0 if stopping else timeout_s)
        try:
            while self._topics:
                bag.add_topic(self._topics.popleft())
            if self.facts != self._told:
                self._told = self.facts
                bag.update_facts(self._told)
            for topic, data, log_ns, publish_ns, sequence in batch:
                bag.write(topic, data, log_ns, publish_ns, sequence)
            bag.tick()
            self.trouble = self._disk(self.folder).problem
        except (Pi05Error, OSError) as error:
            self.trouble = str(error)
        if self.trouble:
            self._queue.close()
            return False
        return bool(batch) or not stopping

    def _open(self) -> bool:
        try:
            self._bag = self._open_bag(self.folder, self.facts, self._settings.writer)
        except (Pi05Error, OSError) as error:
            self.failure = str(error)
            return False
        self.opened.set()
        return True

    def _close(self) -> None:
        bag = self._bag
        assert bag is not None
        if self._discarded:
            bag.abandon()
            shutil.rmtree(self.folder)
            return
        if self.trouble:
            self.change(lambda facts: replace(facts, ended=self.trouble))
        try:
            bag.close(self.facts)
            self.tallies.settle(bag.counts)
        except (Pi05Error, OSError) as error:
            self.failure = str(error)
            bag.abandon()
