"""The recorder's subscriptions: made as the graph offers them, emptied by a thread of ours."""

from __future__ import annotations

import importlib
import threading
import time
import traceback
from dataclasses import replace
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from pi05_ros.data.bags.definitions import definition
from pi05_ros.data.bags.errors import BagError
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.manual_take import ManualTakeGroup
from pi05_ros.recording.joining import Demand, Join, Joining, Publisher
from pi05_ros.recording.queue import Message
from pi05_ros.recording.session import Session
from pi05_ros.recording.topics import TopicChoice

_POLL_S = 0.005
_GRAPH_S = 0.5  # Between two looks at the graph [s].
_YOUNG_GRAPH_S = 0.1  # The same while an episode is is_discovering.
_YOUNG_S = 3.0
_MAX_BURST = 64  # Messages of one topic before the next has its turn.
_LAST_ROUNDS = 8  # As many turns empty the deepest subscription.
# What DDS keeps for a subscription while this process waits for a processor. Pictures are large.
_DEPTH, _PICTURE_DEPTH = 500, 30
_PICTURES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "pi05_msgs/msg/CameraSet")
_MAX_RECEPTION_OFFSET_NS = (
    1_000_000_000  # A reception time further than this from now is of another clock.
)


class RecorderInputs:
    """Fills a session from the topics of the graph, until it is closed.

    Messages are taken as they were serialized; nothing here decodes them.

    Args:
        node: Owns the subscriptions.
        choice: Which topics.
        session: Where the messages go.
        simulated: Whether the node's time is simulated.
    """

    def __init__(
        self, node: ManagedNode[Any], choice: TopicChoice, session: Session, simulated: bool
    ) -> None:
        self._node, self.session, self._simulated = node, session, simulated
        self._joining = Joining(choice)
        # With forty topics and some hundred messages a second an executor costs most of a core.
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
        """Topic -> why it is not recorded as it should be, one clause."""
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
        """Whether DDS may still be finding publishers."""
        return time.monotonic() - self._began < _YOUNG_S

    @property
    def topic_count(self) -> int:
        """Topics that are subscribed to."""
        return len(self._subscriptions)

    def close(self) -> None:
        """Takes what has arrived, and unsubscribes."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.wait(_POLL_S):
                now = time.monotonic()
                if now >= self._next_update:
                    self._next_update = now + (_YOUNG_GRAPH_S if self.is_discovering else _GRAPH_S)
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
        """Takes what has arrived on every topic."""
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
                    # The same clock as the node's: messages keep the order in which they came.
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
        """Follows the graph."""
        choice = self._joining.choice
        for join in self._joining.update(publishers(self._node, choice)):
            self._join(join)
        cameras = dict(choice.cameras)
        if cameras != self.session.facts.cameras:
            self.session.change(lambda facts: replace(facts, cameras=cameras))

    def _join(self, join: Join) -> None:
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
                _profile(join.demand, join.type),
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
    """Who publishes what now, of the topics that may be recorded."""
    return {
        name: [_publisher(info) for info in node.get_publishers_info_by_topic(name)]
        for name, _ in node.get_topic_names_and_types()
        if choice.wants(name)
    }


def message_type(name: str) -> Any:
    """The class of "sensor_msgs/msg/Image".

    Raises:
        ImportError, AttributeError, ValueError: It is not installed, or no such name can be.
    """
    package, folder, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.{folder}"), kind)


def _publisher(info: Any) -> Publisher:
    # Humble tells no hash.
    type_hash = str(getattr(info, "topic_type_hash", ""))
    return Publisher(info.topic_type, OfferedQos.of(info.qos_profile), type_hash)


def _profile(demand: Demand, type_name: str) -> QoSProfile:
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
    raise AssertionError("an executor took what the recorder takes by hand")
