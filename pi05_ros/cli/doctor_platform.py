"""What the suite understands of a platform's YAML and of its robot description."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pi05_ros.bootstrap.doctor.results import CheckResult, CheckStatus
from pi05_ros.bringup.graph import controllers_file
from pi05_ros.cli.doctor_teleop import teleop_results
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.platforms.description import (
    arm_groups,
    check_joints,
    description_path,
    load_urdf,
    mesh_path,
    tool_links,
    torso_groups,
    unreported_joints,
)
from pi05_ros.platforms.platform import Group, Platform, load_platform
from pi05_ros.platforms.urdf import Urdf

MODEL_SIZE = 32  # Entries of the model's state and action vectors; shorter ones are padded.
_FILE, _URDF, _RUNS = "Platform", "Robot description", "What it runs"


def platform_results(name_or_path: str) -> list[CheckResult]:
    """Check a platform, from its file to whether the mock home can build it.

    Args:
        name_or_path: As `load_platform` takes it.

    Returns:
        All results; a file that cannot be read ends them.
    """
    try:
        platform = load_platform(name_or_path)
    except ConfigError as error:
        return [_missing(_FILE, "file", error.where, error.problem)]
    results = [*_vector(platform), *_topics(platform)]
    try:
        urdf = load_urdf(platform)
    except ConfigError as error:
        return [*results, _missing(_URDF, "file", error.where, error.problem)]
    results += [*_description(platform, urdf), *_runs(platform), *teleop_results(platform)]
    return results


def _vector(platform: Platform) -> Iterator[CheckResult]:
    """The layout of the vectors, and the group of each part."""
    yield CheckResult(_FILE, "file", platform.source)
    yield CheckResult(_FILE, "robot", f"{platform.name}: {platform.description}")
    size = f"{platform.size} values at {platform.rate_hz:g} Hz"
    if platform.size > MODEL_SIZE:
        fix = f"π0.5 has {MODEL_SIZE}: leave groups out that it need not move"
        yield CheckResult(_FILE, "vector", size, CheckStatus.NOTE, fix)
    else:
        yield CheckResult(_FILE, "vector", f"{size}, padded to the model's {MODEL_SIZE}")
    for group in platform.groups:
        part = platform.slices[group.name]
        numbers = f"{part.start}-{part.stop - 1}" if part.stop - part.start > 1 else part.start
        yield CheckResult(_FILE, group.name, f"{numbers}: {_members(group)}")
    if not platform.base_axes:
        yield CheckResult(_FILE, "base", "none: the robot does not drive")
    if platform.simulation_only:
        yield CheckResult(_FILE, "use", "in mock homes only: there is no such robot")


def _members(group: Group) -> str:
    """Dimensions and command of a group."""
    command = f"{group.controller.kind} on {group.controller.command_name}"
    names = ", ".join(dimension.joint_name for dimension in group.dimensions)
    if group.base_axes:
        kind = "holonomic" if 1 in group.base_axes else "differential, no vy"
        return f"{kind}: {names}; {command}"
    if len(group.dimensions) == 1 and group.dimensions[0].unit == "fraction":
        return f"{names}, closed {group.joint_closed:g}, open {group.joint_open:g}; {command}"
    return f"{names} [{group.dimensions[0].unit}]; {command}"


def _topics(platform: Platform) -> Iterator[CheckResult]:
    """Cameras and measurements."""
    for camera in platform.cameras:
        roles = [
            role
            for role, names in (
                ("planner", platform.planner_cameras),
                ("policy", platform.policy_cameras),
            )
            if camera.name in names
        ]
        size = f"{camera.width}x{camera.height} at {camera.rate_hz:g} Hz, {camera.transport}"
        used = f"for {' and '.join(roles)}" if roles else "used by no level"
        yield CheckResult(_FILE, f"camera {camera.name}", f"{camera.topic}, {size}, {used}")
    yield CheckResult(_FILE, "joint states", ", ".join(platform.joint_states_topics))
    if platform.base_axes:
        yield CheckResult(_FILE, "odometry", platform.odom_topic)


def _description(platform: Platform, urdf: Urdf) -> Iterator[CheckResult]:
    """What the URDF has of what the platform names."""
    yield CheckResult(_URDF, "file", str(description_path(platform)))
    frame = platform.base_frame
    if frame == urdf.root:
        yield CheckResult(_URDF, "base_frame", f"{frame}, the root link")
    else:
        value = f"{frame} is not the root link"
        yield _missing(_URDF, "base_frame", value, f"write base_frame: {urdf.root}")
    try:
        check_joints(platform, urdf)
    except ConfigError as error:
        yield _missing(_URDF, "joints", error.problem, "correct the name in the platform's file")
        return
    yield from _limits(platform, urdf)
    links = [camera for camera in platform.cameras if camera.frame not in urdf.links]
    for camera in links:
        value = f"the URDF has no link '{camera.frame}'"
        yield _missing(_URDF, f"camera {camera.name}", value, "correct `frame`, or add the link")
    yield from _meshes(platform, urdf)
    yield from _states(platform, urdf)
    yield from _arms(platform, urdf)


def _limits(platform: Platform, urdf: Urdf) -> Iterator[CheckResult]:
    """Whether the platform's limits lie within those of the URDF, and what moves otherwise."""
    wide = []
    for group in platform.groups:
        for dimension in group.dimensions:
            if dimension.unit not in ("rad", "m"):
                continue
            joint = urdf.joints[dimension.joint_name]
            below = joint.lower is not None and dimension.lower < joint.lower - 1e-6
            above = joint.upper is not None and dimension.upper > joint.upper + 1e-6
            fast = bool(joint.velocity) and dimension.max_velocity > (joint.velocity or 0) + 1e-6
            if below or above or fast:
                wide.append(joint.name)
    named = {d.joint_name for d in platform.dimensions if not d.is_velocity}
    if wide:
        value = f"{', '.join(wide)}: beyond those of the URDF"
        fix = "the robot may refuse what the suite allows: take the URDF's limits"
        yield CheckResult(_URDF, "limits", value, CheckStatus.NOTE, fix)
    else:
        yield CheckResult(_URDF, "limits", f"{len(named)} joints, within those of the URDF")
    others = [
        joint.name
        for joint in urdf.joints.values()
        if joint.type in ("revolute", "prismatic") and not joint.mimics and joint.name not in named
    ]
    if others:
        value = f"{', '.join(others)}: in no group, so nothing moves them"
        yield CheckResult(_URDF, "other joints", value)


