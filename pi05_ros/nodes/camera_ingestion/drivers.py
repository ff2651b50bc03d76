"""Subscriptions to the camera drivers, and diagnosis of missing pictures."""

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
except ModuleNotFoundError:  # The module has another name in Humble.
    from rclpy.qos_event import SubscriptionEventCallbacks

OnPicture = Callable[[Camera, Image | CompressedImage], None]


class CameraDrivers:
    """Subscribes to every camera of a platform.

    Args:
        node: Owns the subscriptions.
        platform: The robot.
        on_picture: Called with each message, guarded.
    """

    def __init__(self, node: ManagedNode[Any], platform: Platform, on_picture: OnPicture) -> None:
        self._node = node
        self._cameras = platform.cameras
        self._on_picture = on_picture
        self._incompatible: dict[str, str] = {}  # Camera → incompatible QoS policy of a publisher.
        self._open = [
            node.create_subscription(
                _kind(camera),
                camera.topic,
                node.guarded(functools.partial(self._on_message, camera)),
                qos.DRIVER_IMAGE,
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=node.guarded(
                        functools.partial(self._on_incompatible_qos, camera)
                    ),
                ),
            )
            for camera in self._cameras
        ]

    def close(self) -> None:
        """Destroy the subscriptions."""
        for subscription in self._open:
            self._node.destroy_subscription(subscription)
        self._open = []

    def problems(self) -> dict[str, str]:
        """Return camera → why no picture of its publishers arrives, with the topic."""
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
            elif camera.name in self._incompatible:
                found[camera.name] = (
                    f"a publisher of {camera.topic} offers an incompatible QoS "
                    f"({self._incompatible[camera.name]}); its pictures do not arrive"
                )
        return found

    def silence(self, camera: Camera) -> str:
        """Return the likely cause of missing pictures."""
        count = self._node.count_publishers(camera.topic)
        if count == 0:
            return f"no publisher on {camera.topic}: is the driver running, is the topic right?"
        return f"{camera.topic} has {count} publisher(s), but no message arrives"

    def _on_message(self, camera: Camera, message: Image | CompressedImage) -> None:
        self._incompatible.pop(camera.name, None)
        self._on_picture(camera, message)

    def _on_incompatible_qos(self, camera: Camera, info: Any) -> None:
        # Rare for a best-effort, volatile subscription: a deadline or liveliness policy.
        self._incompatible[camera.name] = str(info.last_policy_kind)


def _kind(camera: Camera) -> type[Image] | type[CompressedImage]:
    return CompressedImage if camera.transport == "compressed" else Image


def _type_name(kind: type) -> str:
    package = kind.__module__.partition(".")[0]
    return f"{package}/msg/{kind.__name__}"
