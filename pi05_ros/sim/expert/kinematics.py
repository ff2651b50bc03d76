"""Forward (MuJoCo) and inverse (mink) kinematics of a platform's arms, in its base frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mink
import mujoco
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.layout import ArmLayout, RobotLayout
from pi05_ros.sim.expert.transforms import Transform
from pi05_ros.sim.robot_model import q_addresses, robot_model

_SOLVER = "daqp"
_POSTURE_COST = 1e-3  # Small against the frame task's 1.0: it only resolves redundancy.
_TORSO_COST = 3e-2  # Higher, because the torso is slow: the arms move first.
_DAMPING = 1e-4
_STEP_LENGTH, _STEP_ANGLE = 0.3, 0.5  # Intermediate steps to a far target [m], [rad].


@dataclass(frozen=True)
class IkSolution:
    """Result of the inverse kinematics."""

    vector: np.ndarray  # (D,) float64, the seed with the solved joints replaced.
    position_error: float  # [m]
    angle_error: float  # [rad]

    def reaches(self, position: float = 2e-3, angle: float = 2e-2) -> bool:
        """Check whether the errors are within `position` [m] and `angle` [rad]."""
        return self.position_error <= position and self.angle_error <= angle


class ArmKinematics:
    """Poses of hands and cameras for a state vector, and inverse kinematics of the hands.

    Not thread-safe: it reuses its buffers. Base velocities in a vector are ignored.
    """

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.layout = RobotLayout.of(platform)
        self._model = robot_model(platform)
        self._data = mujoco.MjData(self._model)
        positions = np.flatnonzero(~platform.is_velocity)
        grippers = {arm.gripper for arm in self.layout.arms}
        self._entries = np.array([i for i in positions if i not in grippers])
        self._q_entries = q_addresses(self._model, platform, self._entries)
        self._chains = {arm.side: _Chain(platform, self.layout, arm) for arm in self.layout.arms}

        self._tcp_sites = {arm.side: self._model.site(arm.tcp).id for arm in self.layout.arms}

    def tcps(self, vector: np.ndarray) -> dict[str, Transform]:
        """Return T_base_tcp of each hand, by side, for the state `vector` (D,)."""
        self._update(vector)
        xmat, xpos = self._data.site_xmat, self._data.site_xpos
        return {
            side: Transform(xmat[site].reshape(3, 3).copy(), xpos[site].copy())
            for side, site in self._tcp_sites.items()
        }

    def shoulder(self, vector: np.ndarray, side: str) -> np.ndarray:
        """Return the position of an arm's first joint in the base frame, (3,) [m]."""
        self._update(vector)
        first = self.platform.dimensions[self.layout.arm(side).joints[0]].joint_name
        return self._data.joint(first).xanchor.copy()

    def camera(self, vector: np.ndarray, name: str) -> Transform:
        """Return T_base_camera of a camera's optical frame (z forward, x right, y down)."""
        self._update(vector)
        return _transform(self._data.body(self.platform.camera(name).frame))

    def _update(self, vector: np.ndarray) -> None:
        self._data.qpos[self._q_entries] = vector[self._entries]
        mujoco.mj_kinematics(self._model, self._data)

    def solve(
        self,
        side: str,
        T_base_tcp: Transform,
        seed: np.ndarray,
        *,
        move_torso: bool = False,
        iterations: int = 30,
    ) -> IkSolution:
        """Solve for the joints that put the hand `side` at `T_base_tcp`.

        Args:
            side: Side of the arm.
            T_base_tcp: Target pose of its tool centre point in the base frame.
            seed: (D,) start vector; it also provides the entries that do not move.
            move_torso: Whether the torso joints may move.
            iterations: Largest number of solver steps at the target.
        """
        return self._chains[side].solve(T_base_tcp, seed, move_torso, iterations)


class _Chain:
    """One arm with the torso as a separate, smaller model, for a faster solver."""

    def __init__(self, platform: Platform, layout: RobotLayout, arm: ArmLayout) -> None:
        self._platform = platform
        self._arm = arm
        self._torso = layout.torso
        self._entries = np.concatenate([layout.torso, arm.joints])
        self._model = robot_model(platform, keep=self._entries)
        self._q_entries = q_addresses(self._model, platform, self._entries)
        self._home = np.zeros(self._model.nq)
        self._home[self._q_entries] = platform.home[self._entries]
        self._configuration = mink.Configuration(self._model)
        self._frame = mink.FrameTask(arm.tcp, "site", position_cost=1.0, orientation_cost=0.3)
        cost = np.full(self._model.nv, _POSTURE_COST)
        torso_q = q_addresses(self._model, platform, layout.torso)
        cost[torso_q] = _TORSO_COST
        self._posture = mink.PostureTask(self._model, cost=cost)
        self._limits = [mink.ConfigurationLimit(self._model)]
        self._frozen = (
            [mink.DofFreezingTask(self._model, dof_indices=torso_q.tolist())]
            if len(torso_q)
            else []
        )

    def solve(
        self, T_base_tcp: Transform, seed: np.ndarray, move_torso: bool, iterations: int
    ) -> IkSolution:
        q = np.empty(self._model.nq)
        low, high = self._platform.lower[self._entries], self._platform.upper[self._entries]
        q[self._q_entries] = np.clip(seed[self._entries], low, high)
        self._configuration.update(q)
        target = mink.SE3.from_rotation_and_translation(
            mink.SO3.from_matrix(T_base_tcp.rotation), T_base_tcp.position
        )
        self._posture.set_target(q)
        constraints = [] if move_torso else self._frozen
        # A far target is approached in short, nearly linear steps, so that the solver neither
        # switches to another solution branch nor gets stuck at a limit.
        start = self._configuration.get_transform_frame_to_world(self._frame.frame_name, "site")
        self._frame.set_target(target)
        distance, angle = self._error()
        steps = math.ceil(max(distance / _STEP_LENGTH, angle / _STEP_ANGLE, 1.0))
        for step in range(1, steps):
            self._frame.set_target(start.interpolate(target, step / steps))
            self._iterate(constraints, 2)
        self._frame.set_target(target)
        self._iterate(constraints, iterations)
        vector = np.array(seed, dtype=np.float64)
        vector[self._entries] = np.clip(self._configuration.q[self._q_entries], low, high)
        if not move_torso:  # On some processors the solver changes frozen joints by rounding.
            vector[self._torso] = seed[self._torso]
        return IkSolution(vector, *self._error())

    def _iterate(self, constraints: list[mink.DofFreezingTask], iterations: int) -> None:
        for _ in range(iterations):
            distance, angle = self._error()
            if distance < 1e-4 and angle < 1e-3:
                return
            velocity = mink.solve_ik(
                self._configuration,
                [self._frame, self._posture],
                dt=1.0,
                solver=_SOLVER,
                damping=_DAMPING,
                limits=self._limits,
                constraints=constraints,
            )
            self._configuration.integrate_inplace(velocity, 1.0)

    def _error(self) -> tuple[float, float]:
        """Return distance [m] and angle [rad] to the present target."""
        twist = self._frame.compute_error(self._configuration)
        return float(np.linalg.norm(twist[:3])), float(np.linalg.norm(twist[3:]))


def _transform(view) -> Transform:
    """Return T_base_x of a body or site x of the robot model."""
    return Transform(view.xmat.reshape(3, 3).copy(), view.xpos.copy())
