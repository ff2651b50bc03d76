"""One pass over a foreign recording: series of numbers, texts, and the pictures' times."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pi05_ros.cameras.decoding import COMPRESSED_IMAGE
from pi05_ros.data.bags.reader import BagReader, RawMessage
from pi05_ros.data.episodes.bag_index import Frames, stamp_of, usable_frames
from pi05_ros.data.episodes.picture_damage import PictureChecks
from pi05_ros.data.foreign.fields import FieldError
from pi05_ros.data.foreign.mapping import ForeignBagError, ForeignMapping, Source
from pi05_ros.data.foreign.series import (
    MAX_CLOCK_SPREAD_S,
    TopicSeries,
    Values,
    clock_problems,
    spread_problem,
)

_SECOND = 10**9
# Read around a window of the bag [ns]: latencies, and values and pictures from before it.
_MARGIN_NS = 2 * _SECOND


@dataclass
class CameraTimes:
    """Times of one camera's pictures, in the order of log time."""

    log: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    damaged: list[Future[bool]] = field(default_factory=list)  # []: not looked for.

    def frames(self, use_log_time: bool) -> Frames:
        """The usable pictures. Without any stamp, their log times count."""
        log, stamps = np.array(self.log, np.int64), np.array(self.stamps, np.int64)
        if use_log_time or not stamps.any():
            stamps = log
        stamped = stamps > 0
        offset = int(np.median((log - stamps)[stamped])) if stamped.any() else 0
        if abs(offset) <= MAX_CLOCK_SPREAD_S * _SECOND:
            offset = 0  # A latency; else the clock of another machine.
        found = list(zip(stamps.tolist(), (log - offset).tolist(), strict=True))
        frames = usable_frames(found, [check.result() for check in self.damaged])
        return Frames(frames.times_ns, frames.log_ns + offset, frames.left_out)


@dataclass
class Recording:
    """What a mapping names of a bag."""

    mapping: ForeignMapping
    series: dict[str, TopicSeries]
    cameras: dict[str, CameraTimes]  # By camera name.
    texts: dict[str, list[tuple[int, Any]]]  # Topic -> log time [ns] and `data` of its messages.
    problems: list[str] = field(default_factory=list)

    def values(self, pick: Source) -> Values:
        """Values of one field."""
        return self.series[pick.topic].values(pick)

    def frames(self, camera: str) -> Frames:
        """Usable pictures of a camera."""
        topic = next(c.topic for c in self.mapping.cameras if c.name == camera)
        return self.cameras[camera].frames(topic in self.mapping.log_time)

    @property
    def log_offset_ns(self) -> int:
        """Log time minus the rows' time, the median of a topic of the state."""
        topics = [s.topic for kind, _, s in self.mapping.sources() if kind == "state"]
        return round(self.series[topics[0]].offset_s * _SECOND)


def read_recording(
    reader: BagReader,
    mapping: ForeignMapping,
    window_ns: tuple[int, int] | None = None,
    checks: PictureChecks | None = None,
) -> Recording:
    """Read what a mapping names, in one pass.

    Args:
        reader: The bag; the mapping's topics are of the right types (`survey`).
        mapping: The mapping.
        window_ns: First log time, and the one before which to stop; texts are read from the
            beginning of the bag, since they stay valid. None: the whole bag.
        checks: Looks for damaged pictures; None: they are counted as undamaged.

    Raises:
        BagError: The bag is damaged.
        ForeignBagError: A message lacks a field of the mapping.
    """
    picks: dict[str, list[Source]] = {}
    for _, _, source in mapping.sources():
        known = picks.setdefault(source.topic, [])
        if source.pick not in known:
            known.append(source.pick)
    recording = Recording(
        mapping,
        {
            topic: TopicSeries(topic, reader.topics[topic].type, known, topic in mapping.log_time)
            for topic, known in picks.items()
        },
        {camera.name: CameraTimes() for camera in mapping.cameras},
        {topic: [] for topic in mapping.text_topics().values()},
    )
    numbers = set(recording.series) | {camera.topic for camera in mapping.cameras}
    try:
        if window_ns is None:
            _read(reader, recording, numbers | set(recording.texts), None, None, checks)
        else:
            start, stop = window_ns
            _read(reader, recording, numbers, start - _MARGIN_NS, stop + _MARGIN_NS, checks)
            _read(reader, recording, set(recording.texts), None, stop, checks)
    except FieldError as error:
        raise ForeignBagError(reader.path, [str(error)]) from error
    for series in recording.series.values():
        recording.problems += series.finish()
    offsets = {topic: one.offset_s for topic, one in recording.series.items()}
    for camera in mapping.cameras:
        times = recording.cameras[camera.name]
        if camera.topic not in mapping.log_time and any(times.stamps):
            stamps, log = np.array(times.stamps, np.int64), np.array(times.log, np.int64)
            stamps, log = stamps[stamps > 0], log[stamps > 0]  # The others are left out later.
            recording.problems += clock_problems(camera.topic, stamps, log)
            offsets[camera.topic] = float(np.median(log - stamps)) / _SECOND
    if not recording.problems:  # Else the offsets mean nothing.
        recording.problems += spread_problem(offsets)
    return recording


def _read(
    reader: BagReader,
    recording: Recording,
    topics: set[str],
    start_ns: int | None,
    stop_ns: int | None,
    checks: PictureChecks | None,
) -> None:
    if not topics:
        return
    cameras = {camera.topic: camera.name for camera in recording.mapping.cameras}
    compressed = {t for t in cameras if reader.topics[t].type == COMPRESSED_IMAGE}
    for raw in reader.messages(topics, start_ns, stop_ns):
        if raw.topic in cameras:
            times = recording.cameras[cameras[raw.topic]]
            times.log.append(raw.log_ns)
            times.stamps.append(stamp_of(raw.data))
            if checks is not None and raw.topic in compressed:
                times.damaged.append(checks.add(reader.decode(raw.topic, raw.data).data))
            continue
        message = reader.decode(raw.topic, raw.data)
        if raw.topic in recording.series:
            recording.series[raw.topic].add(raw.log_ns, message)
        if raw.topic in recording.texts:
            recording.texts[raw.topic].append((raw.log_ns, _data(raw, message)))


def _data(raw: RawMessage, message: Any) -> Any:
    if not hasattr(message, "data") or not isinstance(message.data, (str, bool)):
        raise FieldError(f"{raw.topic}: wanted std_msgs/msg/String or Bool")
    return message.data.strip() if isinstance(message.data, str) else bool(message.data)
