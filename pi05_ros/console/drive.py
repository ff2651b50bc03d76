"""Teleoperation by the page: validation of its frames, and the dead-man switch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pi05_ros.console.answers import BAD_REQUEST, CONFLICT, TOO_MANY, Refused
from pi05_ros.console.control import ControlArbiter
from pi05_ros.console.limits import Bucket, Rate

# Axes of a frame, in the order of the topic `console/joy`.
AXES = (
    *("base_vx", "base_vy", "base_wz", "torso"),
    *("hand_x", "hand_y", "hand_z", "hand_roll", "hand_pitch", "hand_yaw"),
    *("left_gripper_target", "right_gripper_target"),
)
KEEP = -1.0  # Target of a gripper that keeps its command.
_GRIPPERS = slice(10, 12)


@dataclass(frozen=True)
class DriveFrame:
    """What the operator's hands do at one moment."""

    dead_man: bool  # Whether the dead-man switch is held.
    hand: int  # 0: left, 1: right.
    axes: tuple[float, ...]  # As AXES, -1 to 1 of the greatest speed; grippers 0 to 1, or KEEP.


RELEASED = DriveFrame(False, 0, (0.0,) * 10 + (KEEP, KEEP))


@dataclass(frozen=True)
class DriveSettings:
    """Time and rate limits of teleoperation by the page."""

    fresh_s: float = 0.3  # Maximum age of what the page had shown when it sent a frame [s].
    silence_s: float = 0.3  # Without a frame for this long, the switch must be let go first [s].
    rate: Rate = Rate(40, 40)  # Frames of one page with the switch held; others are refused.


class DriveOutput(Protocol):
    """Takes the frames that the robot may follow."""

    def __call__(self, frame: DriveFrame) -> None:
        """Publish a frame at once; nothing repeats it."""


def parse_frame(found: Mapping[str, Any]) -> DriveFrame:
    """Validate the fields `axes` and `buttons` of a message.

    Raises:
        Refused: BAD_REQUEST, they are not a frame.
    """
    axes, buttons = found.get("axes"), found.get("buttons")
    if not isinstance(axes, list) or len(axes) != len(AXES):
        raise Refused(BAD_REQUEST, f"axes: wanted a list of {len(AXES)} numbers")
    if (
        not isinstance(buttons, list)
        or len(buttons) != 2
        or any(type(value) is not int or value not in (0, 1) for value in buttons)
    ):
        raise Refused(BAD_REQUEST, "buttons: wanted [dead_man, hand], each 0 or 1")
    for name, value in zip(AXES, axes, strict=True):
        # False for NaN, too, which Python reads from JSON.
        if type(value) not in (int, float) or not -1 <= value <= 1:
            raise Refused(BAD_REQUEST, f"axes: {name}: wanted a number from -1 to 1")
    if any(-1 < value < 0 for value in axes[_GRIPPERS]):
        raise Refused(BAD_REQUEST, "axes: grippers: wanted 0 to 1, or -1 to keep the command")
    return DriveFrame(bool(buttons[0]), buttons[1], tuple(map(float, axes)))


class DriveGate:
    """Passes frames of the holder of control, one Joy a frame, while its switch is held.

    After an interruption (silence, a late or refused frame, a stop, a change of control) the
    switch must be let go before frames pass again: nothing starts to move because a connection
    returned. An operator who lets go hands back: the last frame says so. A connection that is
    lost says nothing, and the robot holds.

    Used in the server's event loop.

    Args:
        control: Knows the holder of control.
        output: Takes the frames that pass.
        clock: Steady time [s].
        settings: Limits.
    """

    def __init__(
        self,
        control: ControlArbiter,
        output: DriveOutput,
        clock: Callable[[], float],
        settings: DriveSettings | None = None,
    ) -> None:
        self.settings = settings or DriveSettings()
        self._control, self._output, self._clock = control, output, clock
        self._driver = 0  # Session whose frames passed last; 0: none since the last release.
        self._passed_at = -math.inf  # When the last frame with the switch held passed [s].
        self._blocked: set[int] = set()  # Sessions whose switch must be let go first.
        self._rates: dict[int, Bucket] = {}

    @property
    def driver(self) -> int:
        """Session that drives now; 0: none."""
        return 0 if self._is_silent else self._driver

    def take(
        self, session: int, lease: int, seen_at: float, shown_at: float, frame: DriveFrame
    ) -> None:
        """Take a frame of a page.

        Args:
            session: The page's.
            lease: Lease that the page believes to hold.
            seen_at: When the newest state that it showed was sent [s].
            shown_at: When the newest message that it showed was sent [s]: proves the frame's age.
            frame: Its contents.

        Raises:
            Refused: CONFLICT, it may not drive, the frame is late, or the switch must be let go
                first; TOO_MANY, for too many frames. A frame that lets go is never refused by its
                rate.
        """
        if not frame.dead_man:
            self._let_go(session, lease, seen_at, shown_at, frame)
            return
        if session in self._blocked or (self._driver == session and self._is_silent):
            self._blocked.add(session)
            raise Refused(CONFLICT, "driving was interrupted: let go, then press again")
        try:
            self._check(session, lease, seen_at, shown_at)
        except Refused:
            self._blocked.add(session)
            raise
        rate = self._rates.setdefault(session, Bucket(self.settings.rate, self._clock))
        if not rate.take():
            raise Refused(TOO_MANY, "too many frames: send at most 30 a second")
        self._driver, self._passed_at = session, self._clock()
        self._output(frame)

    def interrupt(self) -> None:
        """End driving because of a stop or a change of control, and say so if somebody drives."""
        driver = self.driver
        if driver:
            self._blocked.add(driver)
            self._end()

    def leave(self, session: int) -> None:
        """Forget a page whose socket closed. It said nothing: the robot holds."""
        self._blocked.discard(session)
        self._rates.pop(session, None)

    @property
    def _is_silent(self) -> bool:
        return self._clock() - self._passed_at > self.settings.silence_s

    def _check(self, session: int, lease: int, seen_at: float, shown_at: float) -> None:
        self._control.check(session, lease, seen_at)
        age = self._clock() - shown_at
        if age > self.settings.fresh_s:
            late = f"{age:.1f} s" if math.isfinite(age) else "far"
            raise Refused(CONFLICT, f"your page is {late} behind: let go, then press again")

    def _let_go(
        self, session: int, lease: int, seen_at: float, shown_at: float, frame: DriveFrame
    ) -> None:
        """Unblock the page; hand back if it drove, or if a silent driver left the robot on hold.

        A late frame hands nothing back: the robot may have been taken over since.
        """
        self._blocked.discard(session)
        if not self._driver:
            return
        self._check(session, lease, seen_at, shown_at)
        self._end()

    def _end(self) -> None:
        self._driver, self._passed_at = 0, -math.inf
        self._output(RELEASED)
