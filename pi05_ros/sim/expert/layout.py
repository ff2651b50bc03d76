"""Indices of arms, grippers, torso and base in a platform's vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.platforms.description import (
    arm_groups,
    check_for_expert,
    load_urdf,
    torso_groups,
)
from pi05_ros.platforms.platform import Group, Platform
from pi05_ros.sim.robot import tcp_site


@dataclass(frozen=True)
class ArmLayout:
    """One arm with its gripper."""

    side: str  # Its gripper's group, without "_gripper": "left", "right".
    joints: np.ndarray  # Indices in the vector, (n,) int, from the shoulder outwards.
    gripper: int  # Index in the vector.
    closed: float  # Value of a closed gripper, and of an open one [its unit].
    opened: float
    tcp: str  # Site at the tool centre point: x out of the hand, the fingers close along y.

    def opening(self, value: float) -> float:
        """Return the opening fraction of the gripper at a value of its entry."""
        return (value - self.closed) / (self.opened - self.closed)


@dataclass(frozen=True)
class RobotLayout:
    """The vector of a platform, split into arms, torso and base."""

    arms: tuple[ArmLayout, ...]
    torso: np.ndarray  # Indices in the vector, (n,) int; 0 or more joints that carry all arms.
    base: np.ndarray  # Indices of the base velocities in the vector, (3,), (2,) or (0,) int.
    base_axes: tuple[int, ...]  # Component of (vx, vy, wz) of each of them.

    @classmethod
    def of(cls, platform: Platform) -> RobotLayout:
        """Derive the layout from the platform's groups and its URDF.

        Which groups are an arm and which are the torso is decided by what they carry, see
        `pi05_ros.platforms.description.arm_groups`. Joints that carry no gripper, as those of a
        head, are in neither: the expert leaves them where they are.

        Raises:
            ConfigError: No group moves a gripper, there is or there is no gripper.
        """
        urdf = load_urdf(platform)
        check_for_expert(platform, urdf)
        slices = platform.slices

        def indices(groups: tuple[Group, ...]) -> np.ndarray:
            parts = [np.arange(platform.size)[slices[group.name]] for group in groups]
            return np.concatenate(parts) if parts else np.array([], dtype=int)

        arms = tuple(
            ArmLayout(
                side=gripper.removesuffix("_gripper"),
                joints=indices(groups),
                gripper=slices[gripper].start,
                closed=float(platform.lower[slices[gripper].start]),
                opened=float(platform.upper[slices[gripper].start]),
                tcp=tcp_site(gripper),
            )
            for gripper, groups in arm_groups(platform, urdf).items()
        )
        return cls(
            arms=arms,
            torso=indices(torso_groups(platform, urdf)),
            base=indices(platform.groups_of("base_velocity")),
            base_axes=platform.base_axes,
        )

    @property
    def drives(self) -> bool:
        """Whether there is a base; without one the robot works where it stands."""
        return len(self.base) > 0

    def arm(self, side: str) -> ArmLayout:
        """Return the arm of `side`.

        Raises:
            KeyError: There is no such arm.
        """
        return {arm.side: arm for arm in self.arms}[side]
