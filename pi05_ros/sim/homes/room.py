"""Data model of a room in a mock home: walls, furniture, containers, items and their appearance.

These dataclasses are what a room's generator draws from a seed, and what physics, expert and
scoring read. Poses are in the frame `odom`, whose origin is the robot's start pose with x forward
and z up; only `Walls`, the furniture and a `Look` use the room's frame. Lengths are in m, angles
in rad about z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeVar

import numpy as np

from pi05_ros.brain.observation import Pose
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.geometry import FloorPose, quaternion_yaw, wrap_angle, yaw_quaternion
from pi05_ros.sim.homes.items import Design, Grasp
from pi05_ros.sim.homes.looks import BedroomLook, LabLook, Lit, Look
from pi05_ros.sim.homes.parts import Part, Vector


@dataclass(frozen=True)
class Surface:
    """A worktop, table, bed or part of the floor that things lie on.

    Its frame is at the middle of its front edge, which the robot faces, with x to the back and y
    left.
    """

    name: str
    pose: FloorPose  # In odom.
    length: float  # Along its y [m].
    depth: float  # Along its x [m].
    height: float  # Of the top above the floor [m].


@dataclass(frozen=True)
class Container:
    """An open box that things are put into. The x axis of its frame points away from the robot."""

    name: str  # "sink", "drawer_1".
    phrase: str  # "the sink".
    surface: str  # Name of the surface that it is built into or stands on; "": on the floor.
    pose: FloorPose  # Middle of its floor, in odom; of a drawer's box while the drawer is shut.
    size: tuple[float, float, float]  # Inner size along x, along y, and depth [m].
    top: float  # Height of its rim above the floor [m].
    fixture: str = ""  # Name of the fixture that it moves with; "": it stays where it is.

    @property
    def floor(self) -> float:
        """Height of the container's floor [m]."""
        return self.top - self.size[2]

    def contains(self, position: np.ndarray) -> bool:
        """Check whether a point (3,) in odom [m] is inside, below the rim."""
        x, y, z = self.pose.local(position)
        inside = abs(x) <= self.size[0] / 2 and abs(y) <= self.size[1] / 2
        return bool(inside and self.floor - 0.02 <= z <= self.top - 0.01)


@dataclass(frozen=True)
class FixtureJoint:
    """One degree of freedom of a fixture, in its frame at rest."""

    kind: Literal["slide", "hinge"]
    axis: Vector
    range: tuple[float, float]  # [m or rad]
    start: float = 0.0  # [m or rad]
    damping: float = 0.0  # [N s/m or N m s/rad]
    friction: float = 0.0  # Dry friction [N or N m].


@dataclass(frozen=True)
class Fixture:
    """A part of the furniture that moves: a drawer, a blanket.

    Its pose among the ground truth's objects is that of its frame, which the joints displace.
    """

    name: str  # Unique: "drawer_1".
    phrase: str  # Unique noun phrase: "the drawer".
    pose: FloorPose  # Of its frame at rest, with all joints at 0, in odom.
    height: float  # Of its frame above the floor [m].
    parts: tuple[Part, ...]  # In its frame.
    mass: float  # [kg]
    joints: tuple[FixtureJoint, ...]  # Slides before hinges.
    grasp: Grasp  # Graspable points in its frame: a handle, an edge.
    turns_with_hand: bool = False  # Whether the hand that holds it determines its yaw too.

    def __post_init__(self) -> None:
        kinds = [joint.kind for joint in self.joints]
        if kinds != sorted(kinds, reverse=True):
            raise ValueError(
                f"fixture {self.name}: joints {', '.join(kinds)}; slides come before hinges, or "
                "a hinge would turn their axes"
            )

    def displacement(self, pose: Pose) -> tuple[float, float, float]:
        """Return how far the fixture is from rest: x, y [m] and yaw [rad] in its frame at rest.

        Args:
            pose: Its pose in odom.
        """
        x, y, _ = self.pose.local(pose.position)
        yaw = quaternion_yaw(pose.quaternion)
        return float(x), float(y), wrap_angle(yaw - self.pose.yaw)

    def opening(self, pose: Pose) -> float:
        """Return how far a drawer is open: its displacement along its slide [m].

        Args:
            pose: Its pose in odom.
        """
        x, y, _ = self.displacement(pose)
        along = self.joints[0].axis
        return x * along[0] + y * along[1]


@dataclass(frozen=True)
class Item:
    """A movable thing with its start pose."""

    name: str  # Unique: "plate_1".
    phrase: str  # Unique noun phrase: "the plate", or "the red cup" if there are two cups.
    design: Design
    position: tuple[float, float, float]  # Of its frame's origin (see items.py) in odom [m].
    yaw: float  # In odom [rad].
    surface: str  # Name of the surface that supports it at the start.
    is_dish: bool
    belongs_in: str = ""  # Name of the container that a task puts it into; "": it is no task's.

    @property
    def label(self) -> str:
        """Common name of the item ("plate")."""
        return self.design.label

    @property
    def noun(self) -> str:
        """Its phrase without the article ("red cup" if there are two cups)."""
        return self.phrase.removeprefix("the ")

    @property
    def grasp(self) -> Grasp | None:
        """Grasp of a parallel gripper in the item's frame; None: it is not to be picked up."""
        return self.design.grasp

    @property
    def pose(self) -> Pose:
        """Start pose in odom."""
        return Pose(np.array(self.position), yaw_quaternion(self.yaw))


