"""What the running graph costs: processor cores a node, beside bare rclpy nodes in the same run.

    ./pi05 run python benchmarks/graph_cost.py --out docs/benchmarks/graph_cost.md

Runs a platform's graph in a mock home as `pi05 up --sim` does, and measures each process waiting
(no task) and working. Then plain rclpy nodes do nothing but send and hear the same messages.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cost.listener import Listener
from cost.page import page, plot, sums_table, tables
from cost.results import WAITING, WORKING, Cost, Phase, Result
from cost.traffic import Endpoint, Heard, bare_nodes, messages
from cost.usage import Usage, UsageMeter
from live import machine
from live.process import environment_with

from pi05_ros.brain.options import BRAIN_NAMES
from pi05_ros.bringup.domain import own_domain
from pi05_ros.bringup.graph import NodeSpec, fast_dds_environment, graph
from pi05_ros.bringup.lifecycle_config import LifecycleConfig
from pi05_ros.bringup.node_logs import NodeLogs
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.supervisor import GraphError, ProcessSpec, Supervisor
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.platforms.platform import load_platform, platform_names

ROOT = Path(__file__).resolve().parents[1]
TASK = "put the dishes in the sink"
SETTLE_S = 3.0  # After the listener has gone, before anything is measured.
BEGIN_S = 2.0  # After the robot has begun. Home 0 is done after 38 s of simulated time.
COUNT_S = 5.0  # In which the messages are counted.
BARE_SETTLE_S = 5.0
# Where nobody's default is, and no test's: a second robot on our topics would be a rival.
DOMAINS = range(215, 233)
# Other work slows simulated time down, and makes the caches cold.
QUIET_S, QUIET_CORES, PATIENCE_S = 2.0, 0.3, 20.0
PICTURE = "graph_cost.png"
COME_UP_S = LifecycleConfig.configure_limit_s + 60.0


@dataclass(frozen=True)
class Measured:
    """One phase of the graph, with what bare nodes need to know."""

    phase: Phase
    endpoints: list[Endpoint]
    heard: Mapping[str, Heard]


class Processes:
    """Supervised processes that may not end while they are measured.

    Args:
        specs: What runs.
        folder: For their logs.
    """

    def __init__(self, specs: Sequence[ProcessSpec], folder: Path) -> None:
        self._specs, self._folder = specs, folder

    def __enter__(self) -> Processes:
        self._logs = NodeLogs(self._folder, [spec.name for spec in self._specs])
        self._supervisor = Supervisor(
            self._specs, on_line=self._logs.line, on_event=self._logs.event
        )
        self._supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._supervisor.failure:
            sys.stderr.write(self._logs.tail(self._supervisor, 12))
        self._supervisor.stop()
        self._logs.__exit__()

    def poll(self) -> None:
        """Waits a moment.

        Raises:
            GraphError: A process has ended.
        """
        self._supervisor.poll(0.05)
        if self._supervisor.failure:
            raise GraphError(self._supervisor.failure)

    def wait(self, seconds: float) -> None:
        """Waits; GraphError when a process ends."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            # Seldom: this process, too, takes time from the others.
            self._supervisor.poll(min(left, 0.5))
            if self._supervisor.failure:
                raise GraphError(self._supervisor.failure)

    def wait_for_quiet(self) -> None:
        """Waits until the rest of the machine has rested for a while, as long as is sensible."""
        end = time.monotonic() + PATIENCE_S
        while True:
            _, others = self.measure(QUIET_S)
            if others < QUIET_CORES:
                return
            if time.monotonic() > end:
                say(f"  the rest of the machine does not rest: {others:.2f} cores; going on")
                return

    def measure(self, seconds: float) -> tuple[dict[str, Usage], float]:
        """What each process takes in the next `seconds`, and the rest of the machine's cores."""
        meter = UsageMeter(self._supervisor.pids())
        self.wait(seconds)
        return meter.read()


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)


def for_measuring(spec: NodeSpec) -> NodeSpec:
    """A process of the graph whose end ends the benchmark."""
    return replace(spec, on_exit="shutdown")


