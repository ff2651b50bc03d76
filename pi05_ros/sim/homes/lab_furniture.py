"""Furniture of a laboratory as parts: walls, floor, table, tray, bin, shelf, whiteboard."""

from __future__ import annotations

from pi05_ros.sim.homes.parts import Color, Part
from pi05_ros.sim.homes.room import Container, Lab
from pi05_ros.sim.homes.shapes import box, placed, shell

WALL = 0.012  # Of tray and bin [m].
_TOP = 0.03  # Thickness of the table's top [m].
_WHITE: Color = (0.95, 0.95, 0.95, 1.0)
_DARK: Color = (0.16, 0.17, 0.19, 1.0)


def lab_parts(lab: Lab) -> tuple[Part, ...]:
    """Return all furniture as parts in the room's frame."""
    parts = [
        *shell(lab.walls, lab.look.wall, lab.look.floor, lab.look.floor_pattern),
        *_table(lab),
        *_shelf(lab),
        *_board(lab),
    ]
    for container, color in zip(lab.containers, (lab.look.tray, lab.look.bin), strict=True):
        pose = lab.walls.pose.inverse().compose(container.pose)
        parts += [placed(part, pose) for part in _open_box(container, color)]
    return tuple(parts)


def _table(lab: Lab) -> list[Part]:
    """Make a table on four legs."""
    table, look = lab.surfaces[0], lab.look
    half, under = table.length / 2, table.height - _TOP
    parts = [
        box((0.0, table.depth), (-half, half), (under, table.height), look.top, collides=True),
        box((0.03, table.depth - 0.03), (-half + 0.05, half - 0.05), (under - 0.05, under),
            look.frame),
    ]  # fmt: skip
    for x in (0.04, table.depth - 0.09):
        for y in (-half + 0.05, half - 0.1):
            parts.append(
                box((x, x + 0.05), (y, y + 0.05), (0.0, under), look.frame, collides=True)
            )
    return parts


def _open_box(container: Container, color: Color) -> list[Part]:
    """Make a tray or a bin in its own frame: a floor and four walls that stand on the table."""
    (sx, sy, depth), t = container.size, WALL
    x, y, top = sx / 2, sy / 2, container.top
    floor, z = top - depth, (top - depth - 0.006, top)

    def wall(across: tuple[float, float], along: tuple[float, float]) -> Part:
        return box(across, along, z, color, collides=True)

    return [
        box((-x, x), (-y, y), (floor - 0.006, floor), color, collides=True),
        wall((-x - t, -x), (-y - t, y + t)),
        wall((x, x + t), (-y - t, y + t)),
        wall((-x, x), (-y - t, -y)),
        wall((-x, x), (y, y + t)),
    ]


def _shelf(lab: Lab) -> list[Part]:
    """Make a metal shelf with boxes at the wall behind the table."""
    x1, look = lab.walls.x[1], lab.look
    y = lab.walls.y[0] + 0.5 if look.board > 0 else lab.walls.y[1] - 0.5
    parts = [
        box((x1 - 0.35, x1 - 0.02), (y - 0.4, y + 0.4), (z, z + 0.02), look.frame, collides=True)
        for z in (0.3, 0.8, 1.3)
    ]
    for side in (-0.4, 0.37):
        posts = (y + side, y + side + 0.03)
        parts += [
            box((x, x + 0.03), posts, (0.0, 1.6), look.frame, collides=True)
            for x in (x1 - 0.35, x1 - 0.05)
        ]
    for z, at, color in ((0.32, -0.2, look.bin), (0.82, 0.12, look.tray), (1.32, -0.1, _DARK)):
        parts.append(
            box((x1 - 0.3, x1 - 0.06), (y + at - 0.14, y + at + 0.14), (z, z + 0.22), color)
        )
    return parts


def _board(lab: Lab) -> list[Part]:
    """Make a whiteboard with some writing on the wall behind the table."""
    x, y = lab.walls.x[1], lab.look.board
    lines = [(1.75, 0.35, (0.15, 0.3, 0.65, 1.0)), (1.62, 0.22, _DARK), (1.49, 0.3, _DARK)]
    return [
        box((x - 0.03, x), (y - 0.62, y + 0.62), (1.18, 2.02), lab.look.frame),
        box((x - 0.034, x), (y - 0.59, y + 0.59), (1.21, 1.99), _WHITE, shine=0.6),
        *(
            box((x - 0.036, x), (y + 0.45 - 2 * half, y + 0.45), (z, z + 0.02), color)
            for z, half, color in lines
        ),
    ]
