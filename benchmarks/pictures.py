"""Sends pictures from one process to another and counts what arrives.

    ./pi05 run python benchmarks/pictures.py
    ./pi05 run env -u FASTRTPS_DEFAULT_PROFILES_FILE python benchmarks/pictures.py

The second line shows what is lost without the suite's Fast DDS profile.
"""

from __future__ import annotations

import argparse
import array
import select
import statistics
import subprocess
import sys
import time

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

CASES = {
    "four 224x224x3 pictures": (4, 224, 224),
    "one 448x448x3 picture (602 KB)": (1, 448, 448),
}
RATE = 30.0  # [Hz]
QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def send(topics: int, height: int, width: int, seconds: float) -> int:
    """Publishes pictures on `topics` topics at RATE; returns how many on each."""
    rclpy.init()
    node = Node("pictures_sender")
    publishers = [node.create_publisher(Image, f"picture_{i}", QOS) for i in range(topics)]
    until = time.monotonic() + 10.0
    while any(p.get_subscription_count() == 0 for p in publishers):
        if time.monotonic() > until:
            raise SystemExit("no receiver within 10 s")
        time.sleep(0.05)
    time.sleep(0.5)
    data = array.array("B", bytes(height * width * 3))
    message = Image(height=height, width=width, step=width * 3, encoding="rgb8")
    message.data = data
    count = int(seconds * RATE)
    start = time.monotonic()
    for i in range(count):
        for publisher in publishers:
            message.header.stamp = node.get_clock().now().to_msg()
            publisher.publish(message)
        time.sleep(max(0.0, start + (i + 1) / RATE - time.monotonic()))
    time.sleep(0.5)
    return count


def receive(topics: int) -> None:
    """Prints `count median_ms p99_ms` when its standard input ends."""
    rclpy.init()
    node = Node("pictures_receiver")
    ages: list[float] = []

    def take(message: Image) -> None:
        stamp = message.header.stamp
        ages.append(time.time() - stamp.sec - stamp.nanosec * 1e-9)

    for i in range(topics):
        node.create_subscription(Image, f"picture_{i}", take, QOS)
    while not select.select([sys.stdin], [], [], 0)[0]:
        rclpy.spin_once(node, timeout_sec=0.05)
    for _ in range(2 * topics):
        rclpy.spin_once(node, timeout_sec=0.05)
    ages.sort()
    p99 = ages[int(0.99 * len(ages))] if ages else float("nan")
    median = statistics.median(ages) if ages else float("nan")
    print(len(ages), median * 1e3, p99 * 1e3)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--receive", type=int, metavar="TOPICS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        receive(arguments.receive)
        return
    for name, (topics, height, width) in CASES.items():
        command = [sys.executable, __file__, "--receive", str(topics)]
        receiver = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        sent = send(topics, height, width, arguments.seconds) * topics
        rclpy.shutdown()
        output, _ = receiver.communicate(timeout=20)
        got, median, p99 = output.splitlines()[-1].split()
        print(
            f"{name} at {RATE:.0f} Hz: {sent - int(got)} of {sent} lost, "
            f"age {float(median):.1f} ms median, {float(p99):.1f} ms p99"
        )


if __name__ == "__main__":
    main()
