"""Physics of a robot in a mock home: commands in, simulation steps, measurements out.

Frames: MuJoCo's world frame is `odom`, fixed to the room, with its origin at the robot's start
pose, x forward and z up (REP-103). The base velocity is in `base_link`. A robot without a base
stands elsewhere in it: at its place before the room's main surface (sim/standing.py).
Units: m, rad, s, kg; grippers by the position of their URDF joint.
Simplifications (docs/mock_home.md): grasping is a weld (sim/grasping.py), fingers pass through
items, and the base slides on planar joints instead of rolling on its wheels.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.urdf import parse_urdf
from pi05_ros.sim.deviations import deviate
from pi05_ros.sim.grasping import GraspWelds
from pi05_ros.sim.home_spec import add_room, fixture_body, fixture_start, item_body
from pi05_ros.sim.homes.difficulty import IDEAL, Difficulty
from pi05_ros.sim.homes.distractors import with_distractors
from pi05_ros.sim.homes.geometry import FloorPose, yaw_quaternion
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.links import Links, LinkTransforms, Wheels, subtree
from pi05_ros.sim.picture_effects import PictureEffects
from pi05_ros.sim.robot import (
    BASE_JOINTS,
    home_positions,
    robot_spec,
    servo_name,
    set_joint_positions,
)
from pi05_ros.sim.standing import WithinReach, arm_reaches, reachable, working_stance

_BASE_WINDUP = (0.05, 0.05, 0.1)  # Largest lead of the base servos' reference [m, m, rad].


@dataclass(frozen=True)
class Snapshot:
    """Copy of a world's state at one time, safe to use in another thread."""

    time: float  # Since the start or the last reset [s].
    qpos: np.ndarray  # MuJoCo's generalised positions, (nq,).
    model: mujoco.MjModel  # Shared with the world; must not be modified.
    room: Room
    held: Mapping[str, str]  # Item or fixture -> gripper group that holds it.
    effects: PictureEffects | None = None  # Of the cameras; None: none.


