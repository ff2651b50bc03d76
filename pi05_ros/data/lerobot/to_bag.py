"""Export of any episode as a rosbag2 bag like the recorder's."""

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

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings
from pi05_ros.data.episodes.episode import SPOKEN, Episode, Plan, SubtaskLabel
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.messages import (
    COMPRESSED_IMAGE,
    DECISION,
    IMAGE,
    STATE,
    SUBTASK,
    MessageMaker,
)
from pi05_ros.data.lerobot.prefetch import prefetch

UNDER_WAY = ".pi05_import"  # Folder beside the bags, which readers of bags skip.
_PICTURES = OfferedQos(reliability="best_effort")
_LATCHED = OfferedQos(durability="transient_local")
# An import can be repeated, so nothing is flushed or synced before the end.
_SETTINGS = WriterSettings(flush_after_s=60.0, sync_every_s=60.0)


@dataclass(frozen=True)
class BagSettings:
    """Encoding of the pictures in a bag."""

    pictures: Literal["jpeg", "raw"] = "jpeg"
    quality: int = 95  # JPEG quality, 1 to 100.

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
    """Write an episode as a bag, whose folder appears when it is whole.

    Args:
        episode: The episode.
        bags: Parent of the bag's folder, which is named after the episode's id.
        settings: Encoding of the pictures.
        advance: Called with the number of messages written since the last call.

    Returns:
        The bag's folder; None: the bag exists already.

    Raises:
        DatasetError: The episode cannot be stored as a robot's bag, or there is a bag of another
            episode under its name.
        Pi05Error: The episode cannot be read, or the bag cannot be written.
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
    decision = f"{space}/plan_decision"
    writer = BagWriter(part, facts, _SETTINGS)
    try:
        writer.add_topic(BagTopic(state, STATE, (OfferedQos(),)))
        writer.add_topic(BagTopic(subtask, SUBTASK, (_LATCHED,)))
        if episode.plans:
            writer.add_topic(BagTopic(decision, DECISION, (OfferedQos(),)))
        kind = COMPRESSED_IMAGE if settings.pictures == "jpeg" else IMAGE
        for topic in topics.values():
            writer.add_topic(BagTopic(topic, kind, (_PICTURES,)))
        log_ns = log_times(episode.times_ns)
        with ExitStack() as stack:
            # At equal times the subtask comes first, so that it is valid from its row on.
            streams = [
                _subtasks(episode, subtask, log_ns, make),
                _rows(episode, state, log_ns, make),
                _decisions(episode, decision, log_ns, make),
            ]
            for camera, topic in topics.items():
                pictures = prefetch(_pictures(episode, camera, topic, settings, make))
                streams.append(stack.enter_context(closing(pictures)))
            for message in heapq.merge(*streams, key=lambda message: message.log_ns):
                writer.write(message.topic, message.data, message.log_ns, message.log_ns)
                advance(1)
        writer.close(facts)
        if writer.failure:  # A recorder keeps what there is; this can be imported again.
            raise BagError(f"{part}: the disk takes no more ({writer.failure})")
    except BaseException:
        writer.abandon()
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(folder)
    return folder


def message_count(episode: Episode) -> int:
    """Number of messages of an episode's bag, without its subtasks."""
    return len(episode) + sum(len(episode.frame_times_ns(camera)) for camera in episode.cameras)


def log_times(times_ns: np.ndarray) -> np.ndarray:
    """Log time of each row, (T,) int64 [ns]: its time of measurement, but strictly rising.

    Subtasks are received between two rows, so no two rows may have the same log time.
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
            f"actions of {width}, for {wanted} names; a RobotState has one action for each state: "
            "write the dataset again with the same entries in both, in the same order (where "
            "nothing is commanded the action is the state), or count it as it is with `./pi05 "
            "bags stats`",
        )


def _check_same(folder: Path, episode: Episode) -> None:
    """Raise unless a bag holds the same episode: ids of different datasets may be equal."""
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
    # An episode of our recorder is identified by its id, and may have lost rows in an export.
    if not wanted.started_ns:
        is_same = is_same and states is not None and states.count == len(episode)
    if not is_same:
        raise DatasetError(
            folder, f"is the bag of another episode than {wanted.id}; import it to another folder"
        )


def _topic(episode: Episode, camera: str, settings: BagSettings) -> str:
    """Topic of the camera's driver, or a default one, for the transport of the settings."""
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
        episode.control_sources.tolist(),
        strict=True,
    )
    for came, *values in parts:
        yield _Message(came, topic, make.row(episode.facts, *values))


def _subtasks(
    episode: Episode, topic: str, log_ns: np.ndarray, make: MessageMaker
) -> Iterator[_Message]:
    labels = episode.labels
    for label, following in zip_longest(labels, labels[1:]):
        begin = int(log_ns[label.start_row])
        plan = _plan_of(episode, label, begin)
        stamp = begin if plan is None else plan.stamp_ns
        yield _Message(begin, topic, make.subtask(label, stamp))
        end = label.stop_row
        if end < len(log_ns) and (following is None or following.start_row > end):
            yield _Message(int(log_ns[end]), topic, make.empty_subtask(label, int(log_ns[end])))


def _plan_of(episode: Episode, label: SubtaskLabel, log_ns: int) -> Plan | None:
    """The plan that a label was made of; None: it is not known.

    A planner publishes a subtask again with the stamp of each answer that confirms it, so it is
    the newest one made before the reception. A spoken one keeps the time at which it was said.
    """
    wanted = (label.text, label.source, label.task, label.boxes, label.id)
    found = [
        plan
        for plan in episode.plans
        if (plan.text, plan.source, plan.task, plan.boxes, plan.subtask_id) == wanted
        and plan.stamp_ns <= log_ns
    ]
    if not found:
        return None
    return found[0] if found[0].kind == SPOKEN else found[-1]


def _decisions(
    episode: Episode, topic: str, log_ns: np.ndarray, make: MessageMaker
) -> Iterator[_Message]:
    """Plans as decisions; those of labels are known by the Subtask of the same stamp."""
    first = int(log_ns[0])
    for plan in episode.plans:
        yield _Message(max(plan.stamp_ns, first), topic, make.decision(plan))


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