def measure_phase(
    processes: Processes,
    options: BringupOptions,
    nodes: Mapping[tuple[str, str], str],
    seconds: float,
    lazy: set[str],
) -> Measured:
    """Measures while nobody listens, then looks what was sent."""
    namespace = options.absolute_namespace
    with Listener(namespace, processes.poll) as listener:
        begun = listener.clock()
    processes.wait(SETTLE_S)
    usage, others = processes.measure(seconds)
    with Listener(namespace, processes.poll) as listener:
        ended = listener.clock()
        robot = listener.robot()
        endpoints = listener.endpoints(nodes)
        heard = listener.count(endpoints, COUNT_S, lazy)
    factor = (ended[0] - begun[0]) / (ended[1] - begun[1])
    return Measured(Phase(factor, others, robot, costs(usage, endpoints, heard)), endpoints, heard)


def costs(
    usage: Mapping[str, Usage], endpoints: Sequence[Endpoint], heard: Mapping[str, Heard]
) -> dict[str, Cost]:
    """Usage and messages of each process."""
    counts = messages(endpoints, heard)
    return {
        name: Cost(used.cores, used.threads, used.wakeups_hz, *counts.get(name, (0.0, 0.0)))
        for name, used in usage.items()
    }


def measure_graph(
    specs: Sequence[NodeSpec], options: BringupOptions, task: str, seconds: float, folder: Path
) -> dict[str, Measured]:
    """The graph waiting, then working."""
    nodes = {(spec.namespace, node): spec.name for spec in specs for node in spec.nodes}
    found: dict[str, Measured] = {}
    lazy: set[str] = set()
    with Processes(process_specs(map(for_measuring, specs)), folder) as processes:
        say(f"starting {len(specs)} processes, ROS domain {os.environ['ROS_DOMAIN_ID']}")
        with Listener(options.absolute_namespace, processes.poll) as listener:
            listener.wait_until_active(COME_UP_S)
            listener.robot("holding")  # Armed: it commands its controllers to stand.
        processes.wait(SETTLE_S)
        processes.wait_for_quiet()
        say(f"all active; measuring {seconds:g} s without a task")
        found[WAITING] = measure_phase(processes, options, nodes, seconds, lazy)
        say(told(found[WAITING].phase))
        processes.wait_for_quiet()  # Now: a task is over in a minute.
        with Listener(options.absolute_namespace, processes.poll) as listener:
            listener.give(task)
            listener.robot("running")
        processes.wait(BEGIN_S)
        say(f"measuring {seconds:g} s of '{task}'")
        found[WORKING] = measure_phase(processes, options, nodes, seconds, lazy)
        say(told(found[WORKING].phase))
        if found[WORKING].phase.robot != "running":
            say("  the task was over, or waited, when the phase ended: take fewer --seconds")
    return found


def measure_bare(
    specs: Sequence[NodeSpec], measured: Measured, namespace: str, seconds: float, folder: Path
) -> dict[str, Cost]:
    """Bare nodes in place of the graph, with the messages of one phase."""
    folder.mkdir()
    processes: list[ProcessSpec] = []
    nodes: dict[tuple[str, str], str] = {}
    for spec in specs:
        simulated = bool(spec.parameters.get("use_sim_time"))
        found = bare_nodes(spec.name, measured.endpoints, measured.heard, simulated)
        if not found:
            continue
        nodes |= {(n["namespace"], n["name"]): spec.name for n in found}
        path = folder / f"{spec.name}.json"
        path.write_text(json.dumps(found))
        processes.append(
            ProcessSpec(
                name=spec.name,
                command=(sys.executable, "-m", "cost.bare_process", str(path)),
                environment={**environment_with(), **spec.environment},
                on_exit="shutdown",
            )
        )
    with Processes(processes, folder) as running:
        with Listener(namespace, running.poll) as listener:
            listener.clock()
            listener.endpoints(nodes)
        running.wait(BARE_SETTLE_S)
        running.wait_for_quiet()
        usage, _ = running.measure(seconds)
        with Listener(namespace, running.poll) as listener:
            endpoints = listener.endpoints(nodes)
            heard = listener.count(endpoints, COUNT_S, set())
    return costs(usage, endpoints, heard)


