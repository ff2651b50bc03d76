"""Forward kinematics from the URDF and a state vector, computed by Pinocchio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.platforms.platform import Group, Platform


class LinkKinematics:
    """Poses of a robot's links for a state vector. Not thread-safe: it reuses its buffers.

    The tool centre point of a gripper is the link whose name ends in `tcp`, fixed to the link that
    carries the gripper's joint, as in the mock home (`pi05_ros.sim.robot`).

    Args:
        platform: The robot; it defines the layout of the state vector.
        urdf: Its description as XML.

    Raises:
        ConfigError: Pinocchio is not installed, the URDF cannot be read, or it lacks a joint or a
            link that the platform names.
    """

    def __init__(self, platform: Platform, urdf: str) -> None:
        try:
            import pinocchio  # Takes about 1 s: imported only when an output has subscribers.
        except ImportError as error:
            raise ConfigError(
                "pinocchio",
                "is not installed, so no gripper's path can be drawn: rosdep install, "
                "or ./pi05 up, which brings it",
            ) from error
        self._pin: Any = pinocchio
        self._platform = platform
        try:
            self._model = pinocchio.buildModelFromXML(urdf)
        except ValueError as error:
            raise ConfigError(platform.urdf, f"pinocchio cannot read the URDF: {error}") from error
        self._data = self._model.createData()
        self._neutral = pinocchio.neutral(self._model)
        self._columns = self._joints()
        self._base = self._frame(platform.base_frame)
        self.tools = tuple(self._tool(g) for g in platform.groups_of("parallel_gripper"))

    def poses(self, states: np.ndarray, links: Sequence[str]) -> np.ndarray:
        """Compute the poses of links in the base frame.

        Args:
            states: (N, D) float64 state vectors, platform units; base velocities are ignored.
            links: Names of L links.

        Returns:
            (N, L, 4, 4) float64, T_base_link of each state and link.

        Raises:
            ConfigError: There is no such link.
        """
        pin, model, data = self._pin, self._model, self._data
        frames = [self._frame(name) for name in links]
        states = np.atleast_2d(np.asarray(states, dtype=np.float64))
        poses = np.empty((len(states), len(frames), 4, 4))
        q = self._neutral.copy()
        for n, state in enumerate(states):
            self._fill(q, state)
            pin.forwardKinematics(model, data, q)
            base = pin.updateFramePlacement(model, data, self._base).inverse()
            for k, frame in enumerate(frames):
                poses[n, k] = (base * pin.updateFramePlacement(model, data, frame)).homogeneous
        return poses

    def reach(self, link: str) -> float | None:
        """Distance from a link to its gripper's tool centre point [m]; None: not on a gripper."""
        frames = self._model.frames
        joint = frames[self._frame(link)].parentJoint
        for tool in self.tools:
            if frames[self._frame(tool)].parentJoint == joint:
                camera, tip = self.poses(self._platform.home, (link, tool))[0, :, :3, 3]
                return float(np.linalg.norm(tip - camera))
        return None

    def _fill(self, q: np.ndarray, state: np.ndarray) -> None:
        """Write the joint positions of a state (D,) into a configuration (nq,)."""
        for index, column, turns, offset, scale in self._columns:
            position = offset + scale * state[column]
            if turns:  # Pinocchio stores a continuous joint as cosine and sine.
                q[index], q[index + 1] = np.cos(position), np.sin(position)
            else:
                q[index] = position

    def _joints(self) -> list[tuple[int, int, bool, float, float]]:
        """List the joints as (index in q, column of the vector, is continuous, offset, scale)."""
        found, column = [], 0
        for group in self._platform.groups:
            for dimension in group.dimensions:
                if not dimension.is_velocity:
                    joint = self._joint(dimension.joint_name)
                    gripper = group.kind == "parallel_gripper"
                    offset = group.joint_closed if gripper else 0.0
                    scale = group.joint_open - group.joint_closed if gripper else 1.0
                    turns = self._model.nqs[joint] == 2
                    found.append((self._model.idx_qs[joint], column, turns, offset, scale))
                column += 1
        return found

    def _tool(self, group: Group) -> str:
        """Return the link at the tool centre point of a gripper."""
        hand = self._model.parents[self._joint(group.dimensions[0].joint_name)]
        for frame in self._model.frames:
            on_hand = frame.type == self._pin.BODY and frame.parentJoint == hand
            fits = frame.name == group.tcp if group.tcp else frame.name.endswith("tcp")
            if on_hand and fits:
                return str(frame.name)
        raise ConfigError(
            self._platform.urdf,
            f"no tool centre point for {group.name}: fix a link whose name ends in 'tcp' to the "
            "link that carries its joint, between the fingertips, or name one in its group "
            "(tcp: LINK)",
        )

    def _joint(self, name: str) -> int:
        if not self._model.existJointName(name):
            raise self._missing("joint", name, list(self._model.names))
        return int(self._model.getJointId(name))

    def _frame(self, name: str) -> int:
        if not self._model.existFrame(name, self._pin.BODY):
            links = [f.name for f in self._model.frames if f.type == self._pin.BODY]
            raise self._missing("link", name, links)
        return int(self._model.getFrameId(name, self._pin.BODY))

    def _missing(self, what: str, name: str, valid: Sequence[str]) -> ConfigError:
        return ConfigError(
            self._platform.urdf,
            f"the URDF has no {what} '{name}', which {self._platform.name} names"
            f"{did_you_mean(name, valid)}",
        )
