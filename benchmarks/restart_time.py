"""Where the time goes from `kill -9` of a node until it is active again, phase by phase.

    ./pi05 run python benchmarks/restart_time.py --out docs/benchmarks/restart_time.md

The real graph of `pi05 up mobile_18dof --sim --brain expert` with the operator's page, under its
supervisor, while the mock home simulates and renders. Each node in turn is killed when all are
active; what is beside the nodes' own code are notes of the time (live.timed_node).
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from live import machine
from live.process import Process, environment_with
from live.timed_node import FOLDER_VARIABLE

from pi05_ros.bringup.graph import graph
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.respawn import RespawnPolicy
from pi05_ros.bringup.supervisor import ProcessSpec, Supervisor
from pi05_ros.platforms.platform import load_platform

NODES = (
    "camera_ingestion", "brain", "planner", "policy", "control_bridge", "recorder", "inspector",
    "console",
)  # fmt: skip
INSIDE = {"brain": ("planner", "policy")}  # Nodes of a process; else one of its name.
PHASES = (
    "noticed", "delay", "interpreter", "imports", "rclpy.init", "node made", "found", "heard",
    "configure", "turn", "activate", "reply",
)  # fmt: skip
LIMIT_S = 3.0
_PATIENCE_S = 60.0
_ACTIVATED = re.compile(r": (\w+): activated \(")
_PHASE = re.compile(r": all \d+ nodes are active")

PAGE = """# How soon a killed node is back

`benchmarks/restart_time.py`, {kills} kills of each node, on {machine}.{load}
The graph of `pi05 up mobile_18dof --sim --brain expert --console{separate}` under its supervisor,
while the mock home simulates and renders; it used {sim:.2f} cores, all processes together
{all:.2f} of {cores}. Mean and worst [s], from `kill -9` until the lifecycle manager reports the
node active. `whole` is when it reports all of them active, the bridge last.

{verdict}

{table}

Where the mean goes [s]:

{phases}

