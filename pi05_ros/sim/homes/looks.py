"""Appearance of rooms: colours, light and fittings. Positions are in the room's frame [m]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pi05_ros.sim.homes.parts import Color, Vector


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


class Lit(Protocol):
    """Light of a room."""

    @property
    def light_direction(self) -> Vector:
        """Direction of the light, in the room's frame."""

    @property
    def light(self) -> float:
        """Strength of the directional light, 0 to 1."""

    @property
    def ambient(self) -> float:
        """Strength of the ambient light, 0 to 1."""


@dataclass(frozen=True)
class BedroomLook:
    """Colours, light and fittings of a bedroom."""

    wall: Color
    floor: Color
    floor_pattern: Literal["wood", "checker"]
    wood: Color  # Of the bed's frame, the nightstand and the wardrobe.
    sheet: Color
    blanket: Color
    hem: Color
    rug: Color
    basket: Color
    sky: Color
    curtain: Color
    light_direction: tuple[float, float, float]  # Direction of the light, in the room's frame.
    light: float  # Strength of the directional light, 0 to 1.
    ambient: float  # Strength of the ambient light, 0 to 1.
    window: float  # Middle of the window along the room's y [m].
    wardrobe: float  # Middle of the wardrobe at the wall behind the robot, along y [m].


@dataclass(frozen=True)
class LabLook:
    """Colours and light of a laboratory."""

    wall: Color
    floor: Color
    floor_pattern: Literal["wood", "checker"]
    top: Color  # Of the table.
    frame: Color  # Of the table's legs and of the shelf.
    tray: Color
    bin: Color
    light_direction: tuple[float, float, float]  # Direction of the light, in the room's frame.
    light: float  # Strength of the directional light, 0 to 1.
    ambient: float  # Strength of the ambient light, 0 to 1.
    board: float  # Middle of the whiteboard along the room's y [m].
