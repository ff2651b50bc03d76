"""A bridge with a robot that is measured perfectly, on a clock that the test turns."""

import numpy as np

from pi05_ros.control.bridge import Bridge
from pi05_ros.control.chunk import Chunk
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_19dof")
TICK = 20_000_000  # [ns]
START = 100_000_000_000  # [ns]
JOINT = PLATFORM.index("left_arm_joint_1")
BASE = PLATFORM.index("base_vx")
SESSION = 99


class Robot:
    """A bridge and what it hears: measurements at every tick, and chunks on demand."""

    def __init__(self, platform=PLATFORM, **settings):
        self.platform = platform
        self.bridge = Bridge(platform, SESSION, BridgeSettings(**settings))
        self.now = START  # By the clock of the stamps.
        self.steady = 7 * TICK
        self.measured = True  # Whether it is measured.
        self.follows = False  # Whether the joints go where they are commanded.
        self.beats = {}  # Node -> (instance, why it is not fit), heard at every tick.
        self.sequence = 0
        self.names, self.positions, self._scales = [], [], []
        for group in platform.groups:
            for dimension in group.dimensions:
                if not dimension.is_velocity:
                    gripper = group.kind == "parallel_gripper"
                    scale = group.joint_open - group.joint_closed if gripper else 1.0
                    self.names.append(dimension.joint_name)
                    self.positions.append(dimension.home * scale)
                    self._scales.append((platform.index(dimension.name), scale))

    def measure(self):
        self.bridge.add_joint_states(self.names, self.positions, self.now, self.now)
        self.bridge.add_odometry((0.0, 0.0, 0.0), self.now, self.now)

    def tick(self, count=1):
        for _ in range(count):
            self.now += TICK
            self.steady += TICK
            for name, (instance, reason) in self.beats.items():
                self.bridge.peers.on_heartbeat(name, instance, reason, self.steady)
            if self.measured:
                self.measure()
            tick = self.bridge.tick(self.now, self.steady)
            if self.follows and tick.command is not None:
                self.positions = [tick.command[i] * scale for i, scale in self._scales]
        return tick

    def arm(self):
        self.bridge.arm(self.now, self.steady)

    def armed(self):
        self.tick()
        self.arm()
        return self

    def running(self):
        self.armed()
        self.give()
        self.tick()
        return self

    def chunk(self, **changes):
        self.sequence += 1
        actions = np.tile(self.platform.home, (50, 1))
        actions[:, self.platform.is_velocity] = [0.3, 0.0, 0.0]
        values = {
            "stamp_ns": self.now,
            "start_ns": changes.get("stamp_ns", self.now),
            "session": SESSION,
            "epoch": self.bridge.epoch,
            "sequence": self.sequence,
            "subtask_id": 0,
            "names": self.platform.names,
            "period": 0.02,
            "horizon": 50,
            "data": actions.astype(np.float32).ravel(),
        }
        return Chunk(**{**values, **changes})

    def give(self, **changes):
        self.bridge.add_chunk(self.chunk(**changes), self.now)

    def give_rows(self, actions, **changes):
        """A chunk of these (H, D) rows."""
        data = np.asarray(actions, dtype=np.float32).ravel()
        self.give(data=data, horizon=len(actions), **changes)


def at_home(rows=50, **changes):
    """Rows (rows, 19) at home, with some dimensions set to a value or a course."""
    actions = np.tile(PLATFORM.home, (rows, 1))
    for name, course in changes.items():
        actions[:, PLATFORM.index(name)] = course
    return actions
