"""Trajectories that the controller rejects, and invalid ones that it accepts."""

import math

import numpy as np
import pytest

from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.trajectory import JointTrajectory
from pi05_ros.sim.controllers.trajectory_checks import check_trajectory

JOINTS = ("shoulder", "elbow")
NOW = 10_000_000_000
MS = 1_000_000


def trajectory(*points, names=JOINTS, stamp_ns=0):
    """Points are (time in ms, positions[, velocities[, accelerations[, effort]]])."""
    return JointTrajectory(
        stamp_ns,
        tuple(names),
        tuple(
            JointPoint(time * MS, *(None if a is None else np.array(a, float) for a in arrays))
            for time, *arrays in points
        ),
    )


GOOD = (20, [0.1, 0.2])


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (trajectory(GOOD, names=()), "0 joint names"),
        (trajectory(), "no points"),
        (trajectory((20, [0.1]), names=("elbow",)), "1 joint names, the controller has 2"),
        (trajectory((20, [1, 2, 3]), names=(*JOINTS, "x")), "3 joint names"),
        (trajectory(GOOD, names=("shoulder", "wrist")), "'wrist' is none of the controller's"),
        (trajectory((20, [0, 0], [0.0, 0.5])), "last point has velocity 0.5"),
        (trajectory(GOOD, stamp_ns=NOW - 21 * MS), "ended 0.001 s ago"),
        (trajectory((20, [0, 0]), (20, [1, 1])), "point 1 is not after that of point 0"),
        (trajectory((20, [0, 0]), (10, [1, 1])), "point 1 is not after that of point 0"),
        (trajectory((20, [])), "point 0 has 0 positions for 2 joints"),
        (trajectory(GOOD, (40, [1.0])), "point 1 has 1 positions"),
        (trajectory((20, [0, 0], [0.0])), "point 0 has 1 velocities"),
        (trajectory((20, [0, 0], None, [0.0])), "point 0 has 1 accelerations"),
        (trajectory((20, [0, 0], None, None, [1.0, 1.0])), "point 0 has effort"),
    ],
)
def test_rejected(sent, reason):
    assert reason in check_trajectory(sent, JOINTS, NOW)


@pytest.mark.parametrize(
    "sent",
    [
        trajectory(GOOD),
        trajectory((0, [0, 0])),  # The jump is the sender's business.
        trajectory((20, [math.nan, 0.0])),
        trajectory((20, [math.inf, 0.0])),
        trajectory((20, [1e9, 0.0])),
        trajectory((20, [0.0, 0.0], [math.nan, 0.0])),
        trajectory(GOOD, names=("elbow", "elbow")),
        trajectory(GOOD, names=("elbow", "shoulder")),
        trajectory(GOOD, stamp_ns=NOW - 20 * MS),  # Ends now.
        trajectory(GOOD, stamp_ns=NOW + 5_000 * MS),
        trajectory((20, [0, 0], [9.0, 9.0]), (40, [0, 0], [0.0, 1e-8])),
    ],
)
def test_taken(sent):
    assert check_trajectory(sent, JOINTS, NOW) == ""


def test_moving_at_the_end_may_be_allowed():
    sent = trajectory((20, [0, 0], [0.0, 0.5]))
    assert check_trajectory(sent, JOINTS, NOW, allow_nonzero_velocity_at_trajectory_end=True) == ""
