"""An episode, wherever it was read from, as a rosbag2 bag like the recorder's."""

from __future__ import annotations

import heapq
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.lerobot.ahead import ahead
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.messages import COMPRESSED_IMAGE, IMAGE, STATE, SUBTASK, MessageMaker

UNDER_WAY = ".pi05_import"  # Beside the bags; readers of bags do not look into it.
_PICTURES = OfferedQos(reliability="best_effort")
_LATCHED = OfferedQos(durability="transient_local")
# What is written is at hand again: it need not be flushed or synced before the end.
_SETTINGS = WriterSettings(flush_after_s=60.0, sync_every_s=60.0)


@dataclass(frozen=True)
class BagSettings:
    """How pictures are kept."""

    pictures: Literal["jpeg", "raw"] = "jpeg"
    quality: int = 95  # Of JPEG, 1 to 100.

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality {self.quality} is not between 1 and 100")


class _Message(NamedTuple):
    log_ns: int
    topic: str
    data: bytes


def write_bag(
    episode: Episode,
    bags: Path,
    settings: BagSettings | None = None,
    advance: Callable[[int], None] = lambda messages: None,
) -> Path | None:
    """Writes an episode as a bag; its folder appears when it is whole.

    Args:
        episode: What to write.
        bags: Folder of the bag's folder, which is named after the episode's id.
        settings: How.
        advance: Called with the number of messages written since.

    Returns:
        The bag's folder; None: it is there already.

    Raises:
        DatasetError: The episode is none that a robot's bag can hold, or there is a bag of
            another one under its name.
        Pi05Error: It cannot be read, or the bag not be written.
    """
    settings = settings or BagSettings()
    _check(episode)
    folder = bags / episode.facts.file_name
    if folder.exists():
        _check_same(folder, episode)
        return None
    part = bags / UNDER_WAY / folder.name
    shutil.rmtree(part, ignore_errors=True)
    make = MessageMaker()
    topics = {name: _topic(episode, name, settings) for name in episode.cameras}
    facts = replace(
        episode.facts,
        cameras=topics,
        started_ns=episode.facts.started_ns or int(episode.times_ns[0]),
    )
    space = facts.namespace.rstrip("/")
    state, subtask = f"{space}/robot_state", f"{space}/subtask"
    writer = BagWriter(part, facts, _SETTINGS)
    try:
        writer.add_topic(BagTopic(state, STATE, (OfferedQos(),)))
        writer.add_topic(BagTopic(subtask, SUBTASK, (_LATCHED,)))
        kind = COMPRESSED_IMAGE if settings.pictures == "jpeg" else IMAGE
        for topic in topics.values():
            writer.add_topic(BagTopic(topic, kind, (_PICTURES,)))
        log_ns = log_times(episode.times_ns)
        with ExitStack() as stack:
            # Of messages of one time a subtask comes first: it holds from its row on.
            streams = [
                _subtasks(episode, subtask, log_ns, make),
                _rows(episode, state, log_ns, make),
            ]
            for camera, topic in topics.items():
                pictures = ahead(_pictures(episode, camera, topic, settings, make))
                streams.append(stack.enter_context(closing(pictures)))
            for message in heapq.merge(*streams, key=lambda message: message.log_ns):
                writer.write(message.topic, message.data, message.log_ns, message.log_ns)
                advance(1)
        writer.close(facts)
    except BaseException:
        writer.abandon()
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(folder)
    return folder


def message_count(episode: Episode) -> int:
    """Messages that a bag of it holds, but for its subtasks."""
    return len(episode) + sum(len(episode.frame_times_ns(camera)) for camera in episode.cameras)


def log_times(times_ns: np.ndarray) -> np.ndarray:
    """When each row came, (T,) int64 [ns]: when it was measured, and after the one before.

    Subtasks are heard between two rows, so no two rows may come at once.
    """
    steps = np.arange(len(times_ns))
    return np.maximum.accumulate(times_ns - steps) + steps


def _check(episode: Episode) -> None:
    if not len(episode):
        raise DatasetError(episode.source, f"episode {episode.facts.id} has no rows")
    width, wanted = episode.actions.shape[1], len(episode.facts.names)
    if not episode.states.shape[1] == width == wanted:
        raise DatasetError(
            episode.source,
            f"episode {episode.facts.id} has states of {episode.states.shape[1]} entries and "
            f"actions of {width}, for {wanted} names; a RobotState has one action for each state",
        )


def _check_same(folder: Path, episode: Episode) -> None:
    """That a bag is the episode's own: datasets of two people may have one name."""
    wanted = episode.facts
    with BagReader(folder) as reader:
        found = reader.facts
        states = reader.topics.get(f"{wanted.namespace.rstrip('/')}/robot_state")
    is_same = found is not None and (found.id, found.task, found.platform, found.names) == (
        wanted.id,
        wanted.task,
        wanted.platform,
        wanted.names,
    )
    # One that we recorded is known by its id, and may have lost rows on its way out.
    if not wanted.started_ns:
        is_same = is_same and states is not None and states.count == len(episode)
    if not is_same:
        raise DatasetError(
            folder, f"is the bag of another episode than {wanted.id}; import it to another folder"
        )


def _topic(episode: Episode, camera: str, settings: BagSettings) -> str:
    """Where the camera's driver published, or would have; its pictures' transport is ours."""
    base = (
        episode.facts.cameras.get(camera) or f"/{re.sub(r'[^A-Za-z0-9_]', '_', camera)}/image_raw"
    )
    base = base.removesuffix("/compressed")
    return f"{base}/compressed" if settings.pictures == "jpeg" else base


def _rows(
    episode: Episode, topic: str, log_ns: np.ndarray, make: MessageMaker
) -> Iterator[_Message]:
    parts = zip(
        log_ns.tolist(),
        episode.times_ns.tolist(),
        episode.states,
        episode.actions,
        episode.modes.tolist(),
        strict=True,
    )
    for came, time_ns, measured, commanded, mode in parts:
        yield _Message(came, topic, make.row(episode.facts, time_ns, measured, commanded, mode))


def _subtasks(
    episode: Episode, topic: str, log_ns: np.ndarray, make: MessageMaker
) -> Iterator[_Message]:
    labels = episode.labels
    for label, following in zip_longest(labels, labels[1:]):
        begin = int(log_ns[label.start_row])
        yield _Message(begin, topic, make.subtask(label, begin))
        end = label.stop_row
        if end < len(log_ns) and (following is None or following.start_row > end):
            yield _Message(int(log_ns[end]), topic, make.silence(label, int(log_ns[end])))


def _pictures(
    episode: Episode, camera: str, topic: str, settings: BagSettings, make: MessageMaker
) -> Iterator[_Message]:
    times = episode.frame_times_ns(camera).tolist()
    pictures = episode.pictures(camera, 0, len(times))
    for time_ns, picture in zip(times, pictures, strict=True):
        if settings.pictures == "jpeg":
            data = make.jpeg(picture, time_ns, camera, settings.quality)
        else:
            data = make.raw(picture, time_ns, camera)
        yield _Message(time_ns, topic, data)
