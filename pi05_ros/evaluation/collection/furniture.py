"""Which geoms of a room are which named furniture, and what can be said of its state."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import numpy as np

from pi05_ros.brain.observation import Pose
from pi05_ros.sim.home_spec import fixture_body
from pi05_ros.sim.homes.parts import Part
from pi05_ros.sim.homes.room import Container, Room, Surface

_AROUND = 0.04  # Thickness of a container's walls [m].
_RIM = 0.02  # Height of what a container's rim has above it [m].
_END = 0.06  # Overhang of furniture beyond its surface's outline [m].
_HIGH = 0.45  # Height of furniture above its surface: a headboard [m].
_OPEN, _SHUT = 0.05, 0.01  # A drawer is open from here on, and shut up to here [m].


def furniture_labels(room: Room) -> tuple[str, ...]:
    """Return the names of a room's furniture as words ("side counter"), each once."""
    names = [fixture.phrase for fixture in room.fixtures]
    names += [container.phrase for container in room.containers if not container.fixture]
    names += [surface.name.replace("_", " ") for surface in room.surfaces]
    return tuple(dict.fromkeys(name.removeprefix("the ") for name in names))


def furniture_of_geoms(room: Room, model: mujoco.MjModel) -> np.ndarray:
    """Return the index in `furniture_labels` of each geom's furniture, (ngeom,) int; -1: none.

    A part of the immovable furniture belongs to the container or surface within whose outline and
    height it is.
    """
    labels = furniture_labels(room)
    owner = np.full(model.ngeom, -1)
    for number, part in enumerate(room.furniture):
        label = _label_of(room, part)
        if label:
            owner[model.geom(f"room/{number}").id] = labels.index(label)
    for index, fixture in enumerate(room.fixtures):
        owner[model.geom_bodyid == model.body(fixture_body(fixture.name)).id] = index
    return owner


def fixture_states(room: Room, objects: Mapping[str, Pose]) -> dict[str, str]:
    """Return the state of the drawers as a word by label: "open" or "shut"; others are left out.

    Args:
        room: The room.
        objects: Poses of its fixtures in odom.
    """
    found = {}
    for fixture in room.fixtures:
        if fixture.turns_with_hand:
            continue
        opening = fixture.opening(objects[fixture.name])
        label = fixture.phrase.removeprefix("the ")
        if opening >= _OPEN:
            found[label] = "open"
        elif opening <= _SHUT:
            found[label] = "shut"
    return found


def _label_of(room: Room, part: Part) -> str:
    corners = [room.walls.pose.point(corner) for corner in part.bounds()]
    for container in room.containers:
        if not container.fixture and _in_container(container, corners):
            return container.phrase.removeprefix("the ")
    for surface in room.surfaces:
        if _in_surface(surface, corners):
            return surface.name.replace("_", " ")
    return ""


def _in_container(container: Container, corners: list[np.ndarray]) -> bool:
    deep, long = container.size[0] / 2 + _AROUND, container.size[1] / 2 + _AROUND
    # A basin's own parts are below the worktop around it.
    low = container.floor - _AROUND if container.surface else -_AROUND
    places = [container.pose.local(corner) for corner in corners]
    return all(
        abs(x) <= deep and abs(y) <= long and low <= z <= container.top + _RIM
        for x, y, z in places
    )


def _in_surface(surface: Surface, corners: list[np.ndarray]) -> bool:
    half = surface.length / 2 + _END
    places = [surface.pose.local(corner) for corner in corners]
    outline = all(-_END <= x <= surface.depth + _END and abs(y) <= half for x, y, _ in places)
    heights = [z for *_, z in places]
    return outline and min(heights) < surface.height and max(heights) < surface.height + _HIGH
