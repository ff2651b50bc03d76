"""Tracked hands: the robot's hands follow the motion of poses since the clutch was pressed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mink
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.teleop import GripperAxis, HandPose, PoseHand
from pi05_ros.teleop.device import (
    DeviceInput,
    DeviceStatus,
    JoySample,
    Match,
    PoseSample,
    Sample,
    TeleopDevice,
)
from pi05_ros.teleop.hands import Hands, approached, leashed, moved_goal
from pi05_ros.teleop.inputs import DeadMan, SampleInterval, Silence
from pi05_ros.teleop.robot_view import RobotView

_ENGAGE_LINEAR, _ENGAGE_ANGULAR = 0.1, 0.5  # It engages below these speeds [m/s], [rad/s].


class HandPoseDevice(TeleopDevice):
    """Tracked hands, see `platforms.teleop.HandPose`.

    Args:
        platform: The robot.
        config: Topics, clutch and scale.
        hands: Motions of the robot's hands.
    """

    kind = "hand_pose"

    def __init__(self, platform: Platform, config: HandPose, hands: Hands) -> None:
        self.name = "hand_pose"
        self._config = config
        self._dead_man = DeadMan(config.clutch)
        self._tracks = [_Track(platform, hand, config, hands) for hand in config.hands]
        sources = [hand.topic for hand in config.hands]
        sources += [h.gripper.joy_topic for h in config.hands if h.gripper is not None]
        limits = dict.fromkeys([*sources, self._dead_man.source], config.silence_s)
        self._silence = Silence(limits)

    @property
    def inputs(self) -> Sequence[DeviceInput]:
        """See TeleopDevice."""
        own = self._dead_man.input
        found = [DeviceInput(track.hand.topic, PoseSample) for track in self._tracks]
        found += [own] if own is not None else []
        axes = [track.hand.gripper for track in self._tracks]
        found += [DeviceInput(axis.joy_topic, JoySample) for axis in axes if axis is not None]
        return list(dict.fromkeys(found))

    def add(self, topic: str, sample: Sample, at_ns: int) -> None:
        """See TeleopDevice."""
        if self._dead_man.add(topic, sample):
            self._silence.heard(self._dead_man.source, at_ns)
        for track in self._tracks:
            if track.add(topic, sample, at_ns) and topic != self._dead_man.source:
                self._silence.heard(topic, at_ns)

    def status(self, now_ns: int) -> DeviceStatus:
        """See TeleopDevice."""
        problems = [self._dead_man.problem, *(track.problem for track in self._tracks)]
        return DeviceStatus(
            held=self._dead_man.held,
            input_ns=self._silence.oldest_ns(),
            silent=self._silence.reason(now_ns),
            problem=next(filter(None, problems), ""),
            jump=next((track.jump for track in self._tracks if track.jump), ""),
        )

    def match(self, robot: RobotView, velocity: np.ndarray) -> Match:
        """See TeleopDevice. It must be still; where it is does not matter."""
        return Match(next((t.moving for t in self._tracks if t.moving), ""))

    def engage(self, robot: RobotView) -> None:
        """See TeleopDevice."""
        for track in self._tracks:
            track.engage(robot)

    def targets(self, last: np.ndarray, robot: RobotView) -> np.ndarray:
        """See TeleopDevice."""
        targets = last
        for track in self._tracks:
            targets = track.targets(targets)
        return targets


class _Track:
    """One hand of the robot and the pose that it follows."""

    def __init__(self, platform: Platform, hand: PoseHand, config: HandPose, hands: Hands) -> None:
        self.hand = hand
        self.problem = ""
        self.jump = ""
        self.moving = ""  # Why it may not engage: it moves. Empty: it is still.
        self._platform = platform
        self._config = config
        self._motion = hands.motion(hand.hand)
        self._gripper = platform.slices[hand.hand].start
        self._R_base_pose = mink.SO3.from_rpy_radians(*np.radians(config.rotation_deg))
        self._pose: mink.SE3 | None = None  # Newest.
        self._interval = SampleInterval()
        self._start: mink.SE3 | None = None  # Pose at the clutch,
        self._hand_start: mink.SE3 | None = None  # and T_base_hand.
        self._goal: mink.SE3 | None = None
        self._opening = math.nan  # 0 to 1; NaN: the gripper holds.

    def add(self, topic: str, sample: Sample, at_ns: int) -> bool:
        """Add a sample; return whether it was one of this hand's, and usable."""
        axis = self.hand.gripper
        if isinstance(sample, JoySample) and axis is not None and topic == axis.joy_topic:
            return self._take_gripper(axis, sample)
        if not isinstance(sample, PoseSample) or topic != self.hand.topic:
            return False
        problem = _pose_problem(sample, self._config.frame)
        self.problem = f"{topic}: {problem}" if problem else ""
        if problem:
            return False
        x, y, z, w = sample.quaternion
        rotation = mink.SO3(np.array([w, x, y, z]) / math.hypot(w, x, y, z))
        pose = mink.SE3.from_rotation_and_translation(rotation, np.array(sample.position))
        seconds = self._interval.next(at_ns, sample.stamp_ns)
        if self._pose is not None and seconds is not None:
            self._watch(self._pose, pose, seconds)
        self._pose = pose
        return True

    def engage(self, robot: RobotView) -> None:
        """Begin: poses count from the newest one, the hand's from where it is."""
        self.jump = ""
        self._start = self._pose
        self._hand_start = self._goal = self._motion.pose(robot.reference)

    def targets(self, last: np.ndarray) -> np.ndarray:
        """Return `last` (D,) with the arm's joints and the gripper moved."""
        targets = last.copy()
        if math.isfinite(self._opening):
            low, high = self._platform.lower, self._platform.upper
            span = high[self._gripper] - low[self._gripper]
            targets[self._gripper] = low[self._gripper] + self._opening * span
        if self._pose is None or self._start is None or self._hand_start is None:
            return targets
        turn = self._R_base_pose
        moved = turn.apply(self._pose.translation() - self._start.translation())
        rotated = turn.apply((self._pose.rotation() @ self._start.rotation().inverse()).log())
        wanted = moved_goal(self._hand_start, moved * self._config.scale, rotated)
        assert self._goal is not None
        period = self._platform.period
        linear, angular = self._config.max_linear * period, self._config.max_angular * period
        goal = approached(self._goal, wanted, linear, angular)
        targets, reached = self._motion.step(targets, goal)
        self._goal = leashed(goal, reached)
        return targets

    def _take_gripper(self, axis: GripperAxis, sample: JoySample) -> bool:
        value = sample.axes[axis.axis] if axis.axis < len(sample.axes) else math.nan
        if not math.isfinite(value):
            self.problem = f"{axis.joy_topic}: axis {axis.axis} is {value}, wanted a number"
            return False
        self._opening = min(max((value - axis.closed) / (axis.open - axis.closed), 0.0), 1.0)
        return True

    def _watch(self, before: mink.SE3, pose: mink.SE3, seconds: float) -> None:
        """Note a jump, and whether the pose moves."""
        linear = float(np.linalg.norm(pose.translation() - before.translation())) / seconds
        turn = (pose.rotation() @ before.rotation().inverse()).log()
        angular = float(np.linalg.norm(turn)) / seconds
        speeds = f"{linear:.2f} m/s and {angular:.2f} rad/s"
        if linear > self._config.max_speed or angular > 3 * self._config.max_speed:
            self.jump = f"{self.hand.topic} jumped: {speeds}"
        still = linear <= _ENGAGE_LINEAR and angular <= _ENGAGE_ANGULAR
        self.moving = "" if still else f"{self.hand.topic} moves at {speeds}: hold it still"


def _pose_problem(sample: PoseSample, frame: str) -> str:
    """Return why a pose cannot be used, as one clause; empty: it can."""
    if frame and sample.frame != frame:
        return f"its frame is '{sample.frame}', wanted '{frame}'"
    if not np.isfinite([*sample.position, *sample.quaternion]).all():
        return "the pose is not finite"
    if not 0.9 < math.hypot(*sample.quaternion) < 1.1:
        return f"its quaternion has the length {math.hypot(*sample.quaternion):.2f}, wanted 1"
    return ""
