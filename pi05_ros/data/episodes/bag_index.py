"""The index of an episode's bag, read in one pass: rows, labels and the pictures' times."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from pi05_ros.cameras.decoding import COMPRESSED_IMAGE, PICTURE_TYPES
from pi05_ros.cameras.health import WatchSettings
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.reader import BagReader, RawMessage
from pi05_ros.data.bags.sequences import clock_jumped_back
from pi05_ros.data.episodes.episode import DeviceSpan, Plan, SubtaskLabel
from pi05_ros.data.episodes.interventions import control_source_of, device_spans
from pi05_ros.data.episodes.labels import ReceivedSubtask, spans
from pi05_ros.data.episodes.picture_damage import PictureChecks
from pi05_ros.data.episodes.plan_messages import PlanCollector

STATE = "pi05_msgs/msg/RobotState"
SUBTASK = "pi05_msgs/msg/Subtask"
DECISION = "pi05_msgs/msg/PlanDecision"
TELEOP = "pi05_msgs/msg/TeleopCommand"

# Pictures stamped farther ahead are refused on the live path too [ns].
_MAX_FUTURE_NS = round(WatchSettings().max_future_s * 1e9)


@dataclass(frozen=True, eq=False)
class Frames:
    """The pictures of one camera, in the order of their stamps."""

    times_ns: np.ndarray  # (N,) int64, acquisition times, rising.
    log_ns: np.ndarray  # (N,) int64, their log times in the bag.
    left_out: int = 0  # Damaged, without a stamp, not newer than the one before, in the future.


@dataclass(frozen=True, eq=False)
class BagIndex:
    """Rows, labels and pictures of a bag. See Episode for the arrays."""

    times_ns: np.ndarray
    states: np.ndarray
    actions: np.ndarray
    modes: np.ndarray
    control_sources: np.ndarray
    devices: tuple[DeviceSpan, ...]
    labels: tuple[SubtaskLabel, ...]
    frames: Mapping[str, Frames]  # By camera name.
    plans: tuple[Plan, ...] = ()


@dataclass(frozen=True)
class EpisodeTopics:
    """Topics of an episode's rows, subtasks and pictures in its bag."""

    state: str
    subtask: str  # "": there was no planner.
    teleop: str  # "": nobody teleoperated.
    cameras: Mapping[str, str]  # Camera name -> topic that has pictures.
    decision: str = ""  # "": the planner's decisions were not recorded.

    @classmethod
    def of(cls, reader: BagReader) -> EpisodeTopics:
        """Find the topics of an open bag.

        Raises:
            BagError: The bag is no episode of the suite, or has no rows.
        """
        facts, topics = reader.facts, reader.topics
        if facts is None:
            raise BagError(
                f"{reader.path} is a bag, but no episode of this suite: it lacks the "
                f"facts of one (pi05.id and the rest of its custom_data); found "
                f"{len(topics)} topics: {_some(sorted(topics))}"
            )
        state = f"{facts.namespace.rstrip('/')}/robot_state"
        found = topics.get(state)
        if found is None or found.type != STATE or not found.count:
            raise BagError(
                f"{reader.path} has no rows: wanted messages of {state} ({STATE}), found "
                f"{_found_text(found)}; was the control bridge active while it was recorded?"
            )
        subtask = f"{facts.namespace.rstrip('/')}/subtask"
        planned = topics.get(subtask)
        decision = f"{facts.namespace.rstrip('/')}/plan_decision"
        decided = topics.get(decision)
        teleop = f"{facts.namespace.rstrip('/')}/teleop_command"
        steered = topics.get(teleop)
        cameras = {}
        for name, topic in facts.cameras.items():
            pictures = topics.get(topic)
            if pictures is None or not pictures.count:
                continue  # The camera never sent; `./pi05 bags check` reports it.
            if pictures.type not in PICTURE_TYPES:
                raise BagError(
                    f"{reader.path}: wanted pictures of camera '{name}' on {topic}, found "
                    f"{pictures.type}"
                )
            cameras[name] = topic
        return cls(
            state,
            subtask if planned and planned.type == SUBTASK else "",
            teleop if steered and steered.type == TELEOP else "",
            cameras,
            decision if decided and decided.type == DECISION else "",
        )


def read_index(reader: BagReader, topics: EpisodeTopics) -> BagIndex:
    """Read a whole bag once.

    Raises:
        BagError: The bag is damaged or inconsistent.
    """
    with PictureChecks() as checks:
        return _read_index(reader, topics, checks)


def _read_index(reader: BagReader, topics: EpisodeTopics, checks: PictureChecks) -> BagIndex:
    camera_of = {topic: name for name, topic in topics.cameras.items()}
    stamps: dict[str, list[tuple[int, int]]] = {name: [] for name in topics.cameras}
    damaged: dict[str, list[Future[bool]]] = {name: [] for name in topics.cameras}
    compressed = {t for t in camera_of if reader.topics[t].type == COMPRESSED_IMAGE}
    rows, received = _Rows(reader), []
    named = (topics.subtask, topics.decision, topics.teleop)
    optional = [topic for topic in named if topic]
    plans = PlanCollector()
    wanted = [topics.state, *optional, *camera_of]
    for message in reader.messages(wanted):
        if message.topic == topics.state:
            rows.add(message)
        elif message.topic == topics.subtask:
            decoded = reader.decode(message.topic, message.data)
            received.append(ReceivedSubtask.of(message.log_ns, decoded))
            plans.add_subtask(decoded)
        elif message.topic == topics.decision:
            plans.add_decision(reader.decode(message.topic, message.data))
        elif message.topic == topics.teleop:
            command = reader.decode(message.topic, message.data)
            rows.add_device(message.log_ns, command.device)
        else:
            stamp = stamp_of(message.data)
            stamps[camera_of[message.topic]].append((stamp, message.log_ns))
            if message.topic in compressed:
                data = reader.decode(message.topic, message.data).data
                damaged[camera_of[message.topic]].append(checks.add(data))
    return rows.index(
        received,
        plans.plans(),
        {
            name: usable_frames(found, [check.result() for check in damaged[name]])
            for name, found in stamps.items()
        },
    )


