"""The robot description (URDF) of a platform: where its files are, its XML, its joints and links.

No physics and no ROS: `sim` builds its model from it, `bringup` publishes it, `./pi05 doctor`
compares it with the platform's YAML.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.platform import Group, Platform
from pi05_ros.platforms.urdf import Urdf, parse_urdf

_PACKAGE = "package://"
_FILE = "file://"


def load_urdf(platform: Platform) -> Urdf:
    """Parse a platform's URDF.

    Raises:
        ConfigError: It cannot be read.
    """
    return parse_urdf(description_xml(platform), str(description_path(platform)))


def description_path(platform: Platform) -> Path:
    """Path of the platform's URDF or xacro file.

    `urdf:` is absolute, `package://PACKAGE/FILE`, beside the platform's YAML, or below the
    suite's own folder, in this order.

    Raises:
        ConfigError: The file is in none of these places.
    """
    return platform_file(platform, "urdf", platform.urdf)


def platform_file(platform: Platform, key: str, name: str) -> Path:
    """Path of a file that a platform's YAML names; see `description_path`.

    Args:
        platform: The robot.
        key: The key that names it, for the error message.
        name: Its value.

    Raises:
        ConfigError: The file does not exist.
    """
    beside = Path(platform.source).parent if platform.source else None
    if name.startswith(_PACKAGE):
        return package_file(name, beside)
    path = Path(name).expanduser()
    if beside is not None and not path.is_absolute() and (beside / path).is_file():
        return beside / path
    if path.is_absolute() and path.is_file():
        return path
    try:
        if not path.is_absolute():
            return resource_path(name)
    except ConfigError:
        pass
    places = f"beside it ({beside}) nor in the suite" if beside else "in the suite"
    where = platform.source or platform.name
    raise ConfigError(where, f"{key}: '{name}' is neither a file {places}; correct the path")


def description_xml(platform: Platform, use_mock_hardware: bool | None = None) -> str:
    """The platform's URDF, expanded from its xacro file and the limits in its YAML.

    Args:
        platform: The robot.
        use_mock_hardware: Argument of the same name of the xacro file; None: its default.

    Raises:
        ConfigError: xacro is missing, or the file cannot be read or processed.
    """
    try:
        import xacro
    except ImportError as error:
        raise ConfigError(
            platform.urdf, "cannot be expanded: the Python package xacro is not installed"
        ) from error
    path = description_path(platform)
    arguments = {"platform_file": platform.source} if platform.source else {}
    if use_mock_hardware is not None:
        arguments["use_mock_hardware"] = str(use_mock_hardware).lower()
    try:
        return str(xacro.process_file(str(path), mappings=arguments).toxml())
    except Exception as error:  # xacro raises its own types and any error of an expression.
        raise ConfigError(str(path), f"xacro: {' '.join(str(error).split())}") from error


def mesh_path(uri: str, urdf_path: Path) -> Path:
    """Path of a mesh file.

    Args:
        uri: `package://PACKAGE/FILE`, `file:///FILE`, or a path relative to the URDF's folder.
        urdf_path: The file that names it.

    Raises:
        ConfigError: The package or the file is not found.
    """
    if uri.startswith(_PACKAGE):
        return package_file(uri, urdf_path.parent)
    path = urdf_path.parent / uri.removeprefix(_FILE)
    if not path.is_file():
        raise ConfigError(str(urdf_path), f"the mesh '{uri}' is not found at {path}")
    return path


def package_file(uri: str, start: Path | None) -> Path:
    """Path of `package://PACKAGE/FILE`.

    The package is one on AMENT_PREFIX_PATH or ROS_PACKAGE_PATH, or a folder of its name beside
    `start` or beside one of its parents, as in a source tree.

    Raises:
        ConfigError: The package or the file is not found.
    """
    package, _, name = uri.removeprefix(_PACKAGE).partition("/")
    roots = list(_package_folders(package, start))
    for root in roots:
        if (root / name).is_file():
            return root / name
    if roots:
        raise ConfigError(uri, f"the package is in {roots[0]}, but has no file '{name}'")
    raise ConfigError(
        uri,
        f"the package '{package}' is not found: source the workspace that has it, or put a "
        f"folder '{package}' with this file into {start or 'the folder of the URDF'} or above it",
    )


def _package_folders(package: str, start: Path | None) -> Iterator[Path]:
    """Folders that may be the package's share or source folder, that exist."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    found = [Path(prefix) / "share" / package for prefix in prefixes if prefix]
    sources = os.environ.get("ROS_PACKAGE_PATH", "").split(os.pathsep)
    found += [Path(source) / package for source in sources if source]
    if start is not None:
        folder = start.resolve()
        found += [
            each if each.name == package else each / package for each in (folder, *folder.parents)
        ]
    return (path for path in found if path.is_dir())


