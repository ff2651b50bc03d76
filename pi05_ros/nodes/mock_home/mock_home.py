"""Node `mock_home`: simulated robot in a home, with the interfaces of drivers and controllers.

Other nodes see the same interfaces as those of a robot, and in addition `mock_home/ground_truth`,
`task_score`, `mock_home/statistics` and the service `mock_home/reset`.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from pi05_msgs.msg import Heartbeat
from pi05_ros.errors import Pi05Error
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.parameters import declare_parameters
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.mock_home.cameras import CameraThread
from pi05_ros.nodes.mock_home.controllers import make_interfaces
from pi05_ros.nodes.mock_home.outputs import Outputs
from pi05_ros.nodes.mock_home.parameters import MockHomeParameters
from pi05_ros.nodes.mock_home.statistics import Statistics
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.graph_wait import GraphWait
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.pacing import Pacer
from pi05_ros.sim.simulation import TICK_NS, Simulation

_WAITING_PERIOD_S = 1.0  # Period of statistics while simulated time waits [s, wall].
_RESET_TIMEOUT = 20.0  # Limit of a reset, which may build another home [s, wall].


class MockHome(Node):
    """Simulates robot and home. Physics runs in its own thread, paced by a steady clock.

    Raises:
        Pi05Error: A parameter is invalid, or this machine cannot render.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__("mock_home", **arguments)
        self._stop = threading.Event()
        self._reset_wanted = threading.Event()
        self._reset_done = threading.Event()
        self._reset_error = ""
        self._waiting_published = 0.0  # Time of the last report of waiting [s, wall].
        self._thread = threading.Thread(target=self._run, name="physics", daemon=True)
        self._closing = contextlib.ExitStack()
        try:
            self._start()
        except Pi05Error:
            self.close()
            self.destroy_node()
            raise

    def close(self) -> None:
        """End physics and cameras. May be called repeatedly."""
        self._stop.set()
        if self._thread.ident is not None:
            self.simulation.arrival.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)
        self._closing.close()

    def _start(self) -> None:
        parameters = declare_parameters(self, MockHomeParameters)
        self.simulation = Simulation(
            load_platform(parameters.platform),
            parameters.home,
            parameters.task,
            parameters.controllers,
            parameters.room,
            Difficulty.parse(parameters.difficulty),
        )
        factor = parameters.real_time_factor
        self._command_wait = parameters.command_wait_s
        self._pacer = Pacer(TICK_NS * 1e-9, factor, sleep=self._stop.wait)
        self._graph = GraphWait(parameters.max_lag_s, parameters.max_work_s, parameters.patience_s)
        if parameters.patience_s > 0:
            self.create_subscription(
                Heartbeat, "heartbeat", self._on_heartbeat, qos.HEARTBEAT_OUTPUT
            )
        self._cameras = CameraThread(self, self.simulation, parameters.jpeg_quality)
        self._closing.callback(self._cameras.close)
        self._cameras.start()
        self._outputs = Outputs(self, self.simulation)
        self._interfaces = make_interfaces(self, self.simulation)
        self._statistics = Statistics(self, self.simulation, self._pacer, self._cameras)
        self.create_service(Trigger, "mock_home/reset", self._reset)
        self.get_logger().info(
            f"{self.simulation.platform.name} in the {self.simulation.world.room.kind} of home "
            f"{parameters.home}: '{self.simulation.task}'"
        )
        self._pacer.restart()
        self._thread.start()

    def _run(self) -> None:
        """Run the physics; body of its thread."""
        try:
            while not self._stop.is_set():
                if self._reset_wanted.is_set():
                    self._do_reset()
                self._tick()
                self._pacer.wait()
                self.simulation.wait(
                    self._command_wait,
                    self._waiting_for,
                    self._report_waiting,
                    self._is_wait_cancelled,
                )
        except Exception as error:
            if self._stop.is_set() or not self.context.ok():
                return
            self.get_logger().fatal(f"the simulation stopped:\n{traceback.format_exc()}")
            if self.executor is not None:
                # Raised in the executor, it ends the process with an error.
                self.executor.create_task(_raise, error)
        finally:
            self._reset_error = self._reset_error or "the mock home is shutting down"
            self._reset_done.set()

    def _tick(self) -> None:
        before_ns = self.simulation.now_ns
        self.simulation.tick()
        self._outputs.publish()
        for interface in self._interfaces:
            interface.publish(self.simulation.now_ns)
        self._cameras.check()
        self._cameras.request_due(before_ns)
        self._statistics.publish()

    def _on_heartbeat(self, message: Heartbeat) -> None:
        """Take the time that a node of the robot's computer has reached."""
        stamp, pending = message.header.stamp, message.pending
        with self.simulation.lock:
            if message.reason == Heartbeat.REASON_DEACTIVATED:
                self._graph.remove(message.node)
            else:
                self._graph.on_heartbeat(
                    message.node,
                    stamp.sec * 10**9 + stamp.nanosec,
                    pending.sec * 10**9 + pending.nanosec,
                )
        self.simulation.arrival.set()

    def _waiting_for(self) -> str:
        """Return the node that the next tick must wait for, as one clause; empty if none."""
        with self.simulation.lock:
            before = self._graph.given_up
            name = self._graph.blocking_node(self.simulation.now_ns, time.monotonic())
            lost = {
                node: self._graph.describe(node, self.simulation.now_ns)
                for node in self._graph.given_up
                if node not in before
            }
        for node, late in lost.items():
            self.get_logger().warning(
                f"{node} does not respond ({late}): simulated time no longer waits for it"
            )
        return f"{name}, which is late" if name else ""

    def _is_wait_cancelled(self) -> bool:
        """Check whether waiting must end, for shutdown or a reset."""
        return self._stop.is_set() or self._reset_wanted.is_set()

    def _report_waiting(self) -> None:
        """Publish the time of the last tick again, and what simulated time waits for."""
        self._outputs.republish_clock()
        wall = time.monotonic()
        if wall > self._waiting_published + _WAITING_PERIOD_S:
            self._waiting_published = wall
            self._statistics.publish_now()

    def _reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Serve mock_home/reset: let the physics thread reset the home, and wait for it."""
        self._reset_done.clear()
        self._reset_wanted.set()
        self.simulation.arrival.set()
        if not self._thread.is_alive():
            error = "the simulation has stopped"
        elif self._reset_done.wait(_RESET_TIMEOUT):
            error = self._reset_error
        else:
            error = f"not reset within {_RESET_TIMEOUT:g} s"
        response.success = not error
        response.message = error or f"home {self.simulation.world.home} was reset"
        return response

    def _do_reset(self) -> None:
        self._reset_wanted.clear()
        self._reset_error = ""
        try:
            self.simulation.reset(self.get_parameter("home").value)
            self._outputs.publish_score()
        except Pi05Error as error:
            self._reset_error = str(error)
        self._pacer.restart()
        self._reset_done.set()


def _raise(error: Exception) -> None:
    raise error


def main(args: Sequence[str] | None = None) -> int:
    """Run mock_home; return the exit status."""
    return run_node(MockHome, args)


if __name__ == "__main__":
    sys.exit(main())
