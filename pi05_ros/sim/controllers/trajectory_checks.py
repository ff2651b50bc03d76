"""Checks of joint_trajectory_controller before it accepts a trajectory.

Follows ros2_controllers (Jazzy), `validate_trajectory_msg`. NaN, infinity, limits and duplicate
names are not checked there; the sender must check them.
"""

from __future__ import annotations

import numpy as np

from pi05_ros.sim.controllers.trajectory import JointTrajectory

_STANDS_STILL = float(np.finfo(np.float32).eps)  # [unit/s]


def check_trajectory(
    trajectory: JointTrajectory,
    joints: tuple[str, ...],
    now_ns: int,
    allow_nonzero_velocity_at_trajectory_end: bool = False,
) -> str:
    """Reason why the real controller would reject `trajectory`; empty if it would accept it.

    Args:
        trajectory: The trajectory as sent.
        joints: The controller's joints.
        now_ns: Time of arrival [ns].
        allow_nonzero_velocity_at_trajectory_end: The controller's parameter of that name.
    """
    names, points = trajectory.joint_names, trajectory.points
    if len(names) != len(joints):
        return f"{len(names)} joint names, the controller has {len(joints)} joints"
    if not points:
        return "no points"
    unknown = next((name for name in names if name not in joints), None)
    if unknown is not None:
        return f"joint '{unknown}' is none of the controller's ({', '.join(joints)})"
    last = points[-1]
    if not allow_nonzero_velocity_at_trajectory_end and last.velocities is not None:
        moving = np.flatnonzero(np.abs(last.velocities) > _STANDS_STILL)
        if moving.size:
            return f"the last point has velocity {last.velocities[moving[0]]:g}, not 0"
    if trajectory.stamp_ns != 0 and trajectory.stamp_ns + last.time_ns < now_ns:
        late = (now_ns - trajectory.stamp_ns - last.time_ns) * 1e-9
        return f"it ended {late:.3f} s ago (stamp and last time_from_start)"
    previous_ns: int | None = None
    for number, point in enumerate(points):
        if previous_ns is not None and point.time_ns <= previous_ns:
            return f"time_from_start of point {number} is not after that of point {number - 1}"
        previous_ns = point.time_ns
        for what, values in (
            ("positions", point.positions),
            ("velocities", point.velocities),
            ("accelerations", point.accelerations),
        ):
            if values is not None and len(values) != len(names):
                return f"point {number} has {len(values)} {what} for {len(names)} joints"
        if point.effort is not None:
            return f"point {number} has effort, the controller commands positions"
    return ""
