"""An episode in an adopted bag: a recording of another stack, read through its mapping."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np

from pi05_ros.data.bags.adopted_file import ADOPTED, AdoptedFile, AdoptedSpan
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.reader import BagReader, RawMessage
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.bag_index import BagIndex, EpisodeTopics, Frames, stamp_of
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import (
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
    MODE_RUNNING,
    SubtaskLabel,
)
from pi05_ros.data.episodes.labels import ReceivedSubtask, spans
from pi05_ros.data.episodes.picture_damage import PictureChecks
from pi05_ros.data.foreign.mapping import ForeignBagError, ForeignMapping, mapping_of
from pi05_ros.data.foreign.recording import Recording, read_recording
from pi05_ros.data.foreign.rows import Rows, rows_of
from pi05_ros.data.foreign.survey import survey

_CONTROL = {"teleop": CONTROL_TELEOP, "policy": CONTROL_POLICY}
_FRAMES_BEFORE_NS = 10**9  # Pictures from before an episode that its first rows may have.


class AdoptedEpisode(BagEpisode):
    """The Episode in a span of an adopted bag. Rows stand at the mapping's rate.

    Args:
        path: The bag's folder.
        number: Which of its episodes, from 0.
        cache: See BagEpisode.
        reader: See BagEpisode.

    Raises:
        BagError: The bag was not adopted, or adopted.yaml is broken.
        ForeignBagError: The bag has no longer the topics of its mapping.
    """

    def __init__(
        self,
        path: Path,
        number: int = 0,
        cache: CacheFolder | None = None,
        reader: BagReader | None = None,
    ) -> None:
        self._number = number
        self._by_log_time: dict[str, bool] = {}
        super().__init__(path, cache, reader)
        self._facts = dataclasses.replace(self._file.facts_of(self._span), rotations={})
        content = [self._fingerprint, self._file.mapping, self._span.start_ns, self._span.stop_ns]
        text = json.dumps(content, sort_keys=True)
        self._fingerprint = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def _topics_of(self, reader: BagReader) -> EpisodeTopics:
        if reader.adopted is None:
            raise BagError(f"{reader.path} was not adopted: there is no {ADOPTED} in it")
        self._file: AdoptedFile = reader.adopted
        if self._number >= len(self._file.spans):
            raise BagError(f"{reader.path} has no episode {self._number}")
        self._span: AdoptedSpan = self._file.spans[self._number]
        self._mapping: ForeignMapping = mapping_of(
            self._file.mapping, f"{reader.path / ADOPTED}: mapping"
        )
        problems = survey(reader, self._mapping).problems
        if problems:
            raise ForeignBagError(reader.path, problems)
        cameras = {camera.name: camera.topic for camera in self._mapping.cameras}
        return EpisodeTopics(state="", subtask="", teleop="", cameras=cameras)

    def _index_of(self, reader: BagReader) -> BagIndex:
        start, stop = self._span.start_ns, self._span.stop_ns
        whole = start <= reader.start_ns and stop > reader.end_ns
        with PictureChecks() as checks:
            recording = read_recording(
                reader, self._mapping, None if whole else (start, stop), checks
            )
            if recording.problems:
                raise ForeignBagError(reader.path, recording.problems)
            return index_of(recording, self._span)

    def _picture_time(self, camera: str, message: RawMessage) -> int:
        if camera not in self._by_log_time:
            frames = self.index.frames[camera]
            # Equal where the bag has no stamps of pictures, or its mapping ignores them.
            self._by_log_time[camera] = np.array_equal(frames.times_ns, frames.log_ns)
        return message.log_ns if self._by_log_time[camera] else stamp_of(message.data)


def index_of(recording: Recording, span: AdoptedSpan) -> BagIndex:
    """Rows, labels and pictures of a span of a recording.

    Raises:
        BagError: The span has no rows.
    """
    mapping, shift = recording.mapping, recording.log_offset_ns
    rows = within(rows_of(mapping, recording.values), span, shift)
    if not len(rows.times_ns):
        raise BagError(f"{span.id} has no rows: `./pi05 bags adopt --dry-run` says why")
    running = rows.modes == MODE_RUNNING
    control = np.where(running, _CONTROL[mapping.control_source], CONTROL_NONE)
    return BagIndex(
        times_ns=rows.times_ns,
        states=rows.states,
        actions=rows.actions,
        modes=rows.modes,
        control_sources=control.astype(np.uint8),
        devices=(),  # The bag does not say what the operator held.
        labels=_labels(recording, rows.times_ns + shift),
        frames={
            camera.name: _within(recording.frames(camera.name), span) for camera in mapping.cameras
        },
    )


def within(rows: Rows, span: AdoptedSpan, shift_ns: int) -> Rows:
    """The rows of a span, whose times are log times: `shift_ns` later than those of the rows."""
    log = rows.times_ns + shift_ns
    chosen = (log >= span.start_ns) & (log < span.stop_ns)
    return dataclasses.replace(
        rows,
        times_ns=rows.times_ns[chosen],
        states=rows.states[chosen],
        actions=rows.actions[chosen],
        modes=rows.modes[chosen],
    )


def _within(frames: Frames, span: AdoptedSpan) -> Frames:
    first = span.start_ns - _FRAMES_BEFORE_NS
    chosen = (frames.log_ns >= first) & (frames.log_ns < span.stop_ns)
    return Frames(frames.times_ns[chosen], frames.log_ns[chosen], frames.left_out)


def _labels(recording: Recording, row_log_ns: np.ndarray) -> tuple[SubtaskLabel, ...]:
    mapping = recording.mapping
    if mapping.subtask:
        return (SubtaskLabel(0, len(row_log_ns), mapping.subtask, mapping.subtask_source),)
    received = [
        ReceivedSubtask(log_ns, str(text), mapping.subtask_source)
        for log_ns, text in recording.texts.get(mapping.subtask_topic, [])
    ]
    return spans(row_log_ns, received)
