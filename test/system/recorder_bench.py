"""A recorder under test: episodes, its own words, and its bags against what was sent."""

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
_TRIES = 15  # A killed process stays in DDS for a while, and its successor is found in a while.
_ANSWER_S = 1.0


class RecorderBench:
    """Operates the recorder of a scene, and listens to it.

    Attributes:
        episodes: (steady ns, Episode) of what it told, in order.
        recordings: (steady ns, Recording), likewise.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.episodes: list[tuple[int, Episode]] = []
        self.recordings: list[tuple[int, Recording]] = []

        def hear(kept: list[tuple[int, Any]]) -> Callable[[Any], None]:
            return lambda message: kept.append((time.monotonic_ns(), message))

        for kind, topic, kept in (
            (Episode, "episode", self.episodes),
            (Recording, "recording", self.recordings),
        ):
            scene.node.create_subscription(kind, topic, hear(kept), qos.LATCHED)

    def start(self) -> Path:
        """Begins an episode and gives its folder."""
        asked = time.monotonic_ns()
        for _ in range(_TRIES):
            try:
                reply = self._call(StartEpisode, StartEpisode.Request(task="known topics"))
            except ScenarioError:
                continue
            if reply.code == StartEpisode.Response.NONE:
                return Path(reply.path)
            if reply.code == StartEpisode.Response.ALREADY_RECORDING:
                return Path(self._told_since(asked).path)  # A reply was lost.
            raise ScenarioError(f"no episode could be begun: {reply.message}")
        raise ScenarioError("start_episode was not answered")

    def stop(self, limit: float = 30.0) -> StopEpisode.Response:
        """Ends the episode."""
        return self._call(StopEpisode, StopEpisode.Request(outcome="success"), limit)

    def refusal(self) -> int:
        """The code that start_episode answers."""
        return int(self._call(StartEpisode, StartEpisode.Request()).code)

    def received(self, folder: Path, topics: Mapping[str, Sent]) -> None:
        """Waits until each topic has come in, in the episode of this folder."""

        def all_in() -> bool:
            if not self.recordings or self.recordings[-1][1].id != folder.name:
                return False
            counts = {t.name: t.message_count for t in self.recordings[-1][1].topics}
            return all(counts.get(topic) for topic in topics)

        self.scene.wait(all_in, f"{', '.join(topics)} to be recorded", 30.0)

    def last_report(self, folder: Path, numbers: Mapping[str, list[int]]) -> Recording:
        """The report that agrees with the closed bag: received, less dropped, is what it holds.

        Args:
            folder: The bag's.
            numbers: Topic -> the messages in it.
        """

        def agrees() -> Recording | None:
            report: Recording = self.recordings[-1][1]
            kept = {t.name: t.message_count - t.dropped for t in report.topics}
            same = all(kept.get(topic) == len(there) for topic, there in numbers.items())
            return report if report.id == folder.name and same else None

        return self.scene.wait(agrees, "a report that agrees with the bag", 10.0)

    def restart(self) -> None:
        """Starts a recorder in the place of one that was killed, and brings it up."""
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

    def _told_since(self, moment_ns: int) -> Episode:
        """The open episode, as it was told after a moment (steady)."""

        def told() -> Episode | None:
            at, message = self.episodes[-1] if self.episodes else (0, None)
            recording = message is not None and message.state == Episode.STATE_RECORDING
            return message if recording and at > moment_ns else None

        return self.scene.wait(told, "the open episode to be told", 10.0)

    def _call(self, kind: type, request: Any, limit: float = _ANSWER_S) -> Any:
        name = "start_episode" if kind is StartEpisode else "stop_episode"
        return self.scene.call(kind, f"/pi05/{name}", request, limit)


def recorded_numbers(folder: Path) -> dict[str, list[int]]:
    """Topic -> publication sequence numbers in a bag, in its order."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    with BagReader(folder) as bag:
        for message in bag.messages():
            numbers[message.topic].append(message.sequence)
    return dict(numbers)


def lost_before(numbers: list[int], sent: Sent, end_ns: int) -> tuple[int, float]:
    """What a bag lacks of a topic, from its first message of the topic to a moment.

    Args:
        numbers: In the bag.
        sent: What was sent, with the bag's clock.
        end_ns: The moment (system time).

    Returns:
        Messages that lie between others that are there, and how long before the moment the oldest
        of those at the end that are missing was sent [s]; 0: none is.
    """
    there = set(numbers)
    last = max(there)
    inside = last - min(there) + 1 - len(there)
    missing = [t for t in sent.times_ns[last:] if t <= end_ns]
    return inside, (end_ns - missing[0]) * 1e-9 if missing else 0.0
