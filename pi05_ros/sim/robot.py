"""The robot of a platform in MuJoCo: its URDF, plus what a URDF cannot say.

A URDF has no servos, no cameras and no base that drives. `robot_spec` adds them by the platform's
names, so that any platform YAML with a URDF of its own works. The conventions that it relies on:

* The platform's base frame is the URDF's root link.
* A camera's `frame` is a link of the URDF whose z axis looks forward and y axis down (REP-103).
* Below the link that carries a gripper's joint, fixed to it, stands a link whose name ends in
  `tcp`: the tool centre point, between the fingertips, x out of the hand.
"""

from __future__ import annotations

import mujoco
import numpy as np
import xacro

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.platform import Group, Platform

# Contact classes (bits). Two geoms touch when one's class is in the other's affinity.
WORLD, ITEM, ROBOT, FINGER = 1, 2, 4, 8
CONTACT_AFFINITY = {WORLD: 0, ITEM: WORLD | ITEM, ROBOT: WORLD | ITEM | ROBOT, FINGER: WORLD}

BASE_JOINTS = ("base_x", "base_y", "base_yaw")  # Along odom's x and y [m], about z [rad].

_SERVO_BANDWIDTH = 80.0  # [rad/s] of joint servos at their largest inertia, critically damped.
_BASE_BANDWIDTH = 40.0  # [rad/s]
_ROTOR_SHARE = 0.3  # Reflected rotor inertia as a share of the joint's largest link inertia.
_MIN_INERTIA = 0.02  # [kg·m²] or [kg]: least inertia a servo is designed for.
_BASE_ACCELERATION = 6.0  # [m/s², rad/s²] that the wheels can give.


def servo_name(joint: str) -> str:
    """Name of the MuJoCo actuator that moves `joint`."""
    return f"servo/{joint}"


def tcp_site(gripper: str) -> str:
    """Name of the MuJoCo site at the tool centre point of the gripper group called `gripper`."""
    return f"tcp/{gripper}"


def camera_name(camera: str) -> str:
    """Name of the MuJoCo camera of the platform's camera called `camera`."""
    return f"camera/{camera}"


def urdf_xml(platform: Platform) -> str:
    """The platform's URDF, from its xacro file and the limits of its YAML.

    Raises:
        ConfigError: The xacro file cannot be read or processed.
    """
    path = resource_path(platform.urdf)
    mappings = {"platform_file": platform.source} if platform.source else {}
    try:
        return xacro.process_file(str(path), mappings=mappings).toxml()
    except Exception as error:  # xacro raises its own tree as well as whatever eval met.
        raise ConfigError(str(path), f"xacro: {error}") from error


def robot_spec(platform: Platform) -> mujoco.MjSpec:
    """The robot alone, at the origin, ready to compile or to be given a home around it.

    Joint positions are the URDF's; the base stands on BASE_JOINTS. Actuators: `servo_name(joint)`
    takes a position [rad or m] for each joint, and a velocity in odom's axes for BASE_JOINTS.

    Raises:
        ConfigError: The URDF lacks a joint or link that the platform names.
    """
    spec = _from_urdf(platform)
    _add_base_joints(spec, platform)
    for body in spec.bodies[1:]:
        body.gravcomp = 1.0
    _set_contacts(spec, platform)
    for group in platform.groups_of("parallel_gripper"):
        _tcp_body(spec, platform, group).add_site(name=tcp_site(group.name), group=4)
    for camera in platform.cameras:
        # MuJoCo cameras look along -z with y up; optical frames along +z with y down.
        _find(spec, platform, "link", camera.frame).add_camera(
            name=camera_name(camera.name), fovy=camera.fov_y_deg, quat=[0.0, 1.0, 0.0, 0.0]
        )
    _add_servos(spec, platform)
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    return spec


def home_positions(platform: Platform) -> dict[str, float]:
    """Joint positions of the platform's home pose by joint name [rad or m]."""
    positions = {}
    for group in platform.groups:
        for dimension in group.dimensions:
            if group.kind == "parallel_gripper":
                span = group.joint_open - group.joint_closed
                positions[dimension.joint_name] = group.joint_closed + dimension.home * span
            elif group.kind == "joint_trajectory":
                positions[dimension.joint_name] = dimension.home
    return positions


