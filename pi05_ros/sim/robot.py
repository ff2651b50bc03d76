"""MuJoCo model of a platform's robot: its URDF with servos, cameras and a mobile base added.

`robot_spec` adds these by the names in the platform, so any platform YAML with its own URDF works
if it follows these conventions:

* The platform's base frame is the root link of the URDF.
* A camera's `frame` is a link of the URDF whose z axis points forward and y axis down (REP-103).
* A link whose name ends in `tcp`, or that the gripper's group names, is fixed to the link that
  carries its joint: the tool centre point between the fingertips, with x out of the hand.
"""

from __future__ import annotations

import mujoco
import numpy as np

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.platforms.description import description_path, description_xml
from pi05_ros.platforms.platform import Group, Platform
from pi05_ros.sim.meshes import with_mesh_files

# Contact classes (bits). Two geoms touch when one's class is in the other's affinity.
# Moving furniture (FIXTURE) touches neither the fixed furniture that guides it nor other fixtures.
WORLD, ITEM, ROBOT, FINGER, FIXTURE = 1, 2, 4, 8, 16
CONTACT_AFFINITY = {
    WORLD: 0,
    FIXTURE: 0,
    ITEM: WORLD | FIXTURE | ITEM,
    ROBOT: WORLD | FIXTURE | ITEM | ROBOT,
    FINGER: WORLD | FIXTURE,
}

BASE_JOINTS = ("base_x", "base_y", "base_yaw")  # Along odom's x and y [m], about z [rad].

_SERVO_BANDWIDTH = 80.0  # [rad/s] of joint servos at their largest inertia, critically damped.
_BASE_BANDWIDTH = 40.0  # [rad/s]
_ROTOR_SHARE = 0.3  # Reflected rotor inertia as a share of the joint's largest link inertia.
_MIN_INERTIA = 0.02  # Smallest inertia for which a servo is designed [kg·m² or kg].
_BASE_ACCELERATION = 6.0  # Largest acceleration of the base [m/s², rad/s²].


def servo_name(joint: str) -> str:
    """Return the name of the MuJoCo actuator that moves `joint`."""
    return f"servo/{joint}"


def tcp_site(gripper: str) -> str:
    """Return the name of the MuJoCo site at the tool centre point of a gripper group."""
    return f"tcp/{gripper}"


def camera_name(camera: str) -> str:
    """Return the name of the MuJoCo camera of a platform's camera."""
    return f"camera/{camera}"


def robot_spec(platform: Platform, description: str | None = None) -> mujoco.MjSpec:
    """Build the specification of the robot alone, at the origin; a home can be added to it.

    Args:
        platform: The robot.
        description: Its URDF as `description_xml` returns it; None: it is expanded now.

    Joints have the positions of the URDF, and the base moves on BASE_JOINTS. The actuator
    `servo_name(joint)` takes a position [rad or m], and for BASE_JOINTS a velocity along the axes
    of odom [m/s, rad/s].

    Raises:
        ConfigError: The URDF lacks a joint or link that the platform names.
    """
    spec = _from_urdf(platform, description_xml(platform) if description is None else description)
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
    """Return the joint positions of the platform's home pose by joint name [rad or m]."""
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
    """Return the mimic joints: id -> (id of the leading joint, polynomial coefficients (5,))."""
    mimics = {}
    for i in range(model.neq):
        if model.eq_type[i] == mujoco.mjtEq.mjEQ_JOINT and model.eq_obj2id[i] >= 0:
            mimics[int(model.eq_obj1id[i])] = (int(model.eq_obj2id[i]), model.eq_data[i, :5])
    return mimics


def set_joint_positions(
    model: mujoco.MjModel, qpos: np.ndarray, positions: dict[str, float]
) -> None:
    """Write joint positions into `qpos` by name, and those of their mimic joints."""
    for name, position in positions.items():
        qpos[model.joint(name).qposadr[0]] = position
    for joint, (leader, polynomial) in mimic_joints(model).items():
        lead = qpos[model.jnt_qposadr[leader]]
        qpos[model.jnt_qposadr[joint]] = np.polynomial.polynomial.polyval(lead, polynomial)


