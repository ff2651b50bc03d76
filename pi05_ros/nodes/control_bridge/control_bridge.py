"""Node `control_bridge`: turns action chunks into commands to the controllers at 50 Hz.

The only node that commands joints. Modes, checks and limits are in pi05_ros.control; this file
connects them to topics.
"""

from __future__ import annotations

import gc
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Any

from pi05_msgs.msg import RobotState
from pi05_ros.control.bridge import Bridge, Tick
from pi05_ros.control.gripper_goals import GripperGoals
from pi05_ros.control.modes import DEACTIVATED, Mode
from pi05_ros.errors import MessageError
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.commands import GRIPPER_PERIOD, CommandSender
from pi05_ros.nodes.common.health import Health
from pi05_ros.nodes.common.robot_timer import RobotTimer
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.control_bridge.inputs import BridgeInputs
from pi05_ros.nodes.control_bridge.parameters import ControlBridgeParameters
from pi05_ros.nodes.control_bridge.report import RobotStateMessage, bridge_health
from pi05_ros.nodes.control_bridge.services import BridgeServices
from pi05_ros.nodes.control_bridge.ticker import PROCESS_PRIORITY, Ticker, request_realtime
from pi05_ros.platforms.platform import load_platform

# Time limit of braking at deactivation [s, wall].
_BRAKE_LIMIT = 1.0
# Period of the check for other publishers of commands, and for the types of controllers [s, wall].
_OTHER_PUBLISHERS_PERIOD = 0.5
# Period of the check for controllers that appear or go [s, wall].
_CONTROLLERS_PERIOD = 0.1


