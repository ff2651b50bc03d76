"""Indices of arms, grippers, torso and base in a platform's vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.robot import tcp_site

_BASE_SIZE = 3  # vx, vy, wz of a holonomic base.


@dataclass(frozen=True)
class ArmLayout:
    """One arm with its gripper."""

    side: str  # "left", "right"
    joints: np.ndarray  # Indices in the vector, (n,) int, from the shoulder outwards.
    gripper: int  # Index in the vector.
    tcp: str  # Site at the tool centre point: x out of the hand, the fingers close along y.


@dataclass(frozen=True)
class RobotLayout:
    """The vector of a platform, split into arms, torso and base."""

    arms: tuple[ArmLayout, ...]
    torso: np.ndarray  # Indices in the vector, (n,) int; 0 or more joints that carry all arms.
    base: np.ndarray  # Indices of vx, vy, wz in the vector, (3,) int.

    @classmethod
    def of(cls, platform: Platform) -> RobotLayout:
        """Derive the layout from the platform's groups.

        A gripper group `SIDE_gripper` belongs to the joint group `SIDE_arm`; every joint group
        without a gripper belongs to the torso.

        Raises:
            ConfigError: A gripper has no arm, there is no gripper, or not exactly one base.
        """
        where = platform.source or platform.name
        slices = platform.slices
        joint_groups = {group.name for group in platform.groups_of("joint_trajectory")}
        arms = []
        for group in platform.groups_of("parallel_gripper"):
            side = group.name.removesuffix("_gripper")
            if f"{side}_arm" not in joint_groups:
                raise ConfigError(
                    where, f"the expert wants a group '{side}_arm' for gripper '{group.name}'"
                )
            arms.append(
                ArmLayout(
                    side=side,
                    joints=_indices(slices[f"{side}_arm"]),
                    gripper=slices[group.name].start,
                    tcp=tcp_site(group.name),
                )
            )
        bases = platform.groups_of("base_velocity")
        if not arms or len(bases) != 1:
            raise ConfigError(
                where,
                "the expert wants an arm with a gripper and exactly one base_velocity group, "
                f"found {len(arms)} arms and {len(bases)} bases",
            )
        torso_groups = joint_groups - {f"{arm.side}_arm" for arm in arms}
        torso = [_indices(slices[g.name]) for g in platform.groups if g.name in torso_groups]
        base = _indices(slices[bases[0].name])
        assert len(base) == _BASE_SIZE  # Group checks it.
        return cls(
            arms=tuple(arms),
            torso=np.concatenate(torso) if torso else np.array([], dtype=int),
            base=base,
        )

    def arm(self, side: str) -> ArmLayout:
        """Return the arm of `side`.

        Raises:
            KeyError: There is no such arm.
        """
        return {arm.side: arm for arm in self.arms}[side]


def _indices(entries: slice) -> np.ndarray:
    return np.arange(entries.start, entries.stop)
