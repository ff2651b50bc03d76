"""A recorder under test: episodes, its reports, and its bags compared with what was sent."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState

from pi05_msgs.msg import Episode, Recording
from pi05_msgs.srv import StartEpisode, StopEpisode
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.nodes.common import qos
from system.known_topics import Sent
from system.operator import ScenarioError
from system.scene import Scene

RECORDER = "recorder"
_TRIES = 15  # DDS keeps a killed process for a while, and takes a while to discover its successor.
_ANSWER_S = 1.0


class RecorderBench:
    """The recorder of a scene: its services and its reports.

    Attributes:
        episodes: (steady ns, Episode) as published, in order.
        recordings: (steady ns, Recording), likewise.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.episodes: list[tuple[int, Episode]] = []
        self.recordings: list[tuple[int, Recording]] = []

        def keep_in(kept: list[tuple[int, Any]]) -> Callable[[Any], None]:
            return lambda message: kept.append((time.monotonic_ns(), message))

        for kind, topic, kept in (
            (Episode, "episode", self.episodes),
            (Recording, "recording", self.recordings),
        ):
            scene.node.create_subscription(kind, topic, keep_in(kept), qos.LATCHED)

    def start(self) -> Path:
        """Start an episode and return its folder."""
        called_ns = time.monotonic_ns()
        for _ in range(_TRIES):
            try:
                reply = self._call(StartEpisode, StartEpisode.Request(task="known topics"))
            except ScenarioError:
                continue
            if reply.code == StartEpisode.Response.NONE:
                return Path(reply.path)
            if reply.code == StartEpisode.Response.ALREADY_RECORDING:
                return Path(self._open_since(called_ns).path)  # A response was lost.
            raise ScenarioError(f"no episode could be begun: {reply.message}")
        raise ScenarioError("start_episode was not answered")

    def stop(self, limit: float = 30.0) -> StopEpisode.Response:
        """End the episode."""
        return self._call(StopEpisode, StopEpisode.Request(outcome="success"), limit)

    def refusal(self) -> int:
        """Return the code of start_episode's response."""
        return int(self._call(StartEpisode, StartEpisode.Request()).code)

    def received(self, folder: Path, topics: Mapping[str, Sent]) -> None:
        """Wait until each topic has been recorded in the episode of this folder."""

        def all_in() -> bool:
            if not self.recordings or self.recordings[-1][1].id != folder.name:
                return False
            counts = {t.name: t.message_count for t in self.recordings[-1][1].topics}
            return all(counts.get(topic) for topic in topics)

        self.scene.wait(all_in, f"{', '.join(topics)} to be recorded", 30.0)

    def last_report(self, folder: Path, numbers: Mapping[str, list[int]]) -> Recording:
        """Return the report that agrees with the closed bag, which holds all but dropped messages.

        Args:
            folder: The bag's.
            numbers: Topic -> publication numbers in the bag.
        """

        def agrees() -> Recording | None:
            report: Recording = self.recordings[-1][1]
            kept = {t.name: t.message_count - t.dropped for t in report.topics}
            same = all(kept.get(topic) == len(there) for topic, there in numbers.items())
            return report if report.id == folder.name and same else None

        return self.scene.wait(agrees, "a report that agrees with the bag", 10.0)

    def restart(self) -> None:
        """Start a recorder in place of one that was killed, and bring it up."""
        self.scene.start(RECORDER)
        for _ in range(_TRIES):
            try:
                answer = self.scene.call(
                    GetState, f"/pi05/{RECORDER}/get_state", GetState.Request(), _ANSWER_S
                )
            except ScenarioError:
                continue
            if answer.current_state.id == State.PRIMARY_STATE_UNCONFIGURED:
                self.scene.bring_up(RECORDER)
                return
        raise ScenarioError("the recorder did not come back")

    def _open_since(self, moment_ns: int) -> Episode:
        """Return the open episode as published after a moment (steady)."""

        def published() -> Episode | None:
            at, message = self.episodes[-1] if self.episodes else (0, None)
            recording = message is not None and message.state == Episode.STATE_RECORDING
            return message if recording and at > moment_ns else None

        return self.scene.wait(published, "the open episode to be published", 10.0)

    def _call(self, kind: type, request: Any, limit: float = _ANSWER_S) -> Any:
        name = "start_episode" if kind is StartEpisode else "stop_episode"
        return self.scene.call(kind, f"/pi05/{name}", request, limit)


def recorded_numbers(folder: Path) -> dict[str, list[int]]:
    """Return publication numbers by topic, in the order of the bag."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    with BagReader(folder) as bag:
        for message in bag.messages():
            numbers[message.topic].append(message.sequence)
    return dict(numbers)


def lost_before(numbers: list[int], sent: Sent, end_ns: int) -> tuple[int, float]:
    """Return what a bag lacks of a topic, from its first message of the topic to a moment.

    Args:
        numbers: Publication numbers in the bag.
        sent: Messages that were sent, by the bag's clock.
        end_ns: The moment (system time).

    Returns:
        Number of missing messages between present ones, and the age at that moment of the oldest
        message that is missing at the end [s]; 0: none is missing.
    """
    there = set(numbers)
    last = max(there)
    inside = last - min(there) + 1 - len(there)
    missing = [t for t in sent.times_ns[last:] if t <= end_ns]
    return inside, (end_ns - missing[0]) * 1e-9 if missing else 0.0
