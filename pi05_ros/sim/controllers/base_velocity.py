"""omni_wheel_drive_controller (ros2_controllers, Jazzy), without wheels.

Its only safety function is the timeout: a recent finite command is passed on without limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pi05_ros.sim.controllers.goals import CommandRejected

Twist = tuple[float, float, float]  # vx, vy [m/s] and wz [rad/s] in the base frame.


@dataclass(frozen=True)
class BaseVelocityConfig:
    """Parameters, named as in omni_wheel_drive_controller."""

    cmd_vel_timeout_s: float = 0.2  # Real default: 0.5. With 0 it drives only on stamps >= now.

    def __post_init__(self) -> None:
        if self.cmd_vel_timeout_s < 0:
            raise ValueError(f"cmd_vel_timeout_s {self.cmd_vel_timeout_s} is below 0")


class BaseVelocityController:
    """Outputs the last velocity command until its stamp exceeds the timeout, then zero.

    * A stamp of 0 counts as the time of arrival.
    * A stamp in the future is valid until it is older than the timeout.
    * A command with NaN or infinity is ignored, but its stamp counts: while such commands arrive,
      the last finite one stays in effect.

    Args:
        config: Its parameters.
    """

    def __init__(self, config: BaseVelocityConfig) -> None:
        self._timeout_ns = round(config.cmd_vel_timeout_s * 1e9)
        self.reset(0)

    def reset(self, now_ns: int) -> None:
        """Stop until the next command."""
        self._command: Twist = (math.nan, math.nan, math.nan)
        self._stamp_ns = now_ns
        self._reference: Twist = (0.0, 0.0, 0.0)

    def set_command(self, stamp_ns: int, command: Twist, now_ns: int) -> None:
        """Handle a TwistStamped.

        Args:
            stamp_ns: Its stamp [ns]; 0: now.
            command: vx, vy [m/s] and wz [rad/s]; unlimited, may be NaN.
            now_ns: Time of arrival [ns].

        Raises:
            CommandRejected: The stamp is older than the timeout; the last command is kept.
        """
        stamp_ns = stamp_ns or now_ns
        if self._timeout_ns and now_ns - stamp_ns >= self._timeout_ns:
            raise CommandRejected(
                f"a stamp {(now_ns - stamp_ns) * 1e-9:.3f} s old, "
                f"cmd_vel_timeout is {self._timeout_ns * 1e-9:g} s"
            )
        self._command, self._stamp_ns = command, stamp_ns

    def update(self, now_ns: int) -> Twist:
        """Run one cycle and return the velocity for the base, always finite."""
        if now_ns - self._stamp_ns > self._timeout_ns:
            self._reference = (0.0, 0.0, 0.0)
        elif all(map(math.isfinite, self._command)):
            self._reference = self._command
        return self._reference