def stamp_of(data: bytes) -> int:
    """Stamp of a serialized message that begins with a std_msgs/Header [ns]; 0: invalid."""
    if len(data) < 12:
        return 0
    sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return sec * 10**9 + nanosec if sec >= 0 and nanosec < 10**9 else 0


class _Rows:
    """Collects RobotState messages."""

    def __init__(self, reader: BagReader) -> None:
        assert reader.facts is not None  # EpisodeTopics checked.
        self._reader, self._facts = reader, reader.facts
        self._names = list(reader.facts.names)
        self._log: list[int] = []
        self._times: list[int] = []
        self._measured: list[np.ndarray] = []
        self._commanded: list[np.ndarray] = []
        self._modes: list[int] = []
        self._sources: list[int] = []
        self._devices: list[tuple[int, str]] = []
        self._sequences: list[int] = []

    def add(self, message: RawMessage) -> None:
        state = self._reader.decode(message.topic, message.data)
        sizes = {len(self._names), len(state.measured), len(state.commanded)}
        if state.names != self._names or len(sizes) > 1:
            raise self._layout_error(state)
        stamp = state.header.stamp
        self._log.append(message.log_ns)
        self._sequences.append(message.sequence)
        self._times.append(stamp.sec * 10**9 + stamp.nanosec)
        self._measured.append(state.measured)
        self._commanded.append(state.commanded)
        self._modes.append(state.mode)
        self._sources.append(control_source_of(state))

    def add_device(self, log_ns: int, device: str) -> None:
        """Note the device that has control from now on; "": none."""
        if not self._devices or self._devices[-1][1] != device:
            self._devices.append((log_ns, device))

    def index(
        self,
        received: Sequence[ReceivedSubtask],
        plans: tuple[Plan, ...],
        frames: Mapping[str, Frames],
    ) -> BagIndex:
        times = np.array(self._times, dtype=np.int64)
        back = np.flatnonzero(np.diff(times) < 0)
        if back.size:
            row = int(back[0])
            raise BagError(
                f"{self._reader.path}: the clock jumped back by "
                f"{(times[row] - times[row + 1]) * 1e-9:.3f} s at row {row + 1} of {len(times)}: "
                "rows from before and after cannot be told apart; record it again"
            )
        if clock_jumped_back(self._sequences):
            raise BagError(
                f"{self._reader.path}: the clock jumped back while it was recorded, and rows "
                "from before and after are interleaved (their sequence numbers go up and down); "
                "record it again"
            )
        log_ns, sources = np.array(self._log, np.int64), np.array(self._sources, np.uint8)
        return BagIndex(
            times_ns=times,
            states=np.array(self._measured, dtype=np.float64),
            actions=np.array(self._commanded, dtype=np.float64),
            modes=np.array(self._modes, dtype=np.uint8),
            control_sources=sources,
            devices=device_spans(sources, log_ns, self._devices),
            labels=spans(log_ns, received),
            plans=plans,
            frames=frames,
        )

    def _layout_error(self, state: Any) -> BagError:
        pairs = zip(self._names, state.names, strict=False)
        odd = next((f" ('{its}' for '{ours}')" for ours, its in pairs if ours != its), "")
        return BagError(
            f"{self._reader.path}: row {len(self._times)} is of another robot: wanted the "
            f"{len(self._names)} entries that the metadata names ({self._facts.platform}), found "
            f"{len(state.names)} names{odd} and vectors of {len(state.measured)} and "
            f"{len(state.commanded)}"
        )


def usable_frames(found: Sequence[tuple[int, int]], damaged: Sequence[bool] = ()) -> Frames:
    """Keep the pictures that the live path accepts: undamaged, each newer than those before.

    Args:
        found: Stamp and log time of each picture [ns], in the order of log time.
        damaged: Whether each one is damaged; (): none is.
    """
    stamps = np.array([stamp for stamp, _ in found], dtype=np.int64)
    logs = np.array([log for _, log in found], dtype=np.int64)
    usable = (stamps > 0) & (stamps <= logs + _MAX_FUTURE_NS)
    if len(damaged):
        usable &= ~np.array(damaged, bool)
    stamps, logs = stamps[usable], logs[usable]
    before = np.r_[0, np.maximum.accumulate(stamps)[:-1]] if stamps.size else stamps
    newer = stamps > before
    kept = int(newer.sum())
    return Frames(stamps[newer], logs[newer], len(found) - kept)


def _found_text(topic: object) -> str:
    if topic is None:
        return "no such topic"
    return f"{getattr(topic, 'count', 0)} of {getattr(topic, 'type', '')}"


def _some(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "") or "none"
