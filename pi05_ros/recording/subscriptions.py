"""The recorder's subscriptions and their QoS, as the publishers of each topic offer it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.recording.topics import TopicChoice


@dataclass(frozen=True)
class Publisher:
    """One publisher of a topic in the graph."""

    type: str  # "sensor_msgs/msg/Image"
    qos: OfferedQos
    type_hash: str = ""  # "RIHS01_…"; "": the middleware does not provide it.


@dataclass(frozen=True)
class RequestedQos:
    """The QoS that a subscription requests."""

    reliable: bool
    transient_local: bool

    @classmethod
    def of(cls, publishers: Iterable[Publisher]) -> RequestedQos:
        """Return the strongest QoS that all publishers offer; a stronger one excludes some."""
        publishers = tuple(publishers)
        return cls(
            all(p.qos.reliability == "reliable" for p in publishers),
            all(p.qos.durability == "transient_local" for p in publishers),
        )


@dataclass(frozen=True)
class SubscriptionRequest:
    """A subscription to make, in place of an open one to the same topic."""

    topic: str
    type: str
    requested: RequestedQos
    publishers: tuple[Publisher, ...]

    @property
    def type_hash(self) -> str:
        """Hash of the message type, from the first publisher."""
        return self.publishers[0].type_hash

    @property
    def qos(self) -> tuple[OfferedQos, ...]:
        """QoS that each publisher offers."""
        return tuple(publisher.qos for publisher in self.publishers)


def types_of(graph: Mapping[str, Sequence[Publisher]]) -> dict[str, list[str]]:
    """List the types of each topic that has a publisher, for TopicChoice."""
    return {name: sorted({p.type for p in graph[name]}) for name in graph if graph[name]}


class SubscriptionTracker:
    """Tracks the topics of the graph during one episode.

    Args:
        choice: The choice of topics.

    Attributes:
        choice: The choice of topics.
        joined: Topic -> its open subscription.
        problems: Topic -> why it is not recorded as it should be, one clause.
        several: Topics that had several publishers at a time, whose lost messages cannot be
            counted.
    """

    def __init__(self, choice: TopicChoice) -> None:
        self.choice = choice
        self.joined: dict[str, SubscriptionRequest] = {}
        self.problems: dict[str, str] = {}
        self.several: set[str] = set()
        self._refused: dict[str, str] = {}

    def update(self, graph: Mapping[str, Sequence[Publisher]]) -> list[SubscriptionRequest]:
        """Update the topics from the graph.

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
            join = SubscriptionRequest(
                topic, publishers[0].type, RequestedQos.of(publishers), publishers
            )
            if topic in self._refused:
                self.problems[topic] = self._refused[topic]
                continue
            present = self.joined.get(topic)
            if present is not None and present.type != join.type:
                # A bag's channel has one type.
                self.problems[topic] = f"its type changed from {present.type} to {join.type}"
            elif present is None or present.requested != join.requested:
                joins.append(join)
                self.joined[topic] = join
        return joins

    def refuse(self, topic: str, why: str) -> None:
        """Mark a topic that cannot be subscribed to; it is not tried again in this episode."""
        self.joined.pop(topic, None)
        self._refused[topic] = self.problems[topic] = why
