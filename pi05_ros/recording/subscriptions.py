"""When to subscribe, and with which QoS: as the publishers of a topic offer it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.recording.topics import TopicChoice


@dataclass(frozen=True)
class Publisher:
    """One publisher of a topic, as the graph tells."""

    type: str  # "sensor_msgs/msg/Image"
    qos: OfferedQos
    type_hash: str = ""  # "RIHS01_…"; empty where the middleware does not tell.


@dataclass(frozen=True)
class Demand:
    """The QoS that a subscription asks for."""

    reliable: bool
    transient_local: bool

    @classmethod
    def of(cls, publishers: Iterable[Publisher]) -> Demand:
        """The most that all of them give: asking for more would silence one of them."""
        publishers = tuple(publishers)
        return cls(
            all(p.qos.reliability == "reliable" for p in publishers),
            all(p.qos.durability == "transient_local" for p in publishers),
        )


@dataclass(frozen=True)
class Join:
    """A subscription to make; one to the same topic that is open ends."""

    topic: str
    type: str
    demand: Demand
    publishers: tuple[Publisher, ...]

    @property
    def type_hash(self) -> str:
        """Of the message type, as the first publisher tells it."""
        return self.publishers[0].type_hash

    @property
    def qos(self) -> tuple[OfferedQos, ...]:
        """What the publishers offer."""
        return tuple(publisher.qos for publisher in self.publishers)


def types_of(graph: Mapping[str, Sequence[Publisher]]) -> dict[str, list[str]]:
    """The types of each topic that has a publisher, as TopicChoice takes them."""
    return {name: sorted({p.type for p in graph[name]}) for name in graph if graph[name]}


class Joining:
    """Follows the graph during one episode.

    Attributes:
        joined: Topic -> the subscription that is open.
        problems: Topic -> why it is not recorded as it should be, one clause.
        several: Topics that had more than one publisher at a time: numbers of messages that are
            lost cannot be told for them.
    """

    def __init__(self, choice: TopicChoice) -> None:
        self.choice = choice
        self.joined: dict[str, Join] = {}
        self.problems: dict[str, str] = {}
        self.several: set[str] = set()
        self._refused: dict[str, str] = {}

    def update(self, graph: Mapping[str, Sequence[Publisher]]) -> list[Join]:
        """Takes what is published now.

        Args:
            graph: Topic -> its publishers; topics without one are absent.

        Returns:
            Subscriptions to make now.
        """
        offered = types_of(graph)
        self.problems = {}
        joins = []
        for topic, problem in self.choice.choose(offered).items():
            if problem:
                self.problems[topic] = problem
                continue
            publishers = tuple(graph[topic])
            if len(publishers) > 1:
                self.several.add(topic)
            join = Join(topic, publishers[0].type, Demand.of(publishers), publishers)
            if topic in self._refused:
                self.problems[topic] = self._refused[topic]
                continue
            present = self.joined.get(topic)
            if present is not None and present.type != join.type:
                # A bag's channel has one type.
                self.problems[topic] = f"its type changed from {present.type} to {join.type}"
            elif present is None or present.demand != join.demand:
                joins.append(join)
                self.joined[topic] = join
        return joins

    def refuse(self, topic: str, why: str) -> None:
        """Notes that a topic cannot be subscribed to: it is not tried again in this episode."""
        self.joined.pop(topic, None)
        self._refused[topic] = self.problems[topic] = why
