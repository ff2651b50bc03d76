"""Furniture of a kitchen as parts: walls, floor, counters, sink with tap, window, fridge."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.parts import ALONG_X, ALONG_Y, UPRIGHT, Color, Part, Quaternion, about_y
from pi05_ros.sim.homes.room import Kitchen, Surface
from pi05_ros.sim.homes.shapes import Span, box, placed, shell, skirting

_STEEL: Color = (0.70, 0.72, 0.74, 1.0)
CHROME: Color = (0.86, 0.87, 0.89, 1.0)
_WHITE: Color = (0.95, 0.95, 0.94, 1.0)
_DARK: Color = (0.12, 0.12, 0.13, 1.0)
WORKTOP = 0.04  # Thickness of a worktop [m].
BAY_HEIGHT = 0.18  # Of a drawer's section of the front, below the worktop [m].
BAY_MARGIN = 0.018  # Beside a drawer's inner width, for its walls and some air [m].
BASIN_WALL = 0.03  # Thick enough that falling items do not tunnel through it [m].


class _Bay(NamedTuple):
    """Cut-out of a drawer in the front of a counter."""

    middle: float  # Along the counter's y [m].
    opening: Span  # Along the counter's y [m].


class _Hole(NamedTuple):
    """Cut-out of a basin in a counter, in the counter's frame."""

    x: Span
    y: Span
    depth: float  # [m]


def kitchen_parts(kitchen: Kitchen) -> tuple[Part, ...]:
    """Return all furniture as parts in the room's frame."""
    room, sink = kitchen.walls, kitchen.sink
    parts = [*_shell(kitchen), *_window(kitchen), *_cupboards(kitchen), *_fridge(kitchen)]
    for counter in kitchen.counters:
        pose = room.pose.inverse().compose(counter.pose)
        hole = None
        if sink.surface == counter.name:
            x, y = counter.pose.local((sink.pose.x, sink.pose.y)).tolist()
            (sx, sy, depth) = sink.size
            hole = _Hole((x - sx / 2, x + sx / 2), (y - sy / 2, y + sy / 2), depth)
        parts += [placed(part, pose) for part in _counter(counter, kitchen, hole)]
    return tuple(parts)


def _shell(kitchen: Kitchen) -> list[Part]:
    """Make the floor, the walls with skirting, and the tiles behind the main counter."""
    room, look = kitchen.walls, kitchen.look
    x1, (y0, y1) = room.x[1], room.y
    main = kitchen.counters[0]
    return [
        *shell(room, look.wall, look.floor, look.floor_pattern),
        *skirting(room, _WHITE),
        Part(
            # Rotated, because MuJoCo projects textures onto a box along its z axis.
            "box", (0.25, (y1 - y0) / 2, 0.005), (x1 - 0.005, (y0 + y1) / 2, main.height + 0.25),
            about_y(-math.pi / 2), look.tile, texture="tiles", shine=0.5,
        ),
    ]  # fmt: skip


def _window(kitchen: Kitchen) -> list[Part]:
    """Make a window with two wings above the sink."""
    wall, y, low, high = kitchen.walls.x[1], kitchen.look.window, 1.44, 2.1
    front = (wall - 0.03, wall)
    posts = [(y - 0.54, y - 0.48), (y - 0.02, y + 0.02), (y + 0.48, y + 0.54)]
    rails = [(low - 0.04, low + 0.02), (high - 0.02, high + 0.04)]
    return [
        box((wall - 0.012, wall), (y - 0.5, y + 0.5), (low, high), kitchen.look.sky, shine=0.8),
        *(box(front, post, (low - 0.04, high + 0.04), _WHITE) for post in posts),
        *(box(front, (y - 0.54, y + 0.54), rail, _WHITE) for rail in rails),
        box((wall - 0.09, wall), (y - 0.56, y + 0.56), (low - 0.07, low - 0.04), _WHITE),
    ]


def _cupboards(kitchen: Kitchen) -> list[Part]:
    """Make wall cupboards on both sides of the window, where there is room for a door."""
    wall, look, half = kitchen.walls.x[1], kitchen.look, kitchen.counters[0].length / 2
    z, parts = (1.55, 2.2), []
    for y0, y1 in ((-half, look.window - 0.65), (look.window + 0.65, half)):
        if y1 - y0 < 0.35:
            continue
        parts.append(box((wall - 0.32, wall), (y0, y1), z, look.cabinet, collides=True))
        for span in _split((y0, y1), 0.5):
            parts += _door(wall - 0.32, span, z, look.cabinet, handle=z[0] + 0.06)
    return parts


