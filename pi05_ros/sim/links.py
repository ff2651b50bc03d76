"""Transforms of a simulated robot's links for tf, and speeds of its wheels."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.homes.geometry import quaternion_conjugate, quaternion_multiply, rotate


@dataclass(frozen=True)
class LinkTransforms:
    """Poses of links in the frames of their parents, as published on /tf."""

    parents: tuple[str, ...]
    children: tuple[str, ...]
    positions: np.ndarray  # (N, 3) float64 [m], in the parent's frame
    quaternions: np.ndarray  # (N, 4) float64, w x y z


_LEAST_RADIUS = 1e-3  # A hinge at or below the base's height rolls on no floor [m].

# conjugate(a) * b is linear in the 16 products of the components of a and b (w x y z each). As a
# (16, 4) matrix it serves all links in one matrix product.
_PARENT_INVERSE_TIMES_CHILD = quaternion_multiply(
    quaternion_conjugate(np.eye(4))[:, None], np.eye(4)[None]
).reshape(16, 4)


class Links:
    """Links of a robot in a compiled model, split into fixed and moving ones."""

    def __init__(self, model: mujoco.MjModel, platform: Platform) -> None:
        root = int(model.body(platform.base_frame).id)
        below = sorted(subtree(model, root) - {root})
        moving = [body for body in below if model.body_jntnum[body] > 0]
        fixed = [body for body in below if model.body_jntnum[body] == 0]

        def names(bodies: list[int]) -> tuple[str, ...]:
            return tuple(model.body(body).name for body in bodies)

        def parents(bodies: list[int]) -> list[int]:
            return [int(model.body_parentid[body]) for body in bodies]

        self._bodies = np.array([root, *moving])
        self._parents = model.body_parentid[self._bodies]
        self._names = (platform.base_frame, *names(moving))
        self._parent_names = (platform.odom_frame, *names(parents(moving)))
        self.fixed = LinkTransforms(
            names(parents(fixed)),
            names(fixed),
            model.body_pos[fixed].copy(),
            model.body_quat[fixed].copy(),
        )

    def moving(self, data: mujoco.MjData) -> LinkTransforms:
        """Return the pose of the base in odom, then of each link with a joint in its parent."""
        bodies, parents = self._bodies, self._parents
        offset = data.xpos[bodies] - data.xpos[parents]
        # A row vector times a rotation matrix is rotated by the inverse.
        moved = np.matmul(offset[:, None], data.xmat[parents].reshape(-1, 3, 3))[:, 0]
        products = data.xquat[parents][:, :, None] * data.xquat[bodies][:, None]
        turned = products.reshape(-1, 16) @ _PARENT_INVERSE_TIMES_CHILD
        return LinkTransforms(self._parent_names, self._names, moved, turned)


class Wheels:
    """Wheels that turn with the motion of the base, for realistic /joint_states.

    A wheel is a hinge without limits whose link is a child of the base, other than the platform's
    continuous joints. It has no contacts. Its height above the floor is its radius. It rolls
    without slipping along its own direction; the other components are taken by the rollers of an
    omni wheel.
    """

    def __init__(self, model: mujoco.MjModel, platform: Platform) -> None:
        root = model.body(platform.base_frame).id
        driven = {dimension.joint_name for dimension in platform.dimensions}
        rows, self.dofs = [], []
        for joint in range(model.njnt):
            body = model.jnt_bodyid[joint]
            hinge = model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
            if not hinge or model.jnt_limited[joint] or model.body_parentid[body] != root:
                continue
            if model.joint(joint).name in driven:
                continue
            x, y, radius = model.body_pos[body]
            if radius < _LEAST_RADIUS:
                continue
            axis = rotate(model.body_quat[body], model.jnt_axis[joint])
            fx, fy, _ = np.cross(axis, [0.0, 0.0, 1.0])  # Rolling direction of positive rotation.
            rows.append([fx / radius, fy / radius, (x * fy - y * fx) / radius])
            self.dofs.append(int(model.jnt_dofadr[joint]))
        self._rows = np.array(rows, dtype=np.float64).reshape(-1, 3)

    def speeds(self, vx: float, vy: float, wz: float) -> np.ndarray:
        """Compute the speed of each wheel [rad/s] for a base velocity in base_link."""
        return self._rows @ np.array([vx, vy, wz])


def subtree(model: mujoco.MjModel, root: int) -> set[int]:
    """Return the ids of a body and of all its descendants."""
    inside = {root}
    for body in range(root + 1, model.nbody):
        if int(model.body_parentid[body]) in inside:
            inside.add(body)
    return inside
