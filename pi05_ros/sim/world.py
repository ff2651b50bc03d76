"""A robot in a mock home: physics that steps, commands in, measurements out.

Frames: MuJoCo's world is `odom`, fixed to the room, with its origin where the robot starts.
Simplified on purpose, and said in docs/mock_home.md: grasping is a weld (sim/grasping.py), fingers
pass through items, the base slides on its joints instead of rolling on its wheels.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.inference.observation import Pose, SceneState
from pi05_ros.platforms import Platform
from pi05_ros.sim.geometry import quaternion_conjugate, quaternion_multiply, rotate, yaw_quaternion
from pi05_ros.sim.grasping import GraspWelds
from pi05_ros.sim.home_spec import add_kitchen, item_body
from pi05_ros.sim.kitchen import Kitchen, draw_kitchen
from pi05_ros.sim.robot import (
    BASE_JOINTS,
    home_positions,
    mimic_joints,
    robot_spec,
    servo_name,
    set_joint_positions,
)

_BASE_WINDUP = (0.05, 0.05, 0.1)  # How far the base servos' reference may run ahead [m, m, rad].


@dataclass(frozen=True)
class LinkTransforms:
    """Where links stand in their parents: what /tf carries."""

    parents: tuple[str, ...]
    children: tuple[str, ...]
    positions: np.ndarray  # (N, 3) float64 [m], in the parent's frame
    quaternions: np.ndarray  # (N, 4) float64, w x y z


@dataclass(frozen=True)
class Snapshot:
    """The state of a world at one moment, apart from the world: safe to use in another thread."""

    time: float  # [s] since the start or the last reset.
    qpos: np.ndarray  # MuJoCo's positions.
    model: mujoco.MjModel  # Only ever read by others.
    kitchen: Kitchen
    held: Mapping[str, str]  # Item -> gripper group that holds it.


class World:
    """One robot in one mock home.

    All methods may be called from any thread; each takes the world's lock.

    Args:
        platform: The robot.
        home: Seed of the home.
        timestep: Of the physics [s].
    """

    def __init__(self, platform: Platform, home: int, *, timestep: float = 0.004) -> None:
        self.platform = platform
        self.timestep = timestep
        self._lock = threading.RLock()
        self._build(home)

    # Life

    def reset(self, home: int | None = None) -> None:
        """Starts afresh, in another home if one is given. Time returns to 0."""
        with self._lock:
            if home is None or home == self.home:
                self._start()
            else:
                self._build(home)

    def _build(self, home: int) -> None:
        kitchen = draw_kitchen(home)
        spec = robot_spec(self.platform)
        spec.option.timestep = self.timestep
        add_kitchen(spec, kitchen)
        GraspWelds.declare(spec, self.platform, kitchen)
        self.kitchen = kitchen
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.grasps = GraspWelds(self.model, self.platform, kitchen)
        self._index()
        self._start()

    def _index(self) -> None:
        """Looks up once what every step needs."""
        model = self.model
        robot = _subtree(model, model.body(self.platform.base_frame).id)
        joints = [j for j in range(model.njnt) if model.jnt_bodyid[j] in robot]
        names = [model.joint(j).name for j in joints]
        own = [(n, j) for n, j in zip(names, joints, strict=True) if n not in BASE_JOINTS]
        self.joint_names = tuple(n for n, _ in own)
        self._qpos_of = np.array([model.jnt_qposadr[j] for _, j in own])
        self._dof_of = np.array([model.jnt_dofadr[j] for _, j in own])
        mimics = mimic_joints(model)
        self._servo_of = {
            n: model.actuator(servo_name(n)).id
            for n, j in own
            if j not in mimics and _has_actuator(model, servo_name(n))
        }
        self._base_qpos = np.array([model.joint(n).qposadr[0] for n in BASE_JOINTS])
        self._base_dof = np.array([model.joint(n).dofadr[0] for n in BASE_JOINTS])
        servos = [model.actuator(servo_name(n)).id for n in BASE_JOINTS]
        self._base_ctrl = np.array(servos)
        self._base_act = np.array([model.actuator_actadr[s] for s in servos])
        self._lead = np.zeros(model.nu)  # kv / kp: what a position servo lags per speed [s].
        for servo in self._servo_of.values():
            self._lead[servo] = (
                -model.actuator_biasprm[servo, 2] / model.actuator_gainprm[servo, 0]
            )
        self._item_bodies = np.array(
            [model.body(item_body(i.name)).id for i in self.kitchen.items]
        )
        self._index_links(robot)
        self._index_wheels(own)

    def _index_links(self, robot: set[int]) -> None:
        model, root = self.model, model_root(self.model, self.platform)
        bodies = sorted(robot - {root})
        moving = [b for b in bodies if model.body_jntnum[b] > 0]
        fixed = [b for b in bodies if model.body_jntnum[b] == 0]
        self._moving = np.array([root, *moving])
        self._moving_parent = model.body_parentid[self._moving]
        self._link_names = tuple(model.body(b).name for b in self._moving)
        self._link_parents = (
            self.platform.odom_frame,
            *(model.body(model.body_parentid[b]).name for b in moving),
        )
        self._fixed = LinkTransforms(
            tuple(model.body(model.body_parentid[b]).name for b in fixed),
            tuple(model.body(b).name for b in fixed),
            model.body_pos[fixed].copy(),
            model.body_quat[fixed].copy(),
        )

    def _index_wheels(self, own: list[tuple[str, int]]) -> None:
        """Rows that turn the base's velocity into the speed of each wheel [rad/s].

        A wheel is a hinge without limits on the base. It rolls without sliding along its own
        direction; an omni wheel's rollers take the rest.
        """
        model, rows, dofs = self.model, [], []
        root = model_root(self.model, self.platform)
        for _, j in own:
            body = model.jnt_bodyid[j]
            if model.jnt_limited[j] or model.body_parentid[body] != root:
                continue
            if model.jnt_type[j] != mujoco.mjtJoint.mjJNT_HINGE:
                continue
            x, y, radius = model.body_pos[body]
            axis = rotate(model.body_quat[body], model.jnt_axis[j])
            forward = np.cross(axis, [0.0, 0.0, 1.0])
            rows.append(
                np.array([forward[0], forward[1], x * forward[1] - y * forward[0]]) / radius
            )
            dofs.append(model.jnt_dofadr[j])
        self._wheel_rows = np.array(rows).reshape(-1, 3)
        self._wheel_dof = np.array(dofs, dtype=int)

    def _start(self) -> None:
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        home = home_positions(self.platform)
        set_joint_positions(model, data.qpos, home)
        self._target = np.zeros(model.nu)
        for name, servo in self._servo_of.items():
            self._target[servo] = home.get(name, 0.0)
        self._reached = self._target.copy()
        self._base_command = np.zeros(3)
        self.grasps.reset(data)
        data.ctrl[:] = self._target
        mujoco.mj_forward(model, data)

    # Commands

    def set_joint_command(self, joint: str, position: float) -> None:
        """Sets where a joint's servo goes [rad or m].

        The drives interpolate: the command is reached on a straight line over the next `step`, as
        drives in interpolated position mode do, and then held.

        Raises:
            Pi05Error: There is no such servo, or the position is not finite.
        """
        with self._lock:
            servo = self._servo_of.get(joint)
            if servo is None:
                raise Pi05Error(
                    f"no servo moves a joint '{joint}'{did_you_mean(joint, self._servo_of)} "
                    f"(valid: {', '.join(self._servo_of)})"
                )
            if not math.isfinite(position):
                raise Pi05Error(f"the command {position} for joint '{joint}' is not finite")
            self._target[servo] = position

    def set_joint_commands(self, positions: Mapping[str, float]) -> None:
        """Sets several joint commands, by joint name [rad or m]. See `set_joint_command`."""
        with self._lock:
            for joint, position in positions.items():
                self.set_joint_command(joint, position)

    def set_base_command(self, vx: float, vy: float, wz: float) -> None:
        """Sets the base's velocity in its own frame [m/s, m/s, rad/s]. Holds until the next call.

        Raises:
            Pi05Error: A component is not finite.
        """
        if not all(math.isfinite(v) for v in (vx, vy, wz)):
            raise Pi05Error(f"the base command ({vx}, {vy}, {wz}) is not finite")
        with self._lock:
            self._base_command = np.array([vx, vy, wz], dtype=np.float64)

    def step(self, duration: float) -> None:
        """Advances by `duration` [s], rounded to whole time steps (at least one)."""
        with self._lock:
            model, data = self.model, self.data
            steps = max(1, round(duration / self.timestep))
            target = self.grasps.stalled(self._target, data)
            rate = (target - self._reached) / (steps * self.timestep)
            for i in range(steps):
                reference = self._reached + rate * (i + 1) * self.timestep
                data.ctrl[:] = reference + self._lead * rate
                self._drive_base()
                mujoco.mj_step(model, data)
                self.grasps.update(data, self._target)
            self._reached = target
            mujoco.mj_kinematics(model, data)

    def _drive_base(self) -> None:
        data = self.data
        qpos = data.qpos[self._base_qpos]
        c, s = math.cos(qpos[2]), math.sin(qpos[2])
        vx, vy, wz = self._base_command
        data.ctrl[self._base_ctrl] = (c * vx - s * vy, s * vx + c * vy, wz)
        # A base that is blocked must not wind up and leap when it is free.
        act = data.act[self._base_act]
        data.act[self._base_act] = np.clip(act, qpos - _BASE_WINDUP, qpos + _BASE_WINDUP)
        if self._wheel_dof.size:
            data.qvel[self._wheel_dof] = self._wheel_rows @ self.base_velocity()

    # Measurements

    @property
    def home(self) -> int:
        """Seed of the home."""
        return self.kitchen.seed

    @property
    def time(self) -> float:
        """Simulated time since the start or the last reset [s]."""
        return float(self.data.time)

    def joint_positions(self) -> dict[str, float]:
        """Positions of all joints of the URDF by name [rad or m]."""
        with self._lock:
            return dict(zip(self.joint_names, self.data.qpos[self._qpos_of].tolist(), strict=True))

    def joint_velocities(self) -> dict[str, float]:
        """Velocities of all joints of the URDF by name [rad/s or m/s]."""
        with self._lock:
            return dict(zip(self.joint_names, self.data.qvel[self._dof_of].tolist(), strict=True))

    def base_pose(self) -> tuple[float, float, float]:
        """x [m], y [m], yaw [rad] of the base in odom; yaw counts full turns."""
        with self._lock:
            x, y, yaw = self.data.qpos[self._base_qpos].tolist()
        return x, y, yaw

    def base_velocity(self) -> tuple[float, float, float]:
        """vx, vy [m/s], wz [rad/s] of the base in its own frame."""
        with self._lock:
            yaw = self.data.qpos[self._base_qpos[2]]
            x, y, wz = self.data.qvel[self._base_dof]
        c, s = math.cos(yaw), math.sin(yaw)
        return float(c * x + s * y), float(-s * x + c * y), float(wz)

    def scene_state(self) -> SceneState:
        """Ground truth: base and items in odom."""
        with self._lock:
            x, y, yaw = self.base_pose()
            positions = self.data.xpos[self._item_bodies].copy()
            quaternions = self.data.xquat[self._item_bodies].copy()
        return SceneState(
            home=self.home,
            base=Pose(np.array([x, y, 0.0]), yaw_quaternion(yaw)),
            objects={
                item.name: Pose(positions[i], quaternions[i])
                for i, item in enumerate(self.kitchen.items)
            },
        )

    def held(self) -> dict[str, str]:
        """Items that are held now: item name -> gripper group."""
        with self._lock:
            return self.grasps.held()

    def link_transforms(self) -> LinkTransforms:
        """odom → base frame first, then each link that a joint moves, in its parent (for /tf)."""
        with self._lock:
            xpos, xquat = self.data.xpos, self.data.xquat
            inverse = quaternion_conjugate(xquat[self._moving_parent])
            offset = xpos[self._moving] - xpos[self._moving_parent]
            quaternions = quaternion_multiply(inverse, xquat[self._moving])
        return LinkTransforms(
            self._link_parents, self._link_names, rotate(inverse, offset), quaternions
        )

    def static_link_transforms(self) -> LinkTransforms:
        """The links that are fixed to their parents (for /tf_static, once)."""
        return self._fixed

    def snapshot(self) -> Snapshot:
        """A copy of the state for a renderer in another thread."""
        with self._lock:
            return Snapshot(
                self.time, self.data.qpos.copy(), self.model, self.kitchen, self.grasps.held()
            )


def model_root(model: mujoco.MjModel, platform: Platform) -> int:
    """Id of the body of the platform's base frame."""
    return int(model.body(platform.base_frame).id)


def _subtree(model: mujoco.MjModel, root: int) -> set[int]:
    """Ids of a body and of all below it."""
    inside = {int(root)}
    for body in range(root + 1, model.nbody):
        if int(model.body_parentid[body]) in inside:
            inside.add(body)
    return inside


def _has_actuator(model: mujoco.MjModel, name: str) -> bool:
    return mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_ACTUATOR, name) >= 0
