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
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from pi05_msgs.msg import Heartbeat
from pi05_ros.errors import Pi05Error
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.parameters import declare_parameters, parameter
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.mock_home.cameras import CameraThread
from pi05_ros.nodes.mock_home.controllers import make_interfaces
from pi05_ros.nodes.mock_home.outputs import Outputs
from pi05_ros.nodes.mock_home.statistics import Statistics
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.controllers.manager import ManagerConfig
from pi05_ros.sim.graph_wait import GraphWait
from pi05_ros.sim.pacing import Pacer
from pi05_ros.sim.simulation import TICK_NS, Simulation

_WAITING_PERIOD_S = 1.0  # Period of statistics while simulated time waits [s, wall].
_RESET_TIMEOUT = 20.0  # Limit of a reset, which may build another home [s, wall].


@dataclass(frozen=True)
class MockHomeParameters:
    """Parameters of the node."""

    platform: str = parameter("mobile_18dof", "Platform: a name, or the path of a YAML file.")
    home: int = parameter(
        0,
        "Seed of the home. Another value takes effect with the service mock_home/reset.",
        minimum=0,
        maximum=2**31 - 1,
        read_only=False,
    )
    task: str = parameter("put the dishes in the sink", "The task that is scored.")
    real_time_factor: float = parameter(
        1.0,
        "Simulated seconds in a wall second, at most; 0: as fast as possible.",
        minimum=0.0,
        maximum=100.0,
    )
    command_wait: float = parameter(
        1.0,
        "How long a tick may wait for the command of a steady stream [s of wall time]; 0: never.",
        minimum=0.0,
        maximum=60.0,
    )
    max_lag: float = parameter(
        0.08,
        "Time waits for a node whose newest heartbeat is older than this [s, simulated].",
        minimum=0.04,
        maximum=10.0,
    )
    max_work: float = parameter(
        0.2,
        "Time waits for a node whose work, such as an inference, has been pending for longer [s, "
        "simulated]. Faster ones take as long as they do.",
        minimum=0.02,
        maximum=10.0,
    )
    patience: float = parameter(
        5.0,
        "A node that time has waited for this long, without a heartbeat, is dead: time goes on "
        "without it [s, wall]; 0: time waits for no node.",
        minimum=0.0,
        maximum=60.0,
    )
    jpeg_quality: int = parameter(
        90, "Of compressed pictures, in per cent.", minimum=1, maximum=100
    )
    controller_rate: float = parameter(
        ManagerConfig.update_rate_hz,
        "Update rate of the controllers in simulated time [Hz]: 50, 100, 200 or 400.",
        minimum=50.0,
        maximum=400.0,
    )
    cmd_vel_timeout: float = parameter(
        ManagerConfig.cmd_vel_timeout_s,
        "The base stops when its last command is older than this [s].",
        minimum=0.0,
        maximum=10.0,
    )
    gripper_allow_stalling: bool = parameter(
        ManagerConfig.gripper_allow_stalling,
        "Whether a gripper goal that ends on an object succeeds (else it is aborted).",
    )
    gripper_stall_timeout: float = parameter(
        ManagerConfig.gripper_stall_timeout_s,
        "A gripper that has stood still for longer than this has stalled [s].",
        minimum=0.0,
        maximum=10.0,
    )

    def __post_init__(self) -> None:
        if self.controller_rate not in (50, 100, 200, 400):
            raise ValueError(
                f"controller_rate is 50, 100, 200 or 400 Hz, found {self.controller_rate:g}"
            )


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
        config = ManagerConfig(
            update_rate_hz=parameters.controller_rate,
            cmd_vel_timeout_s=parameters.cmd_vel_timeout,
            gripper_allow_stalling=parameters.gripper_allow_stalling,
            gripper_stall_timeout_s=parameters.gripper_stall_timeout,
        )
        self.simulation = Simulation(
            load_platform(parameters.platform), parameters.home, parameters.task, config
        )
        factor = parameters.real_time_factor
        self._command_wait = parameters.command_wait
        self._pacer = Pacer(TICK_NS * 1e-9, factor, sleep=self._stop.wait)
        self._graph = GraphWait(parameters.max_lag, parameters.max_work, parameters.patience)
        if parameters.patience > 0:
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
            f"{self.simulation.platform.name} in home {parameters.home}: '{parameters.task}'"
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
                self._graph.left(message.node)
            else:
                self._graph.heard(
                    message.node,
                    stamp.sec * 10**9 + stamp.nanosec,
                    pending.sec * 10**9 + pending.nanosec,
                )
        self.simulation.arrival.set()

    def _waiting_for(self) -> str:
        """Return the node that the next tick must wait for, as one clause; empty if none."""
        with self.simulation.lock:
            before = self._graph.given_up
            name = self._graph.behind(self.simulation.now_ns, time.monotonic())
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
