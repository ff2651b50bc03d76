"""control_bridge: from action chunks to controllers, 50 times a second, inside the limits.

The only node that knows joints and controllers. Modes, checks and limits are in pi05_ros.control;
this file wires them to topics.
"""

from __future__ import annotations

import secrets
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool, Trigger

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.control.bridge import Bridge, BridgeSettings, Mode, Tick
from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.errors import MessageError
from pi05_ros.nodes import qos
from pi05_ros.nodes.base import ERROR, OK, WARN, Health, ManagedNode, run_node
from pi05_ros.nodes.commands import GRIPPER_PERIOD, CommandSender
from pi05_ros.nodes.conversions import chunk_from_message, float_array, ns_to_time, time_to_ns
from pi05_ros.nodes.parameters import parameter
from pi05_ros.nodes.ticker import Ticker
from pi05_ros.platforms import load_platform

_SETTINGS = BridgeSettings()
# Braking at the end takes at most this long [s, wall].
_BRAKE_LIMIT = 1.0


@dataclass(frozen=True)
class ControlBridgeParameters:
    """Parameters of control_bridge."""

    platform: str = parameter("mobile_18dof", "Platform name, or the path of its YAML file.")
    auto_arm: bool = parameter(
        False,
        "Arm by itself as soon as the robot is measured. Only for a mock home: on a robot an "
        "operator arms it.",
    )
    measurement_timeout: float = parameter(
        _SETTINGS.measurement_timeout,
        "Joint states or odometry older than this mean hold [s].",
        minimum=0.01,
        maximum=1.0,
    )
    chunk_max_age: float = parameter(
        _SETTINGS.chunk_max_age,
        "A chunk computed from an older observation is rejected [s].",
        minimum=0.05,
        maximum=2.0,
    )


