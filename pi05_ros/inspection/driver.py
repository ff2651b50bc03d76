"""Who drives: the model, or an operator with a device."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.data.episodes.episode import (
    CONTROL_DISTURBANCE,
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
)
from pi05_ros.inspection.colours import OPERATOR, rgba
from pi05_ros.inspection.facts import StateFacts, TeleopFacts
from pi05_ros.inspection.shapes import Shape, ShapeKind
from pi05_ros.platforms.platform import Platform

CONTROL_NAMES = {
    CONTROL_NONE: "none",
    CONTROL_POLICY: "policy",
    CONTROL_TELEOP: "teleop",
    CONTROL_DISTURBANCE: "disturbance",
}
ALIGNING = "aligning"
# Of pi05_msgs/TeleopCommand.state; inspection has no messages.
TELEOP_STATES = {0: "released", 1: ALIGNING, 2: "engaged"}

FRESH_NS = 500_000_000  # Older inputs tell nothing about the present [ns].
_LETTER = 0.06  # Height of capital letters [m].
_WORDS = {CONTROL_POLICY: "the model drives", CONTROL_NONE: "nobody drives"}
_COLOURS = {CONTROL_POLICY: "#d8dae0", CONTROL_NONE: "#9d9d9d", CONTROL_TELEOP: OPERATOR}


class DriverWatch:
    """The newest inputs that tell who drives, while they are fresh."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Discard what was heard."""
        self._state: StateFacts | None = None
        self._teleop: TeleopFacts | None = None
        self._heard_ns = 0  # When `_teleop` was heard [ns].

    def add_state(self, state: StateFacts) -> None:
        """Store the control bridge's robot state."""
        self._state = state

    def add_teleop(self, teleop: TeleopFacts, now_ns: int) -> None:
        """Store what the node teleop says."""
        self._teleop, self._heard_ns = teleop, now_ns

    def fresh(self, now_ns: int) -> tuple[StateFacts | None, TeleopFacts | None]:
        """Return both inputs; None for one that is older than `FRESH_NS`."""
        state = self._state
        if state is not None and now_ns - state.stamp_ns >= FRESH_NS:
            state = None
        return state, self._teleop if now_ns - self._heard_ns < FRESH_NS else None

    def text(self, now_ns: int) -> str:
        """Say who drives; empty if nothing fresh tells it."""
        return driver_text(*self.fresh(now_ns))


def driver_text(state: StateFacts | None, teleop: TeleopFacts | None) -> str:
    """Say who drives: "operator drives (leader)"; empty without a robot state.

    Args:
        state: The newest robot state; None: none, or an old one.
        teleop: The newest command of the node teleop; None: none, or an old one.
    """
    if state is None:
        return ""
    if teleop is not None and teleop.state == ALIGNING:
        far = "" if math.isnan(teleop.error) else f"{teleop.error:.2f} from the robot"
        return f"aligning: {teleop.reason or far or teleop.device}"
    if state.control_source != CONTROL_TELEOP:
        return _WORDS.get(state.control_source, "nobody drives")
    return f"operator drives ({teleop.device})" if teleop and teleop.device else "operator drives"


def driver_shapes(
    state: StateFacts | None, teleop: TeleopFacts | None, platform: Platform, height: float
) -> list[Shape]:
    """Draw who drives as a text above the base.

    Args:
        state: See `driver_text`.
        teleop: See `driver_text`.
        platform: The robot.
        height: Height of the text above the floor [m].
    """
    if state is None:
        return []
    point, colour = (
        np.array([0.0, 0.0, height]),
        rgba(_COLOURS.get(state.control_source, OPERATOR)),
    )
    return [
        Shape("driver", 0, ShapeKind.TEXT, platform.base_frame, state.stamp_ns, point, colour,
              _LETTER, driver_text(state, teleop), follows=True)
    ]  # fmt: skip
