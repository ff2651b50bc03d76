"""Camera drivers of a fake robot: small pictures, and faults of them."""

from __future__ import annotations

import array
import random
import threading
import time
from collections.abc import Callable

from rclpy.node import Node
from sensor_msgs.msg import Image

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.platforms.platform import Camera, Platform
from system.threads import Rhythm

_WIDTH, _HEIGHT = 64, 48


class FakeCameras:
    """All cameras of a platform, captured at the same moments.

    Attributes:
        silent: Names of cameras that publish nothing.
        same_bytes: Names of cameras whose picture no longer changes.
        same_stamp: Names of cameras whose stamp no longer changes.
        defect: Changes each camera's picture before it is published; None: nothing.
        sent_ns: Camera name -> when it last published (steady).
        sent: Camera name -> number of published pictures.
    """

    def __init__(
        self, node: Node, platform: Platform, now_ns: Callable[[], int], rate_hz: float
    ) -> None:
        self._cameras = platform.cameras
        self._now_ns = now_ns
        self.silent: set[str] = set()
        self.same_bytes: set[str] = set()
        self.same_stamp: set[str] = set()
        self.defect: Callable[[Camera, Image], Image] | None = None
        self.sent_ns: dict[str, int] = {}
        self.sent = dict.fromkeys(platform.camera_names, 0)
        # Held while a set is published, so that faults begin between two sets.
        self.lock = threading.Lock()
        self._last: dict[str, Image] = {}
        self._noise = random.Random(0)
        self._publishers = {
            camera.name: node.create_publisher(Image, camera.topic, qos.DRIVER_OUTPUT)
            for camera in platform.cameras
        }
        self._rhythm = Rhythm("cameras", 1.0 / rate_hz, self._send)

    def close(self) -> None:
        """Stop publishing."""
        self._rhythm.close()

    def _send(self) -> None:
        with self.lock:
            stamp = ns_to_time(self._now_ns())
            for camera in self._cameras:
                if camera.name in self.silent:
                    continue
                image = picture(self._noise)
                image.header.frame_id = camera.frame
                image.header.stamp = stamp
                last = self._last.get(camera.name)
                if last is not None and camera.name in self.same_bytes:
                    image.data = last.data
                if last is not None and camera.name in self.same_stamp:
                    image.header.stamp = last.header.stamp
                self._last[camera.name] = image
                if self.defect is not None:
                    image = self.defect(camera, image)
                self.sent_ns[camera.name] = time.monotonic_ns()
                self.sent[camera.name] += 1
                self._publishers[camera.name].publish(image)


def picture(noise: random.Random) -> Image:
    """Return a small rgb8 picture of noise."""
    pixels = array.array("B", noise.randbytes(_WIDTH * _HEIGHT * 3))
    return Image(
        height=_HEIGHT, width=_WIDTH, encoding="rgb8", is_bigendian=0, step=_WIDTH * 3, data=pixels
    )