def _meshes(platform: Platform, urdf: Urdf) -> Iterator[CheckResult]:
    """Whether every mesh is found; the mock home leaves out what is only seen and not readable."""
    problems: dict[str, None] = {}
    needed = False
    for mesh in urdf.meshes:
        try:
            mesh_path(mesh.uri, description_path(platform))
        except ConfigError as error:
            problems[f"{error}"] = None
            needed = needed or not mesh.is_optional
    if problems:
        first, more = next(iter(problems)), len(problems) - 1
        value = f"{len(problems)} of {len({m.uri for m in urdf.meshes})} are not found"
        status = CheckStatus.MISSING if needed else CheckStatus.NOTE
        fix = first + (f" (and {more} more)" if more else "")
        yield CheckResult(_URDF, "meshes", value, status, fix)
    elif urdf.meshes:
        yield CheckResult(_URDF, "meshes", f"{len(urdf.meshes)}, all found")


def _states(platform: Platform, urdf: Urdf) -> Iterator[CheckResult]:
    """The ros2_control tag, from which joint_state_broadcaster takes its joints."""
    unreported = unreported_joints(platform, urdf)
    if urdf.state_joints is None:
        value = "none: the mock home reports all joints that move"
        fix = "a robot with ros2_control needs the tag; another needs none"
        yield CheckResult(_URDF, "ros2_control", value, CheckStatus.NOTE, fix)
    elif unreported:
        value = f"no <state_interface> for {', '.join(unreported)}"
        yield _missing(_URDF, "ros2_control", value, "add them: /joint_states would lack them")
    else:
        yield CheckResult(_URDF, "ros2_control", f"{len(urdf.state_joints)} joints with states")


def _arms(platform: Platform, urdf: Urdf) -> Iterator[CheckResult]:
    """Which group is the arm of which gripper, and which is the torso."""
    try:
        arms, torso = arm_groups(platform, urdf), torso_groups(platform, urdf)
    except ConfigError as error:
        yield CheckResult(_URDF, "arms", error.problem, CheckStatus.NOTE, "only the expert asks")
        return
    try:
        tools = tool_links(platform, urdf)
    except ConfigError as error:
        yield _missing(_URDF, "tools", "no tool centre point", error.problem)
        tools = {}
    for gripper, link in tools.items():
        yield CheckResult(_URDF, f"tool of {gripper}", f"{link}, with x out of the hand")
    for gripper, groups in arms.items():
        yield CheckResult(_URDF, f"arm of {gripper}", ", ".join(group.name for group in groups))
    if torso:
        yield CheckResult(_URDF, "torso", ", ".join(group.name for group in torso))


def _runs(platform: Platform) -> Iterator[CheckResult]:
    """What can be started with it."""

    def mock_home() -> str:
        from pi05_ros.sim.robot import robot_spec

        robot_spec(platform).compile()
        return "the robot can be simulated"

    def expert() -> str:
        from pi05_ros.sim.expert.layout import RobotLayout

        sides = [arm.side for arm in RobotLayout.of(platform).arms]
        return f"moves {' and '.join(sides)}"

    def mock_hardware() -> str:
        return str(controllers_file(platform))

    yield _attempt("mock home", "--sim", mock_home, CheckStatus.MISSING)
    yield _attempt("expert", "--brain expert", expert, CheckStatus.NOTE)
    yield _attempt("controllers", "--mock-hardware", mock_hardware, CheckStatus.NOTE)


def _attempt(
    name: str, option: str, attempt: Callable[[], str], severity: CheckStatus
) -> CheckResult:
    """The result of one attempt; what is missing costs an option of `./pi05 up`."""
    try:
        return CheckResult(_RUNS, name, f"{option}: {attempt()}")
    except Pi05Error as error:
        return CheckResult(_RUNS, name, f"{option} does not run", severity, str(error))
    except ImportError as error:
        return CheckResult(_RUNS, name, f"{option}: {error}", CheckStatus.NOTE, "./pi05 setup")


def _missing(topic: str, name: str, value: str, fix: str) -> CheckResult:
    return CheckResult(topic, name, value, CheckStatus.MISSING, fix)
