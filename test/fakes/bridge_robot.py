"""A bridge with a robot that is measured perfectly, on a clock that the test advances."""

import numpy as np

from pi05_ros.control.chunk import Chunk
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.evaluation.bridged_robot import BridgedRobot, IdealRobot, joint_states
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_19dof")
TICK = 20_000_000  # [ns]
START = 100_000_000_000  # [ns]
JOINT = PLATFORM.index("left_arm_joint_1")
BASE = PLATFORM.index("base_vx")
SESSION = 99


class Robot:
    """A bridge and its inputs: measurements at every tick, chunks on demand.

    Joints stay where they are measured, whatever is commanded; the base drives as commanded.
    """

    def __init__(self, platform=PLATFORM, **settings):
        self.platform = platform
        self.body = IdealRobot(platform, follows=False)  # Its `values` are what is measured.
        self.bridged = BridgedRobot(platform, self.body, BridgeSettings(**settings), SESSION)
        self.bridge = self.bridged.bridge
        self.now = START  # By the clock of the stamps.
        self.steady = 7 * TICK
        self.measured = True  # Whether it is measured.
        self.base_follows = True
        self.beats = {}  # Node -> (instance, why it is not fit), at every tick.
        self.sequence = 0

    def joint_states(self):
        """Return joint names and positions as drivers report them now."""
        return joint_states(self.platform, self.body.values)

    def measure(self):
        """Hand the bridge one set of measurements."""
        self.bridged.measure(self.now)

    def tick(self, count=1):
        """Advance by `count` periods and return the last tick."""
        for _ in range(count):
            self.now += TICK
            self.steady += TICK
            for name, (instance, reason) in self.beats.items():
                self.bridge.peers.on_heartbeat(name, instance, reason, self.steady)
            if self.measured:
                self.measure()
            tick = self.bridged.tick(self.now, self.steady)
            if self.base_follows:
                self._drive(tick.command)
        return tick

    def _drive(self, command):
        speed = 0.0 if command is None else command[self.platform.is_velocity]
        self.body.values[self.platform.is_velocity] = speed

    def arm(self):
        """Arm as an operator does."""
        self.bridge.arm(self.now, self.steady)

    def armed(self):
        """Measure, arm and return self."""
        self.tick()
        self.arm()
        return self

    def running(self):
        """Arm, execute a chunk for one tick and return self."""
        self.armed()
        self.give()
        self.tick()
        return self

    def chunk(self, **changes):
        """Return the next valid chunk, with some fields changed."""
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
        """Hand the bridge the next chunk, with some fields changed."""
        self.bridge.add_chunk(self.chunk(**changes), self.now)

    def give_rows(self, actions, **changes):
        """Hand the bridge a chunk of these (H, D) rows."""
        data = np.asarray(actions, dtype=np.float32).ravel()
        self.give(data=data, horizon=len(actions), **changes)


def at_home(rows=50, **changes):
    """Return rows (rows, 19) at home, with some dimensions set to a value or a course."""
    actions = np.tile(PLATFORM.home, (rows, 1))
    for name, course in changes.items():
        actions[:, PLATFORM.index(name)] = course
    return actions
