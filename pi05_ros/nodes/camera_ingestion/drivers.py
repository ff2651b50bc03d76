"""The subscriptions to the cameras' drivers, and why one may stay without pictures."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sensor_msgs.msg import CompressedImage, Image

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.platforms.platform import Camera, Platform

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ModuleNotFoundError:  # Humble calls the module by another name.
    from rclpy.qos_event import SubscriptionEventCallbacks

OnPicture = Callable[[Camera, Image | CompressedImage], None]


class CameraDrivers:
    """Listens to every camera of a platform.

    Args:
        node: Owns the subscriptions.
        platform: Whose cameras.
        on_picture: Called with each message, guarded.
    """

    def __init__(self, node: ManagedNode[Any], platform: Platform, on_picture: OnPicture) -> None:
        self._node = node
        self._cameras = platform.cameras
        self._on_picture = on_picture
        self._refused: dict[str, str] = {}  # Camera → policy in which a publisher differs.
        self._open = [
            node.create_subscription(
                _kind(camera),
                camera.topic,
                node.guarded(functools.partial(self._on_message, camera)),
                qos.DRIVER_IMAGE,
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=node.guarded(functools.partial(self._on_refused, camera)),
                ),
            )
            for camera in self._cameras
        ]

    def close(self) -> None:
        """Unsubscribes."""
        for subscription in self._open:
            self._node.destroy_subscription(subscription)
        self._open = []

    def problems(self) -> dict[str, str]:
        """Camera → why publishers of its topic cannot be heard, naming the topic."""
        found = {}
        for camera in self._cameras:
            wanted = _type_name(_kind(camera))
            others = [
                info.topic_type
                for info in self._node.get_publishers_info_by_topic(camera.topic)
                if info.topic_type != wanted
            ]
            if others:
                found[camera.name] = (
                    f"{camera.topic} is published as {others[0]}, wanted {wanted} "
                    f"(transport '{camera.transport}' in the platform)"
                )
            elif camera.name in self._refused:
                found[camera.name] = (
                    f"a publisher of {camera.topic} offers an incompatible QoS "
                    f"({self._refused[camera.name]}); its pictures do not arrive"
                )
        return found

    def silence(self, camera: Camera) -> str:
        """What to look for when a camera is silent."""
        count = self._node.count_publishers(camera.topic)
        if count == 0:
            return f"no publisher on {camera.topic}: is the driver running, is the topic right?"
        return f"{camera.topic} has {count} publisher(s), but no message arrives"

    def _on_message(self, camera: Camera, message: Image | CompressedImage) -> None:
        self._refused.pop(camera.name, None)
        self._on_picture(camera, message)

    def _on_refused(self, camera: Camera, info: Any) -> None:
        # What a best-effort, volatile subscription refuses is rare: a deadline or a liveliness.
        self._refused[camera.name] = str(info.last_policy_kind)


def _kind(camera: Camera) -> type[Image] | type[CompressedImage]:
    return CompressedImage if camera.transport == "compressed" else Image


def _type_name(kind: type) -> str:
    package = kind.__module__.partition(".")[0]
    return f"{package}/msg/{kind.__name__}"
