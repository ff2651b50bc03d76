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

from pi05_ros.faults.threads import request_priority
from pi05_ros.nodes import qos
from pi05_ros.nodes.conversions import ns_to_time
from pi05_ros.platforms import load_platform

_DIFFERENT = 4  # Pictures that take turns: two that follow each other never have equal bytes.


def main() -> int:
    """Publishes until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", default="mobile_18dof")
    parser.add_argument("--rate", type=float, default=10.0, help="[Hz]")
    parser.add_argument("--width", type=int, default=640, help="[pixel]")
    parser.add_argument("--height", type=int, default=480, help="[pixel]")
    arguments = parser.parse_args()
    request_priority()  # A camera's rate does not depend on what a computer does.
    rclpy.init(args=[])
    node = rclpy.create_node("camera_drivers")
    cameras = load_platform(arguments.platform).cameras
    publishers = [node.create_publisher(Image, c.topic, qos.DRIVER_OUTPUT) for c in cameras]
    noise = np.random.default_rng(0)
    height, width = arguments.height, arguments.width
    images = [
        Image(
            height=height,
            width=width,
            encoding="rgb8",
            step=3 * width,
            data=array.array("B", noise.bytes(3 * width * height)),
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


if __name__ == "__main__":
    sys.exit(main())
