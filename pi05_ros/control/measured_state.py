"""The measured state of the robot and its validity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.control.measurement import Measurement, StateAssembler
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.errors import MessageError
from pi05_ros.platforms.platform import Platform


class MeasuredState:
    """Joint states and odometry, with the checks that they must pass.

    Args:
        platform: The robot.
        settings: Thresholds of the checks.
    """

    def __init__(self, platform: Platform, settings: BridgeSettings) -> None:
        self._platform = platform
        self._settings = settings
        self._assembler = StateAssembler(platform, settings.max_position_jump_rad)
        self._bad_joint_states = 0
        self._bad_reason = ""

    def add_joint_states(
        self,
        names: Sequence[str],
        positions: Sequence[float],
        stamp_ns: int,
        now_ns: int,
        topic: str = "",
    ) -> str:
        """Take one JointState message; see StateAssembler.add_joint_states.

        A message without a position of the platform's joints changes nothing, good or faulty.

        Returns:
            Position jump, as one clause; empty if there was none.

        Raises:
            MessageError: The message was dropped.
        """
        if not self._assembler.concerns(names, positions, topic):
            return ""
        try:
            self._check_lead(stamp_ns, now_ns, "joint states")
            jump = self._assembler.add_joint_states(names, positions, stamp_ns, now_ns, topic)
        except MessageError as error:
            self._bad_joint_states += 1
            self._bad_reason = str(error)
            raise
        self._bad_joint_states = 0
        return jump

    def add_odometry(self, velocity: Sequence[float], stamp_ns: int, now_ns: int) -> None:
        """Take one odometry twist; see StateAssembler.add_odometry.

        Raises:
            MessageError: The message was dropped.
        """
        self._check_lead(stamp_ns, now_ns, "odometry")
        self._assembler.add_odometry(velocity, stamp_ns, now_ns)

    def measurement(self) -> Measurement | None:
        """Return the current state; None until every entry was measured."""
        return self._assembler.measurement()

    def clear(self) -> None:
        """Discard all measurements, as after a backward jump of time."""
        self._assembler.clear()

    def problem(self, now_ns: int) -> str:
        """Return the fault of the measurements as one clause; empty if there is none."""
        if self._bad_joint_states >= self._settings.max_bad_joint_states:
            return self._bad_reason
        missing = self._assembler.missing()
        if bare := self._assembler.without_position():
            return (
                f"joint states name {_some(bare)} without a position: its driver must fill "
                "'position'"
            )
        if missing:
            return f"no measurement of {_some(missing)}"
        age = self._assembler.age(now_ns)
        if age > self._settings.measurement_timeout_s:
            return (
                f"the measured state is {age:.2f} s old: nothing new of {self._assembler.oldest()}"
            )
        return ""

    def require(self, now_ns: int) -> Measurement:
        """Return the measured state to arm from.

        Raises:
            MessageError: It is missing, invalid, or outside the position limits.
        """
        if now_ns <= 0:
            raise MessageError("no time yet: use_sim_time is true and nothing arrives on /clock")
        measurement = self.measurement()
        problem = self.problem(now_ns)
        if measurement is None or problem:
            raise MessageError(problem)
        if problem := self._place_problem(measurement.values):
            raise MessageError(problem)
        return measurement

    def _check_lead(self, stamp_ns: int, now_ns: int, what: str) -> None:
        """Raise MessageError for a stamp in the future: it would count as fresh for too long."""
        lead = (stamp_ns - now_ns) * 1e-9
        if lead > self._settings.max_lead_s:
            raise MessageError(f"{what}: stamped {lead:.2f} s in the future; dropped")

    def _place_problem(self, values: np.ndarray) -> str:
        """Return the joint that is too far outside its limits to arm, as one clause.

        Commands begin at the limit. From farther away than one period at full speed, the first
        command would exceed the joint's maximum velocity. Grippers limit their own speed.
        """
        platform = self._platform
        reach = platform.max_velocity * platform.period
        outside = (values < platform.lower - reach) | (values > platform.upper + reach)
        for index in np.flatnonzero(outside & ~platform.is_gripper & ~platform.is_velocity):
            dimension = platform.dimensions[index]
            return (
                f"{dimension.name} is at {values[index]:.3f} {dimension.unit}, outside "
                f"{dimension.lower:g} to {dimension.upper:g}: move it inside its limits first"
            )
        return ""


def _some(names: Sequence[str]) -> str:
    """Return the first few names."""
    return f"{', '.join(names[:4])}{' …' if len(names) > 4 else ''}"