def _fridge(kitchen: Kitchen) -> list[Part]:
    """Make a tall fridge with a freezer below, beside the main counter."""
    side = kitchen.look.fridge
    if side == "none":
        return []
    main, wall, color = kitchen.counters[0], kitchen.walls.x[1], (0.88, 0.89, 0.90, 1.0)
    near, far = main.length / 2 + 0.03, main.length / 2 + 0.67
    y = (near, far) if side == "left" else (-far, -near)
    front = 0.03
    handle = y[0] + 0.06 if side == "left" else y[1] - 0.06
    parts = [box((front, wall), y, (0.0, 1.78), (0.55, 0.56, 0.58, 1.0), collides=True)]
    for z in ((0.05, 0.66), (0.68, 1.76)):
        parts.append(box((front - 0.02, front), y, z, color, shine=0.7))
        middle = (front - 0.05, handle, z[1] - 0.25 if z[0] < 0.1 else z[0] + 0.25)
        parts.append(Part("capsule", (0.011, 0.17), middle, color=CHROME, shine=0.9))
    return parts


def _split(span: Span, width: float) -> list[Span]:
    """Divide a span into equal pieces of about `width` [m]."""
    count = max(1, round((span[1] - span[0]) / width))
    edges = np.linspace(span[0], span[1], count + 1).tolist()
    return [(edges[i], edges[i + 1]) for i in range(count)]


def door_color(cabinet: Color) -> Color:
    """Return the colour of the doors of a cupboard, slightly brighter than its body."""
    r, g, b, _ = cabinet
    return (min(1.0, 1.06 * r), min(1.0, 1.06 * g), min(1.0, 1.06 * b), 1.0)


def _door(front: float, y: Span, z: Span, color: Color, handle: float) -> list[Part]:
    """Make a door panel in front of x = `front` with a handle at height `handle` [m]."""
    across, up = (y[0] + 0.006, y[1] - 0.006), (z[0] + 0.006, z[1] - 0.006)
    panel = box((front - 0.012, front), across, up, door_color(color))
    place = (front - 0.03, (y[0] + y[1]) / 2, handle)
    return [panel, Part("capsule", (0.007, 0.06), place, ALONG_Y, CHROME, shine=0.9)]


def _oven(front: float, y: Span, top: float) -> list[Part]:
    """Make an oven door with a window and a row of knobs."""
    a, b = y[0] + 0.006, y[1] - 0.006
    parts = [
        box((front - 0.012, front), (a, b), (0.10, top), _STEEL, shine=0.7),
        box((front - 0.014, front), (a + 0.06, b - 0.06), (0.2, top - 0.26), _DARK, shine=0.9),
        Part("capsule", (0.01, 0.17), (front - 0.045, (a + b) / 2, top - 0.19), ALONG_Y, CHROME),
    ]
    for knob in np.linspace(a + 0.08, b - 0.08, 4).tolist():
        parts.append(Part("cylinder", (0.018, 0.02), (front - 0.01, knob, top - 0.08), ALONG_X,
                          _DARK))  # fmt: skip
    return parts


def _counter(counter: Surface, kitchen: Kitchen, hole: _Hole | None) -> list[Part]:
    """Make a counter in its own frame: plinth, cupboards below, and a worktop."""
    look, depth = kitchen.look, counter.depth
    half, under = counter.length / 2, counter.height - WORKTOP
    y, bay = (-half, half), _bay(counter, kitchen)
    parts = [
        box((0.07, depth), y, (0.0, 0.09), _DARK, collides=True),
        *_boards(y, under, look.cabinet, bay),
        box((0.06, depth), (-half, -half + 0.03), (0.09, under), look.cabinet, collides=True),
        box((0.06, depth), (half - 0.03, half), (0.09, under), look.cabinet, collides=True),
    ]
    for i, span in enumerate(cupboard_spans(counter.length)):
        if hole is not None and i == look.oven:
            parts += _oven(0.03, span, under)
        else:
            above = bay is not None and span[0] < bay.middle < span[1]
            top = under - BAY_HEIGHT if above else under
            parts += _door(0.03, span, (0.09, top), look.cabinet, handle=top - 0.06)
    return parts + _worktop(counter, kitchen, hole)


def cupboard_spans(length: float) -> list[Span]:
    """Return the sections of a counter's front from right to left, along its y [m].

    Args:
        length: Of the counter [m].
    """
    return _split((-length / 2, length / 2), 0.55)


