"""Conversion of joint states and odometry to the platform's state vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.control.watches import JumpWatch
from pi05_ros.errors import MessageError
from pi05_ros.platforms.platform import Platform


@dataclass(frozen=True)
class Measurement:
    """Measured state of the robot at one moment."""

    stamp_ns: int  # Acquisition time of the oldest value [ns].
    values: np.ndarray  # (D,) float64, platform units.


class StateAssembler:
    """Collects joint positions by name and the base velocity into one vector.

    Joint states may arrive in parts (several drivers on one topic), in any order and with joints
    that the platform does not have. An invalid message is dropped as a whole; one that gives no
    position of the platform's joints is ignored, whatever else it holds.

    Args:
        platform: The robot.
        max_jump: See JumpWatch.
    """

    def __init__(self, platform: Platform, max_jump: float) -> None:
        self._platform = platform
        self._jumps = JumpWatch(platform, max_jump)
        # Lists: entries arrive one at a time, where numpy is several times slower.
        self._values = [math.nan] * platform.size
        self._stamps = [0] * platform.size
        self._arrivals = [0] * platform.size
        # Joint name -> (index in the vector, offset, scale): value = (position - offset) * scale.
        joints: dict[str, tuple[int, float, float]] = {}
        for group in platform.groups:
            for dimension in group.dimensions:
                if dimension.is_velocity:
                    continue
                offset, scale = 0.0, 1.0
                if group.kind == "parallel_gripper":
                    offset = group.joint_closed
                    scale = 1.0 / (group.joint_open - group.joint_closed)
                index = platform.index(dimension.name)
                joints[dimension.joint_name] = (index, offset, scale)
        # By topic, with the names of its drivers; "": with those of the URDF.
        self._joints = {"": joints}
        for topic in platform.joint_states_topics:
            self._joints[topic] = {
                d.driver_joint_name: joints[d.joint_name] for d in platform.joints_on(topic)
            }
        # (Index in the vector, component of vx, vy, wz) of each base dimension.
        base = np.flatnonzero(platform.is_velocity).tolist()
        self._base = list(zip(base, platform.base_axes, strict=True))
        self._is_complete = False  # Every entry was measured; values stay valid until `clear`.
        self._without_position: set[int] = set()  # Entries that a message named without one.

    def concerns(self, names: Sequence[str], positions: Sequence[float], topic: str = "") -> bool:
        """Check whether a JointState message gives positions of the platform's joints.

        A driver of wheels or of a hand may share the topic, and JointState allows it to leave
        `position` empty.
        """
        joints = self._joints[topic]
        known = [joints[name][0] for name in names if name in joints]
        if known and not len(positions):
            self._without_position.update(known)
        return bool(known) and len(positions) > 0

    def add_joint_states(
        self,
        names: Sequence[str],
        positions: Sequence[float],
        stamp_ns: int,
        now_ns: int,
        topic: str = "",
    ) -> str:
        """Take one JointState message.

        Args:
            names: Joint names.
            positions: [rad] or [m], one for each name.
            stamp_ns: Stamp of the message [ns].
            now_ns: Time of arrival by the same clock [ns].
            topic: Where it came from: only the joints of this topic are taken, by the names of
                its driver. "": all joints, by their names in the URDF.

        Returns:
            Position jump that no motor can have made, as one clause; empty if there was none.

        Raises:
            MessageError: The message is invalid; nothing of it was used.
        """
        if not self.concerns(names, positions, topic):
            return ""
        joints = self._joints[topic]
        if len(positions) != len(names):
            raise MessageError(
                f"joint states: {len(names)} names but {len(positions)} positions; dropped"
            )
        known = [(n, p) for n, p in zip(names, positions, strict=True) if n in joints]
        if len({name for name, _ in known}) != len(known):
            raise MessageError("joint states: a joint name is repeated; dropped")
        values = []
        for name, position in known:
            index, offset, scale = joints[name]
            values.append((index, (position - offset) * scale))
            if not math.isfinite(values[-1][1]):
                raise MessageError(f"joint states: {name} is {position}; dropped")
        jump = ""
        for index, value in values:
            self._take(index, value, stamp_ns, now_ns)
            jump = self._jumps.update(index, value, stamp_ns) or jump
        return jump

    def add_odometry(self, velocity: Sequence[float], stamp_ns: int, now_ns: int) -> None:
        """Take the base velocity (vx, vy [m/s], wz [rad/s]) in the base frame.

        A platform ignores the components that its base does not have, all without a base.

        Raises:
            MessageError: A value is not finite; nothing of it was used.
        """
        if not all(math.isfinite(value) for value in velocity):
            raise MessageError(f"odometry: the velocity is {tuple(velocity)}; dropped")
        for index, axis in self._base:
            self._take(index, velocity[axis], stamp_ns, now_ns)

    def missing(self) -> tuple[str, ...]:
        """Return the names of entries that were never measured."""
        if self._is_complete:
            return ()
        names = tuple(
            name
            for name, value in zip(self._platform.names, self._values, strict=True)
            if math.isnan(value)
        )
        self._is_complete = not names
        return names

    def without_position(self) -> tuple[str, ...]:
        """Return the entries never measured that joint states named without a position."""
        if self._is_complete:
            return ()
        return tuple(
            self._platform.names[index]
            for index in sorted(self._without_position)
            if math.isnan(self._values[index])
        )

    def age(self, now_ns: int) -> float:
        """Return the age of the oldest entry [s] by stamp or arrival; inf if one is missing."""
        if self.missing():
            return math.inf
        oldest = min(*self._stamps, *self._arrivals)
        return (now_ns - oldest) * 1e-9

    def oldest(self) -> str:
        """Return the name of the oldest entry, by stamp or arrival."""
        ages = [min(times) for times in zip(self._stamps, self._arrivals, strict=True)]
        return self._platform.names[ages.index(min(ages))]

    def measurement(self) -> Measurement | None:
        """Return the current state; None until every entry was measured."""
        if self.missing():
            return None
        return Measurement(min(self._stamps), np.array(self._values))

    def clear(self) -> None:
        """Discard all measurements, as after a backward jump of time."""
        self._values = [math.nan] * len(self._values)
        self._is_complete = False
        self._jumps.clear()

    def _take(self, index: int, value: float, stamp_ns: int, now_ns: int) -> None:
        self._values[index] = value
        self._stamps[index] = stamp_ns
        self._arrivals[index] = now_ns
