"""Tolerances of joint_trajectory_controller: largest joint errors on the path and at the goal.

Follows ros2_controllers (Jazzy), `joint_trajectory_controller/tolerances.hpp`. Only positions are
checked: with a position command interface the real controller leaves velocity errors at 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

NOT_GIVEN = 0.0  # In a goal: the controller's default applies.
ERASED = -1.0  # In a goal: no limit, whatever the default.


@dataclass(frozen=True)
class Tolerances:
    """Largest |reference - measured| of each joint, (joints,) [rad] or [m]; 0: no limit."""

    path: np.ndarray
    goal: np.ndarray
    goal_time: float = 0.0  # Time after the last point to reach the goal [s]; 0: no limit.

    @cached_property
    def limits_path(self) -> bool:
        """True if any joint has a limit on the path."""
        return bool(np.any(self.path > 0.0))

    @cached_property
    def limits_goal(self) -> bool:
        """True if any joint has a limit at the goal."""
        return bool(np.any(self.goal > 0.0))

    @staticmethod
    def unlimited(joints: int) -> Tolerances:
        """Return tolerances without limits, the default of the real controller."""
        return Tolerances(np.zeros(joints), np.zeros(joints))

    def with_goal(
        self,
        joints: tuple[str, ...],
        path: Mapping[str, float],
        goal: Mapping[str, float],
        goal_time: float,
    ) -> Tolerances:
        """Return these defaults, overridden by the tolerances of a goal.

        A goal with an unknown joint, or a negative value other than `ERASED`, changes nothing at
        all: the real controller logs it and uses its defaults.

        Args:
            joints: Names of the controller's joints, in the order of the arrays.
            path: Position tolerances by joint name, as in the goal.
            goal: Position tolerances at the end, likewise.
            goal_time: goal_time_tolerance [s].
        """
        try:
            return replace(
                self,
                path=_merge(self.path, joints, path),
                goal=_merge(self.goal, joints, goal),
                goal_time=_resolve(self.goal_time, goal_time),
            )
        except ValueError:
            return self


def beyond(limits: np.ndarray, error: np.ndarray) -> bool:
    """Check whether any joint's error exceeds its limit. As in C++, NaN exceeds no limit."""
    return bool(np.any((limits > 0.0) & (np.abs(error) > limits)))


def _merge(
    defaults: np.ndarray, joints: tuple[str, ...], wanted: Mapping[str, float]
) -> np.ndarray:
    """Replace the defaults of the joints in `wanted`; raise ValueError (see `with_goal`)."""
    merged = defaults.copy()
    for name, value in wanted.items():
        index = joints.index(name)
        merged[index] = _resolve(defaults[index], value)
    return merged


def _resolve(default: float, value: float) -> float:
    """Resolve one tolerance of a goal; raise ValueError for an undefined negative value."""
    if value > 0.0:
        return value
    if abs(value - ERASED) < np.finfo(np.float32).eps:
        return 0.0
    if value < 0.0:
        raise ValueError(f"a tolerance of {value} means nothing")
    return default