class World:
    """One robot in one mock home.

    All methods may be called from any thread; each acquires the world's lock.

    Args:
        platform: The robot.
        home: Seed of the home.
        room: Kind of its room, one of `sim.homes.rooms.ROOMS`.
        timestep: Time step of the physics [s].
        difficulty: Deviations of light, cameras and sensors, and distractors. Sensors' errors are
            in `sim.sensors`; what this class returns is the truth.
        description: URDF of the robot as `description_xml` returns it; None: it is expanded once.

    Attributes:
        within_reach: What the robot reaches at the start; None: it can drive to everything.
    """

    within_reach: WithinReach | None

    def __init__(
        self,
        platform: Platform,
        home: int,
        room: str = "kitchen",
        *,
        timestep: float = 0.004,
        difficulty: Difficulty = IDEAL,
        description: str | None = None,
    ) -> None:
        self.platform = platform
        self.difficulty = difficulty
        self.timestep = timestep
        self._description = description_xml(platform) if description is None else description
        self._lock = threading.RLock()
        self._build(home, room)

    # Build and reset

    def reset(self, home: int | None = None, room: str | None = None) -> None:
        """Restart, in another home or room if one is given. Time returns to 0."""
        with self._lock:
            home, kind = self.home if home is None else home, room or self.room.kind
            if (home, kind) == (self.home, self.room.kind):
                self._start()
            else:
                self._build(home, kind)

    def begin_from(self, qpos: np.ndarray, closing: Collection[str] = ()) -> None:
        """Restart in the present room from a state in which everything rests.

        Args:
            qpos: MuJoCo's generalised positions, (nq,), as in a snapshot.
            closing: Groups of grippers that are closing: each grasps what is between its fingers
                in the first step. The others hold nothing.
        """
        with self._lock:
            self._start()
            model, data = self.model, self.data
            data.qpos[:] = qpos
            for name, servo in self._servo_of.items():
                self._target[servo] = qpos[model.joint(name).qposadr[0]]
            self._reached = self._target.copy()
            data.ctrl[:] = self._target
            data.act[self._base_act] = [qpos[address] for address in self._base_qpos]
            self.grasps.let_grasp(closing)
            mujoco.mj_forward(model, data)

    def _build(self, home: int, kind: str) -> None:
        room = with_distractors(draw_room(kind, home), self.difficulty.distractors)
        spec = robot_spec(self.platform, self._description)
        spec.option.timestep = self.timestep
        spec.option.impratio = 10.0  # Stiff friction: items that lean in the sink do not creep.
        spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE  # Faster at 70 degrees of freedom.
        add_room(spec, room)
        deviate(spec, self.platform, home, self.difficulty)
        GraspWelds.declare(spec, self.platform, room)
        self.room = room
        self._effects = PictureEffects(self.platform, home, self.difficulty)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.grasps = GraspWelds(self.model, self.platform, room)
        self._index()
        self._stand()
        self._start()

    def _index(self) -> None:
        """Look up the MuJoCo ids and addresses that every step needs."""
        model = self.model
        self._links, self._wheels = Links(model, self.platform), Wheels(model, self.platform)
        robot = subtree(model, int(model.body(self.platform.base_frame).id))
        joints = {
            model.joint(j).name: j for j in range(model.njnt) if model.jnt_bodyid[j] in robot
        }
        base = [joints.pop(name) for name in BASE_JOINTS]
        own = list(joints.values())
        self.joint_names = tuple(joints)
        self._qpos_of, self._dof_of = model.jnt_qposadr[own], model.jnt_dofadr[own]
        # Lists, because access to three single numbers is faster than numpy indexing.
        self._base_qpos = model.jnt_qposadr[base].tolist()
        self._base_dof = model.jnt_dofadr[base].tolist()
        self._servo_of = {
            name: model.actuator(servo_name(name)).id
            for name in joints
            if _has_actuator(model, servo_name(name))
        }
        self._base_servos = [int(model.actuator(servo_name(n)).id) for n in BASE_JOINTS]
        self._base_act = model.actuator_actadr[self._base_servos].tolist()
        self._lead = np.zeros(model.nu)  # kv / kp, the time lag of a position servo [s].
        for servo in self._servo_of.values():
            self._lead[servo] = (
                -model.actuator_biasprm[servo, 2] / model.actuator_gainprm[servo, 0]
            )
        bodies = {item.name: item_body(item.name) for item in self.room.items}
        bodies |= {fixture.name: fixture_body(fixture.name) for fixture in self.room.fixtures}
        self._objects = {name: model.body(body).id for name, body in bodies.items()}

    def _stand(self) -> None:
        """Choose where the base is at the start, in odom: the origin, unless it cannot drive."""
        platform = self.platform
        self._stance = FloorPose(0.0, 0.0, 0.0)
        self.within_reach = None
        if not platform.base_axes and platform.groups_of("parallel_gripper"):
            arms = arm_reaches(self.model, platform, parse_urdf(self._description, platform.urdf))
            self._stance = working_stance(self.room, arms)
            self.within_reach = reachable(self.room, arms, self._stance)

    def _start(self) -> None:
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        home = home_positions(self.platform)
        set_joint_positions(model, data.qpos, home | fixture_start(self.room))
        stance = (self._stance.x, self._stance.y, self._stance.yaw)
        data.qpos[self._base_qpos] = data.act[self._base_act] = stance
        self._target = np.zeros(model.nu)
        for name, servo in self._servo_of.items():
            self._target[servo] = home.get(name, 0.0)
        self._reached = self._target.copy()
        self._base_command = (0.0, 0.0, 0.0)
        self.grasps.reset(data)
        data.ctrl[:] = self._target
        mujoco.mj_forward(model, data)

    # Commands

    def set_joint_command(self, joint: str, position: float) -> None:
        """Set the position command of a joint's servo [rad or m].

        The drives interpolate: the reference moves linearly to the command over the next `step`,
        as in interpolated position mode, and is then held.

        Raises:
            Pi05Error: There is no such servo, or the position is not finite.
        """
        self.set_joint_commands({joint: position})

    def set_joint_commands(self, positions: Mapping[str, float]) -> None:
        """Set several position commands, by joint name [rad or m]. See `set_joint_command`."""
        with self._lock:
            for joint, position in positions.items():
                servo = self._servo_of.get(joint)
                if servo is None:
                    raise Pi05Error(
                        f"no servo moves a joint '{joint}'{did_you_mean(joint, self._servo_of)} "
                        f"(valid: {', '.join(self._servo_of)})"
                    )
                if not math.isfinite(position):
                    raise Pi05Error(f"the command {position} for joint '{joint}' is not finite")
                self._target[servo] = position

    def set_base_command(self, vx: float, vy: float, wz: float) -> None:
        """Set the base velocity in base_link [m/s, m/s, rad/s]. It holds until the next call.

        Raises:
            Pi05Error: A component is not finite.
        """
        if not all(math.isfinite(v) for v in (vx, vy, wz)):
            raise Pi05Error(f"the base command ({vx}, {vy}, {wz}) is not finite")
        with self._lock:
            self._base_command = (float(vx), float(vy), float(wz))

    def step(self, duration: float) -> None:
        """Advance by `duration` [s], rounded to whole time steps (at least one)."""
        with self._lock:
            model, data = self.model, self.data
            steps = max(1, round(duration / self.timestep))
            target = self.grasps.stalled(self._target, data)
            rate = (target - self._reached) / (steps * self.timestep)
            data.qvel[self._wheels.dofs] = self._wheels.speeds(*self.base_velocity())
            numbers = np.arange(1, steps + 1)[:, None]
            reference = self._reached + rate * numbers * self.timestep  # (steps, nu)
            for control in reference + self._lead * rate:
                data.ctrl[:] = control
                self._drive_base()
                mujoco.mj_step(model, data)
                self.grasps.update(data, self._target)
            self._reached = target
            mujoco.mj_kinematics(model, data)

    def _drive_base(self) -> None:
        pose, control, act = self.base_pose(), self.data.ctrl, self.data.act
        c, s = math.cos(pose[2]), math.sin(pose[2])
        vx, vy, wz = self._base_command
        x, y, yaw = self._base_servos
        control[x], control[y], control[yaw] = c * vx - s * vy, s * vx + c * vy, wz
        # Anti-windup: a blocked base must not jump when it becomes free.
        for address, place, windup in zip(self._base_act, pose, _BASE_WINDUP, strict=True):
            act[address] = min(max(act.item(address), place - windup), place + windup)

    # Measurements

    @property
    def home(self) -> int:
        """Seed of the home."""
        return self.room.seed

    @property
    def time(self) -> float:
        """Simulated time since the start or the last reset [s]."""
        return float(self.data.time)

    def joint_positions(self) -> dict[str, float]:
        """Return the positions of all joints of the URDF by name [rad or m]."""
        with self._lock:
            positions = self.data.qpos.take(self._qpos_of).tolist()
        return dict(zip(self.joint_names, positions, strict=True))

    def joint_velocities(self) -> dict[str, float]:
        """Return the velocities of all joints of the URDF by name [rad/s or m/s]."""
        with self._lock:
            velocities = self.data.qvel.take(self._dof_of).tolist()
        return dict(zip(self.joint_names, velocities, strict=True))

    def base_pose(self) -> tuple[float, float, float]:
        """Return the pose of the base in odom: x [m], y [m], yaw [rad], not wrapped."""
        with self._lock:
            x, y, yaw = map(self.data.qpos.item, self._base_qpos)
        return x, y, yaw

    def base_velocity(self) -> tuple[float, float, float]:
        """Return the velocity of the base in base_link: vx, vy [m/s], wz [rad/s]."""
        with self._lock:
            yaw = self.data.qpos.item(self._base_qpos[2])
            x, y, wz = map(self.data.qvel.item, self._base_dof)
        c, s = math.cos(yaw), math.sin(yaw)
        return c * x + s * y, -s * x + c * y, wz

    def scene_state(self) -> SceneState:
        """Return the ground truth: poses of base, items and moving furniture in odom."""
        bodies = list(self._objects.values())
        with self._lock:
            x, y, yaw = self.base_pose()
            positions = self.data.xpos[bodies]
            quaternions = self.data.xquat[bodies]
        return SceneState(
            home=self.home,
            room=self.room.kind,
            base=Pose(np.array([x, y, 0.0]), yaw_quaternion(yaw)),
            objects={
                name: Pose(positions[i], quaternions[i]) for i, name in enumerate(self._objects)
            },
        )

    def held(self) -> dict[str, str]:
        """Return the held items and fixtures: name -> gripper group."""
        with self._lock:
            return self.grasps.held()

    def link_transforms(self) -> LinkTransforms:
        """Return the pose of the base in odom, then of each link with a joint (for /tf)."""
        with self._lock:
            return self._links.moving(self.data)

    def static_link_transforms(self) -> LinkTransforms:
        """Return the links that are fixed to their parents (for /tf_static)."""
        return self._links.fixed

    def snapshot(self) -> Snapshot:
        """Copy the state, for a renderer in another thread."""
        with self._lock:
            return Snapshot(
                self.time,
                self.data.qpos.copy(),
                self.model,
                self.room,
                self.grasps.held(),
                self._effects,
            )


def _has_actuator(model: mujoco.MjModel, name: str) -> bool:
    return mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_ACTUATOR, name) >= 0
