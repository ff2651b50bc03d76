"""The recording of one episode: a queue, a bag, and the thread that owns the bag."""

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

_BATCH_BYTES = 1 << 20  # Written between two checks of the disk; small beside the free space.
_WAIT_S = 0.1  # Maximum time between two ticks of the bag, which closes chunks by time [s].

OpenBag = Callable[[Path, EpisodeFacts, WriterSettings], BagWriter]


@dataclass(frozen=True)
class SessionSettings:
    """Settings of a session."""

    writer: WriterSettings = field(default_factory=WriterSettings)
    queue: QueueLimits = field(default_factory=QueueLimits)


class Session:
    """Writes one episode.

    `put` and `add_topic` are called by the receiving thread, `finish` and `discard` by any other.
    The bag is opened, written and closed by the thread of `run`, so that a slow disk blocks no
    other thread.

    Args:
        folder: The bag's folder.
        facts: The facts at the start.
        settings: How the episode is written.
        open_bag: Makes the bag.
        disk: Queries the space on the disk.
        clock: Monotonic time [s].

    Attributes:
        folder: The bag's folder.
        tallies: Counts of the received messages.
        opened: Set when the bag is open, or could not be opened.
        trouble: Why recording ended by itself, one clause; empty: it did not.
        failure: Why there is no verified bag, one clause; empty: it did not fail.
        done: Set when the session has ended.
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
        self._facts = self._written_facts = facts
        self._stop = threading.Event()
        self._discarded = False
        self._bag: BagWriter | None = None

    @property
    def facts(self) -> EpisodeFacts:
        """The episode's current facts."""
        with self._lock:
            return self._facts

    def change(self, change: Callable[[EpisodeFacts], EpisodeFacts]) -> None:
        """Change the facts; they are written with the next batch and when the bag is closed."""
        with self._lock:
            self._facts = change(self._facts)

    @property
    def messages_written(self) -> int:
        """Number of messages written so far."""
        return sum(dict(self._bag.counts).values()) if self._bag else 0

    @property
    def bytes_written(self) -> int:
        """Number of bytes written so far."""
        return self._bag.bytes_written if self._bag else 0

    @property
    def queue_bytes(self) -> int:
        """Size of the messages that are received and not written yet [byte]."""
        return self._queue.bytes

    # Called by the receiving thread.

    def add_topic(self, topic: BagTopic) -> None:
        """Add a topic, before its first message; a known topic is ignored."""
        self.tallies.add_topic(topic.name, topic.type, self._clock())
        if topic.name not in self._known:
            self._known.add(topic.name)
            self._topics.append(topic)

    def put(self, message: Message) -> None:
        """Queue a message without waiting; it counts as dropped if there is no space."""
        taken = self._queue.put(message)
        self.tallies.arrived(message.topic, len(message.data), message.sequence, taken)

    # Called by the thread that ends the episode.

    def finish(self) -> None:
        """Request the end: queued messages are written, then the bag is closed and verified."""
        self._stop.set()

    def discard(self) -> None:
        """Request the end and the removal of the folder."""
        self._discarded = True
        self._stop.set()

    # Called by the thread that owns the bag.

    def run(self) -> None:
        """Open, write, close and verify the bag; the body of a thread."""
        try:
            if self._open():
                while self.step(_WAIT_S):
                    pass
                self._close()
        except Exception:  # A bug: it is reported, and the bag stays for recovery.
            self.trouble = self.trouble or "internal error: see the log of the recorder"
            self.failure = traceback.format_exc()
            if self._bag is not None:
                with contextlib.suppress(Exception):
                    self._bag.abandon()
        finally:
            self._queue.close()
            self.opened.set()
            self.done.set()

    def step(self, timeout_s: float) -> bool:
        """Write a batch of queued messages; return whether to go on."""
        bag = self._bag
        assert bag is not None
        if self._discarded:
            return False
        stopping = self._stop.is_set()  # Read before the queue: no message follows the stop.
        batch = self._queue.take(_BATCH_BYTES, 0.0 if stopping else timeout_s)
        try:
            while self._topics:
                bag.add_topic(self._topics.popleft())
            if self.facts != self._written_facts:
                self._written_facts = self.facts
                bag.update_facts(self._written_facts)
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
