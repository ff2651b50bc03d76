"""Camera drivers in a process of their own: `python -m live.cameras --rate 30`.

All cameras of a platform are taken at the same moments; their pictures are noise, like a sensor's
that sees little. Prints the steady clock [s] after each set.
"""

from __future__ import annotations

import argparse
import array
import sys
import time

import numpy as np
import rclpy
from sensor_msgs.msg import Image
from system.threads import request_priority

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.platforms.platform import load_platform

_DIFFERENT = 4  # Pictures that take turns: two that follow each other never have equal bytes.


def main() -> int:
    """Publishes until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", default="mobile_18dof")
    parser.add_argument("--rate", type=float, default=10.0, help="[Hz]")
    parser.add_argument("--width", type=int, default=640, help="[pixel]")
    parser.add_argument("--height", type=int, default=480, help="[pixel]")
    parser.add_argument("--scene", action="store_true", help="a lit scene with sensor noise")
    arguments = parser.parse_args()
    request_priority()  # A camera's rate does not depend on what a computer does.
    rclpy.init(args=[])
    node = rclpy.create_node("camera_drivers")
    cameras = load_platform(arguments.platform).cameras
    publishers = [node.create_publisher(Image, c.topic, qos.DRIVER_OUTPUT) for c in cameras]
    noise = np.random.default_rng(0)
    height, width = arguments.height, arguments.width
    draw = _scene if arguments.scene else _noise
    images = [
        Image(
            height=height,
            width=width,
            encoding="rgb8",
            step=3 * width,
            data=array.array("B", draw(noise, width, height)),
        )
        for _ in range(_DIFFERENT)
    ]
    period, due, number = 1.0 / arguments.rate, time.monotonic(), 0
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + period, time.monotonic())
        stamp = ns_to_time(time.time_ns())
        for camera, publisher in zip(cameras, publishers, strict=True):
            image = images[number % _DIFFERENT]
            image.header.stamp, image.header.frame_id = stamp, camera.frame
            publisher.publish(image)
        number += 1
        print(time.monotonic(), flush=True)


def _noise(noise: np.random.Generator, width: int, height: int) -> bytes:
    return noise.bytes(3 * width * height)


def _scene(noise: np.random.Generator, width: int, height: int) -> bytes:
    """Surfaces under soft light, and noise of three grey levels: what a JPEG is made for."""
    y, x = np.mgrid[0:height, 0:width]
    picture = 90 + 60 * np.sin(x / 97)[..., None] * np.cos(y / 71)[..., None] * np.ones(3)
    for _ in range(12):
        left, top = noise.integers(0, width), noise.integers(0, height)
        picture[top : top + height // 4, left : left + width // 5] += noise.uniform(-50, 50, 3)
    picture += noise.normal(0, 3, picture.shape)
    return bytes(picture.clip(0, 255).astype(np.uint8).tobytes())


if __name__ == "__main__":
    sys.exit(main())
