"""The whole graph of `pi05 up` in a scene's domain, under its supervisor."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from pathlib import Path

from pi05_ros.bringup.graph import graph
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.respawn import RespawnPolicy
from pi05_ros.bringup.supervisor import ProcessSpec, Supervisor
from system.scene import Scene

# Output of the lifecycle manager when a node has become active.
_ACTIVATED = re.compile(r": (\w+): activated \(")
# Neither back-off nor giving up is tested here: each death counts as the first of its process.
_RESPAWN = RespawnPolicy(settled_s=0.01)


class SupervisedGraph:
    """A supervisor and its processes, in a thread of its own.

    The kernel kills the processes when the thread that started them ends.
    """

    def __init__(self, scene: Scene, task: str) -> None:
        options = BringupOptions(task=task, separate=True, bags=str(scene.folder / "bags"))
        specs = process_specs(graph(scene.platform, options))
        self._log = scene.folder / "graph.log"
        self._supervisor = Supervisor(
            [_in_scene(spec, scene) for spec in specs],
            on_line=self._write,
            on_event=self._write,
            respawn=_RESPAWN,
        )
        self._lock = threading.Lock()
        self._activations: list[tuple[int, str]] = []
        self._pids: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def pids(self) -> dict[str, int]:
        """Return the process ids of living processes by name."""
        with self._lock:
            return dict(self._pids)

    def activated(self, node: str, after_ns: int) -> int | None:
        """Return when a node was first reported active after a moment (steady ns), or None."""
        with self._lock:
            return next((at for at, n in self._activations if n == node and at > after_ns), None)

    @property
    def log(self) -> Path:
        """File with the output of all processes."""
        return self._log

    def close(self) -> None:
        """End all processes."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        self._supervisor.start()
        try:
            while not self._stop.is_set():
                self._supervisor.poll(0.02)
                with self._lock:
                    self._pids = self._supervisor.pids()
        finally:
            self._supervisor.stop()

    def _write(self, name: str, line: str) -> None:
        if name == "lifecycle_manager" and (found := _ACTIVATED.search(line)):
            with self._lock:
                self._activations.append((time.monotonic_ns(), found[1]))
        with self._log.open("a") as file:
            file.write(f"{name} | {line}\n")


def _in_scene(spec: ProcessSpec, scene: Scene) -> ProcessSpec:
    """Return a process of the graph in the scene's domain, with the stand-in as brain."""
    names = ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOG_DIR", "PYTHONPATH")
    environment = {name: scene.environment[name] for name in names}
    command = tuple(
        "system.stand_in" if word == "pi05_ros.nodes" else word for word in spec.command
    )
    return replace(spec, command=command, environment={**spec.environment, **environment})
