"""Leader arms: joint states that the operator moves by hand, mapped onto the robot's vector."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.teleop import Leader, LeaderJoint
from pi05_ros.teleop.device import (
    DeviceInput,
    DeviceStatus,
    JointSample,
    JoySample,
    Match,
    Sample,
    TeleopDevice,
)
from pi05_ros.teleop.inputs import DeadMan, SampleInterval, Silence
from pi05_ros.teleop.robot_view import RobotView, Velocity


class LeaderDevice(TeleopDevice):
    """A leader, see `platforms.teleop.Leader`.

    Args:
        platform: The robot.
        leader: The leader.
    """

    kind = "leader"

    def __init__(self, platform: Platform, leader: Leader) -> None:
        self.name = leader.name
        self._platform = platform
        self._leader = leader
        self._dead_man = DeadMan(leader.clutch)
        limits = {each.topic: leader.silence_s for each in leader.topics}
        self._silence = Silence({**limits, self._dead_man.source: leader.silence_s})
        self._joints = {each.topic: each.joints for each in leader.topics}
        self._indices = np.array([platform.index(joint.entry) for joint in leader.joints])
        # Newest values, platform units; NaN: none yet, or not of the leader.
        self._mapped: np.ndarray = np.full(platform.size, math.nan)
        self._velocity = Velocity(platform)
        self._start: np.ndarray = np.full(platform.size, math.nan)  # Of the leader at the clutch,
        self._robot_start: np.ndarray = np.zeros(platform.size)  # and of the robot.
        self._intervals = {topic: SampleInterval() for topic in self._joints}
        self._problems: dict[str, str] = {}  # Topic -> why its newest sample was refused.
        self._jump = ""
        self._span = np.where(platform.is_gripper, platform.upper - platform.lower, 1.0)

    @property
    def inputs(self) -> Sequence[DeviceInput]:
        """See TeleopDevice."""
        own = self._dead_man.input
        joints = [
            DeviceInput(each.topic, JoySample if each.kind == "joy" else JointSample)
            for each in self._leader.topics
        ]
        return [*joints, *([own] if own is not None else [])]

    def add(self, topic: str, sample: Sample, at_ns: int) -> None:
        """See TeleopDevice."""
        if self._dead_man.add(topic, sample):
            self._silence.heard(self._dead_man.source, at_ns)
        if topic not in self._joints:
            return
        if isinstance(sample, JoySample):
            sample = _as_joints(sample)
            if self._dead_man.add(topic, sample):
                self._silence.heard(self._dead_man.source, at_ns)
        if not isinstance(sample, JointSample):
            return
        joints = self._joints[topic]
        values, problem = _mapped(self._platform, joints, sample)
        self._problems[topic] = f"{topic}: {problem}" if problem else ""
        if problem:
            return
        indices = [self._platform.index(joint.entry) for joint in joints]
        seconds = self._intervals[topic].next(at_ns, sample.stamp_ns)
        if seconds is not None:
            self._watch_jump(joints, np.array(indices), values, seconds)
        self._mapped[indices] = values
        self._silence.heard(topic, at_ns)
        self._velocity.add(at_ns, np.nan_to_num(self._mapped))

    def status(self, now_ns: int) -> DeviceStatus:
        """See TeleopDevice."""
        problem = next(filter(None, (*self._problems.values(), self._dead_man.problem)), "")
        return DeviceStatus(
            held=self._dead_man.held,
            input_ns=self._silence.oldest_ns(),
            silent=self._silence.reason(now_ns),
            problem=problem,
            jump=self._jump,
        )

    def match(self, robot: RobotView, velocity: np.ndarray) -> Match:
        """See TeleopDevice."""
        moving = self._moving(velocity)
        if self._leader.alignment == "relative":
            return Match(moving)
        error, problem = self._distance(robot.reference)
        return Match(problem or moving, error)

    def engage(self, robot: RobotView) -> None:
        """See TeleopDevice."""
        self._jump = ""
        self._start = self._mapped.copy()
        self._robot_start = robot.reference.copy()

    def targets(self, last: np.ndarray, robot: RobotView) -> np.ndarray:
        """See TeleopDevice."""
        platform, targets = self._platform, last.copy()
        wanted: np.ndarray = self._mapped
        if self._leader.alignment == "relative":
            moved = self._robot_start + platform.difference(self._mapped, self._start)
            wanted = np.asarray(np.where(platform.is_velocity, self._mapped, moved))
        # A joint that turns without end goes to the nearest of the equal angles.
        nearest = last + platform.difference(wanted, last)
        wanted = np.asarray(np.where(platform.is_continuous, nearest, wanted))
        clipped = np.clip(wanted, platform.lower, platform.upper)
        targets[self._indices] = clipped[self._indices]
        return targets

    def _watch_jump(
        self,
        joints: tuple[LeaderJoint, ...],
        indices: np.ndarray,
        values: np.ndarray,
        seconds: float,
    ) -> None:
        """Note a sample that is further from the last one than the leader can have moved."""
        full = self._mapped.copy()
        full[indices] = values
        change = self._platform.difference(full, self._mapped)[indices] / self._span[indices]
        speeds = np.abs(change) / seconds
        speeds[self._platform.is_velocity[indices]] = 0.0  # The bridge limits accelerations.
        worst = int(np.argmax(speeds))
        if speeds[worst] > self._leader.max_speed:
            self._jump = (
                f"{joints[worst].joint} jumped by {abs(change[worst]):.2f} in {seconds:.2f} s"
            )

    def _moving(self, velocity: np.ndarray) -> str:
        """Return which joint moves, one clause; a leader may move along with the robot."""
        own = self._velocity.value()
        relative = np.where(self._platform.is_gripper, 0.0, np.abs(own - velocity))
        speeds = np.minimum(np.abs(own), relative)[self._indices]
        worst = int(np.argmax(speeds))
        if speeds[worst] <= self._leader.engage_speed:
            return ""
        joint = self._leader.joints[worst].joint
        return f"{joint} moves at {speeds[worst]:.2f}/s: hold the leader still to engage"

    def _distance(self, reference: np.ndarray) -> tuple[float, str]:
        """Return the largest distance [rad or m] and which joint is outside its tolerance."""
        leader, platform = self._leader, self._platform
        difference = platform.difference(self._mapped, reference)
        largest, problem, excess = 0.0, "", 1.0
        for joint, index in zip(leader.joints, self._indices, strict=True):
            dimension = platform.dimensions[index]
            distance = abs(float(difference[index]))
            if dimension.is_velocity:
                continue
            if platform.is_gripper[index]:
                tolerance = leader.tolerance_gripper * float(self._span[index])
            else:
                tolerance = leader.tolerance_m if dimension.unit == "m" else leader.tolerance_rad
                largest = max(largest, distance)
            if distance / tolerance > excess:
                excess = distance / tolerance
                unit = "" if dimension.unit == "fraction" else f" {dimension.unit}"
                problem = (
                    f"{joint.joint} is {distance:.2f}{unit} from {joint.entry} (tolerance "
                    f"{tolerance:.2f}): move it to {unmapped(platform, joint, reference):.2f}"
                )
        return largest, problem


def _mapped(
    platform: Platform, joints: tuple[LeaderJoint, ...], sample: JointSample
) -> tuple[np.ndarray, str]:
    """Map a sample; return the values in platform units (n,) and why it is refused, or ""."""
    values = np.full(len(joints), math.nan)
    if len(set(sample.names)) < len(sample.names):
        return values, "a joint stands twice"
    for number, joint in enumerate(joints):
        if joint.joint not in sample.names:
            return values, f"{joint.joint} is missing"
        numbers = sample.positions if joint.field == "position" else sample.velocities
        index = sample.names.index(joint.joint)
        if index >= len(numbers):
            return values, f"{joint.joint} has no {joint.field}"
        if not math.isfinite(numbers[index]):
            return values, f"the {joint.field} of {joint.joint} is {numbers[index]}"
        values[number] = mapped(platform, joint, numbers[index])
        if abs(values[number]) < joint.dead_zone:
            values[number] = 0.0
    return values, ""


def _as_joints(sample: JoySample) -> JointSample:
    """Return a Joy as joint states of axis_0, axis_1, … and button_0, button_1, …."""
    names = [f"axis_{k}" for k in range(len(sample.axes))]
    names += [f"button_{k}" for k in range(len(sample.buttons))]
    return JointSample(tuple(names), (*sample.axes, *map(float, sample.buttons)))


def mapped(platform: Platform, joint: LeaderJoint, value: float) -> float:
    """Map a leader's value onto its entry [platform's unit]."""
    if joint.closed is None or joint.open is None:
        return joint.offset + joint.sign * joint.scale * value
    index = platform.index(joint.entry)
    low, high = float(platform.lower[index]), float(platform.upper[index])
    share = (value - joint.closed) / (joint.open - joint.closed)
    return low + min(max(share, 0.0), 1.0) * (high - low)


def unmapped(platform: Platform, joint: LeaderJoint, vector: np.ndarray) -> float:
    """Return the leader's value that `mapped` maps onto the entry of a vector (D,)."""
    index = platform.index(joint.entry)
    if joint.closed is None or joint.open is None:
        return (float(vector[index]) - joint.offset) / (joint.sign * joint.scale)
    low, high = float(platform.lower[index]), float(platform.upper[index])
    share = (float(vector[index]) - low) / (high - low)
    return joint.closed + share * (joint.open - joint.closed)
