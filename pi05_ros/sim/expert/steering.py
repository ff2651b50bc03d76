"""Steering of a base to a pose: what is left to move, in the components that the base has."""

from __future__ import annotations

import math

from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle

# A differential base that is nearer than this only turns to the goal's heading [m]. It is below
# ScriptedExpertConfig.stance_tolerance, the distance at which a stance counts as reached.
_NEAR = 0.011
_AIMED = 0.06  # Largest heading error at which a differential base drives [rad].
_AIMED_NEAR = 0.02  # The same within _CLOSE of the goal, where a late correction is of no use.
_CLOSE = 0.25  # [m]
_HEADED = 0.03  # Heading error at the goal below which the distance ahead is corrected [rad].


def base_error(base: FloorPose, goal: FloorPose, axes: tuple[int, ...]) -> list[float]:
    """Return the remaining motion of a base [m, rad] in the order of `axes`.

    A holonomic base moves straight to the goal and turns on the way. A differential one turns to
    the goal, drives there, forwards or backwards, and turns to the goal's heading. Each answer
    depends on the present pose only, so it stays right when the base is pushed.

    Args:
        base: Present pose.
        goal: Wanted pose in the same frame.
        axes: Components of (vx, vy, wz) that the base has: (0, 1, 2), (0, 2), or () without one.
    """
    if not axes:
        return []
    away = base.inverse().compose(goal)
    if 1 in axes:
        return [(away.x, away.y, away.yaw)[axis] for axis in axes]
    distance = math.hypot(away.x, away.y)
    if distance < _NEAR:
        ahead = away.x if abs(away.yaw) < _HEADED else 0.0
        return [ahead, away.yaw]
    heading = math.atan2(away.y, away.x)
    backwards = abs(heading) > math.pi / 2
    if backwards:
        heading = wrap_angle(heading + math.pi)
    # The allowed error shrinks with the distance: at the goal it would be a lateral offset.
    allowed = _AIMED if distance > _CLOSE else _AIMED_NEAR
    allowed = max(allowed, 0.5 * _NEAR / distance)
    ahead = away.x if abs(heading) < allowed else 0.0
    return [ahead, heading]