def _bay(counter: Surface, kitchen: Kitchen) -> _Bay | None:
    """Return the cut-out of the drawer in a counter's front; None: it has no drawer."""
    for container in kitchen.containers:
        if container.fixture and container.surface == counter.name:
            middle = float(counter.pose.local((container.pose.x, container.pose.y))[1])
            half = container.size[1] / 2 + BAY_MARGIN
            return _Bay(middle, (middle - half, middle + half))
    return None


def _boards(y: Span, top: float, color: Color, bay: _Bay | None) -> list[Part]:
    """Make the board behind the doors of a counter, with the cut-out of a drawer."""
    x = (0.03, 0.06)
    if bay is None:
        return [box(x, y, (0.09, top), color, collides=True)]
    low, high = bay.opening
    return [
        box(x, (y[0], low), (0.09, top), color, collides=True),
        box(x, (high, y[1]), (0.09, top), color, collides=True),
        box(x, bay.opening, (0.09, top - BAY_HEIGHT), color, collides=True),
    ]


def _worktop(counter: Surface, kitchen: Kitchen, hole: _Hole | None) -> list[Part]:
    half, z = counter.length / 2, (counter.height - WORKTOP, counter.height)

    def slab(x: Span, y: Span) -> Part:
        return box(x, y, z, kitchen.look.top, collides=True, shine=0.4)

    if hole is None:
        return [slab((0.0, counter.depth), (-half, half))]
    # The basin's walls fill the cut-out, so that no two faces are coplanar.
    x0, x1 = hole.x[0] - BASIN_WALL, hole.x[1] + BASIN_WALL
    y0, y1 = hole.y[0] - BASIN_WALL, hole.y[1] + BASIN_WALL
    return [
        slab((0.0, x0), (-half, half)),
        slab((x1, counter.depth), (-half, half)),
        slab((x0, x1), (-half, y0)),
        slab((x0, x1), (y1, half)),
        *_basin(hole, counter.height),
        *_tap(hole.x[1], (hole.y[0] + hole.y[1]) / 2, counter.height, kitchen.look.tap),
    ]


def _basin(hole: _Hole, top: float) -> list[Part]:
    """Make an open steel basin with a rim and a drain."""
    (x0, x1), (y0, y1), t = hole.x, hole.y, BASIN_WALL
    floor, rim = top - hole.depth, (top, top + 0.002)
    z = (floor, top)

    def steel(x: Span, y: Span, z: Span) -> Part:
        return box(x, y, z, _STEEL, collides=True, shine=0.8)

    def trim(x: Span, y: Span) -> Part:
        return box(x, y, rim, CHROME, shine=0.9)

    return [
        steel((x0 - t, x1 + t), (y0 - t, y1 + t), (floor - t, floor)),
        steel((x0 - t, x0), (y0 - t, y1 + t), z),
        steel((x1, x1 + t), (y0 - t, y1 + t), z),
        steel((x0, x1), (y0 - t, y0), z),
        steel((x0, x1), (y1, y1 + t), z),
        trim((x0 - t, x0), (y0 - t, y1 + t)),
        trim((x1, x1 + t), (y0 - t, y1 + t)),
        trim((x0, x1), (y0 - t, y0)),
        trim((x0, x1), (y1, y1 + t)),
        Part("cylinder", (0.025, 0.002), ((x0 + x1) / 2, (y0 + y1) / 2, floor), color=_DARK),
    ]


def _tap(basin: float, y: float, top: float, turn: float) -> list[Part]:
    """Make a tap behind a basin that ends at x = `basin`, its spout swivelled by `turn` [rad].

    At 0 the spout would be above the basin. Kitchens have it turned away, so that the space above
    the basin is free.
    """
    x = basin + 0.065

    def chrome(
        size: Span, out: float, z: float, along: Quaternion = UPRIGHT, yaw: float = 0.0
    ) -> Part:
        """Make a capsule at the distance `out` [m] from the tap's axis, in the direction `yaw`."""
        pose = FloorPose(x, y, math.pi + yaw)
        part = Part("capsule", size, (out, 0.0, top + z), along, CHROME, shine=0.9, collides=True)
        return placed(part, pose)

    return [
        Part("cylinder", (0.026, 0.01), (x, y, top + 0.01), color=CHROME, shine=0.9),
        chrome((0.012, 0.12), 0.0, 0.13),
        chrome((0.011, 0.055), 0.055, 0.255, ALONG_X, turn),
        chrome((0.011, 0.02), 0.11, 0.235, UPRIGHT, turn),
        chrome((0.007, 0.025), 0.035, 0.04, ALONG_X, turn - math.copysign(math.pi / 2, turn)),
    ]