def told(phase: Phase) -> str:
    """One phase in a line."""
    nodes = ", ".join(f"{name} {cost.cores:.3f}" for name, cost in phase.nodes.items())
    return (
        f"  {phase.factor:.2f}x real time; the robot is {phase.robot}; cores: {nodes}; "
        f"others {phase.others_cores:.2f}"
    )


def code() -> str:
    """The commit that runs."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no git checkout"


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end it as Ctrl-C does: with all its processes."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--platform",
        default="mobile_18dof",
        help=f"{', '.join(platform_names())}, or a YAML file (default %(default)s)",
    )
    made.add_argument("--seconds", type=float, default=20.0, help="of a phase (default 20)")
    made.add_argument("--home", type=int, default=0, help="seed of the mock home (default 0)")
    made.add_argument("--brain", choices=BRAIN_NAMES, default="expert", help="default expert")
    made.add_argument("--task", default=TASK, help="while working (default: %(default)s)")
    made.add_argument(
        "--bare",
        choices=("both", "working", "no"),
        default="both",
        help="phases that bare nodes repeat (default both)",
    )
    made.add_argument(
        "--before", type=Path, metavar="JSON", help="an earlier run, shown beside this one"
    )
    made.add_argument("--json", type=Path, help="file to write this run to, for --before")
    made.add_argument("--out", type=Path, help="page to write; the plot goes beside docs/images")
    return made


def run(arguments: argparse.Namespace, options: BringupOptions) -> Result:
    """Measures everything."""
    platform = load_platform(arguments.platform)
    where = machine.describe()
    os.environ.update(fast_dds_environment(os.environ))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    chosen: dict[str, str] = {}
    with (
        own_domain(chosen, DOMAINS),
        tempfile.TemporaryDirectory(prefix="pi05-graph-cost-") as name,
    ):
        folder = Path(name)
        (folder / "logs").mkdir()
        os.environ.update(chosen)
        os.environ["ROS_LOG_DIR"] = str(folder / "ros")
        specs = graph(platform, replace(options, bags=str(folder / "bags")))
        others = machine.wait_for_quiet()
        say(f"the rest of the machine takes {others:.2f} cores")
        found = measure_graph(specs, options, arguments.task, arguments.seconds, folder / "logs")
        phases = {name: measured.phase for name, measured in found.items()}
        repeated = {"both": (WORKING, WAITING), "working": (WORKING,), "no": ()}[arguments.bare]
        for name in repeated:
            say(f"bare nodes with the messages of the graph {name}, {arguments.seconds:g} s")
            bare = measure_bare(
                specs, found[name], options.absolute_namespace, arguments.seconds, folder / name
            )
            say("  cores: " + ", ".join(f"{n} {cost.cores:.3f}" for n, cost in bare.items()))
            phases[name] = replace(phases[name], bare=bare)
    return Result(
        where, code(), platform.name, arguments.brain, options.home, arguments.seconds, phases
    )


def make_folders(out: Path | None, result: Path | None) -> Path:
    """Makes the folders of what will be written, before minutes are spent; gives the plot's.

    Raises:
        ConfigError: One cannot be made.
    """
    pictures = out.parent.parent / "images" if out else Path()
    for folder in (pictures, *(path.parent for path in (out, result) if path)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(str(folder), f"cannot be made: {error.strerror}") from error
    return pictures


def main() -> int:
    """Runs, prints the tables, writes what was asked for."""
    made = parser()
    arguments = made.parse_args()
    if arguments.seconds < 1.0:
        made.error(f"--seconds: wanted 1 or more, found {arguments.seconds:g}")
    try:
        pictures = make_folders(arguments.out, arguments.json)
        before = Result.read(arguments.before) if arguments.before else None
        options = BringupOptions(sim=True, home=arguments.home, brain=arguments.brain)
        with ended_by_signals():
            result = run(arguments, options)
    except (Pi05Error, ValueError) as error:
        say(f"graph_cost: {error}")
        return 1
    except KeyboardInterrupt:
        say("graph_cost: interrupted")
        return 130
    print(sums_table(result, before))
    print(tables(result, before))
    if arguments.json:
        result.write(arguments.json)
    if arguments.out:
        plot(result, before, pictures / PICTURE)
        text = page(result, before, f"../images/{PICTURE}", SETTLE_S, COUNT_S)
        arguments.out.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