def arm_groups(platform: Platform, urdf: Urdf) -> dict[str, tuple[Group, ...]]:
    """Joint groups that move each gripper of a platform, and no other gripper, by gripper group.

    A group belongs to the arm of the gripper that its joints carry. What carries all of several
    grippers is their torso; of what carries a single gripper, the nearest group is its arm.
    The names of groups do not matter.

    Raises:
        ConfigError: The URDF lacks a joint of the platform, or no group moves a gripper.
    """
    check_joints(platform, urdf)
    grippers = platform.groups_of("parallel_gripper")
    paths = {g.name: urdf.path_to(g.dimensions[0].joint_name) for g in grippers}
    joint_groups = platform.groups_of("joint_trajectory")
    arms: dict[str, tuple[Group, ...]] = {}
    for gripper in grippers:
        path = paths[gripper.name]
        carrying = [
            group
            for group in joint_groups
            if all(dimension.joint_name in path for dimension in group.dimensions)
        ]
        own = [group for group in carrying if not _carries_all(group, paths)]
        if len(grippers) == 1 and carrying:
            own = [min(carrying, key=lambda g: path.index(g.dimensions[-1].joint_name))]
        if not own:
            raise ConfigError(
                platform.source or platform.name,
                f"no joint_trajectory group moves gripper '{gripper.name}' alone: list the "
                "joints of its arm in one",
            )
        arms[gripper.name] = tuple(own)
    return arms


def torso_groups(platform: Platform, urdf: Urdf) -> tuple[Group, ...]:
    """Joint groups that carry every arm of a platform, in its order.

    Raises:
        ConfigError: See `arm_groups`.
    """
    arms = {group.name for groups in arm_groups(platform, urdf).values() for group in groups}
    paths = {
        g.name: urdf.path_to(g.dimensions[0].joint_name)
        for g in platform.groups_of("parallel_gripper")
    }
    return tuple(
        group
        for group in platform.groups_of("joint_trajectory")
        if group.name not in arms and _carries_all(group, paths)
    )


def tool_links(platform: Platform, urdf: Urdf) -> dict[str, str]:
    """Link at the tool centre point of each gripper, by gripper group.

    Raises:
        ConfigError: A gripper has none that is fixed to the link that carries its joint.
    """
    tools = {}
    for group in platform.groups_of("parallel_gripper"):
        hand = urdf.joints[group.dimensions[0].joint_name].parent
        links = urdf.rigid_links(hand)
        fitting = [n for n in links if (n == group.tcp if group.tcp else n.endswith("tcp"))]
        if not fitting:
            wanted = (
                f"link '{group.tcp}' is not fixed to '{hand}'" if group.tcp else "there is none"
            )
            raise ConfigError(
                platform.urdf,
                f"no tool centre point for {group.name}: {wanted}; fix a link whose name ends in "
                f"'tcp' to '{hand}', between the fingertips, or name one in its group "
                f"(tcp: LINK; fixed to it: {', '.join(links)})",
            )
        tools[group.name] = fitting[0]
    return tools


def check_joints(platform: Platform, urdf: Urdf) -> None:
    """Raise ConfigError if the URDF lacks a joint that the platform names, or it is fixed."""
    for dimension in platform.dimensions:
        name = dimension.joint_name
        if dimension.is_velocity or (name in urdf.joints and urdf.joints[name].moves):
            continue
        valid = [joint.name for joint in urdf.joints.values() if joint.moves]
        raise ConfigError(
            platform.urdf,
            f"the URDF has no joint '{name}', which {platform.name} names"
            f"{did_you_mean(name, valid)}",
        )


def check_for_mock_home(platform: Platform) -> None:
    """Check what a mock home needs of a description, without building the robot.

    Raises:
        ConfigError: The URDF or a mesh is not found, or the URDF lacks a joint or a camera's link
            that the platform names, or `base_frame` is not its root link.
    """
    urdf, path = load_urdf(platform), description_path(platform)
    check_joints(platform, urdf)
    if platform.base_frame != urdf.root:
        raise ConfigError(
            platform.source or platform.name,
            f"base_frame '{platform.base_frame}' is not the root link of the URDF: write "
            f"base_frame: {urdf.root}",
        )
    tool_links(platform, urdf)
    for camera in platform.cameras:
        if camera.frame not in urdf.links:
            raise ConfigError(
                platform.source or platform.name,
                f"camera '{camera.name}': the URDF has no link '{camera.frame}'"
                f"{did_you_mean(camera.frame, urdf.links)}",
            )
    for mesh in urdf.meshes:
        if not mesh.is_optional:
            mesh_path(mesh.uri, path)


def check_for_expert(platform: Platform, urdf: Urdf) -> None:
    """Check what the scripted expert needs of a robot: an arm with a gripper.

    A robot without a base works where it stands.

    Raises:
        ConfigError: There is no gripper, or no group moves a gripper alone.
    """
    if not platform.groups_of("parallel_gripper"):
        raise ConfigError(
            platform.source or platform.name,
            "the expert needs an arm with a gripper, found no gripper; use another brain",
        )
    arm_groups(platform, urdf)


def unreported_joints(platform: Platform, urdf: Urdf) -> tuple[str, ...]:
    """Joints of the platform that the description's ros2_control tag gives no state."""
    reported = set(urdf.reported_joints())
    return tuple(
        d.joint_name
        for d in platform.dimensions
        if not d.is_velocity and d.joint_name not in reported
    )


def _carries_all(group: Group, paths: Mapping[str, tuple[str, ...]]) -> bool:
    """Check whether all joints of a group lie on the way to every gripper."""
    return all(d.joint_name in path for d in group.dimensions for path in paths.values())
