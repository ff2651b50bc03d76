"""Node `teleop`: an operator drives the robot, through the control bridge; see docs/teleop.md.

Publishes teleop_command (pi05_msgs/TeleopCommand) once a period while active, also while nobody
drives.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from pi05_msgs.msg import RobotState, TeleopCommand
from pi05_ros.errors import ConfigError, MessageError
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.health import OK, WARN, Health
from pi05_ros.nodes.common.robot_timer import RobotTimer
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.teleop.inputs import TeleopInputs
from pi05_ros.nodes.teleop.messages import command_message, view_from_message
from pi05_ros.nodes.teleop.parameters import TeleopParameters
from pi05_ros.platforms.platform import load_platform
from pi05_ros.teleop.robot_view import RobotView
from pi05_ros.teleop.session import TeleopOutput, TeleopSession, TeleopState

_LOG_PERIOD_NS = 1_000_000_000  # Time between two log lines of changing reasons [ns].


class Teleop(ManagedNode[TeleopParameters]):
    """Turns the operator's devices into commands; see `pi05_ros.teleop`.

    It is always fit: a device that fails makes the robot hold only while it drives, by commands
    with an old stamp.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__("teleop", TeleopParameters, **arguments)
        self._publisher: Any = None
        self._subscription: Any = None
        self._inputs: TeleopInputs | None = None
        self._timer: RobotTimer | None = None
        self._session: TeleopSession | None = None
        self._robot: RobotView | None = None
        self._sequence = 0
        self._rivals: set[str] = set()  # Devices pressed while another one has control.
        self._logged = ("", "", "")  # State, device and reason of the last line in the log,
        self._logged_ns = 0  # and its time (steady) [ns].

    def configure(self) -> None:
        """Read the devices of the platform, load the inverse kinematics, create the output."""
        try:  # Imported here: MuJoCo takes a second to load.
            from pi05_ros.teleop.devices import make_devices
            from pi05_ros.teleop.hands import Hands
        except ModuleNotFoundError as error:
            raise ConfigError(
                "teleop",
                f"the Python package '{error.name}' is missing: pip install -r "
                "requirements/robot.txt",
            ) from error
        self._platform = load_platform(self.parameters.platform)
        self._hands = Hands(self._platform)
        self._hands.prepare()
        for hand, problem in self._hands.problems.items():
            self.get_logger().warning(f"{hand} cannot be jogged: {problem}")
        names = [device.name for device in make_devices(self._platform, self._hands)]
        self.get_logger().info(f"devices: {', '.join(names)}")
        self._publisher = self.create_publisher(TeleopCommand, "teleop_command", qos.ACTION_CHUNK)

    def activate(self) -> None:
        """Open the inputs. A switch that is held now must first be let go."""
        from pi05_ros.teleop.devices import make_devices

        devices = make_devices(self._platform, self._hands)
        self._session = TeleopSession(self._platform, devices, self.parameters.session)
        self._robot, self._sequence = None, 0
        self._logged, self._logged_ns = ("", "", ""), 0
        self._subscription = self.create_subscription(
            RobotState, "robot_state", self.guarded(self._on_state), qos.ROBOT_STATE
        )
        self._inputs = TeleopInputs(self, devices)
        self._timer = self.robot_timer(self._platform.period, self._tick)

    def deactivate(self) -> None:
        """Give the robot back, and close the inputs."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        if self._session is not None:
            self._publish(TeleopOutput(TeleopState.RELEASED, reason="teleop was deactivated"))
        if self._inputs is not None:
            self._inputs.close()
            self._inputs = None
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None
        self._session = None

    def cleanup(self) -> None:
        """Destroy the output."""
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def health(self) -> Health:
        """Who drives, and what stands against each device."""
        session = self._session
        if session is None:
            return Health()
        notices = session.notices(self.now_ns())
        driver = session.driver
        self._log_rivals(notices)
        values = {"driver": driver.name if driver is not None else "none"}
        values |= {f"jog of {hand}": text for hand, text in self._hands.problems.items()}
        values |= {name: text or "ready" for name, text in notices.items()}
        if driver is not None:
            fault = notices[driver.name]
            if fault:
                return Health(WARN, f"the robot holds: {fault}; let {driver.name} go", values)
            return Health(OK, f"{driver.name} drives", values)
        if self._robot is None:
            return Health(WARN, "no state of the robot", values)
        return Health(OK, "nobody drives", values)

    def _on_state(self, message: RobotState) -> None:
        if tuple(message.names) != self._platform.names:
            raise MessageError(
                f"robot_state: its entries are not those of {self._platform.name}; dropped"
            )
        self._robot = view_from_message(message)
        if self._session is not None:
            self._session.add_state(self._robot)

    def _tick(self) -> None:
        if self._session is not None:
            self._publish(self._session.tick(self.now_ns()))

    def _publish(self, output: TeleopOutput) -> None:
        self._sequence += 1
        self._publisher.publish(
            command_message(self._platform, output, self._robot, self._sequence, self.now_ns())
        )
        self._log(output)

    def _log_rivals(self, notices: dict[str, str]) -> None:
        """Log which devices are pressed while another one has control, once each."""
        rivals = {name for name, text in notices.items() if "has control" in text}
        for name in sorted(rivals - self._rivals):
            self.get_logger().warning(f"{name}: {notices[name]}")
        self._rivals = rivals

    def _log(self, output: TeleopOutput) -> None:
        """Log a change of state or device, and of the reason at most once a second."""
        device = output.device.name if output.device is not None else "nobody"
        now, now_ns = (output.state.name, device, output.reason), time.monotonic_ns()
        is_new = now[:2] != self._logged[:2] or bool(now[2]) != bool(self._logged[2])
        if now == self._logged or (not is_new and now_ns - self._logged_ns < _LOG_PERIOD_NS):
            return
        self._logged, self._logged_ns = now, now_ns
        text = f"{output.state.name.lower()}: {device}"
        if output.reason:
            text += f": {output.reason}"
        if output.state is TeleopState.ENGAGED and output.reason:
            self.get_logger().warning(text)
        else:
            self.get_logger().info(text)


def main(args: Sequence[str] | None = None) -> int:
    """Run teleop alone."""
    return run_node(Teleop, args)


if __name__ == "__main__":
    sys.exit(main())
