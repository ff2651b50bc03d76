"""How many sets of pictures a second camera_ingestion makes, how late they are, what it costs.

    ./pi05 run python benchmarks/camera_throughput.py --out docs/benchmarks/camera_throughput.md

Four camera drivers in a process of their own send rgb8 pictures at one rate, camera_ingestion runs
in a second process, and this one takes the sets: all by DDS, as on a robot.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from live import machine
from live.by_rate import RateBenchmark, run
from live.plots import pyplot, shares_above
from live.process import Process, environment_with
from system.scene import Scene

from pi05_msgs.msg import CameraSet
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import time_to_ns

SETTLE = 3.0  # Before anything is counted [s].

PAGE = """# Throughput of camera sets

`benchmarks/camera_throughput.py`: four cameras of {width}x{height} rgb8, {seconds:.0f} s a line,
on {machine}.
`made` is CameraSet.published, `arrived` is when another process had it, both from the stamp of the
oldest picture in the set. The four pictures of a moment leave the drivers one after the other.
`others` is what the rest of the machine did, which nobody asked for: cores are shared. Where a
processor is missing, older pictures are dropped and the newest go out.

{table}

![throughput and latency]({picture})
"""


@dataclass(frozen=True)
class Result:
    """What came out at one rate."""

    rate: float  # That was asked for [Hz].
    seconds: float
    sent: int  # Sets of pictures that the drivers sent.
    numbers: np.ndarray  # (K,) int64: CameraSet.sequence of each set that came.
    complete: np.ndarray  # (K,) bool: it has a picture of every camera.
    made_ms: np.ndarray  # (K,) float64: from the oldest picture's stamp to CameraSet.published.
    arrived_ms: np.ndarray  # (K,) float64: from that stamp to its arrival here.
    ingestion_cores: float
    others_cores: float

    @property
    def lost(self) -> int:
        """Sets that were published and did not arrive."""
        return int(self.numbers[-1] - self.numbers[0] + 1 - len(self.numbers))


def measure(rate: float, size: tuple[int, int], seconds: float) -> Result:
    """Runs one rate."""
    with ExitStack() as stack:
        scene = stack.enter_context(
            Scene(
                ("camera_ingestion",),
                fake_policy=False,
                robot_rate=1.0,
                environment=environment_with(),
            )
        )
        sets: list[tuple[float, int, bool, int, int, int]] = []

        def on_set(message: CameraSet, info: Any) -> None:
            stamps = time_to_ns(message.header.stamp), time_to_ns(message.published)
            arrival = info["received_timestamp"]
            sets.append((time.monotonic(), message.sequence, all(message.valid), *stamps, arrival))

        # rclpy's annotation does not know callbacks that take a message's times, too.
        heard: Any = on_set
        scene.node.create_subscription(CameraSet, "camera_set", heard, qos.CAMERA_SET)
        words = ["live.cameras", "--rate", f"{rate:g}"]
        words += ["--width", str(size[0]), "--height", str(size[1])]
        drivers = stack.enter_context(Process(words, scene.environment, scene.folder))
        drivers.wait()
        time.sleep(SETTLE)
        pids = {"ingestion": scene.processes["camera_ingestion"].pid}
        pids |= {"drivers": drivers.pid, "harness": os.getpid()}
        meter = machine.CpuMeter(pids)
        begun = time.monotonic()
        time.sleep(seconds)
        own, others = meter.read()
        took = time.monotonic() - begun
        sent = len(drivers.times(begun))
        found = [entry for entry in list(sets) if begun < entry[0] <= begun + took]
        if not found:
            raise SystemExit(f"no set came: {scene.log_tail('camera_ingestion')}")
    _, numbers, complete, stamps, published, arrivals = map(np.array, zip(*found, strict=True))
    return Result(
        rate,
        took,
        sent,
        numbers,
        complete,
        (published - stamps) * 1e-6,
        (arrivals - stamps) * 1e-6,
        own["ingestion"],
        others,
    )


def table(results: list[Result]) -> str:
    """The results as Markdown."""
    head = (
        "cameras [Hz]",
        "sent [sets/s]",
        "came [sets/s]",
        "incomplete",
        "lost on the way",
        "made after [ms]: p50 / p99 / max",
        "arrived after [ms]: p50 / p99 / max",
        "camera_ingestion [cores]",
        "others [cores]",
    )
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for r in results:
        cells = (
            f"{r.rate:g}",
            f"{r.sent / r.seconds:.1f}",
            f"{len(r.numbers) / r.seconds:.1f}",
            str(int((~r.complete).sum())),
            str(r.lost),
            machine.rounded(np.percentile(r.made_ms, (50, 99, 100)), 1),
            machine.rounded(np.percentile(r.arrived_ms, (50, 99, 100)), 1),
            f"{r.ingestion_cores:.2f}",
            f"{r.others_cores:.2f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(results: list[Result], path: Path) -> None:
    """Left: sets a second, sent and come. Right: how late they are."""
    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
    places = np.arange(len(results))
    left.bar(places - 0.2, [r.sent / r.seconds for r in results], 0.4, label="sent")
    left.bar(places + 0.2, [len(r.numbers) / r.seconds for r in results], 0.4, label="came")
    left.set_xticks(places, [f"{r.rate:g} Hz" for r in results])
    left.set(ylabel="sets of four pictures a second", title="throughput")
    left.legend()
    for place, r in zip(places, results, strict=True):
        text = f" {100 * r.ingestion_cores:.0f} % of a core"
        left.annotate(text, (place + 0.2, 0.0), ha="center", va="bottom", fontsize=8, rotation=90)
    for r in results:
        right.step(*shares_above(r.arrived_ms), where="post", label=f"{r.rate:g} Hz")
    right.set(
        xscale="log",
        yscale="log",
        xlabel="from the oldest picture's stamp to a set's arrival [ms]",
        ylabel="sets that take longer [%]",
        title="latency",
    )
    right.xaxis.set_major_formatter("{x:g}")
    right.xaxis.set_minor_formatter("{x:g}")
    right.axhline(1.0, color="black", linewidth=0.8, linestyle=":")
    right.legend(title="cameras")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> int:
    """Runs all rates."""
    return run(
        RateBenchmark(
            description=__doc__ or "",
            picture="camera_throughput.png",
            page=PAGE,
            rates="10,30,50",
            size="640x480",
            seconds=20.0,
            measure=measure,
            table=table,
            plot=plot,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
