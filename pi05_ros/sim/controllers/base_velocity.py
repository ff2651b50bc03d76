"""omni_wheel_drive_controller as it stands on a robot (ros2_controllers, Jazzy), without wheels.

It knows one safety: the timeout. It limits nothing, and what is fresh and finite goes to the base.
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
    """Hands the last velocity command on while its stamp is young enough, else zero.

    * A stamp of 0 counts as the time of arrival.
    * A stamp in the future stays young until it lies the timeout in the past.
    * A command with NaN or infinity is not used: while such commands are fresh, the last finite
      one goes on, for ever.
    """

    def __init__(self, config: BaseVelocityConfig) -> None:
        self._timeout_ns = round(config.cmd_vel_timeout_s * 1e9)
        self.reset(0)

    def reset(self, now_ns: int) -> None:
        """Stands still until a command comes."""
        self._command: Twist = (math.nan, math.nan, math.nan)
        self._stamp_ns = now_ns
        self._reference: Twist = (0.0, 0.0, 0.0)

    def set_command(self, stamp_ns: int, command: Twist, now_ns: int) -> None:
        """Takes a TwistStamped.

        Args:
            stamp_ns: Its stamp [ns]; 0: now.
            command: vx, vy [m/s] and wz [rad/s]; unlimited, may be NaN.
            now_ns: Time of arrival [ns].

        Raises:
            CommandRejected: The stamp is older than the timeout; the last command stays.
        """
        stamp_ns = stamp_ns or now_ns
        if self._timeout_ns and now_ns - stamp_ns >= self._timeout_ns:
            raise CommandRejected(
                f"a stamp {(now_ns - stamp_ns) * 1e-9:.3f} s old, "
                f"cmd_vel_timeout is {self._timeout_ns * 1e-9:g} s"
            )
        self._command, self._stamp_ns = command, stamp_ns

    def update(self, now_ns: int) -> Twist:
        """One cycle: the velocity for the base, always finite."""
        if now_ns - self._stamp_ns > self._timeout_ns:
            self._reference = (0.0, 0.0, 0.0)
        elif all(map(math.isfinite, self._command)):
            self._reference = self._command
        return self._reference
