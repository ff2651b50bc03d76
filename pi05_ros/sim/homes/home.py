"""A mock home as plain data: rooms, furniture, a sink, things that stand about.

Everything stands in the frame `odom`, whose origin is where the robot starts, looking along x. The
room lies about it at `room.pose`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pi05_ros.brain.observation import Pose
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.geometry import FloorPose, yaw_quaternion
from pi05_ros.sim.homes.items import Design, Grasp
from pi05_ros.sim.homes.parts import Color


@dataclass(frozen=True)
class Counter:
    """A worktop. Its pose is the middle of its front edge; x points across it to the back."""

    name: str
    pose: FloorPose  # In odom.
    length: float  # Along its y [m].
    depth: float  # Along its x [m].
    height: float  # Of the top above the floor [m].


@dataclass(frozen=True)
class Sink:
    """An open basin set into a counter. x of its pose points across the counter."""

    counter: str  # Name of the counter.
    pose: FloorPose  # Middle of the basin, in odom.
    size: tuple[float, float, float]  # Inner size along x, along y, and depth [m].
    top: float  # Height of its rim above the floor [m].

    @property
    def floor(self) -> float:
        """Height of the basin's floor [m]."""
        return self.top - self.size[2]

    def contains(self, position: np.ndarray) -> bool:
        """Whether a point (3,) in odom [m] is inside the basin, below its rim."""
        x, y, z = self.pose.local(position)
        inside = abs(x) <= self.size[0] / 2 and abs(y) <= self.size[1] / 2
        return bool(inside and self.floor - 0.02 <= z <= self.top - 0.01)


@dataclass(frozen=True)
class Item:
    """A thing that can be moved, where the home begins."""

    name: str  # Unique: "plate_1".
    phrase: str  # Unique in text: "the plate", or "the red cup" where there are two cups.
    design: Design
    position: tuple[float, float, float]  # Of its base in odom [m].
    yaw: float  # In odom [rad].
    counter: str  # Name of the counter that it stands on.
    is_dish: bool

    @property
    def label(self) -> str:
        """What people call it ("plate")."""
        return self.design.label

    @property
    def grasp(self) -> Grasp | None:
        """Where to close a gripper on it; None: it is not meant to be picked up."""
        return self.design.grasp

    @property
    def pose(self) -> Pose:
        """Its pose in odom at the start."""
        return Pose(np.array(self.position), yaw_quaternion(self.yaw))


@dataclass(frozen=True)
class Room:
    """Four walls and a floor. The room's frame: x to the wall behind the main counter, y left."""

    pose: FloorPose  # Of the room's frame in odom: below the middle of the main counter's front.
    x: tuple[float, float]  # Where the walls across x stand [m].
    y: tuple[float, float]  # Where the walls across y stand [m].
    height: float  # [m]


@dataclass(frozen=True)
class Look:
    """Colours and light. Changes pictures, never physics."""

    wall: Color
    tile: Color
    floor: Color
    floor_pattern: Literal["wood", "checker"]
    cabinet: Color
    top: Color
    sky: Color
    light_direction: tuple[float, float, float]  # Where it shines, in the room's frame.
    light: float  # Strength of the lamp, 0 to 1.
    ambient: float  # Strength of the light from everywhere, 0 to 1.
    window: float  # Middle of the window along the room's y [m].
    oven: int  # Which cupboard of the main counter has an oven's door, counted from the right.
    tap: float  # How far the spout is turned from pointing at people; counter-clockwise [rad].
    fridge: Literal["none", "left", "right"]  # On which side of the main counter it stands.


@dataclass(frozen=True)
class Kitchen:
    """A mock home."""

    seed: int
    room: Room
    look: Look
    counters: tuple[Counter, ...]  # The first is the main one, which holds sink and dishes.
    sink: Sink
    items: tuple[Item, ...]  # Dishes first.

    @property
    def dishes(self) -> tuple[Item, ...]:
        """What belongs in the sink."""
        return tuple(item for item in self.items if item.is_dish)

    def item(self, name: str) -> Item:
        """The item called `name`.

        Raises:
            Pi05Error: There is none.
        """
        for item in self.items:
            if item.name == name:
                return item
        names = [item.name for item in self.items]
        raise Pi05Error(
            f"home {self.seed} has no item '{name}'{did_you_mean(name, names)} "
            f"(valid: {', '.join(names)})"
        )

    def counter(self, name: str) -> Counter:
        """The counter called `name`.

        Raises:
            KeyError: There is none.
        """
        return {counter.name: counter for counter in self.counters}[name]
