"""Four cameras that send noise, serialized beforehand: `python -m live.noisy_cameras KIND RATE`.

KIND is rgb8 (640x480, 0.92 MB a picture) or jpeg (what a camera's own encoder would send of a
scene with sensor noise). Serializing is a driver's work, in C++ on a robot; here it would take the
processor time that is to be measured.
"""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from pi05_ros.nodes.common import qos
from pi05_ros.platforms.platform import load_platform

PLATFORM = "mobile_18dof"
_DIFFERENT = 8  # Pictures a camera has.
_HEIGHT, _WIDTH = 480, 640


def pictures(kind: str) -> list[bytes]:
    """Serialized messages; no two have the same pixels."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(_DIFFERENT):
        noise = draw.integers(0, 256, (_HEIGHT, _WIDTH, 3), dtype=np.uint8)
        if kind == "rgb8":
            message = Image(
                height=_HEIGHT, width=_WIDTH, step=3 * _WIDTH, encoding="rgb8",
                data=noise.tobytes(),
            )  # fmt: skip
        else:
            scene = cv2.GaussianBlur(noise, (0, 0), 12).astype(float)
            scene = 128 + 12 * (scene - scene.mean()) + draw.normal(0, 4, scene.shape)
            encoded = cv2.imencode(
                ".jpg", scene.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90]
            )[1]
            message = CompressedImage(format="rgb8; jpeg compressed bgr8", data=encoded.tobytes())
        found.append(serialize_message(message))
    return found


def main() -> None:
    """Sends until it is killed; prints the steady clock after each round of four."""
    kind, rate = sys.argv[1], float(sys.argv[2])
    rclpy.init()
    node = Node("noisy_cameras")
    message_type = Image if kind == "rgb8" else CompressedImage
    suffix = "" if kind == "rgb8" else "/compressed"
    publishers = [
        node.create_publisher(message_type, camera.topic + suffix, qos.DRIVER_OUTPUT)
        for camera in load_platform(PLATFORM).cameras
    ]
    data = pictures(kind)
    due, number = time.monotonic(), 0
    while True:
        for shift, publisher in enumerate(publishers):
            publisher.publish(data[(number + shift) % _DIFFERENT])
        number += 1
        print(time.monotonic(), flush=True)
        due = max(due + 1.0 / rate, time.monotonic() - 0.5)
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
