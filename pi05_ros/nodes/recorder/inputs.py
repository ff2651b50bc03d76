"""Subscriptions of the recorder, created from the graph and read by their own thread."""

from __future__ import annotations

import importlib
import threading
import time
import traceback
from dataclasses import replace
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from pi05_ros.data.bags.definitions import definition
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.manual_take import ManualTakeGroup
from pi05_ros.recording.queue import Message
from pi05_ros.recording.session import Session
from pi05_ros.recording.subscriptions import (
    Publisher,
    RequestedQos,
    SubscriptionRequest,
    SubscriptionTracker,
)
from pi05_ros.recording.topics import TopicChoice

_POLL_S = 0.005
_GRAPH_S = 0.5  # Period of the check for new publishers [s].
_DISCOVERY_GRAPH_S = 0.1  # The same during discovery, at the start of an episode [s].
_DISCOVERY_S = 3.0  # Duration of discovery [s].
_MAX_BURST = 64  # Messages taken from one topic before the next topic.
_LAST_ROUNDS = 8  # Enough rounds to empty the deepest subscription.
# Queue depth of a subscription while this process waits for a processor. Pictures are large.
_DEPTH, _PICTURE_DEPTH = 500, 30
_PICTURES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "pi05_msgs/msg/CameraSet")
_MAX_RECEPTION_OFFSET_NS = (
    1_000_000_000  # A reception time further than this from now is of another clock.
)


class RecorderInputs:
    """Writes the topics of the graph into a session, until it is closed.

    Messages are taken in serialized form and not decoded.

    Args:
        node: Owns the subscriptions.
        choice: Selection of topics.
        session: Session that receives the messages.
        simulated: True if the node's time is simulated.
    """

    def __init__(
        self, node: ManagedNode[Any], choice: TopicChoice, session: Session, simulated: bool
    ) -> None:
        self._node, self.session, self._simulated = node, session, simulated
        self._joining = SubscriptionTracker(choice)
        # For forty topics and some hundred messages a second an executor uses most of a core.
        self._group = ManualTakeGroup()
        self._subscriptions: dict[str, Any] = {}  # Topic -> subscription.
        self._began = time.monotonic()
        self._next_update = 0.0
        self._stop = threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._run, name="inputs", daemon=True)
        self._thread.start()

    @property
    def problems(self) -> dict[str, str]:
        """Topic -> problem of its recording, one clause."""
        problems = dict(self._joining.problems)
        if self._failure:
            problems["all topics"] = self._failure
        return problems

    @property
    def multi_publisher_topics(self) -> set[str]:
        """Topics with several publishers."""
        return set(self._joining.several)

    @property
    def is_discovering(self) -> bool:
        """True while DDS may still discover publishers."""
        return time.monotonic() - self._began < _DISCOVERY_S

    @property
    def topic_count(self) -> int:
        """Number of subscribed topics."""
        return len(self._subscriptions)

    def close(self) -> None:
        """Take the messages that have arrived and destroy the subscriptions."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.wait(_POLL_S):
                now = time.monotonic()
                if now >= self._next_update:
                    self._next_update = now + (
                        _DISCOVERY_GRAPH_S if self.is_discovering else _GRAPH_S
                    )
                    self._update_subscriptions()
                self._drain()
            for _ in range(_LAST_ROUNDS):
                self._drain()
        except Exception:
            self._failure = "internal error: see the log of recorder"
            self._node.get_logger().error(f"inputs failed:\n{traceback.format_exc()}")
        finally:
            for subscription in self._subscriptions.values():
                self._node.destroy_subscription(subscription)
            self._subscriptions = {}

    def _drain(self) -> None:
        """Take the messages that have arrived on every topic."""
        now_ns = self._node.now_ns()
        put = self.session.put
        for topic, subscription in self._subscriptions.items():
            take, kind = subscription.handle.take_message, subscription.msg_type
            for _ in range(_MAX_BURST):
                taken = take(kind, True)
                if taken is None:
                    break
                data, info = taken
                log_ns = now_ns
                if not self._simulated:
                    # The node's clock: messages keep the order of arrival.
                    received_ns = int(info["received_timestamp"])
                    log_ns = (
                        received_ns
                        if abs(now_ns - received_ns) < _MAX_RECEPTION_OFFSET_NS
                        else now_ns
                    )
                put(
                    Message(
                        topic,
                        data,
                        log_ns,
                        int(info["source_timestamp"]),
                        int(info["publication_sequence_number"] or 0),
                    )
                )

    def _update_subscriptions(self) -> None:
        """Subscribe to new publishers of the graph."""
        choice = self._joining.choice
        for join in self._joining.update(publishers(self._node, choice)):
            self._join(join)
        cameras = dict(choice.cameras)
        if cameras != self.session.facts.cameras:
            self.session.change(lambda facts: replace(facts, cameras=cameras))

    def _join(self, join: SubscriptionRequest) -> None:
        before = self._subscriptions.pop(join.topic, None)
        if before is not None:
            self._node.destroy_subscription(before)
            self._node.get_logger().info(
                f"{join.topic}: its publishers' QoS changed; subscribed again"
            )
        try:
            definition(join.type)
            kind = message_type(join.type)
            subscription = self._node.create_subscription(
                kind,
                join.topic,
                _never_called,
                _profile(join.requested, join.type),
                callback_group=self._group,
                raw=True,
            )
        except (BagError, ImportError, AttributeError, ValueError) as error:
            self._joining.refuse(join.topic, f"its type {join.type} is not installed here")
            self._node.get_logger().error(
                f"{join.topic} is not recorded: its type {join.type} is not installed on this "
                f"machine ({error}); build and source its package"
            )
            return
        self.session.add_topic(BagTopic(join.topic, join.type, join.qos, join.type_hash))
        self._subscriptions[join.topic] = subscription


def publishers(node: ManagedNode[Any], choice: TopicChoice) -> dict[str, list[Publisher]]:
    """Return topic -> current publishers, for topics that may be recorded."""
    return {
        name: [_publisher(info) for info in node.get_publishers_info_by_topic(name)]
        for name, _ in node.get_topic_names_and_types()
        if choice.may_record(name)
    }


def message_type(name: str) -> Any:
    """Return the class of a type name such as "sensor_msgs/msg/Image".

    Raises:
        ImportError, AttributeError, ValueError: It is not installed, or not a type name.
    """
    package, folder, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.{folder}"), kind)


def _publisher(info: Any) -> Publisher:
    # Humble has no type hash.
    type_hash = str(getattr(info, "topic_type_hash", ""))
    return Publisher(info.topic_type, OfferedQos.of(info.qos_profile), type_hash)


def _profile(demand: RequestedQos, type_name: str) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=_PICTURE_DEPTH if type_name in _PICTURES else _DEPTH,
        reliability=(
            ReliabilityPolicy.RELIABLE if demand.reliable else ReliabilityPolicy.BEST_EFFORT
        ),
        durability=(
            DurabilityPolicy.TRANSIENT_LOCAL
            if demand.transient_local
            else DurabilityPolicy.VOLATILE
        ),
    )


def _never_called(message: bytes) -> None:
    raise AssertionError("an executor took a message of a manually taken subscription")
