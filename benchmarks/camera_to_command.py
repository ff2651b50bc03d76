"""From light on a sensor to the first command that follows it, and where the time goes.

    ./pi05 run python benchmarks/camera_to_command.py --out docs/benchmarks/camera_to_command.md

camera_ingestion, policy (the nano model, weights drawn at random) and control_bridge run as on a
robot, each in its process, on the system's clock; camera drivers run in another, and this one is
the robot. A chunk's ledger says when its pictures were taken and what became of them; the first
RobotState that names the chunk says when its first command was sent.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from live import machine
from live.by_rate import RateBenchmark, run
from live.plots import pyplot, shares_above
from live.process import Process, environment_with
from system.scene import Scene

from pi05_msgs.msg import ActionChunk, RobotState, Subtask
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time, time_to_ns

SETTLE = 5.0  # Before anything is counted [s].
NODES = ("camera_ingestion", "policy", "control_bridge")
# Stage → what it is. Each begins where the one before ends.
STAGES = {
    "pictures": "camera to CameraSet: transport, matching, resizing",
    "transport": "CameraSet to policy",
    "queue": "waiting in the policy for its turn",
    "vision": "pictures into tokens",
    "prefix": "pictures, words and state read",
    "flow": "actions drawn",
    "rest": "around the model: prompt, statistics, checks, message",
    "first command": "publication to the first command",
}

PAGE = """# From camera to command

`benchmarks/camera_to_command.py`: the real camera_ingestion, policy (nano model, float32, one
thread) and control_bridge, four cameras of {width}x{height}, {seconds:.0f} s a column, on
{machine}.
From the stamp of the oldest picture to the tick that sends the first command of the chunk. A tick
comes every 20 ms: the first command waits for half of that on average. Weights drawn at random
ask for more than the limits allow, so the bridge holds now and then: chunks that come meanwhile
are not followed, and do not count here.

{table}

