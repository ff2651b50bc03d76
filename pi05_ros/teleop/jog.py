"""Jogging with a gamepad or the operator's page: base, torso, a hand, grippers, at set speeds."""

from __future__ import annotations

from collections.abc import Sequence

import mink
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.teleop import JogSpeeds
from pi05_ros.teleop.device import (
    DeviceInput,
    DeviceKind,
    DeviceStatus,
    JoySample,
    Match,
    Sample,
    TeleopDevice,
)
from pi05_ros.teleop.hands import Hands, leashed, moved_goal
from pi05_ros.teleop.inputs import Silence
from pi05_ros.teleop.joy import JogDemand, JoyReader, PageReader
from pi05_ros.teleop.robot_view import RobotView

# Targets run ahead of what the bridge sends by no more than this at full speed [s].
_LEAD_S = 0.25


class JogDevice(TeleopDevice):
    """A gamepad, or the operator's page.

    Args:
        platform: The robot.
        kind: "gamepad" or "page".
        topic: Its topic of sensor_msgs/Joy.
        reader: Reads its messages.
        speeds: Speeds at full deflection.
        silence_s: Without a message for longer, it is silent [s].
        hands: Motions of the hands.
    """

    def __init__(
        self,
        platform: Platform,
        kind: DeviceKind,
        topic: str,
        reader: JoyReader | PageReader,
        speeds: JogSpeeds,
        silence_s: float,
        hands: Hands,
    ) -> None:
        self.kind, self.name = kind, kind
        self.sends_when_idle = kind != "page"
        self._topic = topic
        self._reader = reader
        self._silence = Silence({topic: silence_s})
        self._jogger = Jogger(platform, speeds, hands)
        self._sample: JoySample | None = None
        self._demand = JogDemand()
        self._problem = ""

    @property
    def inputs(self) -> Sequence[DeviceInput]:
        """See TeleopDevice."""
        return [DeviceInput(self._topic, JoySample)]

    def add(self, topic: str, sample: Sample, at_ns: int) -> None:
        """See TeleopDevice."""
        if topic != self._topic or not isinstance(sample, JoySample):
            return
        problem = self._reader.problem(sample)
        self._problem = f"{topic}: {problem}" if problem else ""
        if problem:
            return
        if self._silence.reason(at_ns):
            self._reader.forget()
        self._sample, self._demand = sample, self._reader.demand(sample)
        self._silence.heard(topic, at_ns)

    def status(self, now_ns: int) -> DeviceStatus:
        """See TeleopDevice."""
        held = self._sample is not None and self._reader.held(self._sample)
        silent = self._silence.reason(now_ns)
        return DeviceStatus(held, self._silence.oldest_ns(), silent, self._problem)

    def match(self, robot: RobotView, velocity: np.ndarray) -> Match:
        """See TeleopDevice. It begins where the robot is, so nothing has to match."""
        return Match()

    def engage(self, robot: RobotView) -> None:
        """See TeleopDevice."""
        self._jogger.reset()

    def targets(self, last: np.ndarray, robot: RobotView) -> np.ndarray:
        """See TeleopDevice."""
        return self._jogger.step(last, self._demand, robot)


class Jogger:
    """Moves targets by a demand, one period at a time.

    Args:
        platform: The robot.
        speeds: Speeds at full deflection.
        hands: Motions of the hands.
    """

    def __init__(self, platform: Platform, speeds: JogSpeeds, hands: Hands) -> None:
        self._platform = platform
        self._speeds = speeds
        self._hands = hands
        linear, angular = speeds.base_linear, speeds.base_angular
        self._base_speed = np.array([linear, linear, angular])
        self._base = np.flatnonzero(platform.is_velocity)
        self._torso = [platform.index(name) for name in speeds.torso_entries]
        self._grippers = [platform.slices[name].start for name in hands.names]
        self._goal: mink.SE3 | None = None  # T_base_hand while a hand is jogged.
        self._hand = -1  # Index of that hand.

    def reset(self) -> None:
        """Forget the goal of an earlier jog."""
        self._goal = None

    def step(self, last: np.ndarray, demand: JogDemand, robot: RobotView) -> np.ndarray:
        """Return the targets (D,) of the next period; see TeleopDevice.targets."""
        platform, period = self._platform, self._platform.period
        targets = last.copy()
        if len(self._base):
            axes = list(platform.base_axes)
            targets[self._base] = demand.base[axes] * self._base_speed[axes]
        for entry, share in zip(self._torso, demand.torso, strict=False):
            targets[entry] += share * self._speeds.torso * period
        self._move_grippers(targets, demand)
        self._move_hand(targets, demand)
        return self._bounded(targets, robot)

    def _move_grippers(self, targets: np.ndarray, demand: JogDemand) -> None:
        platform = self._platform
        for number, entry in enumerate(self._grippers):
            low, span = platform.lower[entry], platform.upper[entry] - platform.lower[entry]
            if number in demand.grippers:
                targets[entry] = low + min(demand.grippers[number], 1.0) * span
            elif number == demand.hand:
                rate = demand.gripper * self._speeds.gripper
                targets[entry] += rate * span * platform.period

    def _move_hand(self, targets: np.ndarray, demand: JogDemand) -> None:
        """Move the chosen hand; its goal holds while only some axes are deflected."""
        names = self._hands.names
        if demand.hand >= len(names) or names[demand.hand] in self._hands.problems:
            return
        if not demand.linear.any() and not demand.angular.any():
            self._goal = None
            return
        motion = self._hands.motion(names[demand.hand])
        here = motion.pose(targets)
        if self._goal is None or self._hand != demand.hand or demand.torso.any():
            self._goal, self._hand = here, demand.hand
        period = self._platform.period
        goal = moved_goal(
            self._goal,
            demand.linear * self._speeds.hand_linear * period,
            demand.angular * self._speeds.hand_angular * period,
        )
        targets[:], reached = motion.step(targets, goal)
        self._goal = leashed(goal, reached)

    def _bounded(self, targets: np.ndarray, robot: RobotView) -> np.ndarray:
        """Keep targets inside the limits, and near what the bridge has sent."""
        platform = self._platform
        lead = platform.max_velocity * _LEAD_S
        reference = robot.reference
        near = np.clip(targets, reference - lead, reference + lead)
        keep = platform.is_velocity | platform.is_gripper
        return np.clip(np.where(keep, targets, near), platform.lower, platform.upper)