- `noticed`, `delay`: the supervisor sees the end of the process; waits; starts it anew.
- `interpreter`, `imports`: Python until the first line; the imports of the node's module.
- `rclpy.init`, `node made`: the context; the DDS participant, parameters, services, publishers.
- `found`: the node spins, until the lifecycle manager's first question reaches it (DDS discovery).
- `heard`: until it is asked to configure: its answer travels, and its turn comes.
- `configure`, `turn`, `activate`: the two transitions, and what lies between them.
- `reply`: the answer to `activate` travels, and the lifecycle manager says so.
"""


class Graph:
    """The graph under its supervisor, in a thread of its own."""

    def __init__(self, specs: tuple[ProcessSpec, ...], folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._pids: dict[str, tuple[int, float]] = {}
        self._told: list[tuple[float, str]] = []  # (steady [s], node activated, or "all")
        self._noticed: list[tuple[float, str]] = []
        self._log = folder / "graph.log"
        self._stop = threading.Event()
        self._supervisor = Supervisor(
            specs,
            on_line=self._line,
            on_event=self._event,
            # Each death is the first of its process: back-off and giving up are not tried.
            respawn=RespawnPolicy(settled_s=0.01),
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends all processes."""
        self._stop.set()
        self._thread.join()

    def pid(self, name: str) -> tuple[int, float]:
        """A process's id, and when it was started [s]; (0, 0) when it is not alive."""
        with self._lock:
            return self._pids.get(name, (0, 0.0))

    def pids(self) -> dict[str, int]:
        """All process ids."""
        with self._lock:
            return {name: pid for name, (pid, _) in self._pids.items()}

    def told(self, what: str, after: float) -> float:
        """When the lifecycle manager first said so after a time; 0: not yet."""
        with self._lock:
            return next((at for at, name in self._told if name == what and at > after), 0.0)

    def noticed(self, process: str, after: float) -> float:
        """When the supervisor said that a process has ended."""
        with self._lock:
            return next((at for at, name in self._noticed if name == process and at > after), 0.0)

    def notes(self, pid: int) -> dict[tuple[str, str], float]:
        """What a process has noted of its start: (what, node) → steady [s]."""
        notes = {}
        for line in (self._folder / str(pid)).read_text().splitlines():
            at, what, *node = line.split()
            notes[what, node[0] if node else ""] = float(at)
        return notes

    def tail(self) -> str:
        """The end of what all wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])

    def _run(self) -> None:
        self._supervisor.start()
        try:
            while not self._stop.is_set() and self._supervisor.poll():
                now = time.monotonic()
                with self._lock:
                    before = self._pids
                    self._pids = {
                        name: before[name] if before.get(name, (0,))[0] == pid else (pid, now)
                        for name, pid in self._supervisor.pids().items()
                    }
        finally:
            self._supervisor.stop()

    def _line(self, name: str, text: str) -> None:
        now = time.monotonic()
        if name == "lifecycle_manager":
            found = _ACTIVATED.search(text)
            with self._lock:
                if found:
                    self._told.append((now, found[1]))
                elif _PHASE.search(text):
                    self._told.append((now, "all"))
        self._write(name, text)

    def _event(self, name: str, text: str) -> None:
        with self._lock:
            self._noticed.append((time.monotonic(), name))
        self._write(name, f"-- {text}")

    def _write(self, name: str, text: str) -> None:
        with self._log.open("a") as file:
            file.write(f"{time.monotonic():.3f} {name} | {text}\n")


def start(folder: Path, separate: bool, as_shipped: tuple[str, ...]) -> Graph:
    """Starts the graph and waits until all is active."""
    options = BringupOptions(
        sim=True,
        brain="expert",
        console=True,
        console_port=0,
        separate=separate,
        bags=str(folder / "bags"),
    )
    specs = process_specs(graph(load_platform("mobile_18dof"), options))
    environment = environment_with(**{FOLDER_VARIABLE: str(folder)})
    timed = tuple(
        spec
        if spec.name in as_shipped
        else replace(
            spec,
            command=tuple("live.timed_node" if w == "pi05_ros.nodes" else w for w in spec.command),
            environment={**spec.environment, **environment},
        )
        for spec in specs
    )
    return Graph(timed, folder)


def wait(look: Callable[[], float], what: str, running: Graph) -> float:
    """Waits for a time to be there."""
    end = time.monotonic() + _PATIENCE_S
    while not (at := look()):
        if time.monotonic() > end:
            raise SystemExit(f"waited {_PATIENCE_S:g} s for {what}\n{running.tail()}")
        time.sleep(0.01)
    return at


def kill(running: Graph, name: str) -> dict[str, float]:
    """Kills one node and waits until all are active again.

    Returns:
        Duration of each phase, of all ("back"), and until the graph is whole ("whole") [s].
    """
    nodes = INSIDE.get(name, (name,))
    old, _ = running.pid(name)
    killed = time.monotonic()
    os.kill(old, signal.SIGKILL)
    backs = []
    for node in nodes:
        look = functools.partial(running.told, node, killed)
        backs.append(wait(look, f"{node} to be active", running))
    aside = name in ("recorder", "inspector", "console")
    whole = max(backs)
    if not aside:
        whole = wait(lambda: running.told("all", killed), "all to be active", running)
    pid, started = running.pid(name)
    notes = running.notes(pid)
    marks = [
        killed,
        running.noticed(name, killed),
        started,
        notes["interpreter", ""],
        notes["imported", ""],
        notes["initialised", ""],
        notes["made", ""],
        min(notes["asked", node] for node in nodes),
        min(notes["configure_begun", node] for node in nodes),
        max(notes["configure_done", node] for node in nodes),
        min(notes["activate_begun", node] for node in nodes),
        max(notes["activate_done", node] for node in nodes),
        max(backs),
    ]
    lasted = (end - begin for begin, end in zip(marks, marks[1:], strict=False))
    phases = dict(zip(PHASES, lasted, strict=True))
    return {**phases, "back": max(backs) - killed, "whole": whole - killed}


Results = Mapping[str, list[dict[str, float]]]


def mean(rows: list[dict[str, float]], key: str) -> float:
    """The mean of one figure."""
    return sum(row[key] for row in rows) / len(rows)


def worst(rows: list[dict[str, float]], key: str) -> float:
    """The largest of one figure."""
    return max(row[key] for row in rows)


def back_table(results: Results) -> str:
    """How soon each is back, as Markdown."""
    lines = ["| node | back, mean | worst | graph whole, mean | worst |", "|---|---|---|---|---|"]
    for name, rows in results.items():
        figures = [f(rows, key) for key in ("back", "whole") for f in (mean, worst)]
        lines.append(f"| {name} | " + " | ".join(f"{x:.2f}" for x in figures) + " |")
    return "\n".join(lines)


def phase_table(results: Results) -> str:
    """Node × phase, means, as Markdown."""
    lines = ["| node | " + " | ".join(PHASES) + " |", "|---" * (len(PHASES) + 1) + "|"]
    for name, rows in results.items():
        lines.append(f"| {name} | " + " | ".join(f"{mean(rows, p):.2f}" for p in PHASES) + " |")
    worsts = [max(worst(rows, p) for rows in results.values()) for p in PHASES]
    lines.append("| *worst of all* | " + " | ".join(f"{x:.2f}" for x in worsts) + " |")
    return "\n".join(lines)


def main() -> int:
    """Kills and measures; 1 when one was back later than 3 s."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=5, help="of each node (default %(default)s)")
    parser.add_argument("--nodes", help="some of them, with commas between (default: all)")
    parser.add_argument(
        "--separate", action="store_true", help="planner and policy in a process each"
    )
    parser.add_argument(
        "--burners",
        type=int,
        default=0,
        help="processes of matrix products beside it: one a core makes a slow machine of it",
    )
    parser.add_argument("--out", type=Path, help="page to write")
    arguments = parser.parse_args()
    present = [
        n for n in NODES if n not in (("brain",) if arguments.separate else INSIDE["brain"])
    ]
    wanted = arguments.nodes.split(",") if arguments.nodes else present
    if unknown := set(wanted) - set(present):
        parser.error(f"no node '{min(unknown)}' (valid: {', '.join(present)})")
    results: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    pause = random.Random(0)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="restart_")))
        for _ in range(arguments.burners):
            stack.enter_context(
                Process(["live.loads", "burning"], {**os.environ, **environment_with()}, folder)
            ).wait()
        running = start(folder, arguments.separate, ("mock_home", "lifecycle_manager"))
        stack.callback(running.close)
        wait(lambda: running.told("all", 0.0), "all to be active", running)
        wait(
            lambda: min(running.told(n, 0.0) for n in NODES[-3:]), "the rest to be active", running
        )
        time.sleep(3.0)
        meter = machine.CpuMeter(running.pids())
        time.sleep(5.0)
        used, _ = meter.read()
        for number in range(arguments.kills):
            for name in wanted:
                time.sleep(pause.uniform(1.0, 2.0))
                row = kill(running, name)
                results[name].append(row)
                text = " ".join(f"{k} {v:.2f}" for k, v in row.items())
                print(
                    f"[{number + 1}/{arguments.kills}] {name}: {text}", file=sys.stderr, flush=True
                )
    print(back_table(results), phase_table(results), sep="\n\n")
    late = {n: worst(rows, "back") for n, rows in results.items() if worst(rows, "back") > LIMIT_S}
    if arguments.out:
        said = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in late.items())
        slow = (
            f" {arguments.burners} processes of matrix products took part of its cores."
            if arguments.burners
            else ""
        )
        page = PAGE.format(
            kills=arguments.kills,
            machine=machine.describe(),
            load=slow,
            separate=" --separate" if arguments.separate else "",
            sim=used["mock_home"],
            all=sum(used.values()),
            cores=os.cpu_count(),
            verdict=f"Wanted: at most {LIMIT_S:g} s: "
            + (f"missed by {said}." if said else "reached."),
            table=back_table(results),
            phases=phase_table(results),
        )
        arguments.out.write_text(page)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