def _from_urdf(platform: Platform, description: str) -> mujoco.MjSpec:
    """Load the URDF with all links kept as bodies and all visuals kept as geoms."""
    urdf, assets = with_mesh_files(description, description_path(platform))
    end = urdf.index(">", urdf.index("<robot")) + 1
    options = 'fusestatic="false" discardvisual="false"'
    extension = f"<mujoco><compiler {options}/></mujoco>"
    try:
        return mujoco.MjSpec.from_string(urdf[:end] + extension + urdf[end:], assets=assets)
    except ValueError as error:
        raise ConfigError(
            platform.urdf, f"MuJoCo cannot read the URDF: {_one_line(error)}"
        ) from error


def _add_base_joints(spec: mujoco.MjSpec, platform: Platform) -> None:
    base = _find(spec, platform, "link", platform.base_frame)
    if base.parent.name != "world":
        root = base
        while root.parent.name != "world":
            root = root.parent
        raise ConfigError(
            platform.urdf,
            f"base_frame '{platform.base_frame}' is not the root link of the URDF: write "
            f"base_frame: {root.name}",
        )
    slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    base.add_joint(name=BASE_JOINTS[0], type=slide, axis=[1, 0, 0])
    base.add_joint(name=BASE_JOINTS[1], type=slide, axis=[0, 1, 0])
    base.add_joint(name=BASE_JOINTS[2], type=hinge, axis=[0, 0, 1])


def _set_contacts(spec: mujoco.MjSpec, platform: Platform) -> None:
    """Set the contact class of each colliding geom; exclude contacts of neighbouring links."""
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
    # Links up to three levels apart may overlap: a shoulder is inside the torso, a wrist inside
    # the hand.
    for body in spec.bodies[1:]:
        ancestor = body.parent
        for _ in range(3):
            if ancestor is None or ancestor.name == "world":
                break
            spec.add_exclude(bodyname1=body.name, bodyname2=ancestor.name)
            ancestor = ancestor.parent


def _tcp_body(spec: mujoco.MjSpec, platform: Platform, group: Group) -> mujoco.MjsBody:
    """Return the link at the tool centre point of a gripper; see the module's conventions."""
    hand = _find(spec, platform, "joint", group.dimensions[0].joint_name).parent.parent
    first = hand
    while not first.joints and first.parent.name != "world":
        first = first.parent
    stack = [first]
    while stack:
        body = stack.pop(0)
        if body.name == group.tcp if group.tcp else body.name.endswith("tcp"):
            return body
        stack.extend(child for child in body.bodies if not child.joints)
    wanted = f"link '{group.tcp}' is not fixed to '{hand.name}'; " if group.tcp else ""
    raise ConfigError(
        platform.urdf,
        f"no tool centre point for {group.name}: {wanted}fix a link whose name ends in 'tcp' to "
        f"'{hand.name}', between the fingertips, or name one in its group (tcp: LINK)",
    )


def _add_servos(spec: mujoco.MjSpec, platform: Platform) -> None:
    """Add a servo for each joint that is not a mimic or a wheel, with gains from its inertia."""
    followers = {e.name1 for e in spec.equalities if e.type == mujoco.mjtEq.mjEQ_JOINT}
    wanted = list(home_positions(platform))
    joints = [
        joint
        for joint in spec.joints
        if joint.name not in followers and (joint.name in wanted or not _turns_freely(joint))
    ]
    for name in wanted:
        _find(spec, platform, "joint", name)
    inertia = _largest_inertia(spec, platform)
    for joint in joints:
        moved = max(inertia[joint.name], _MIN_INERTIA)
        if joint.name in BASE_JOINTS:
            kp, kv = moved * _BASE_BANDWIDTH**2, 2 * moved * _BASE_BANDWIDTH
            servo = spec.add_actuator(name=servo_name(joint.name), target=joint.name)
            servo.trntype = mujoco.mjtTrn.mjTRN_JOINT
            # The velocity command is integrated to a position: at zero the base holds its place.
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
    """Check whether a joint is a wheel, unless the platform moves it: a hinge without limits."""
    return (
        joint.type == mujoco.mjtJoint.mjJNT_HINGE
        and joint.name not in BASE_JOINTS
        and joint.range[0] == joint.range[1]
    )


def _largest_inertia(spec: mujoco.MjSpec, platform: Platform) -> dict[str, float]:
    """Compute each joint's inertia [kg or kg·m²], the maximum of the home and the zero pose."""
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
    """Return the link (body) or joint called `name`; raise ConfigError if there is none."""
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
    """Join the lines of a MuJoCo error message into one clause."""
    return " ".join(str(error).removeprefix("Error: ").split())
