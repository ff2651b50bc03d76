"""The robot of a mock home as one vector: measured, and commanded."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.world import World


def measured_state(platform: Platform, world: World) -> np.ndarray:
    """(D,) float64 in platform units."""
    joints = world.joint_positions()
    state = np.empty(platform.size)
    for group in platform.groups:
        place = platform.slices[group.name]
        if group.kind == "base_velocity":
            state[place] = world.base_velocity()
            continue
        state[place] = [joints[d.joint_name] for d in group.dimensions]
        if group.kind == "parallel_gripper":
            state[place] -= group.joint_closed
            state[place] /= group.joint_open - group.joint_closed
    return state


def send_command(platform: Platform, world: World, command: np.ndarray) -> None:
    """Hands a command (D,) in platform units to the motors."""
    joints: dict[str, float] = {}
    for group in platform.groups:
        values = command[platform.slices[group.name]]
        if group.kind == "base_velocity":
            world.set_base_command(*values)
            continue
        if group.kind == "parallel_gripper":
            values = group.joint_closed + values * (group.joint_open - group.joint_closed)
        joints |= {d.joint_name: float(v) for d, v in zip(group.dimensions, values, strict=True)}
    world.set_joint_commands(joints)
