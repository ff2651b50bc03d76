"""Publisher of `recording`: rates, losses and drops by topic."""

from __future__ import annotations

import threading
import time
from typing import Any

from pi05_msgs.msg import Recording
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.recorder.inputs import RecorderInputs
from pi05_ros.nodes.recorder.messages import recording_message
from pi05_ros.recording.disk import disk_space
from pi05_ros.recording.session import Session
from pi05_ros.recording.tallies import TopicReport


class RecordingReport:
    """Reports on one episode after the other, each to its end.

    `publish` is called once a second, `settle` often: the last report of an episode is published
    when its bag is closed, so that it counts every message. Methods may be called from different
    threads.

    Args:
        node: Owns the publisher.

    Attributes:
        topics: Newest report, one entry for each topic.
    """

    def __init__(self, node: ManagedNode[Any]) -> None:
        self._node = node
        self._publisher = node.create_publisher(Recording, "recording", qos.LATCHED)
        self._lock = threading.Lock()
        self._followed: tuple[Session, RecorderInputs] | None = None
        self._written = (0.0, 0)  # Steady time [s], bytes on disk then.
        self._drops = 0
        self.topics: list[TopicReport] = []

    def follow(self, session: Session, inputs: RecorderInputs) -> None:
        """Report on another episode from now on."""
        self.settle()
        with self._lock:
            self._followed = (session, inputs)
            self._written, self._drops, self.topics = (time.monotonic(), 0), 0, []

    def publish(self) -> None:
        """Publish a report on the open episode, if there is one."""
        with self._lock:
            if self._followed is not None:
                self._publish(*self._followed)

    def settle(self) -> None:
        """Publish the last report of an episode once its bag is closed."""
        with self._lock:
            if self._followed is not None and self._followed[0].done.is_set():
                self._publish(*self._followed)
                self._followed = None

    def more_drops(self) -> int:
        """Return the dropped messages of this episode; 0 unless more than at the last call."""
        with self._lock:
            drops = self._followed[0].tallies.drops if self._followed else 0
            more, self._drops = drops > self._drops, drops
            return drops if more else 0

    def close(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._publisher)

    def _publish(self, session: Session, inputs: RecorderInputs) -> None:
        now = time.monotonic()
        problems = {} if inputs.is_discovering else inputs.problems
        self.topics = session.tallies.report(now, inputs.multi_publisher_topics, problems)
        (then, before), written = self._written, session.bytes_written
        self._written = (now, written)
        self._publisher.publish(
            recording_message(
                session.facts.id,
                self.topics,
                self._node.get_clock().now().to_msg(),
                queue_bytes=session.queue_bytes,
                write_rate=max(0.0, (written - before) / max(now - then, 1e-3)),
                free_bytes=max(0, disk_space(session.folder).free),
            )
        )
