"""`pi05 up` in a mock home with the operator's page, and a witness at the controllers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from geometry_msgs.msg import TwistStamped
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from system.browser import free_port

from fakes.domains import ros_domain
from pi05_msgs.msg import RobotState
from pi05_ros.nodes.common import qos

ROOT = Path(__file__).parents[2]
HOME = 3


class BrowsedHome:
    """`pi05 up --sim --brain expert --console` in a ROS domain of its own.

    Attributes:
        url: Of the page.
        bags: Folder of episodes.
        base: (stamp [s], greatest speed) of every command that reached the base's controller.
        clocks: (system's time, simulated time) [s] of every tick of /clock.
        state: Newest robot state.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.bags = folder / "bags"
        self.log = folder / "up.log"
        self.base: list[tuple[float, float]] = []
        self.clocks: list[tuple[float, float]] = []
        self.state: RobotState | None = None
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        self._stack = contextlib.ExitStack()
        domain = self._stack.enter_context(ros_domain())
        command = [sys.executable, "-m", "pi05_ros.cli", "up", "mobile_18dof", "--sim"]
        command += ["--brain", "expert", "--home", str(HOME), "--bags", str(self.bags)]
        command += ["--console", "--console-port", str(port), *options]
        with self.log.open("w") as log:
            self._up = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._context = Context()
        self._context.init(domain_id=domain)
        self._node = Node("witness", context=self._context, namespace="pi05")
        for kind, topic, callback, profile in (
            (TwistStamped, "/base_controller/cmd_vel", self._on_base, qos.CONTROLLER_INPUT),
            (Clock, "/clock", self._on_clock, qos.SENSOR),
            (RobotState, "robot_state", self._on_state, qos.ROBOT_STATE),
        ):
            self._node.create_subscription(kind, topic, callback, profile)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def wait(self, condition, what, seconds=60.0):
        """Waits until `condition()` is true and gives its value."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert self._up.poll() is None, f"the graph ended:\n{self.tail()}"
            assert time.monotonic() < end, f"waited {seconds:g} s for {what}:\n{self.tail()}"
            time.sleep(0.02)
        return value

    def tail(self) -> str:
        """The end of what the graph wrote."""
        return "\n".join(self.log.read_text().splitlines()[-25:])

    @property
    def drives(self) -> bool:
        """Whether the base moves now."""
        return bool(self.base) and self.base[-1][1] > 0.03

    def simulated(self, system_s: float) -> float:
        """Simulated time at a moment of the system's clock [s]."""
        return max(now for at, now in self.clocks if at <= system_s)

    def kill_console(self) -> None:
        """SIGKILL to the console's process."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().decode(errors="replace").split("\0")
                port = self.url.rstrip("/").rpartition(":")[2]
                if words[1:4] == ["-m", "pi05_ros.nodes", "console"] and f"port:={port}" in words:
                    os.kill(int(path.parent.name), signal.SIGKILL)
                    return
        raise AssertionError("no console runs")

    def close(self) -> None:
        """Ends everything."""
        self._up.send_signal(signal.SIGINT)
        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(timeout=2.0)
        self._node.destroy_node()
        self._context.try_shutdown()
        try:
            self._up.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._up.pid, signal.SIGKILL)
            self._up.wait()
        self._stack.close()

    def _on_base(self, message: TwistStamped) -> None:
        twist, stamp = message.twist, message.header.stamp
        speed = max(abs(twist.linear.x), abs(twist.linear.y), abs(twist.angular.z))
        self.base.append((stamp.sec + stamp.nanosec * 1e-9, speed))

    def _on_clock(self, message: Clock) -> None:
        now = message.clock.sec + message.clock.nanosec * 1e-9
        self.clocks.append((time.time(), now))

    def _on_state(self, message: RobotState) -> None:
        self.state = message

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()
