"""MuJoCo model of a robot alone, for kinematics: no home, no actuators, a base that stands."""

from __future__ import annotations

import mujoco
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.robot import robot_spec


def robot_model(platform: Platform, keep: np.ndarray | None = None) -> mujoco.MjModel:
    """Compile a model of the robot alone, with its base fixed at the origin.

    Args:
        platform: The robot.
        keep: Entries of the vector whose joints are kept; None: all that are positions. Every
            other joint is fixed at zero.
    """
    if keep is None:
        keep = np.flatnonzero(~platform.is_velocity)
    names = {platform.dimensions[i].joint_name for i in keep}
    spec = robot_spec(platform)
    for equality in list(spec.equalities):
        spec.delete(equality)
    for actuator in list(spec.actuators):
        spec.delete(actuator)
    for joint in list(spec.joints):
        if joint.name not in names:
            spec.delete(joint)
    return spec.compile()


def q_addresses(model: mujoco.MjModel, platform: Platform, entries: np.ndarray) -> np.ndarray:
    """Return the qpos addresses of entries of the vector, (n,) int."""
    names = [platform.dimensions[i].joint_name for i in entries]
    return np.array([model.joint(name).qposadr[0] for name in names], dtype=int)
