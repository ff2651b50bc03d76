"""A teleop node without ROS: its messages to a fake robot's bridge."""

import numpy as np

from fakes.bridge_robot import Robot, at_home
from pi05_ros.control.teleop_source import TeleopCommand, TeleopState

TELEOP_ROWS = 10


class Operator:
    """Publishes to a bridge what the node teleop would.

    Attributes:
        sequence: Of the last message.
    """

    def __init__(self, robot: Robot):
        self.robot = robot
        self.sequence = 0

    def hold(self, rows=None, **changes):
        """Send ENGAGED with a chunk of (H, D) rows, some of the chunk's fields changed."""
        rows = at_home(TELEOP_ROWS) if rows is None else np.asarray(rows)
        self.sequence += 1
        values = {
            "sequence": self.sequence,
            "horizon": len(rows),
            "data": rows.astype(np.float32).ravel(),
            **changes,
        }
        sequence = self.robot.sequence
        chunk = self.robot.chunk(**values)
        self.robot.sequence = sequence  # The policy counts for itself.
        self.send(TeleopState.ENGAGED, chunk)

    def release(self):
        """Send RELEASED."""
        self.sequence += 1
        self.send(TeleopState.RELEASED, reason="the dead-man switch is not held")

    def align(self, reason="left_arm_joint_1 is 0.4 rad away"):
        """Send ALIGNING."""
        self.sequence += 1
        self.send(TeleopState.ALIGNING, reason=reason)

    def send(self, state, chunk=None, reason="", sequence=None):
        """Send a message of any content."""
        number = self.sequence if sequence is None else sequence
        command = TeleopCommand(number, state, "leader", reason, chunk)
        self.robot.bridge.add_teleop(command, self.robot.now, self.robot.steady)

    def drive(self, ticks=1, rows=None):
        """Send ENGAGED before each of some ticks; return the last tick."""
        for _ in range(ticks):
            self.hold(rows)
            tick = self.robot.tick()
        return tick
