"""What a kitchen is built of: walls, floor, counters, a sink with its tap, a window."""

from __future__ import annotations

import dataclasses

import numpy as np

from pi05_ros.sim.geometry import FloorPose, quaternion_multiply, yaw_quaternion
from pi05_ros.sim.kitchen import Counter, Kitchen
from pi05_ros.sim.parts import ALONG_X, ALONG_Y, Color, Part

_STEEL: Color = (0.70, 0.72, 0.74, 1.0)
_CHROME: Color = (0.86, 0.87, 0.89, 1.0)
_TOP = 0.04  # Thickness of a worktop [m].
_WALL = 0.05  # Half thickness of walls [m].


def kitchen_parts(kitchen: Kitchen) -> tuple[Part, ...]:
    """All furniture as parts in the room's frame."""
    room = kitchen.room
    parts = [*_shell(kitchen), *_window(kitchen)]
    for counter in kitchen.counters:
        pose = room.pose.inverse().compose(counter.pose)
        sink = kitchen.sink if kitchen.sink.counter == counter.name else None
        hole = None
        if sink is not None:
            middle = pose.local(room.pose.local((sink.pose.x, sink.pose.y)))
            hole = (float(middle[0]), float(middle[1]), *sink.size)
        parts += [_placed(part, pose) for part in _counter(counter, kitchen, hole)]
    return tuple(parts)


def _placed(part: Part, pose: FloorPose) -> Part:
    """A part of a counter's frame, in the room's frame."""
    x, y = pose.point(part.position[:2])
    turned = quaternion_multiply(yaw_quaternion(pose.yaw), np.array(part.quaternion))
    position = (float(x), float(y), part.position[2])
    return dataclasses.replace(part, position=position, quaternion=tuple(turned.tolist()))


def _box(
    x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], color: Color, **kinds
) -> Part:
    """A box from its extents along each axis [m]."""
    size = tuple((high - low) / 2 for low, high in (x, y, z))
    middle = tuple((high + low) / 2 for low, high in (x, y, z))
    return Part("box", size, middle, color=color, **kinds)


def _shell(kitchen: Kitchen) -> list[Part]:
    room, look = kitchen.room, kitchen.look
    (x0, x1), (y0, y1), top = room.x, room.y, room.height
    w = 2 * _WALL
    floor = _box(
        (x0, x1), (y0, y1), (-0.1, 0.0), look.floor, texture=look.floor_pattern, felt=True
    )
    walls = [
        _box((x1, x1 + w), (y0 - w, y1 + w), (0, top), look.wall, felt=True),
        _box((x0 - w, x0), (y0 - w, y1 + w), (0, top), look.wall, felt=True),
        _box((x0, x1), (y1, y1 + w), (0, top), look.wall, felt=True),
        _box((x0, x1), (y0 - w, y0), (0, top), look.wall, felt=True),
    ]
    main = kitchen.counters[0]
    tiles = _box((x1 - 0.01, x1), (y0, y1), (main.height, main.height + 0.5), look.tile,
                 texture="tiles", shine=0.5)  # fmt: skip
    return [floor, *walls, tiles]


def _window(kitchen: Kitchen) -> list[Part]:
    """A window above the sink, and cupboards beside it."""
    room, look = kitchen.room, kitchen.look
    wall, y, low, high = room.x[1], look.window, 1.42, 2.1
    white = (0.95, 0.95, 0.94, 1.0)
    parts = [_box((wall - 0.012, wall), (y - 0.5, y + 0.5), (low, high), look.sky, shine=0.8)]
    for a, b in ((-0.54, -0.48), (-0.02, 0.02), (0.48, 0.54)):
        parts.append(_box((wall - 0.03, wall), (y + a, y + b), (low - 0.04, high + 0.04), white))
    for a, b in ((low - 0.04, low + 0.02), (high - 0.02, high + 0.04)):
        parts.append(_box((wall - 0.03, wall), (y - 0.54, y + 0.54), (a, b), white))
    length = kitchen.counters[0].length
    for y0, y1 in ((-length / 2, y - 0.65), (y + 0.65, length / 2)):
        if y1 - y0 < 0.35:
            continue
        parts.append(_box((wall - 0.32, wall), (y0, y1), (1.55, 2.2), look.cabinet))
        doors = max(1, round((y1 - y0) / 0.5))
        for i in range(doors):
            a = y0 + (y1 - y0) * i / doors
            b = y0 + (y1 - y0) * (i + 1) / doors
            parts += _door((wall - 0.32, a, b), (1.55, 2.2), look.cabinet, handle_low=True)
    return parts


