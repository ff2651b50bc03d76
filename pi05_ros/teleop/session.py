"""Who of several devices drives, and what is sent to the bridge; see docs/design/teleop.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pi05_ros.foundation.settings import setting
from pi05_ros.platforms.platform import Platform
from pi05_ros.teleop.device import DeviceStatus, Match, TeleopDevice
from pi05_ros.teleop.robot_view import RobotView, Velocity

_STILL_SPEED = 0.3  # A robot that nobody drives is waited for while a joint is faster [unit/s].
# A robot that was held for longer than _HELD_S, while a joint of the device moved on by what takes
# _AHEAD_S at its limit, does not go after it when the hold ends.
_HELD_S, _AHEAD_S = 0.3, 0.5


class TeleopState(IntEnum):
    """Values of pi05_msgs/TeleopCommand.state."""

    RELEASED = 0
    ALIGNING = 1
    ENGAGED = 2


@dataclass(frozen=True)
class SessionSettings:
    """Settings of a session."""

    rows: int = setting(
        10,
        "Rows of each chunk: how long the robot goes on without the next.",
        minimum=2,
        maximum=50,
    )
    state_timeout_s: float = setting(
        0.3, "Age of the robot's state from which nothing engages [s].", minimum=0.05, maximum=5.0
    )
    follow_timeout_s: float = setting(
        3.0,
        "Time for which the bridge may not follow an engaged device before it must be let go [s]. "
        "Longer than the bridge's recovery_time_s.",
        minimum=0.2,
        maximum=30.0,
    )


@dataclass(frozen=True)
class TeleopOutput:
    """What is sent in one period."""

    state: TeleopState
    device: TeleopDevice | None = None  # That drives, or would.
    reason: str = ""  # Why it does not follow, one clause.
    stamp_ns: int = 0  # Of the device's newest input [ns]; 0: there is none.
    error: float = math.nan  # Largest distance of a joint [rad or m]; NaN: unknown.
    rows: np.ndarray | None = None  # (rows, D) float64 targets, the first of now; None: none.
    is_fresh: bool = False  # Whether `rows` are of this period.


_RELEASED = TeleopOutput(TeleopState.RELEASED)


class TeleopSession:
    """Chooses the device that drives, and makes its targets once a period.

    A device engages when its dead-man switch is pressed, its inputs are fresh, and it matches the
    robot. It drives until the switch is let go. After a fault (silence, a jump, a bridge that does
    not follow) the output keeps its old stamp, so that the bridge holds, until the switch is let
    go; only another device, pressed by the operator, takes over before that.

    Args:
        platform: The robot.
        devices: The devices, in the order in which they are asked.
        settings: Settings.
    """

    def __init__(
        self, platform: Platform, devices: Sequence[TeleopDevice], settings: SessionSettings
    ) -> None:
        self._platform = platform
        self._devices = tuple(devices)
        self._settings = settings
        self._robot: RobotView | None = None
        self._velocity = Velocity(platform)
        self._driver: TeleopDevice | None = None
        self._fault = ""  # Of the driver: why its output stands still.
        self._last = _RELEASED
        self._targets: np.ndarray = np.zeros(platform.size)
        self._engaged_in = (0, 0)  # Session and epoch of the bridge.
        self._followed_ns = 0  # When the bridge last followed the driver [ns].
        # Held since [ns], in the order of pressing; a switch that must first be let go is in
        # `_locked` with the reason. All begin there: one may be stuck.
        self._pressed: dict[TeleopDevice, int] = {}
        self._locked: dict[TeleopDevice, str] = {
            device: "it was held when teleoperation started"
            for device in self._devices
            if device.sends_when_idle
        }

    @property
    def devices(self) -> tuple[TeleopDevice, ...]:
        """The devices."""
        return self._devices

    @property
    def driver(self) -> TeleopDevice | None:
        """The device that has control."""
        return self._driver

    def add_state(self, robot: RobotView) -> None:
        """Take a state of the robot."""
        self._robot = robot
        self._velocity.add(robot.stamp_ns, robot.measured)

    def tick(self, now_ns: int) -> TeleopOutput:
        """Return what to send now. Called once a period, at `now_ns` [ns]."""
        statuses = {device: device.status(now_ns) for device in self._devices}
        self._follow_switches(statuses, now_ns)
        self._check_driver(statuses, now_ns)
        if self._driver is None or self._fault:
            self._try_to_engage(statuses, now_ns)
        if self._driver is None:
            self._last = self._waiting(statuses, now_ns)
        else:
            self._last = self._driven(statuses[self._driver])
        return self._last

    def notices(self, now_ns: int) -> dict[str, str]:
        """Return what stands against each device, by name; "" for one that drives or is idle."""
        found = {}
        for device in self._devices:
            status = device.status(now_ns)
            text = status.problem or (status.silent if device.sends_when_idle else "")
            if device is self._driver:
                text = self._fault
            elif device in self._pressed:
                text = self._refusal(device, status, now_ns).problem
            found[device.name] = text
        return found

    def _follow_switches(self, statuses: dict[TeleopDevice, DeviceStatus], now_ns: int) -> None:
        """Note which switches are pressed and let go; a silent device's switch is unknown."""
        for device, status in statuses.items():
            if status.silent and (device is self._driver or device.sends_when_idle):
                if device is not self._driver and device in self._pressed:
                    self._locked.setdefault(device, "it was silent")
                continue
            if status.silent or not status.held:
                self._pressed.pop(device, None)
                self._locked.pop(device, None)
            elif device not in self._pressed:
                self._pressed[device] = now_ns

    def _check_driver(self, statuses: dict[TeleopDevice, DeviceStatus], now_ns: int) -> None:
        """Release the driver, or note why its output must stand still."""
        driver, robot = self._driver, self._robot
        if driver is None or robot is None:
            return
        status = statuses[driver]
        if not status.silent and not status.held:
            self._release(driver)
            return
        if (robot.session, robot.epoch) != self._engaged_in or not robot.is_armed:
            self._release(
                driver, f"the robot was stopped or disarmed: {robot.reason or 'no reason'}"
            )
            return
        if robot.follows_teleop:
            self._followed_ns = now_ns
        if self._fault:
            return
        if status.silent:
            self._fault = status.silent
        elif status.jump:
            self._fault = status.jump
        elif now_ns - self._followed_ns > self._settings.follow_timeout_s * 1e9:
            self._fault = f"the control bridge does not follow: {robot.reason or 'no reason'}"
        elif now_ns - self._followed_ns > _HELD_S * 1e9:
            self._fault = self._gone_ahead(robot)

    def _gone_ahead(self, robot: RobotView) -> str:
        """Return which joint of a device went on while the robot was held, one clause."""
        platform = self._platform
        ahead = np.abs(platform.difference(self._targets, robot.reference))
        ahead[platform.is_velocity | platform.is_gripper] = 0.0
        times = ahead / platform.max_velocity
        worst = int(np.argmax(times))
        if times[worst] <= _AHEAD_S:
            return ""
        name, why = platform.names[worst], robot.reason or "no reason"
        return f"{name} is {ahead[worst]:.2f} away since the robot was held: {why}"

    def _release(self, driver: TeleopDevice, lock: str = "") -> None:
        """Take control from the driver; with a reason it must be let go and pressed again."""
        if lock:
            self._locked[driver] = lock
        for device in self._pressed:
            if device is not driver:  # Nobody gets control by a switch pressed some time ago.
                self._locked.setdefault(device, f"{driver.name} had control when it was pressed")
        self._driver, self._fault = None, ""

    def _try_to_engage(self, statuses: dict[TeleopDevice, DeviceStatus], now_ns: int) -> None:
        """Give control to the device that was pressed first, if it matches the robot."""
        for device in self._candidates():
            if device is self._driver or self._refusal(device, statuses[device], now_ns).problem:
                continue
            assert self._robot is not None
            if self._driver is not None:
                self._locked[self._driver] = f"{self._fault}; {device.name} took over"
            device.engage(self._robot)
            self._driver, self._fault = device, ""
            self._engaged_in = (self._robot.session, self._robot.epoch)
            self._followed_ns = now_ns
            rest = np.where(self._platform.is_velocity, 0.0, self._robot.reference)
            self._targets = np.asarray(np.clip(rest, self._platform.lower, self._platform.upper))
            return

    def _candidates(self) -> list[TeleopDevice]:
        """Devices whose switch is held, in the order of pressing."""
        return sorted(self._pressed, key=self._pressed.__getitem__)

    def _refusal(self, device: TeleopDevice, status: DeviceStatus, now_ns: int) -> Match:
        """Return why a pressed device does not get control."""
        if self._driver is not None and device is not self._driver and not self._fault:
            self._locked.setdefault(device, f"{self._driver.name} has control")
        if device in self._locked:
            reason = self._locked[device]
            return Match(f"{reason}: let the dead-man switch go and press it again")
        if text := status.silent or status.problem:
            return Match(text)
        robot = self._robot
        if robot is None:
            return Match("there is no state of the robot yet")
        age_s = (now_ns - robot.stamp_ns) * 1e-9
        if abs(age_s) > self._settings.state_timeout_s:
            return Match(f"the robot's state is {age_s:.1f} s old")
        if not robot.is_armed:
            return Match(f"the robot is not armed: {robot.reason or 'arm it'}")
        velocity = self._velocity.value()
        match = device.match(robot, velocity)
        return Match(match.problem or self._robot_moves(robot, velocity), match.error)

    def _robot_moves(self, robot: RobotView, velocity: np.ndarray) -> str:
        """Return which joint moves though nobody drives, one clause.

        A robot that follows the policy is taken over as it moves: the bridge blends.
        """
        if robot.is_running:
            return ""
        speeds = np.where(self._platform.is_gripper, 0.0, np.abs(velocity))
        worst = int(np.argmax(speeds))
        if speeds[worst] <= _STILL_SPEED:
            return ""
        return f"{self._platform.names[worst]} still moves at {speeds[worst]:.2f}/s"

    def _waiting(self, statuses: dict[TeleopDevice, DeviceStatus], now_ns: int) -> TeleopOutput:
        """Output while no device drives."""
        for device in self._candidates():
            status = statuses[device]
            refusal = self._refusal(device, status, now_ns)
            return TeleopOutput(
                TeleopState.ALIGNING, device, refusal.problem, status.input_ns, refusal.error
            )
        return _RELEASED

    def _driven(self, status: DeviceStatus) -> TeleopOutput:
        """Output while a device drives; after a fault the last one, with its old stamp."""
        assert self._driver is not None and self._robot is not None
        if self._fault:
            last = self._last
            return TeleopOutput(
                *(TeleopState.ENGAGED, self._driver, self._fault, last.stamp_ns),
                rows=last.rows,
            )
        last_targets = np.where(self._platform.is_velocity, 0.0, self._targets)
        self._targets = self._driver.targets(last_targets, self._robot)
        return TeleopOutput(
            *(TeleopState.ENGAGED, self._driver, "", status.input_ns),
            rows=np.tile(self._targets, (self._settings.rows, 1)),
            is_fresh=True,
        )
