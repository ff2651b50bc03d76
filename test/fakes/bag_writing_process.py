"""Write a bag in real time until killed: python bag_writing_process.py FOLDER.

Every message is told on stdout before it is handed over, as "TOPIC LOG_NS\n".
"""

import os
import random
import sys
import time
from pathlib import Path

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings

PERIODS_S = {"/fast": 0.01, "/slow": 1.0, "/picture": 1 / 30}
SPLIT_S = 1.5  # so that some kills hit a split


def main(folder: Path) -> None:
    """Never returns."""
    noise = random.Random(1).randbytes(300_000)
    writer = BagWriter(
        folder,
        EpisodeFacts(id=folder.name, task="be killed"),
        WriterSettings(split_after_s=SPLIT_S),
    )
    for topic in PERIODS_S:
        writer.add_topic(BagTopic(topic, "std_msgs/msg/String"))
    began = time.monotonic()
    due = dict.fromkeys(PERIODS_S, began)
    numbers = dict.fromkeys(PERIODS_S, 0)
    while True:
        now = time.monotonic()
        for topic, period in PERIODS_S.items():
            if now >= due[topic]:
                due[topic] += period
                numbers[topic] += 1
                data = noise if topic == "/picture" else b"%d" % numbers[topic]
                log_ns = time.monotonic_ns()
                os.write(1, f"{topic} {log_ns}\n".encode())
                writer.write(topic, data, log_ns, log_ns, numbers[topic])
        writer.tick()
        time.sleep(0.002)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