def _door(
    place: tuple[float, float, float],
    z: tuple[float, float],
    color: Color,
    handle_low: bool = False,
) -> list[Part]:
    """A panel on the front at x = place[0] between y = place[1] and place[2], with a handle."""
    front, a, b = place
    panel_color = (*(min(1.0, 1.06 * c) for c in color[:3]), 1.0)
    panel = _box((front - 0.012, front), (a + 0.012, b - 0.012), (z[0] + 0.012, z[1] - 0.012),
                 panel_color)  # fmt: skip
    height = z[0] + 0.06 if handle_low else z[1] - 0.06
    handle = Part("capsule", (0.007, 0.05), (front - 0.03, (a + b) / 2, height),
                  ALONG_Y, _CHROME, shine=0.9)  # fmt: skip
    return [panel, handle]


def _counter(
    counter: Counter, kitchen: Kitchen, hole: tuple[float, float, float, float, float] | None
) -> list[Part]:
    """A counter in its own frame. hole: middle x, y and size x, y, depth of a basin."""
    look = kitchen.look
    half, depth, top = counter.length / 2, counter.depth, counter.height
    under = top - _TOP
    slab = {"color": look.top, "felt": True, "shine": 0.4}
    parts = [
        _box((0.07, depth), (-half, half), (0.0, 0.09), (0.12, 0.12, 0.12, 1.0), felt=True),
        _box((0.03, 0.06), (-half, half), (0.09, under), look.cabinet, felt=True),
        _box((0.06, depth), (-half, -half + 0.03), (0.09, under), look.cabinet, felt=True),
        _box((0.06, depth), (half - 0.03, half), (0.09, under), look.cabinet, felt=True),
    ]
    if hole is None:
        parts.append(_box((0, depth), (-half, half), (under, top), **slab))
    else:
        x, y, sx, sy, deep = hole
        parts += [
            _box((0, x - sx / 2), (-half, half), (under, top), **slab),
            _box((x + sx / 2, depth), (-half, half), (under, top), **slab),
            _box((x - sx / 2, x + sx / 2), (-half, y - sy / 2), (under, top), **slab),
            _box((x - sx / 2, x + sx / 2), (y + sy / 2, half), (under, top), **slab),
            *_basin(x, y, sx, sy, deep, top),
        ]
    doors = round(counter.length / 0.5)
    for i in range(doors):
        a = -half + counter.length * i / doors
        parts += _door((0.03, a, a + counter.length / doors), (0.09, under), look.cabinet)
    return parts


def _basin(x: float, y: float, sx: float, sy: float, deep: float, top: float) -> list[Part]:
    """An open basin of inner size sx, sy, deep, with a steel rim and a tap behind it."""
    steel = {"color": _STEEL, "shine": 0.8, "felt": True}
    t = 0.03  # Thick walls: nothing that falls goes through them.
    floor, lip = top - deep, top + 0.002
    x0, x1, y0, y1 = x - sx / 2, x + sx / 2, y - sy / 2, y + sy / 2
    rim = {"color": _CHROME, "shine": 0.9}
    tap_x = x1 + 0.05
    return [
        _box((x0 - t, x1 + t), (y0 - t, y1 + t), (floor - t, floor), **steel),
        _box((x0 - t, x0), (y0 - t, y1 + t), (floor, top - 0.001), **steel),
        _box((x1, x1 + t), (y0 - t, y1 + t), (floor, top - 0.001), **steel),
        _box((x0, x1), (y0 - t, y0), (floor, top - 0.001), **steel),
        _box((x0, x1), (y1, y1 + t), (floor, top - 0.001), **steel),
        _box((x0 - 0.02, x0), (y0 - 0.02, y1 + 0.02), (top, lip), **rim),
        _box((x1, x1 + 0.02), (y0 - 0.02, y1 + 0.02), (top, lip), **rim),
        _box((x0, x1), (y0 - 0.02, y0), (top, lip), **rim),
        _box((x0, x1), (y1, y1 + 0.02), (top, lip), **rim),
        Part("cylinder", (0.025, 0.002), (x, y, floor + 0.002), color=(0.2, 0.2, 0.2, 1)),
        Part("cylinder", (0.026, 0.01), (tap_x, y, top + 0.01), color=_CHROME, shine=0.9),
        Part("capsule", (0.012, 0.12), (tap_x, y, top + 0.13), color=_CHROME, shine=0.9),
        Part("capsule", (0.011, 0.06), (tap_x - 0.06, y, top + 0.255), ALONG_X,
             _CHROME, shine=0.9),
        Part("capsule", (0.011, 0.02), (tap_x - 0.12, y, top + 0.235), color=_CHROME, shine=0.9),
        Part("capsule", (0.007, 0.03), (tap_x, y - 0.05, top + 0.035), ALONG_Y,
             _CHROME, shine=0.9),
    ]  # fmt: skip