class ControlBridge(ManagedNode[ControlBridgeParameters]):
    """Streams chunks to the controllers. Comes up disarmed."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__("control_bridge", ControlBridgeParameters, **arguments)
        self._lock = threading.Lock()  # Guards the bridge: ticks come from another thread.
        self._subscriptions_open: list[Any] = []
        self._services_open: list[Any] = []
        self._gripper_timer: Any = None
        self._ticker: Ticker | None = None
        self._sender: CommandSender | None = None
        self._state_publisher: Any = None
        self._bridge: Bridge | None = None
        self._auto_arm = False  # Whether it still has to arm itself.
        self._said = ""

    def configure(self) -> None:
        """Reads the platform and makes the outputs."""
        self._platform = load_platform(self.parameters.platform)
        self._settings = BridgeSettings(
            measurement_timeout=self.parameters.measurement_timeout,
            chunk_max_age=self.parameters.chunk_max_age,
        )
        self._state_publisher = self.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
        self._sender = CommandSender(self, self._platform)

    def activate(self) -> None:
        """Opens the inputs and starts ticking, disarmed."""
        # 53 bits: never 0, in practice never twice, and exact in JSON's doubles.
        session = secrets.randbits(53) | 1
        self._bridge = Bridge(self._platform, session, self._settings)
        self._auto_arm = self.parameters.auto_arm
        topics = (
            (JointState, self._platform.joint_states_topic, self._on_joint_states, qos.SENSOR),
            (Odometry, self._platform.odom_topic, self._on_odometry, qos.SENSOR),
            (ActionChunk, "action_chunk", self._on_chunk, qos.ACTION_CHUNK),
        )
        self._subscriptions_open = [
            self.create_subscription(kind, topic, self.guarded(callback), profile)
            for kind, topic, callback, profile in topics
        ]
        self._services_open = [
            self.create_service(SetBool, "~/arm", self._on_arm),
            self.create_service(Trigger, "~/stop", self._on_stop),
            self.create_service(Trigger, "~/reset", self._on_reset),
        ]
        self._gripper_timer = self.steady_timer(GRIPPER_PERIOD, self._send_grippers)
        self._ticker = Ticker(
            self, self._platform.period, self._tick, self.guarded(self._clock_lost)
        )
        self._ticker.start()

    def deactivate(self) -> None:
        """Brings the robot to rest, then closes the inputs."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
            self._brake()
        for subscription in self._subscriptions_open:
            self.destroy_subscription(subscription)
        for service in self._services_open:
            self.destroy_service(service)
        if self._gripper_timer is not None:
            self.destroy_timer(self._gripper_timer)
            self._gripper_timer = None
        self._subscriptions_open, self._services_open, self._bridge = [], [], None

    def cleanup(self) -> None:
        """Frees the outputs."""
        if self._sender is not None:
            self._sender.destroy()
            self._sender = None
        if self._state_publisher is not None:
            self.destroy_publisher(self._state_publisher)
            self._state_publisher = None

    def health(self) -> Health:
        """Mode, its reason and what was counted."""
        assert self._bridge is not None and self._ticker is not None
        with self._lock:
            mode, reason = self._bridge.mode, self._bridge.reason
            problem = self._bridge.measurement_problem(self.now_ns())
            counts = dict(self._bridge.counts)
        unheard = self._sender.unheard() if self._sender is not None else []
        values = {
            "mode": mode.name,
            "ticks": self._ticker.ticks,
            "ticks missed": self._ticker.missed,
            "real-time priority": self._ticker.realtime,
            **{name.replace("_", " "): count for name, count in sorted(counts.items())},
        }
        troubles = [problem] if problem and problem != reason else []
        if unheard:
            troubles.append(f"nobody listens to {', '.join(unheard)}: is the controller running?")
        if troubles:
            self.get_logger().warning("; ".join(troubles), throttle_duration_sec=10.0)
        said = "executing chunks" if mode == Mode.RUNNING else f"{mode.name.lower()}: {reason}"
        level = ERROR if mode == Mode.STOPPED else WARN
        if mode == Mode.RUNNING and not troubles:
            level = OK
        return Health(level, "; ".join([said, *troubles]), values)

    # Inputs: the executor's thread.

    def _on_joint_states(self, message: JointState) -> None:
        stamp = time_to_ns(message.header.stamp, self._platform.joint_states_topic)
        with self._lock:
            if self._bridge is not None:
                self._bridge.add_joint_states(message.name, message.position, stamp, self.now_ns())

    def _on_odometry(self, message: Odometry) -> None:
        twist = message.twist.twist
        velocity = (twist.linear.x, twist.linear.y, twist.angular.z)
        stamp = time_to_ns(message.header.stamp, self._platform.odom_topic)
        with self._lock:
            if self._bridge is not None:
                self._bridge.add_odometry(velocity, stamp, self.now_ns())

    def _on_chunk(self, message: ActionChunk) -> None:
        chunk = chunk_from_message(message)
        with self._lock:
            if self._bridge is None:
                return
            try:
                self._bridge.add_chunk(chunk, self.now_ns())
            except ChunkRejected as error:
                raise MessageError(f"chunk {chunk.sequence} rejected: {error}") from error

    def _on_arm(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        now = self.now_ns()
        with self._lock:
            bridge = self._bridge
            self._auto_arm = False
            if bridge is None:
                response.success, response.message = False, "the bridge is not active"
                return response
            try:
                if request.data:
                    bridge.arm(now)
                else:
                    bridge.disarm(now)
            except MessageError as error:
                response.success, response.message = False, f"not armed: {error}"
                return response
            response.success = True
            response.message = f"{bridge.mode.name.lower()}: {bridge.reason}"
        return response

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            self._auto_arm = False
            if self._bridge is not None:
                self._bridge.stop(self.now_ns(), "stopped by an operator")
        response.success, response.message = True, "stopped; 'reset' and 'arm' to go on"
        return response

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            if self._bridge is not None:
                self._bridge.reset()
                response.success = True
                response.message = f"{self._bridge.mode.name.lower()}: {self._bridge.reason}"
        return response

    def _send_grippers(self) -> None:
        if self._sender is not None:
            absent = self._sender.send_grippers()
            if absent:
                self.get_logger().warning(
                    f"no action server {', '.join(absent)}: the gripper does not move",
                    throttle_duration_sec=5.0,
                )

    # Outputs: the ticker's thread.

    def _tick(self, now_ns: int) -> None:
        """Must not raise, or the thread ends in silence: a tick that fails stops the bridge."""
        try:
            self._tick_once(now_ns)
        except Exception:
            self.callback_errors["tick"] += 1
            self.get_logger().error(
                f"a tick failed:\n{traceback.format_exc()}", throttle_duration_sec=1.0
            )
            with self._lock:
                if self._bridge is not None and self._bridge.mode != Mode.STOPPED:
                    self._bridge.stop(now_ns, "a tick of the bridge failed, its log says why")

    def _tick_once(self, now_ns: int) -> None:
        with self._lock:
            bridge, sender = self._bridge, self._sender
            if bridge is None or sender is None:
                return
            if self._auto_arm and bridge.mode == Mode.DISARMED:
                self._try_auto_arm(bridge, now_ns)
            tick = bridge.tick(now_ns)
            session, epoch, commanded = bridge.session, bridge.epoch, bridge.commanded
        if tick.command is not None:
            sender.send(tick.command, starts_grippers=tick.mode == Mode.RUNNING)
        if tick.mode in (Mode.DISARMED, Mode.STOPPED):
            sender.forget_grippers()
        self._publish_state(tick, session, epoch, commanded)
        self._say(tick)

    def _clock_lost(self) -> None:
        """Simulated time stands still: the base must not go on rolling on an old command."""
        with self._lock:
            if self._bridge is None or self._sender is None:
                return
            if self._bridge.mode in (Mode.RUNNING, Mode.HOLDING):
                self.get_logger().warning(
                    "/clock stands still: holding", throttle_duration_sec=5.0
                )
                self._bridge.time_jumped_back(self.now_ns())
                command = self._bridge.tick(self.now_ns()).command
                if command is not None:
                    self._sender.send(command)

    def _try_auto_arm(self, bridge: Bridge, now_ns: int) -> None:
        try:
            bridge.arm(now_ns)
            self._auto_arm = False
        except MessageError as error:
            self.get_logger().info(f"not armed yet: {error}", throttle_duration_sec=5.0)

    def _brake(self) -> None:
        """Sends holding commands until all stand; the ticker has ended already.

        Paced in wall time: in a burst they would be a jump that no limit has seen.
        """
        bridge, sender = self._bridge, self._sender
        if bridge is None or sender is None:
            return
        bridge.disarm(self.now_ns(), "deactivated")
        for _ in range(round(_BRAKE_LIMIT / self._platform.period)):
            command = bridge.tick(self.now_ns()).command
            if command is None:
                break
            sender.send(command)
            if bridge.at_rest:
                break
            time.sleep(self._platform.period)
        sender.forget_grippers()

    def _publish_state(self, tick: Tick, session: int, epoch: int, commanded: Any) -> None:
        if tick.measurement is None:
            return
        message = RobotState(
            platform=self._platform.name,
            session=session,
            epoch=epoch,
            names=list(self._platform.names),
            measured=float_array(tick.measurement.values, "d"),
            commanded=float_array(commanded, "d"),
            mode=int(tick.mode),
            reason=tick.reason,
        )
        message.header.stamp = ns_to_time(tick.measurement.stamp_ns)
        message.header.frame_id = self._platform.base_frame
        self._state_publisher.publish(message)

    def _say(self, tick: Tick) -> None:
        """Logs a change of mode, once."""
        said = f"{tick.mode.name.lower()}{': ' + tick.reason if tick.reason else ''}"
        if tick.mode.name != self._said:
            self._said = tick.mode.name
            # Two calls: rclpy raises when one place in the code logs at two levels.
            if tick.mode == Mode.STOPPED:
                self.get_logger().error(said)
            else:
                self.get_logger().info(said)


def main(args: Sequence[str] | None = None) -> int:
    """Runs control_bridge."""
    return run_node(ControlBridge, args)


if __name__ == "__main__":
    sys.exit(main())
