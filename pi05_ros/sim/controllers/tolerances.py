"""Tolerances of joint_trajectory_controller: how far a joint may stray, on the way and at the end.

Follows ros2_controllers (Jazzy), `joint_trajectory_controller/tolerances.hpp`. Only positions are
judged: with a position command interface the real controller leaves velocity errors at 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

NOT_GIVEN = 0.0  # In a goal: the controller's default stays.
ERASED = -1.0  # In a goal: no limit, whatever the default.


@dataclass(frozen=True)
class Tolerances:
    """Largest |reference - measured| of each joint, (joints,) [rad] or [m]; 0: no limit."""

    path: np.ndarray
    goal: np.ndarray
    goal_time: float = (
        0.0  # How long after the last point the goal may be missed [s]; 0: for ever.
    )

    @cached_property
    def limits_path(self) -> bool:
        """Whether any joint has a limit on the way."""
        return bool(np.any(self.path > 0.0))

    @cached_property
    def limits_goal(self) -> bool:
        """Whether any joint has a limit at the end."""
        return bool(np.any(self.goal > 0.0))

    @staticmethod
    def unlimited(joints: int) -> Tolerances:
        """No limit at all, the default of a real controller."""
        return Tolerances(np.zeros(joints), np.zeros(joints))

    def with_goal(
        self,
        joints: tuple[str, ...],
        path: Mapping[str, float],
        goal: Mapping[str, float],
        goal_time: float,
    ) -> Tolerances:
        """These defaults, changed by what a goal asks for.

        A goal that names an unknown joint, or a negative value other than `ERASED`, changes
        nothing at all: the real controller logs it and runs with its defaults.

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
    """Whether any joint's error is above its limit. NaN is not above anything, as in C++."""
    return bool(np.any((limits > 0.0) & (np.abs(error) > limits)))


def _merge(
    defaults: np.ndarray, joints: tuple[str, ...], wanted: Mapping[str, float]
) -> np.ndarray:
    """Defaults with the joints in `wanted` replaced. Raises ValueError (see `with_goal`)."""
    merged = defaults.copy()
    for name, value in wanted.items():
        index = joints.index(name)
        merged[index] = _resolve(defaults[index], value)
    return merged


def _resolve(default: float, value: float) -> float:
    """One tolerance of a goal. Raises ValueError for a negative value that means nothing."""
    if value > 0.0:
        return value
    if abs(value - ERASED) < np.finfo(np.float32).eps:
        return 0.0
    if value < 0.0:
        raise ValueError(f"a tolerance of {value} means nothing")
    return default
