"""The bag of a simulated episode: topics, log times, and the order of messages."""

from __future__ import annotations

import heapq
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings
from pi05_ros.data.episodes.episode import (
    CONTROL_NONE,
    CONTROL_POLICY,
    MODE_RUNNING,
    PictureBox,
)
from pi05_ros.evaluation.collection.messages import (
    DECISION,
    PICTURE,
    STATE,
    SUBTASK,
    SimulatedMessages,
)
from pi05_ros.platforms.platform import Platform

# Collecting can be repeated, so nothing is flushed or synced before the end.
_SETTINGS = WriterSettings(flush_after_s=60.0, sync_every_s=60.0)
_PICTURES = OfferedQos(reliability="best_effort")
_LATCHED = OfferedQos(durability="transient_local")
_PICTURE_NS = 15_000_000  # From a picture's stamp to its reception, as LoopTiming.frame_latency.
_STATE_NS = 1_000_000  # Of a robot state, as LoopTiming.transport.


class EpisodeBag:
    """Writes one episode into a new folder. Equal calls give equal bytes.

    Args:
        folder: The bag's folder; it must not exist.
        facts: Facts at the start; `cameras` names the cameras' topics.
        platform: The robot.
        quality: JPEG quality, 1 to 100.

    Raises:
        BagError: The bag cannot be begun.
    """

    def __init__(
        self, folder: Path, facts: EpisodeFacts, platform: Platform, quality: int
    ) -> None:
        self._folder, self._facts, self._quality = folder, facts, quality
        self._make = SimulatedMessages(platform.name, platform.base_frame)
        self._frames = {camera.name: camera.frame for camera in platform.cameras}
        self._pending: list[tuple[int, int, str, bytes]] = []  # (log [ns], order, topic, data)
        self._order = itertools.count()
        space = facts.namespace.rstrip("/")
        self._state, self._subtask = f"{space}/robot_state", f"{space}/subtask"
        self._decision = f"{space}/plan_decision"
        # The writer's chunks must not depend on the wall clock.
        self._writer = BagWriter(folder, facts, _SETTINGS, clock=lambda: 0.0)
        self._writer.add_topic(BagTopic(self._state, STATE, (OfferedQos(),)))
        self._writer.add_topic(BagTopic(self._subtask, SUBTASK, (_LATCHED,)))
        self._writer.add_topic(BagTopic(self._decision, DECISION, (OfferedQos(),)))
        for topic in facts.cameras.values():
            self._writer.add_topic(BagTopic(topic, PICTURE, (_PICTURES,)))

    def add_state(
        self, state: StateSample, reason: str, now_ns: int, driver: int = CONTROL_POLICY
    ) -> None:
        """Add a row, and write everything that was received before it.

        Args:
            state: The row.
            reason: Why the bridge is in its mode.
            now_ns: Time of the tick [ns].
            driver: Whose actions the row follows while the bridge runs, one of CONTROL_*.
        """
        source = driver if state.mode == MODE_RUNNING else CONTROL_NONE
        data = self._make.state(state, reason, source)
        self._add(now_ns + _STATE_NS, self._state, data)
        self._write(now_ns)

    def add_picture(self, camera: str, picture: np.ndarray, stamp_ns: int) -> None:
        """Add a picture as the driver has it, (h, w, 3) uint8 rgb."""
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        data = self._make.picture(jpeg.ravel(), stamp_ns, self._frames[camera])
        self._add(stamp_ns + _PICTURE_NS, self._facts.cameras[camera], data)

    def add_answer(
        self,
        stamp_ns: int,
        log_ns: int,
        number: int,
        text: str,
        boxes: Sequence[PictureBox],
        *,
        task: str,
        source: str,
        trigger: str,
        outcome: str,
        reason: str,
    ) -> None:
        """Add an answer of the high level: its decision, and the subtask that stands after it.

        Args:
            stamp_ns: Stamp of its observation [ns].
            log_ns: When it was published [ns].
            number: Id of the subtask.
            text: The subtask; empty: there is nothing to do.
            boxes: Objects that it speaks of.
            task: The task that it answers to.
            source: One of Subtask.SOURCE_*.
            trigger: One of PlanDecision.TRIGGER_*.
            outcome: One of PlanDecision.OUTCOME_*.
            reason: One sentence.
        """
        latency = (log_ns - stamp_ns) * 1e-9
        answer = "done" if outcome == "done" else text
        self._add(
            log_ns,
            self._decision,
            self._make.decision(
                stamp_ns,
                latency,
                number,
                task,
                trigger=trigger,
                outcome=outcome,
                answer=answer,
                subtask=text,
                boxes=boxes,
                reason=reason,
            ),
        )
        data = self._make.subtask(stamp_ns, latency, number, task, text, boxes, source)
        self._add(log_ns, self._subtask, data)

    def close(self, facts: EpisodeFacts) -> None:
        """Finish and verify the bag.

        Raises:
            BagError: The bag could not be finished, or lacks messages since the disk failed.
        """
        self._write(None)
        self._writer.close(facts)
        if self._writer.failure:  # A recorder keeps what there is; this can be collected again.
            raise BagError(f"{self._folder}: the disk takes no more ({self._writer.failure})")

    def discard(self) -> None:
        """Remove the bag."""
        self._writer.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _add(self, log_ns: int, topic: str, data: bytes) -> None:
        heapq.heappush(self._pending, (log_ns, next(self._order), topic, data))

    def _write(self, until_ns: int | None) -> None:
        """Write pending messages that were received up to a time; None: all."""
        pending = self._pending
        while pending and (until_ns is None or pending[0][0] <= until_ns):
            log_ns, _, topic, data = heapq.heappop(pending)
            self._writer.write(topic, data, log_ns, log_ns)