def mimic_joints(model: mujoco.MjModel) -> dict[int, tuple[int, np.ndarray]]:
    """Joint id -> (id of the joint that it follows, polynomial of that joint's position, (5,))."""
    mimics = {}
    for i in range(model.neq):
        if model.eq_type[i] == mujoco.mjtEq.mjEQ_JOINT and model.eq_obj2id[i] >= 0:
            mimics[int(model.eq_obj1id[i])] = (int(model.eq_obj2id[i]), model.eq_data[i, :5])
    return mimics


def set_joint_positions(
    model: mujoco.MjModel, qpos: np.ndarray, positions: dict[str, float]
) -> None:
    """Writes joint positions into `qpos` by name, and the joints that mimic them."""
    for name, position in positions.items():
        qpos[model.joint(name).qposadr[0]] = position
    for joint, (leader, polynomial) in mimic_joints(model).items():
        lead = qpos[model.jnt_qposadr[leader]]
        qpos[model.jnt_qposadr[joint]] = np.polynomial.polynomial.polyval(lead, polynomial)


def _from_urdf(platform: Platform) -> mujoco.MjSpec:
    """MuJoCo's reading of the URDF, with all links kept as bodies and visuals kept as geoms."""
    urdf = urdf_xml(platform)
    end = urdf.index(">", urdf.index("<robot")) + 1
    extension = '<mujoco><compiler fusestatic="false" discardvisual="false"/></mujoco>'
    try:
        return mujoco.MjSpec.from_string(urdf[:end] + extension + urdf[end:])
    except ValueError as error:
        raise ConfigError(
            platform.urdf, f"MuJoCo cannot read the URDF: {_one_line(error)}"
        ) from error


def _add_base_joints(spec: mujoco.MjSpec, platform: Platform) -> None:
    base = _find(spec, platform, "link", platform.base_frame)
    if base.parent.name != "world":
        raise ConfigError(
            platform.urdf,
            f"base_frame '{platform.base_frame}' is not the root link of the URDF",
        )
    slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    base.add_joint(name=BASE_JOINTS[0], type=slide, axis=[1, 0, 0])
    base.add_joint(name=BASE_JOINTS[1], type=slide, axis=[0, 1, 0])
    base.add_joint(name=BASE_JOINTS[2], type=hinge, axis=[0, 0, 1])


def _set_contacts(spec: mujoco.MjSpec, platform: Platform) -> None:
    """Gives each colliding geom its class; links next to each other do not touch."""
    fingers = set()
    leaders = {
        dimension.joint_name
        for group in platform.groups_of("parallel_gripper")
        for dimension in group.dimensions
    }
    followers = {
        e.name1
        for e in spec.equalities
        if e.type == mujoco.mjtEq.mjEQ_JOINT and e.name2 in leaders
    }
    for joint in leaders | followers:
        fingers.add(_find(spec, platform, "joint", joint).parent.name)
    for body in spec.bodies:
        for geom in body.geoms:
            if geom.contype or geom.conaffinity:
                kind = FINGER if body.name in fingers else ROBOT
                geom.contype, geom.conaffinity = kind, CONTACT_AFFINITY[kind]
    # A shoulder sits inside the torso and a wrist inside the hand: links up to two joints apart.
    for body in spec.bodies[1:]:
        ancestor = body.parent
        for _ in range(3):
            if ancestor is None or ancestor.name == "world":
                break
            spec.add_exclude(bodyname1=body.name, bodyname2=ancestor.name)
            ancestor = ancestor.parent