class ControlBridge(ManagedNode[ControlBridgeParameters]):
    """Executes chunks on the controllers. It starts disarmed."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__("control_bridge", ControlBridgeParameters, **arguments)
        self._lock = threading.Lock()  # Guards the bridge: ticks come from another thread.
        self._inputs: BridgeInputs | None = None
        self._gripper_timer: RobotTimer | None = None
        self._goal_timer: RobotTimer | None = None
        self._publishers_timer: Any = None
        self._controllers_timer: Any = None
        self._matches: tuple[int, ...] = ()  # See CommandSender.matches, of the last check.
        self._operator: BridgeServices | None = None
        self._ticker: Ticker | None = None
        self._sender: CommandSender | None = None
        self._state_publisher: Any = None
        self._bridge: Bridge | None = None
        # True until it has armed itself once; never again after a fault or a request.
        self._auto_arm = self.parameters.auto_arm
        self._logged_mode = ""

    def configure(self) -> None:
        """Read the platform and create the outputs."""
        self._platform = load_platform(self.parameters.platform)
        self._settings = self.parameters.bridge
        self._state_publisher = self.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
        # Outlasts an activation: what a gripper holds does, too.
        self._gripper_goals = GripperGoals(self._platform, confirmed=True)
        self._sender = CommandSender(self, self._platform, self._on_gripper_goal)

    def activate(self) -> None:
        """Open the inputs and start the ticker, disarmed."""
        # 53 bits: never 0, practically unique, and exact as a JSON number.
        session = secrets.randbits(53) | 1
        self._bridge = Bridge(self._platform, session, self._settings, self._gripper_goals)
        self._state = RobotStateMessage(self._bridge)
        self._inputs = BridgeInputs(self, self._bridge, self._lock)
        self._operator = BridgeServices(self, self._operate)
        self._gripper_timer = self.robot_timer(GRIPPER_PERIOD, self._send_grippers)
        assert self._sender is not None
        if self._sender.has_goals:
            self._goal_timer = self.robot_timer(self._sender.goal_period, self._sender.send_goals)
        self._publishers_timer = self.steady_timer(
            _OTHER_PUBLISHERS_PERIOD, self._check_other_publishers
        )
        self._check_controllers()
        self._controllers_timer = self.steady_timer(
            _CONTROLLERS_PERIOD, self._check_new_controllers
        )
        self._ticker = Ticker(
            self,
            self._platform.period,
            self._tick,
            self.guarded(self._clock_lost),
            self.parameters.clock_timeout_s,
        )
        self._ticker.start()

    def deactivate(self) -> None:
        """Brake the robot, then close the inputs."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
            self._brake()
        if self._inputs is not None:
            self._inputs.close()
        if self._operator is not None:
            self._operator.close()
        if self._gripper_timer is not None:
            self._gripper_timer.close()
            self.destroy_timer(self._publishers_timer)
            self.destroy_timer(self._controllers_timer)
            self._gripper_timer = self._publishers_timer = self._controllers_timer = None
        if self._goal_timer is not None:
            self._goal_timer.close()
            self._goal_timer = None
        self._inputs = self._operator = self._bridge = None

    def cleanup(self) -> None:
        """Destroy the outputs."""
        if self._sender is not None:
            self._sender.destroy()
            self._sender = None
        if self._state_publisher is not None:
            self.destroy_publisher(self._state_publisher)
            self._state_publisher = None

    def health(self) -> Health:
        """Mode, its reason and counts."""
        assert self._bridge is not None and self._ticker is not None and self._sender is not None
        with self._lock:
            return bridge_health(
                self._bridge,
                self._ticker,
                self._sender.gripper_problems(),
                self.now_ns(),
                self.timeout_clock_ns(),
            )

    # Requests: the executor's thread.

    def _operate(self, act: Any) -> tuple[bool, str]:
        """Run a request of an operator, `act(bridge, now_ns, steady_ns)`.

        Returns:
            True on success, and the resulting mode or the reason of the failure.
        """
        self._check_controllers()
        with self._lock:
            self._auto_arm = False
            bridge = self._bridge
            if bridge is None:
                return False, "the bridge is not active"
            try:
                act(bridge, self.now_ns(), self.timeout_clock_ns())
            except MessageError as error:
                return False, str(error)
            return True, f"{bridge.mode.name.lower()}: {bridge.reason}"

    def _check_other_publishers(self) -> None:
        """Latch a fault when another node publishes to the same controllers; check their types."""
        self._check_controllers()
        other_publishers = self._sender.other_publishers() if self._sender is not None else []
        other_publishers += self._inputs.conflicts() if self._inputs is not None else []
        with self._lock:
            if other_publishers and self._bridge is not None and self._bridge.mode < Mode.FAULTED:
                self._bridge.fault(self.now_ns(), f"{other_publishers[0]} too: stop that node")

    def _check_new_controllers(self) -> None:
        """Check the controllers where one appeared or went since the last check."""
        if self._sender is not None and self._sender.matches() != self._matches:
            self._check_controllers()

    def _check_controllers(self) -> None:
        """Tell the bridge why commands do not reach every controller; the robot then holds."""
        if self._sender is None:
            return
        self._matches, problem = self._sender.matches(), self._sender.problem()
        with self._lock:
            if self._bridge is not None:
                self._bridge.output_problem = problem
        if problem:
            self.get_logger().warning(problem, throttle_duration_sec=5.0)

    def _send_grippers(self) -> None:
        if self._sender is None:
            return
        self._sender.send_grippers()
        for problem in self._sender.gripper_problems():
            self.get_logger().warning(problem, throttle_duration_sec=5.0)

    def _on_gripper_goal(self, index: int, goal: float) -> None:
        with self._lock:
            self._gripper_goals.accept(index, goal)

    # Outputs: the ticker's thread.

    def _tick(self, now_ns: int) -> None:
        """Run one tick; an exception latches a fault, since it must not end the thread."""
        try:
            self._tick_once(now_ns)
        except Exception:
            self.callback_errors["tick"] += 1
            self.get_logger().error(
                f"a tick failed:\n{traceback.format_exc()}", throttle_duration_sec=1.0
            )
            with self._lock:
                if self._bridge is not None and self._bridge.mode < Mode.FAULTED:
                    self._bridge.fault(
                        now_ns, "internal error in a control tick: see the log of control_bridge"
                    )

    def _tick_once(self, now_ns: int) -> None:
        with self._lock:
            bridge, sender = self._bridge, self._sender
            if bridge is None or sender is None:
                return
            steady_ns = self.timeout_clock_ns()
            if self._auto_arm and bridge.mode == Mode.DISARMED:
                self._try_auto_arm(bridge, now_ns, steady_ns)
            tick = bridge.tick(now_ns, steady_ns)
            message = self._state.after(tick, now_ns)
            # Under the lock: `_clock_lost`, in another thread, fills the same messages.
            if tick.command is not None:
                sender.send(tick.command, starts_grippers=tick.mode == Mode.RUNNING)
            if not tick.mode.is_armed:
                sender.clear_gripper_targets()
        if message is not None:
            self._state_publisher.publish(message)
        self._log_mode(tick)

    def _clock_lost(self) -> None:
        """Hold while simulated time stands still: the base must not follow an old command."""
        with self._lock:
            if self._bridge is None or self._sender is None or not self._bridge.mode.is_armed:
                return
            if self._ticker is None or not self._ticker.clock_stands_still:
                return  # A tick ran while this waited for the lock.
            self.get_logger().warning("/clock has stopped: holding", throttle_duration_sec=5.0)
            self._bridge.time_jumped_back(self.now_ns())
            command = self._bridge.tick(self.now_ns(), self.timeout_clock_ns()).command
            if command is not None:
                self._sender.send(command)

    def _try_auto_arm(self, bridge: Bridge, now_ns: int, steady_ns: int) -> None:
        try:
            bridge.arm(now_ns, steady_ns)
            self._auto_arm = False
        except MessageError as error:
            self.get_logger().info(f"not armed yet: {error}", throttle_duration_sec=5.0)

    def _brake(self) -> None:
        """Send holding commands until the robot is at rest; the ticker has already ended.

        Paced in wall time: sent in a burst they would be a jump.
        """
        bridge, sender = self._bridge, self._sender
        if bridge is None or sender is None:
            return
        bridge.disarm(self.now_ns(), DEACTIVATED)
        for _ in range(round(_BRAKE_LIMIT / self._platform.period)):
            tick = bridge.tick(self.now_ns(), self.timeout_clock_ns())
            message = self._state.after(tick, self.now_ns())
            if message is not None:
                self._state_publisher.publish(message)
            if tick.command is None:
                break
            sender.send(tick.command)
            sender.send_goals(await_answers=False)
            if bridge.motion.at_rest:
                break
            time.sleep(self._platform.period)
        sender.clear_gripper_targets()

    def _log_mode(self, tick: Tick) -> None:
        """Report a change of mode at once, in the log and in /diagnostics."""
        if tick.mode.name == self._logged_mode:
            return
        self._logged_mode = tick.mode.name
        text = f"{tick.mode.name.lower()}{': ' + tick.reason if tick.reason else ''}"
        # Two calls: rclpy raises if one line of code logs at two levels.
        if tick.mode >= Mode.FAULTED:
            self.get_logger().error(text)
        else:
            self.get_logger().info(text)
        if self._ticker is not None:
            self._publish_health()


def main(args: Sequence[str] | None = None) -> int:
    """Run control_bridge."""
    # A Python callback delays the ticker by at most this time (default 5 ms).
    sys.setswitchinterval(0.0005)
    # Before the threads of rclpy and DDS start: they inherit it.
    request_realtime(PROCESS_PRIORITY)
    # Exclude imported objects from garbage collection while the robot moves.
    gc.collect()
    gc.freeze()
    return run_node(ControlBridge, args)


if __name__ == "__main__":
    sys.exit(main())