![camera to command]({picture})
"""


@dataclass(frozen=True)
class Result:
    """The chunks whose first command was seen."""

    rate: float  # Of the cameras [Hz].
    seconds: float
    stages_ms: np.ndarray  # (K, len(STAGES)) float64
    chunks: int  # Published in that time.
    modes: dict[int, int]  # RobotState.mode → states in it.
    cores: dict[str, float]
    others_cores: float

    @property
    def total_ms(self) -> np.ndarray:
        """Camera to command of each chunk, (K,) float64 [ms]."""
        return self.stages_ms.sum(axis=1)


def stages(chunk: ActionChunk, commanded_ns: int) -> list[float]:
    """How long each of STAGES took for a chunk [ms]."""
    ledger = chunk.ledger
    capture, ingestion, arrival, start, publication = (
        time_to_ns(getattr(ledger, name), name) * 1e-6
        for name in ("capture", "ingestion", "arrival", "start", "publication")
    )
    vision, prefix, flow = 1e3 * ledger.vision, 1e3 * ledger.prefix, 1e3 * ledger.flow
    return [
        ingestion - capture,
        arrival - ingestion,
        start - arrival + 1e3 * ledger.waited,
        vision,
        prefix,
        flow,
        publication - start - 1e3 * ledger.waited - vision - prefix - flow,
        commanded_ns * 1e-6 - publication,
    ]


def measure(rate: float, size: tuple[int, int], seconds: float) -> Result:
    """Runs the graph at one rate of the cameras."""
    with ExitStack() as stack:
        scene = stack.enter_context(
            Scene(NODES, fake_policy=False, environment=environment_with())
        )
        words = ["live.cameras", "--rate", f"{rate:g}"]
        words += ["--width", str(size[0]), "--height", str(size[1])]
        drivers = stack.enter_context(Process(words, scene.environment, scene.folder))
        chunks: list[ActionChunk] = []
        first: dict[int, int] = {}  # Chunk → when its first command was sent [ns].

        def on_state(message: RobotState) -> None:
            if message.chunk_sequence and message.chunk_sequence not in first:
                first[message.chunk_sequence] = time_to_ns(message.commanded_stamp)

        scene.node.create_subscription(
            ActionChunk, "action_chunk", chunks.append, qos.ACTION_CHUNK
        )
        scene.node.create_subscription(RobotState, "robot_state", on_state, qos.ROBOT_STATE)
        subtask = Subtask(
            id=1, task="put the dishes in the sink", text="pick up the plate", score=float("nan")
        )
        subtask.source, subtask.latency = Subtask.SOURCE_EXTERNAL, float("nan")
        subtask.header.stamp = ns_to_time(time.time_ns())
        scene.node.create_publisher(Subtask, "subtask", qos.LATCHED).publish(subtask)
        drivers.wait()
        scene.wait(lambda: scene.states, "a robot state", 20.0)
        scene.wait(lambda: scene.arm().success, "the bridge to arm", 20.0)
        scene.wait(lambda: first, "the first chunk that is followed", 40.0)
        time.sleep(SETTLE)
        meter = machine.CpuMeter({**{n: scene.processes[n].pid for n in NODES}, "me": os.getpid()})
        begun = time.time_ns()
        states = len(scene.states)
        time.sleep(seconds)
        own, others = meter.read()
        own.pop("me")
        modes: dict[int, int] = {}
        for _, state in scene.states[states:]:
            modes[state.mode] = modes.get(state.mode, 0) + 1
        found = [c for c in list(chunks) if time_to_ns(c.header.stamp) >= begun]
        done = [stages(c, first[c.sequence]) for c in found if c.sequence in first]
        if not done:
            raise SystemExit(f"no chunk was followed: {scene.log_tail('control_bridge')}")
    return Result(rate, seconds, np.array(done), len(found), modes, own, others)


def table(results: list[Result]) -> str:
    """p50, p99 and the greatest of each stage as Markdown."""
    titles = [f"{r.rate:g} Hz cameras: p50 / p99 / max" for r in results]
    lines = ["| [ms] | " + " | ".join(titles) + " |", "|---" * (len(results) + 1) + "|"]

    def line(title: str, columns: list[np.ndarray]) -> str:
        cells = [machine.rounded(np.percentile(c, (50, 99, 100)), 1) for c in columns]
        return f"| {title} | " + " | ".join(cells) + " |"

    for index, title in enumerate(STAGES.values()):
        lines.append(line(title, [r.stages_ms[:, index] for r in results]))
    lines.append(line("**camera to command**", [r.total_ms for r in results]))
    lines.append(
        "| chunks a second, followed of published | "
        + " | ".join(
            f"{r.chunks / r.seconds:.1f}, {len(r.stages_ms)} of {r.chunks}" for r in results
        )
        + " |"
    )
    for name in NODES:
        lines.append(
            f"| {name} [cores] | " + " | ".join(f"{r.cores[name]:.2f}" for r in results) + " |"
        )
    lines.append(
        "| the rest of the machine [cores] | "
        + " | ".join(f"{r.others_cores:.2f}" for r in results)
        + " |"
    )
    return "\n".join(lines)


def plot(results: list[Result], path: Path) -> None:
    """Left: where the time goes, in the median. Right: how often it takes longer."""
    plt = pyplot()
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10.5, 3.8), gridspec_kw={"width_ratios": [1.5, 1]}
    )
    names = [f"{r.rate:g} Hz" for r in results]
    begin = np.zeros(len(results))
    for index, stage in enumerate(STAGES):
        widths = np.array([np.median(r.stages_ms[:, index]) for r in results])
        left.barh(names, widths, left=begin, height=0.6, label=stage)
        begin += widths
    left.set(xlabel="median of each stage [ms]", ylabel="cameras", title="camera to command")
    left.legend(ncol=4, fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    for r, name in zip(results, names, strict=True):
        right.step(*shares_above(r.total_ms), where="post", label=name)
    right.set(
        xlabel="camera to command [ms]",
        ylabel="chunks that take longer [%]",
        yscale="log",
        title="distribution",
    )
    right.legend(title="cameras")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> int:
    """Runs all rates."""
    return run(
        RateBenchmark(
            description=__doc__ or "",
            picture="camera_to_command.png",
            page=PAGE,
            rates="10,30",
            size="320x240",
            seconds=30.0,
            measure=measure,
            table=table,
            plot=plot,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
