"""A node teleop without devices: its commands follow slow sines, as the fake policy's chunks do.

`python -m system.leader teleop` runs it as a process of its own, engaged from its start.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from pi05_msgs.msg import ActionChunk, Heartbeat, RobotState, TeleopCommand
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.platforms.platform import Platform, load_platform
from system.scene import Scene
from system.source import Motion
from system.threads import Rhythm

HORIZON = 12  # Rows.
_PERIOD = 0.02  # Of the commands [s].
_INPUT_AGE = 0.01  # Age of the device's newest input [s].
BASE = (-0.2, 0.1, 0.2)  # The policy drives forwards: its commands are told apart.


class Leader:
    """A publisher of one command a period while it is switched on.

    Attributes:
        on: Whether it publishes.
        state: State of its dead-man switch.
        motion: Targets of the chunks.
        change: Changes each chunk before it is sent; None: nothing.
        input_age: Age of the device's newest input when a chunk is made [s].
        last_ns: When the last command was sent (steady).
    """

    def __init__(
        self,
        node: Node,
        platform: Platform,
        state: Callable[[], RobotState | None],
        now_ns: Callable[[], int] = time.time_ns,
        first_sequence: int = 1,
    ) -> None:
        self.platform = platform
        self.on = False
        self.state = TeleopCommand.ENGAGED
        self.motion = Motion(base=BASE)
        self.change: Callable[[ActionChunk], ActionChunk] | None = None
        self.input_age = _INPUT_AGE
        self.last_ns = 0
        self._robot_state, self._now_ns = state, now_ns
        self._sequence = first_sequence - 1
        self._began = time.monotonic()
        self._publisher = node.create_publisher(TeleopCommand, "teleop_command", qos.ACTION_CHUNK)
        self._rhythm = Rhythm("leader", _PERIOD, self._tick)

    def command(self) -> TeleopCommand | None:
        """Return the next command; None while the bridge's session is not known."""
        state = self._robot_state()
        if state is None:
            return None
        self._sequence += 1
        message = TeleopCommand(sequence=self._sequence, state=self.state, device="leader")
        stamp_ns = self._now_ns() - round(self.input_age * 1e9)
        message.header.stamp = ns_to_time(stamp_ns)
        message.alignment_error = 0.0
        if self.state == TeleopCommand.ENGAGED:
            chunk = self._chunk(state, stamp_ns)
            message.chunk = chunk if self.change is None else self.change(chunk)
        else:
            message.reason = "the dead-man switch is not held"
        return message

    def close(self) -> None:
        """Stop publishing."""
        self._rhythm.close()

    def _chunk(self, state: RobotState, stamp_ns: int) -> ActionChunk:
        period = self.platform.period
        begin = time.monotonic() - self._began
        rows = self.motion.rows(self.platform, begin + np.arange(HORIZON) * period)
        chunk = ActionChunk(
            start=ns_to_time(max(stamp_ns, self._now_ns() - round(_INPUT_AGE * 1e9))),
            session=state.session,
            epoch=state.epoch,
            sequence=self._sequence,
            names=list(self.platform.names),
            period=period,
            horizon=HORIZON,
            data=float_array(rows, "f"),
        )
        chunk.header.stamp = ns_to_time(stamp_ns)
        return chunk

    def _tick(self) -> None:
        if not self.on:
            return
        message = self.command()
        if message is not None:
            self.last_ns = time.monotonic_ns()
            self._publisher.publish(message)


@contextmanager
def leader_in(scene: Scene, name: str = "teleop", first_sequence: int = 1) -> Iterator[Leader]:
    """Make a leader in the harness, under a node of its own that sends no heartbeats."""
    node = Node(name, context=scene.node.context, namespace="pi05", enable_rosout=False)
    leader = Leader(node, scene.platform, lambda: scene.state, scene.robot.now_ns, first_sequence)
    try:
        yield leader
    finally:
        leader.close()
        node.destroy_node()


def main() -> None:
    """Run the node `teleop` with its heartbeat."""
    rclpy.init(args=sys.argv)
    node = Node("teleop", enable_rosout=False)
    node.declare_parameter("platform", "mobile_18dof")
    platform = load_platform(str(node.get_parameter("platform").value))
    states: list[RobotState] = []
    node.create_subscription(
        RobotState,
        "robot_state",
        lambda state: states.__setitem__(slice(None), [state]),
        qos.ROBOT_STATE,
    )
    heartbeat = Heartbeat(node="teleop", instance=secrets.randbits(53) | 1, fit=True)
    publisher = node.create_publisher(Heartbeat, "heartbeat", qos.HEARTBEAT_OUTPUT)

    def beat() -> None:
        heartbeat.header.stamp = ns_to_time(time.time_ns())
        publisher.publish(heartbeat)

    node.create_timer(0.04, beat)
    leader = Leader(node, platform, lambda: states[0] if states else None)
    leader.on = True
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        leader.close()


if __name__ == "__main__":
    main()