@dataclass(frozen=True)
class Walls:
    """Four walls and a floor.

    The room's frame is on the floor below the middle of the main surface's front edge, with x to
    the wall behind it and y left.
    """

    pose: FloorPose  # Of the room's frame in odom.
    x: tuple[float, float]  # Positions of the walls across x in the room's frame [m].
    y: tuple[float, float]  # Positions of the walls across y in the room's frame [m].
    height: float  # [m]


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room of a mock home. `sim.homes.rooms` has the generators."""

    seed: int
    kind: str  # Name of its generator: "kitchen".
    walls: Walls
    look: Lit
    surfaces: tuple[Surface, ...]  # The first is the main one.
    containers: tuple[Container, ...] = ()
    fixtures: tuple[Fixture, ...] = ()
    items: tuple[Item, ...]
    furniture: tuple[Part, ...] = ()  # All that does not move, in the room's frame.

    @property
    def dishes(self) -> tuple[Item, ...]:
        """Items that belong in a sink."""
        return tuple(item for item in self.items if item.is_dish)

    def belonging_in(self, container: str) -> tuple[Item, ...]:
        """Return the items that a task puts into a container."""
        return tuple(item for item in self.items if item.belongs_in == container)

    def item(self, name: str) -> Item:
        """Return the item called `name`.

        Raises:
            Pi05Error: There is no such item.
        """
        return _called(name, self.items, f"the {self.kind} of home {self.seed} has no item")

    def surface(self, name: str) -> Surface:
        """Return the surface called `name`.

        Raises:
            Pi05Error: There is no such surface.
        """
        return _called(name, self.surfaces, f"the {self.kind} of home {self.seed} has no surface")

    def fixture(self, name: str) -> Fixture:
        """Return the fixture called `name`.

        Raises:
            Pi05Error: There is no such fixture.
        """
        return _called(name, self.fixtures, f"the {self.kind} of home {self.seed} has no fixture")

    def container(self, name: str, objects: Mapping[str, Pose] | None = None) -> Container:
        """Return the container called `name` where it is now.

        Args:
            name: Its name.
            objects: Poses of the fixtures in odom; None: all are at rest.

        Raises:
            Pi05Error: There is no such container.
        """
        where = f"the {self.kind} of home {self.seed} has no container"
        found = _called(name, self.containers, where)
        if not found.fixture or objects is None:
            return found
        fixture = self.fixture(found.fixture)
        x, y, yaw = fixture.displacement(objects[found.fixture])
        in_fixture = fixture.pose.inverse().compose(found.pose)
        moved = fixture.pose.compose(FloorPose(x, y, yaw)).compose(in_fixture)
        return replace(found, pose=moved)


@dataclass(frozen=True, kw_only=True)
class Kitchen(Room):
    """A kitchen: counters with a sink, and dishes."""

    look: Look

    @property
    def counters(self) -> tuple[Surface, ...]:
        """The counters; the first is the main one, with sink and dishes."""
        return self.surfaces

    @property
    def sink(self) -> Container:
        """The sink in the main counter."""
        return self.container("sink")


@dataclass(frozen=True, kw_only=True)
class Bedroom(Room):
    """A bedroom: a bed along the wall with a blanket and pillows, laundry and a basket.

    The bed is the main surface, `bed`, and its long side faces the robot.
    """

    look: BedroomLook
    head: Literal[-1, 1]  # The bed's head is at +y (1) or -y (-1) of its frame.
    pillow_places: tuple[FloorPose, FloorPose]  # Where made pillows lie: near, far; in odom.

    @property
    def bed(self) -> Surface:
        """The bed's mattress."""
        return self.surfaces[0]

    @property
    def pillows(self) -> tuple[Item, ...]:
        """The pillows."""
        return tuple(item for item in self.items if item.design.kind == "pillow")

    @property
    def laundry(self) -> tuple[Item, ...]:
        """Garments that belong in the basket."""
        return self.belonging_in("basket")


@dataclass(frozen=True, kw_only=True)
class Lab(Room):
    """A laboratory: a table with a tray for blocks, a bin for all else, and things to sort."""

    look: LabLook

    @property
    def blocks(self) -> tuple[Item, ...]:
        """The blocks, which belong in the tray."""
        return self.belonging_in("tray")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _called(name: str, things: tuple[_N, ...], problem: str) -> _N:
    for thing in things:
        if thing.name == name:
            return thing
    names = [thing.name for thing in things]
    raise Pi05Error(
        f"{problem} '{name}'{did_you_mean(name, names)} (valid: {', '.join(names) or 'none'})"
    )
