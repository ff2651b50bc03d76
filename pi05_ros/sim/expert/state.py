"""State of robot and items, as the expert predicts it from row to row of a chunk."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pi05_ros.brain.observation import Pose
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import Transform, on_floor, yaw_of
from pi05_ros.sim.homes.geometry import FloorPose, yaw_quaternion

HALF_OPEN = 0.5  # Opening fraction of its command below which a hand counts as closed.
_SETTLING = 0.75  # What is left of a joint's tracking error one period later.


@dataclass(frozen=True)
class Held:
    """An item in a hand, or a fixture whose handle it holds."""

    name: str
    T_tcp_item: Transform


@dataclass
class Hand:
    """State of one hand."""

    held: Held | None = None
    since: float = 0.0  # Time since its command last crossed HALF_OPEN [s].


@dataclass
class RobotState:
    """Robot and items at one row of a chunk. `advance` moves it to the next row."""

    kinematics: ArmKinematics
    command: np.ndarray  # (D,) last command, platform units.
    velocity: np.ndarray  # (D,) rate of the command; for the base the command itself.
    tracking_error: np.ndarray  # (D,) measured minus commanded position.
    base: FloorPose  # In odom.
    items: dict[str, Transform]  # T_odom_item by name of the item or fixture.
    hands: dict[str, Hand] = field(default_factory=dict)  # By side.
    _tcps: dict[str, Transform] = field(default_factory=dict)

    def tcp(self, side: str) -> Transform:
        """Return T_odom_tcp of the hand `side`."""
        if side not in self._tcps:
            T_odom_base = on_floor(self.base)
            vector = self.command + self.tracking_error
            for name, T_base_tcp in self.kinematics.tcps(vector).items():
                self._tcps[name] = T_odom_base @ T_base_tcp
        return self._tcps[side]

    def item(self, name: str) -> Transform:
        """Return T_odom_item; a held item moves with its hand."""
        for side, hand in self.hands.items():
            if hand.held is not None and hand.held.name == name:
                return self.tcp(side) @ hand.held.T_tcp_item
        return self.items[name]

    def holder(self, name: str) -> str | None:
        """Return the side of the hand that holds the item, or None."""
        for side, hand in self.hands.items():
            if hand.held is not None and hand.held.name == name:
                return side
        return None

    def is_open(self, side: str) -> bool:
        """Check whether the hand is commanded open."""
        arm = self.kinematics.layout.arm(side)
        return arm.opening(float(self.command[arm.gripper])) >= HALF_OPEN

    def grasp(self, side: str, name: str) -> None:
        """Attach the item to the hand in its present pose."""
        self.hands[side].held = Held(name, self.tcp(side).inverse() @ self.items[name])

    def release(self, side: str) -> None:
        """Detach the item from the hand in its present pose."""
        hand = self.hands[side]
        if hand.held is not None:
            self.items[hand.held.name] = self.item(hand.held.name)
            hand.held = None

    def advance(
        self, velocity: np.ndarray, lower: np.ndarray, upper: np.ndarray, dt: float
    ) -> None:
        """Advance by one period `dt` [s] at `velocity` (D,), within `lower` and `upper` (D,)."""
        layout = self.kinematics.layout
        was_open = {side: self.is_open(side) for side in self.hands}
        before, base = self.command, velocity[layout.base]
        self.command = np.minimum(np.maximum(before + velocity * dt, lower), upper)
        self.command[layout.base] = base
        self.velocity = (self.command - before) / dt
        self.velocity[layout.base] = base
        vx, vy, wz = self.kinematics.platform.base_twist(velocity).tolist()
        half = FloorPose(self.base.x, self.base.y, self.base.yaw + wz * dt / 2)
        x, y = half.point((vx * dt, vy * dt))
        self.base = FloorPose(float(x), float(y), self.base.yaw + wz * dt)
        self.tracking_error = self.tracking_error * _SETTLING
        self._tcps.clear()
        for side, hand in self.hands.items():
            crossed = was_open[side] != self.is_open(side)
            hand.since = 0.0 if crossed else hand.since + dt


def planar_pose(robot: RobotState, name: str) -> Pose:
    """Return the pose in odom of a fixture, which moves in a plane only."""
    T_odom_fixture = robot.item(name)
    return Pose(T_odom_fixture.position, yaw_quaternion(yaw_of(T_odom_fixture.rotation)))
