"""Data model of a mock home: room, counters, sink, items and their appearance.

These dataclasses are what `draw_kitchen` generates from a seed, and what physics, expert and
scoring read. Poses are in the frame `odom`, whose origin is the robot's start pose with x forward
and z up; only `Room` and `Look` use the room's frame. Lengths are in m, angles in rad about z.
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
    """A worktop. Its frame is at the middle of its front edge, with x to the back and y left."""

    name: str
    pose: FloorPose  # In odom.
    length: float  # Along its y [m].
    depth: float  # Along its x [m].
    height: float  # Of the top above the floor [m].


@dataclass(frozen=True)
class Sink:
    """An open basin in a counter. The x axis of its frame points to the back of the counter."""

    counter: str  # Name of the counter.
    pose: FloorPose  # Middle of the basin, in odom.
    size: tuple[float, float, float]  # Inner size along x, along y, and depth [m].
    top: float  # Height of its rim above the floor [m].

    @property
    def floor(self) -> float:
        """Height of the basin's floor [m]."""
        return self.top - self.size[2]

    def contains(self, position: np.ndarray) -> bool:
        """Check whether a point (3,) in odom [m] is inside the basin, below its rim."""
        x, y, z = self.pose.local(position)
        inside = abs(x) <= self.size[0] / 2 and abs(y) <= self.size[1] / 2
        return bool(inside and self.floor - 0.02 <= z <= self.top - 0.01)


@dataclass(frozen=True)
class Item:
    """A movable thing with its start pose."""

    name: str  # Unique: "plate_1".
    phrase: str  # Unique noun phrase: "the plate", or "the red cup" if there are two cups.
    design: Design
    position: tuple[float, float, float]  # Of its frame's origin (see items.py) in odom [m].
    yaw: float  # In odom [rad].
    counter: str  # Name of the counter that supports it.
    is_dish: bool

    @property
    def label(self) -> str:
        """Common name of the item ("plate")."""
        return self.design.label

    @property
    def grasp(self) -> Grasp | None:
        """Grasp of a parallel gripper in the item's frame; None: it is not to be picked up."""
        return self.design.grasp

    @property
    def pose(self) -> Pose:
        """Start pose in odom."""
        return Pose(np.array(self.position), yaw_quaternion(self.yaw))


@dataclass(frozen=True)
class Room:
    """Four walls and a floor.

    The room's frame is on the floor below the middle of the main counter's front edge, with x to
    the wall behind that counter and y left.
    """

    pose: FloorPose  # Of the room's frame in odom.
    x: tuple[float, float]  # Positions of the walls across x in the room's frame [m].
    y: tuple[float, float]  # Positions of the walls across y in the room's frame [m].
    height: float  # [m]


@dataclass(frozen=True)
class Look:
    """Colours, light and fittings. Window, tap and fridge also determine collision geometry."""

    wall: Color
    tile: Color
    floor: Color
    floor_pattern: Literal["wood", "checker"]
    cabinet: Color
    top: Color
    sky: Color
    light_direction: tuple[float, float, float]  # Direction of the light, in the room's frame.
    light: float  # Strength of the directional light, 0 to 1.
    ambient: float  # Strength of the ambient light, 0 to 1.
    window: float  # Middle of the window along the room's y [m].
    oven: int  # Index of the main counter's cupboard that is an oven, counted from the right.
    tap: float  # Yaw of the spout from pointing over the basin, counter-clockwise [rad].
    fridge: Literal["none", "left", "right"]  # Side of the main counter with the fridge.


@dataclass(frozen=True)
class Kitchen:
    """A mock home with one kitchen."""

    seed: int
    room: Room
    look: Look
    counters: tuple[Counter, ...]  # The first is the main one, with sink and dishes.
    sink: Sink
    items: tuple[Item, ...]  # Dishes first.

    @property
    def dishes(self) -> tuple[Item, ...]:
        """Items of the task, which belong in the sink."""
        return tuple(item for item in self.items if item.is_dish)

    def item(self, name: str) -> Item:
        """Return the item called `name`.

        Raises:
            Pi05Error: There is no such item.
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
        """Return the counter called `name`.

        Raises:
            KeyError: There is no such counter.
        """
        return {counter.name: counter for counter in self.counters}[name]
