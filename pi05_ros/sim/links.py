"""Where a simulated robot's links stand in their parents, and how fast its wheels turn."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.homes.geometry import quaternion_conjugate, quaternion_multiply, rotate


@dataclass(frozen=True)
class LinkTransforms:
    """Where links stand in their parents: what /tf carries."""

    parents: tuple[str, ...]
    children: tuple[str, ...]
    positions: np.ndarray  # (N, 3) float64 [m], in the parent's frame
    quaternions: np.ndarray  # (N, 4) float64, w x y z


# The product of a conjugate and a quaternion is linear in the products of their components, (4, 4)
# in w x y z of each, which stand here as 16 rows: one matrix product for all links at once.
_PARENT_INVERSE_TIMES_CHILD = quaternion_multiply(
    quaternion_conjugate(np.eye(4))[:, None], np.eye(4)[None]
).reshape(16, 4)


class Links:
    """The links of a robot in a compiled model."""

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
        """The base in odom first, then each link that a joint moves, in its parent."""
        bodies, parents = self._bodies, self._parents
        offset = data.xpos[bodies] - data.xpos[parents]
        # Rows times matrices: turned by the inverse.
        moved = np.matmul(offset[:, None], data.xmat[parents].reshape(-1, 3, 3))[:, 0]
        products = data.xquat[parents][:, :, None] * data.xquat[bodies][:, None]
        turned = products.reshape(-1, 16) @ _PARENT_INVERSE_TIMES_CHILD
        return LinkTransforms(self._parent_names, self._names, moved, turned)


class Wheels:
    """Wheels that turn as the base moves, for what a robot's /joint_states would show.

    A wheel is a hinge without limits whose link hangs on the base. It touches nothing. Its height
    above the floor is its radius, and it rolls without sliding along its own direction; an omni
    wheel's rollers take the rest.
    """

    def __init__(self, model: mujoco.MjModel, platform: Platform) -> None:
        root = model.body(platform.base_frame).id
        rows, self.dofs = [], []
        for joint in range(model.njnt):
            body = model.jnt_bodyid[joint]
            hinge = model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
            if not hinge or model.jnt_limited[joint] or model.body_parentid[body] != root:
                continue
            x, y, radius = model.body_pos[body]
            axis = rotate(model.body_quat[body], model.jnt_axis[joint])
            fx, fy, _ = np.cross(axis, [0.0, 0.0, 1.0])  # Where it rolls when it turns forward.
            rows.append([fx / radius, fy / radius, (x * fy - y * fx) / radius])
            self.dofs.append(int(model.jnt_dofadr[joint]))
        self._rows = np.array(rows, dtype=np.float64).reshape(-1, 3)

    def speeds(self, vx: float, vy: float, wz: float) -> np.ndarray:
        """Speed of each wheel [rad/s] at a velocity of the base in its own frame."""
        return self._rows @ np.array([vx, vy, wz])


def subtree(model: mujoco.MjModel, root: int) -> set[int]:
    """Ids of a body and of all below it."""
    inside = {root}
    for body in range(root + 1, model.nbody):
        if int(model.body_parentid[body]) in inside:
            inside.add(body)
    return inside
