"""Topics whose messages are all known, for comparison with a recorder's bags."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import String

from pi05_ros.nodes.common import qos
from system.threads import Rhythm

_HEIGHT, _WIDTH = 480, 640


@dataclass(frozen=True)
class Sent:
    """The messages of one topic. The n-th has the publication sequence number n."""

    period: float  # [s]
    times_ns: list[int] = field(default_factory=list)  # System time of each.


class KnownTopics:
    """Publishers of noise pictures and strings at several rates, each in a thread of its own.

    Args:
        node: The harness's node.
        picture_rate: Of one 640×480 rgb8 camera [Hz]; 0: none.
        periods: Topic in the suite's namespace -> period of its strings [s].
    """

    PICTURES = "/pi05/known/picture"
    PERIODS: Mapping[str, float] = {
        "/pi05/known/fast": 0.01,
        "/pi05/known/slow": 1.0,
        "/pi05/known/slower": 3.0,
    }

    def __init__(
        self, node: Node, picture_rate: float = 0.0, periods: Mapping[str, float] = PERIODS
    ) -> None:
        self.sent = {topic: Sent(period) for topic, period in periods.items()}
        self._rhythms = []
        for topic, period in periods.items():
            publisher = node.create_publisher(String, topic, qos.STATUS)
            self._rhythms.append(Rhythm("strings", period, self._strings(topic, publisher)))
        if picture_rate:
            self.sent[self.PICTURES] = Sent(1.0 / picture_rate)
            publisher = node.create_publisher(Image, self.PICTURES, qos.DRIVER_OUTPUT)
            self._rhythms.append(Rhythm("pictures", 1.0 / picture_rate, self._pictures(publisher)))

    def close(self) -> None:
        """Stop publishing."""
        for rhythm in self._rhythms:
            rhythm.close()

    def _strings(self, topic: str, publisher: Any) -> Callable[[], None]:
        def publish() -> None:
            sent = self.sent[topic].times_ns
            sent.append(time.time_ns())
            publisher.publish(String(data=f"{topic} {len(sent)}"))

        return publish

    def _pictures(self, publisher: Any) -> Callable[[], None]:
        noise = os.urandom(_HEIGHT * _WIDTH * 3)

        def publish() -> None:
            self.sent[self.PICTURES].times_ns.append(time.time_ns())
            publisher.publish(
                Image(height=_HEIGHT, width=_WIDTH, step=3 * _WIDTH, encoding="rgb8", data=noise)
            )

        return publish
