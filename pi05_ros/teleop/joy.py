"""Layouts of gamepads and of the operator's page, and what their axes and buttons ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from pi05_ros.platforms.teleop import AxisBinding, Gamepad
from pi05_ros.teleop.device import JoySample

_BASE = ("base_vx", "base_vy", "base_wz")
_TORSO = ("torso", "torso_2")
_LINEAR = ("hand_x", "hand_y", "hand_z")
_ANGULAR = ("hand_roll", "hand_pitch", "hand_yaw")


@dataclass(frozen=True)
class JogDemand:
    """What the operator asks for; every number is a share of full speed, -1 to 1."""

    base: np.ndarray = field(default_factory=lambda: np.zeros(3))  # vx, vy, wz.
    torso: np.ndarray = field(default_factory=lambda: np.zeros(2))
    linear: np.ndarray = field(default_factory=lambda: np.zeros(3))  # Hand, base frame.
    angular: np.ndarray = field(default_factory=lambda: np.zeros(3))  # Base axes, at the hand.
    hand: int = 0  # Chosen hand: index of its gripper among the platform's.
    gripper: float = 0.0  # Of the chosen hand: 1 opens at full speed, -1 closes.
    # Opening of a gripper, 0 to 1, by index; one that is absent stays.
    grippers: Mapping[int, float] = field(default_factory=dict)


def _layout(rotate_from: int) -> tuple[AxisBinding, ...]:
    """Axes of the Linux joy node's layout of 8 axes; `rotate_from`: button of the hand's axes."""
    drive = (
        AxisBinding(1, "base_vx"),
        AxisBinding(0, "base_vy"),
        AxisBinding(3, "base_wz"),
        AxisBinding(7, "torso"),
        AxisBinding(6, "torso_2", sign=-1),
    )
    hand = (
        AxisBinding(1, "hand_x", with_button=rotate_from),
        AxisBinding(0, "hand_y", with_button=rotate_from),
        AxisBinding(4, "hand_z", with_button=rotate_from),
        AxisBinding(3, "hand_yaw", with_button=rotate_from),
        AxisBinding(6, "hand_roll", sign=-1, with_button=rotate_from),
        AxisBinding(7, "hand_pitch", sign=-1, with_button=rotate_from),
    )
    return (
        *drive,
        *hand,
        AxisBinding(2, "close", trigger=True),
        AxisBinding(5, "open", trigger=True),
    )


# Dead man: the left shoulder button; the hand's axes: with the right one; the left and the right
# face button choose a hand.
_XBOX = Gamepad(layout="custom", axes=_layout(5), dead_man=4, hand_buttons=(2, 1))
_PS4 = Gamepad(layout="custom", axes=_layout(5), dead_man=4, hand_buttons=(3, 1))
LAYOUTS: Mapping[str, Gamepad] = MappingProxyType({"xbox": _XBOX, "ps4": _PS4})


class JoyReader:
    """Reads messages of a gamepad.

    Args:
        gamepad: The gamepad; its layout supplies what it leaves out.
    """

    def __init__(self, gamepad: Gamepad) -> None:
        layout = LAYOUTS.get(gamepad.layout, gamepad)
        self._axes = gamepad.axes or layout.axes
        dead_man = layout.dead_man if gamepad.dead_man is None else gamepad.dead_man
        assert dead_man is not None  # Gamepad checks it.
        self._dead_man = dead_man
        self._hand_buttons = gamepad.hand_buttons or layout.hand_buttons
        self._dead_zone = gamepad.dead_zone
        self._modifiers = {a.with_button for a in self._axes if a.with_button is not None}
        self._hand = 0
        self._live: set[int] = set()  # Triggers that have reported something.
        buttons = [dead_man, *self._hand_buttons, *self._modifiers]
        self._needs = (1 + max(a.axis for a in self._axes), 1 + max(buttons))

    @property
    def dead_man(self) -> int:
        """Index of the dead-man button."""
        return self._dead_man

    def problem(self, sample: JoySample) -> str:
        """Return why a message cannot be read, as one clause; empty: it can."""
        return _shape_problem(sample, *self._needs)

    def held(self, sample: JoySample) -> bool:
        """Check whether the dead-man button is held."""
        return bool(sample.buttons[self._dead_man])

    def demand(self, sample: JoySample) -> JogDemand:
        """Read a message that `problem` accepts."""
        for number, button in enumerate(self._hand_buttons):
            if sample.buttons[button]:
                self._hand = number
        pressed = {button for button in self._modifiers if sample.buttons[button]}
        shares: dict[str, float] = {}
        for axis in self._axes:
            always = axis.drives in ("close", "open")
            if axis.with_button in pressed or (axis.with_button is None and not pressed) or always:
                shares[axis.drives] = shares.get(axis.drives, 0.0) + self._share(axis, sample)
        return JogDemand(
            base=_vector(shares, _BASE),
            torso=_vector(shares, _TORSO),
            linear=_vector(shares, _LINEAR),
            angular=_vector(shares, _ANGULAR),
            hand=self._hand,
            gripper=shares.get("open", 0.0) - shares.get("close", 0.0),
        )

    def _share(self, axis: AxisBinding, sample: JoySample) -> float:
        """Deflection of an axis outside its dead zone."""
        value = sample.axes[axis.axis]
        if axis.trigger:
            # The joy node reports 0.0, half pulled, until a trigger is touched for the first time.
            if value != 0.0:
                self._live.add(axis.axis)
            value = (1.0 - value) / 2 if axis.axis in self._live else 0.0
        size = (abs(value) - self._dead_zone) / (1.0 - self._dead_zone)
        return axis.sign * math.copysign(min(max(size, 0.0), 1.0), value)


class PageReader:
    """Reads the operator's page: its axes are shares of full speed and openings of grippers."""

    def problem(self, sample: JoySample) -> str:
        """Return why a message cannot be read, as one clause; empty: it can."""
        return _shape_problem(sample, 12, 2)

    def held(self, sample: JoySample) -> bool:
        """Check whether the dead-man button is held."""
        return bool(sample.buttons[0])

    def demand(self, sample: JoySample) -> JogDemand:
        """Read a message that `problem` accepts."""
        axes = np.array(sample.axes[:12])
        return JogDemand(
            base=axes[0:3],
            torso=np.array([axes[3], 0.0]),
            linear=axes[4:7],
            angular=axes[7:10],
            hand=int(sample.buttons[1]),
            grippers={k: float(v) for k, v in enumerate(axes[10:12]) if v >= 0},
        )


def _shape_problem(sample: JoySample, axes: int, buttons: int) -> str:
    if len(sample.axes) < axes or len(sample.buttons) < buttons:
        return (
            f"it has {len(sample.axes)} axes and {len(sample.buttons)} buttons, the layout needs "
            f"{axes} and {buttons}"
        )
    wrong = [k for k, value in enumerate(sample.axes) if not abs(value) <= 1.001]
    return f"axis {wrong[0]} is {sample.axes[wrong[0]]}, wanted -1 to 1" if wrong else ""


def _vector(shares: Mapping[str, float], names: tuple[str, ...]) -> np.ndarray:
    return np.clip([shares.get(name, 0.0) for name in names], -1.0, 1.0)