def _tcp_body(spec: mujoco.MjSpec, platform: Platform, group: Group) -> mujoco.MjsBody:
    """The link at the tool centre point of a gripper, by the rule at the top of this file."""
    finger = _find(spec, platform, "joint", group.dimensions[0].joint_name).parent
    hand = finger.parent
    stack = list(hand.bodies)
    while stack:
        body = stack.pop(0)
        if body.joints:
            continue
        if body.name.endswith("tcp"):
            return body
        stack.extend(body.bodies)
    raise ConfigError(
        platform.urdf,
        f"no tool centre point for {group.name}: fix a link whose name ends in 'tcp' to "
        f"'{hand.name}', between the fingertips",
    )


def _add_servos(spec: mujoco.MjSpec, platform: Platform) -> None:
    """A servo for each joint that nothing else moves, with gains from what it moves."""
    followers = {e.name1 for e in spec.equalities if e.type == mujoco.mjtEq.mjEQ_JOINT}
    joints = [j for j in spec.joints if j.name not in followers and not _turns_freely(j)]
    wanted = list(home_positions(platform))
    for name in wanted:
        _find(spec, platform, "joint", name)
    inertia = _largest_inertia(spec, platform)
    for joint in joints:
        moved = max(inertia[joint.name], _MIN_INERTIA)
        if joint.name in BASE_JOINTS:
            kp, kv = moved * _BASE_BANDWIDTH**2, 2 * moved * _BASE_BANDWIDTH
            servo = spec.add_actuator(name=servo_name(joint.name), target=joint.name)
            servo.trntype = mujoco.mjtTrn.mjTRN_JOINT
            # An integrated velocity: the base holds its place when told to stand.
            servo.set_to_intvelocity(kp=kp, kv=kv)
            force = moved * _BASE_ACCELERATION
        else:
            joint.armature = _ROTOR_SHARE * moved
            moved *= 1.0 + _ROTOR_SHARE
            kp, kv = moved * _SERVO_BANDWIDTH**2, 2 * moved * _SERVO_BANDWIDTH
            servo = spec.add_actuator(name=servo_name(joint.name), target=joint.name)
            servo.trntype = mujoco.mjtTrn.mjTRN_JOINT
            servo.set_to_position(kp=kp, kv=kv)
            force = joint.actfrcrange[1]
        if force > 0:
            servo.forcerange = [-force, force]
            servo.forcelimited = True


def _turns_freely(joint: mujoco.MjsJoint) -> bool:
    """A wheel: a hinge without limits that is not the base's own."""
    return (
        joint.type == mujoco.mjtJoint.mjJNT_HINGE
        and joint.name not in BASE_JOINTS
        and joint.range[0] == joint.range[1]
    )


def _largest_inertia(spec: mujoco.MjSpec, platform: Platform) -> dict[str, float]:
    """Inertia about each joint [kg or kg·m²] by name, the larger of home and stretched pose."""
    try:
        model = spec.compile()
    except ValueError as error:
        raise ConfigError(
            platform.urdf, f"MuJoCo cannot build the robot: {_one_line(error)}"
        ) from error
    data = mujoco.MjData(model)
    largest = np.zeros(model.nv)
    for pose in ({}, home_positions(platform)):
        mujoco.mj_resetData(model, data)
        set_joint_positions(model, data.qpos, pose)
        mujoco.mj_forward(model, data)
        full = np.zeros((model.nv, model.nv))
        mujoco.mj_fullM(model, data, full)
        largest = np.maximum(largest, full.diagonal())
    return {model.joint(i).name: float(largest[model.jnt_dofadr[i]]) for i in range(model.njnt)}


def _find(spec: mujoco.MjSpec, platform: Platform, what: str, name: str):
    """The link (body) or joint called `name`, or a ConfigError with the nearest name."""
    found = spec.body(name) if what == "link" else spec.joint(name)
    if found is None:
        elements = spec.bodies[1:] if what == "link" else spec.joints
        raise ConfigError(
            platform.urdf,
            f"the URDF has no {what} '{name}', which {platform.name} names"
            f"{did_you_mean(name, [e.name for e in elements])}",
        )
    return found


def _one_line(error: ValueError) -> str:
    """MuJoCo's message, which spans several lines, as a clause."""
    return " ".join(str(error).removeprefix("Error: ").split())
