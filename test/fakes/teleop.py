"""Teleoperation without ROS: states of a robot, and samples of devices on a clock of its own."""

from __future__ import annotations

import numpy as np

from pi05_ros.teleop.device import JointSample, JoySample
from pi05_ros.teleop.robot_view import RobotView
from pi05_ros.teleop.session import SessionSettings, TeleopSession

START_NS = 10_000_000_000
PERIOD_NS = 20_000_000
# The Xbox pad of the Linux joy node at rest, once its triggers were touched.
XBOX_REST = (0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def joy(axes=None, pressed=(), count=8, buttons=11):
    """A Joy sample: axes by index over a pad at rest, and the pressed buttons."""
    values = list(XBOX_REST[:count]) + [0.0] * (count - 8)
    for index, value in (axes or {}).items():
        values[index] = value
    return JoySample(tuple(values), tuple(int(k in pressed) for k in range(buttons)))


def joints(values, velocities=()):
    """Joint states from a mapping of names to positions."""
    return JointSample(tuple(values), tuple(values.values()), tuple(velocities))


def leader_pose(leader, vector, platform, topic=0, **changed):
    """Joint states of one topic of a leader that match a vector (D,); see `unmapped`."""
    from pi05_ros.teleop.leader import unmapped

    chosen = leader.topics[topic].joints
    values = {joint.joint: unmapped(platform, joint, vector) for joint in chosen}
    return {**values, **changed}


class Bench:
    """A session at 50 Hz, with a robot that does what it is told at once.

    Attributes:
        now_ns: Time of the next tick [ns].
        output: What the last tick returned.
    """

    def __init__(self, platform, devices, settings=None, **state):
        self.platform = platform
        self.session = TeleopSession(platform, devices, settings or SessionSettings())
        self.now_ns = START_NS
        self.robot = {
            "measured": np.array(platform.home),
            "commanded": np.array(platform.home),
            "session": 7,
            "epoch": 3,
            "is_armed": True,
            "is_running": False,
            "follows_teleop": False,
        }
        self.robot.update(state)
        self.follows = True  # Whether the bridge follows.
        self.output = None

    def send(self, device, topic, sample):
        """Send one sample, stamped now."""
        device.add(topic, sample, self.now_ns)

    def tick(self, *sends, count=1):
        """Send samples (device, topic, sample) before each of `count` ticks; return the last."""
        for _ in range(count):
            for device, topic, sample in sends:
                self.send(device, topic, sample)
            self.session.add_state(RobotView(stamp_ns=self.now_ns, **self.robot))
            self.output = self.session.tick(self.now_ns)
            self.now_ns += PERIOD_NS
            if self.output.is_fresh and self.follows:
                row = np.array(self.output.rows[0])
                self.robot.update(commanded=row, measured=row)
            self.robot["follows_teleop"] = self.follows and self.output.is_fresh
            self.robot["is_running"] = self.robot["follows_teleop"]
        return self.output
