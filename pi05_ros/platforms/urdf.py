"""A URDF as data: its links, joints and meshes, and what /joint_states will name."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pi05_ros.errors import ConfigError

MESH_FORMATS = (".stl", ".obj", ".msh")  # That the mock home (MuJoCo) reads.
_STATIC = ("fixed", "floating", "planar")  # Types of joints without a position of one number.


def is_mesh_format(uri: str) -> bool:
    """Check whether a mesh's file is in one of MESH_FORMATS, by its name."""
    return uri.lower().endswith(MESH_FORMATS)


@dataclass(frozen=True)
class UrdfJoint:
    """One joint of a URDF."""

    name: str
    type: str  # "revolute", "continuous", "prismatic", "fixed", …
    parent: str  # Link.
    child: str  # Link.
    mimics: str = ""  # Joint that it follows; "": none.
    lower: float | None = None  # [rad] or [m]; None: no limit.
    upper: float | None = None
    velocity: float | None = None  # Largest speed [rad/s] or [m/s]; None: no limit.

    @property
    def moves(self) -> bool:
        """Whether one number is its position."""
        return self.type not in _STATIC


@dataclass(frozen=True)
class MeshUse:
    """A mesh that a link of a URDF names."""

    link: str
    uri: str  # As written: `package://PACKAGE/FILE`, `file:///FILE` or a path.
    collides: bool  # It is a collision shape; otherwise it is only seen.

    @property
    def is_optional(self) -> bool:
        """Whether the mock home leaves it out: only seen, and not in MESH_FORMATS."""
        return not self.collides and not is_mesh_format(self.uri)


@dataclass(frozen=True)
class Urdf:
    """Joints, links and meshes of a URDF."""

    links: tuple[str, ...]
    joints: Mapping[str, UrdfJoint]  # By name.
    meshes: tuple[MeshUse, ...]
    state_joints: tuple[str, ...] | None  # With states in a ros2_control tag; None: no such tag.

    @property
    def root(self) -> str:
        """The link that is no joint's child; "" if there is none."""
        children = {joint.child for joint in self.joints.values()}
        return next((link for link in self.links if link not in children), "")

    def path_to(self, joint: str) -> tuple[str, ...]:
        """Names of the joints between `joint` and the root, the nearest first, without itself.

        Raises:
            KeyError: There is no such joint.
        """
        by_child = {each.child: each for each in self.joints.values()}
        found: list[str] = []
        link = self.joints[joint].parent
        while link in by_child and by_child[link].name not in found:
            found.append(by_child[link].name)
            link = by_child[link].parent
        return tuple(found)

    def rigid_links(self, link: str) -> tuple[str, ...]:
        """Links that fixed joints connect with `link`, the nearest to the root first."""
        fixed = [joint for joint in self.joints.values() if not joint.moves]
        parents = {joint.child: joint.parent for joint in fixed}
        found = [link]
        while found[0] in parents and parents[found[0]] not in found:
            found = [parents[found[0]]]
        for each in found:  # It grows.
            found += [j.child for j in fixed if j.parent == each and j.child not in found]
        return tuple(found)

    def reported_joints(self) -> tuple[str, ...]:
        """Joints that /joint_states names: those with states in a ros2_control tag.

        Without such a tag these are all joints that move, as with joint_state_publisher.
        """
        if self.state_joints is not None:
            return self.state_joints
        return tuple(joint.name for joint in self.joints.values() if joint.moves)


def parse_urdf(xml: str, where: str) -> Urdf:
    """Parse a URDF.

    Args:
        xml: Its text, without xacro.
        where: Its file, for error messages.

    Raises:
        ConfigError: It is no XML, or an element lacks a name.
    """
    try:
        robot = ElementTree.fromstring(xml)
        joints = {
            tag.attrib["name"]: UrdfJoint(
                name=tag.attrib["name"],
                type=tag.get("type", "fixed"),
                parent=_attribute(tag, "parent", "link"),
                child=_attribute(tag, "child", "link"),
                mimics=_attribute(tag, "mimic", "joint"),
                **_limits(tag),
            )
            for tag in robot.iterfind("joint")
        }
        links = tuple(tag.attrib["name"] for tag in robot.iterfind("link"))
        meshes = tuple(_meshes(robot))
    except ElementTree.ParseError as error:
        raise ConfigError(where, f"is not XML: {error}") from error
    except KeyError as error:
        raise ConfigError(where, f"an element has no attribute {error}") from error
    except ValueError as error:
        raise ConfigError(where, f"a limit of a joint is no number: {error}") from error
    states: tuple[str, ...] | None = None
    if robot.find("ros2_control") is not None:
        states = tuple(
            joint.attrib["name"]
            for joint in robot.iterfind("ros2_control/joint")
            if joint.find("state_interface") is not None
        )
    return Urdf(links, joints, meshes, states)


def _attribute(tag: ElementTree.Element, child: str, attribute: str) -> str:
    found = tag.find(child)
    return "" if found is None else found.get(attribute, "")


def _meshes(robot: ElementTree.Element) -> Iterator[MeshUse]:
    for link in robot.iterfind("link"):
        for kind in ("visual", "collision"):
            for mesh in link.iterfind(f"{kind}/geometry/mesh"):
                yield MeshUse(link.attrib["name"], mesh.attrib["filename"], kind == "collision")


def _limits(joint: ElementTree.Element) -> dict[str, float]:
    """Limits of a joint; a continuous one has no positions."""
    limit = joint.find("limit")
    if limit is None:
        return {}
    names = ("velocity",) if joint.get("type") == "continuous" else ("lower", "upper", "velocity")
    return {name: float(limit.attrib[name]) for name in names if name in limit.attrib}
