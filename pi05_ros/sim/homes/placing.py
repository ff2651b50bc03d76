"""Placing of further items on the surfaces of a room that is drawn already."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import Design
from pi05_ros.sim.homes.room import Container, Item, Surface


def place_item(
    design: Design,
    surface: Surface,
    place: FloorPose,
    *,
    name: str,
    phrase: str,
    belongs_in: str = "",
) -> Item:
    """Return an item that stands on a surface.

    Args:
        design: The item's design.
        surface: What it stands on.
        place: Its pose in the surface's frame.
        name: Its unique name.
        phrase: Its noun phrase.
        belongs_in: Name of the container that a task puts it into; "": none.
    """
    pose = surface.pose.compose(place)
    return Item(
        name=name,
        phrase=phrase,
        design=design,
        position=(pose.x, pose.y, surface.height),
        yaw=pose.yaw,
        surface=surface.name,
        is_dish=belongs_in == "sink",
        belongs_in=belongs_in,
    )


def is_clear(item: Item, others: Iterable[Item], gap: float = 0.0, spacing: float = 0.0) -> bool:
    """Check whether an item stands apart from the others that stand at its height.

    Args:
        item: The item.
        others: Those that it must not touch.
        gap: Least distance between two edges [m].
        spacing: Least distance between two middles [m].
    """
    return all(
        math.dist(item.position[:2], other.position[:2])
        >= max(spacing, item.design.footprint + other.design.footprint + gap)
        for other in others
        if abs(item.position[2] - other.position[2]) < 0.3
    )


def clears_section(item: Item, container: Container, gap: float) -> bool:
    """Check whether an item is beside a container's section of the surface, from front to wall.

    Args:
        item: An item on the surface that the container is built into.
        container: A sink.
        gap: Least distance between the edges of both [m].
    """
    _, y, *_ = container.pose.local(item.position).tolist()
    return abs(y) > container.size[1] / 2 + gap + item.design.footprint
