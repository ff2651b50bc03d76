"""Furniture of a bedroom as parts: walls, floor, bed, nightstand, wardrobe, basket, window."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.sim.homes.parts import Color, Part
from pi05_ros.sim.homes.room import Bedroom
from pi05_ros.sim.homes.shapes import Span, box, shell, skirting

NIGHTSTAND = (0.38, 0.42, 0.5)  # Depth, width, height [m].
BASKET = 0.36  # Inner width of the laundry basket [m].
BASKET_WALL = 0.018  # [m]
_MATTRESS = 0.16  # Thickness [m].
_WHITE: Color = (0.95, 0.95, 0.94, 1.0)
_METAL: Color = (0.78, 0.78, 0.80, 1.0)


def bedroom_parts(bedroom: Bedroom) -> tuple[Part, ...]:
    """Return all furniture as parts in the room's frame."""
    parts = [
        *_shell(bedroom),
        *_window(bedroom),
        *_bed(bedroom),
        *_nightstand(bedroom),
        *_wardrobe(bedroom),
        *_basket(bedroom),
    ]
    return tuple(parts)


def _shell(bedroom: Bedroom) -> list[Part]:
    """Make floor, walls with skirting, and a rug behind the robot's way along the bed."""
    walls, look = bedroom.walls, bedroom.look
    return [
        *shell(walls, look.wall, look.floor, look.floor_pattern),
        *skirting(walls, _WHITE),
        box((-1.7, -0.25), (-0.7, 0.7), (0.0, 0.004), look.rug, shine=0.02),
        box((-1.62, -0.33), (-0.62, 0.62), (0.0, 0.005), _lighter(look.rug), shine=0.02),
    ]


def _window(bedroom: Bedroom) -> list[Part]:
    """Make a window with curtains above the bed, and a picture beside it."""
    wall, y, low, high = bedroom.walls.x[1], bedroom.look.window, 1.3, 2.05
    cloth = bedroom.look.curtain
    front = (wall - 0.03, wall)
    curtains = [
        box((wall - 0.07, wall - 0.035), (y + a, y + b), (1.05, 2.2), cloth, shine=0)
        for a, b in ((-0.66, -0.42), (0.42, 0.66))
    ]
    return [
        box((wall - 0.012, wall), (y - 0.45, y + 0.45), (low, high), bedroom.look.sky, shine=0.8),
        box(front, (y - 0.02, y + 0.02), (low, high), _WHITE),
        box(front, (y - 0.47, y + 0.47), (low - 0.05, low), _WHITE),
        box(front, (y - 0.47, y + 0.47), (high, high + 0.05), _WHITE),
        Part("capsule", (0.012, 0.72), (wall - 0.055, y, 2.22), _along_y(), _METAL),
        *curtains,
    ]


def _bed(bedroom: Bedroom) -> list[Part]:
    """Make frame, legs, mattress with sheet, and a headboard."""
    bed, look = bedroom.bed, bedroom.look
    half, h, head = bed.length / 2, bed.height, bedroom.head
    under = h - _MATTRESS
    board = sorted((head * half, head * (half + 0.05)))
    foot = sorted((-head * half, -head * (half + 0.04)))
    parts = [
        box((0.0, bed.depth), (-half, half), (under, h), look.sheet, collides=True, shine=0.05),
        box((0.02, bed.depth), (-half, half), (under - 0.14, under), look.wood, collides=True),
        box((0.0, bed.depth), (board[0], board[1]), (0.0, h + 0.38), look.wood, collides=True),
        box((0.0, bed.depth), (foot[0], foot[1]), (0.0, h + 0.02), look.wood, collides=True),
    ]
    for x in (0.06, bed.depth - 0.06):
        for y in (-half + 0.06, half - 0.06):
            leg = (x, y, (under - 0.14) / 2)
            parts.append(
                Part("cylinder", (0.03, (under - 0.14) / 2), leg, color=look.wood, collides=True)
            )
    return parts


def _nightstand(bedroom: Bedroom) -> list[Part]:
    """Make a chest with two drawers that stay shut."""
    stand, look = bedroom.surface("nightstand"), bedroom.look
    pose = bedroom.walls.pose.inverse().compose(stand.pose)
    x = (pose.x, pose.x + stand.depth)
    y = (pose.y - stand.length / 2, pose.y + stand.length / 2)
    parts = [box(x, y, (0.04, stand.height), look.wood, collides=True)]
    for z in ((0.07, 0.26), (0.28, 0.47)):
        front = box((x[0] - 0.012, x[0]), (y[0] + 0.015, y[1] - 0.015), z, _lighter(look.wood))
        knob = Part("sphere", (0.014,), (x[0] - 0.022, pose.y, (z[0] + z[1]) / 2), color=_METAL)
        parts += [front, knob]
    return parts


def _wardrobe(bedroom: Bedroom) -> list[Part]:
    """Make a wardrobe at the wall behind the robot."""
    back, y, look = bedroom.walls.x[0], bedroom.look.wardrobe, bedroom.look
    x = (back, back + 0.5)
    parts = [box(x, (y - 0.6, y + 0.6), (0.0, 2.0), look.wood, collides=True)]
    for a, b in ((y - 0.59, y - 0.005), (y + 0.005, y + 0.59)):
        parts.append(box((x[1], x[1] + 0.015), (a, b), (0.08, 1.97), _lighter(look.wood)))
        handle = (x[1] + 0.03, b - 0.05 if a < y - 0.1 else a + 0.05, 1.0)
        parts.append(Part("capsule", (0.008, 0.09), handle, color=_METAL))
    return parts


def _basket(bedroom: Bedroom) -> list[Part]:
    """Make an open basket with bands that look woven."""
    container, look = bedroom.container("basket"), bedroom.look
    pose = bedroom.walls.pose.inverse().compose(container.pose)
    inner, outer = BASKET / 2, BASKET / 2 + BASKET_WALL
    x, y, z = pose.x, pose.y, (0.0, container.top)
    walls: list[tuple[Span, Span]] = [
        ((x - outer, x - inner), (y - outer, y + outer)),
        ((x + inner, x + outer), (y - outer, y + outer)),
        ((x - inner, x + inner), (y - outer, y - inner)),
        ((x - inner, x + inner), (y + inner, y + outer)),
    ]
    parts = [box(a, b, z, look.basket, collides=True, shine=0.05) for a, b in walls]
    span = (x - inner, x + inner), (y - inner, y + inner)
    parts.append(box(*span, (0.0, container.floor), look.basket, collides=True, shine=0.05))
    dark = _darker(look.basket)
    for height in np.arange(0.05, container.top - 0.02, 0.07).tolist():
        for a, b in walls:
            band = ((a[0] - 0.002, a[1] + 0.002), (b[0] - 0.002, b[1] + 0.002))
            parts.append(box(*band, (height, height + 0.012), dark, shine=0.05))
    return parts


def _lighter(color: Color) -> Color:
    r, g, b, _ = color
    return (min(1.0, 1.1 * r), min(1.0, 1.1 * g), min(1.0, 1.1 * b), 1.0)


def _darker(color: Color) -> Color:
    r, g, b, _ = color
    return (0.75 * r, 0.75 * g, 0.75 * b, 1.0)


def _along_y() -> tuple[float, float, float, float]:
    return (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)
