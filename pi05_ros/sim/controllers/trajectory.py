"""A joint trajectory as sent, and in execution with start time, first segment and end.

Follows ros2_controllers (Jazzy), `joint_trajectory_controller/src/trajectory.cpp`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.controllers.spline import JointPoint, interpolate


@dataclass(frozen=True)
class JointTrajectory:
    """Content of trajectory_msgs/JointTrajectory as arrays, not validated."""

    stamp_ns: int  # Start time [ns]; 0: at its first update.
    joint_names: tuple[str, ...]
    points: tuple[JointPoint, ...]  # time_ns: time_from_start.


@dataclass(frozen=True)
class TrajectorySample:
    """A trajectory sampled at one time."""

    state: JointPoint
    segment_start_ns: int  # Time of the segment's start; before the first point, of that point.
    is_past_end: bool  # Whether the last point's time has been reached.


class RunningTrajectory:
    """A trajectory in execution: all its points in the order of the controller's joints.

    Args:
        points: At least one, `time_ns` strictly rising.
        stamp_ns: Start time [ns]; 0: at the first sample.
    """

    def __init__(self, points: tuple[JointPoint, ...], stamp_ns: int) -> None:
        self.points = points
        self.start_ns = stamp_ns
        self._before: JointPoint | None = None
        self._before_ns = 0
        self._last: tuple[int, TrajectorySample] | None = None  # Last sampled time and result.

    @property
    def is_begun(self) -> bool:
        """True once `begin` was called."""
        return self._before is not None

    def begin(self, now_ns: int, before_ns: int, before: JointPoint) -> None:
        """Set the start state of the segment to the first point.

        Args:
            now_ns: Time of the first sample [ns]; it replaces a stamp of 0.
            before_ns: Time of `before` [ns].
            before: Measured state, or last command. Derivatives that the first point has and
                `before` lacks count as 0, so that this segment has the trajectory's degree.
        """
        first = self.points[0]
        zeros = np.zeros_like(before.positions)
        self._before = JointPoint(
            before_ns,
            before.positions,
            zeros
            if before.velocities is None and first.velocities is not None
            else before.velocities,
            zeros
            if before.accelerations is None and first.accelerations is not None
            else before.accelerations,
        )
        self._before_ns = before_ns
        if self.start_ns == 0:
            self.start_ns = now_ns

    def sample(self, time_ns: int) -> TrajectorySample:
        """Return the state at `time_ns`.

        Before the first point it is interpolated from the state given to `begin`; after the last
        point it is that point. A trajectory that starts in the past has no such first segment, so
        its first sample may jump.

        Raises:
            RuntimeError: `begin` was not called.
        """
        # A controller samples now and its next cycle: half of the samples can be reused.
        if self._last is None or self._last[0] != time_ns:
            self._last = (time_ns, self._sample(time_ns))
        return self._last[1]

    def _sample(self, time_ns: int) -> TrajectorySample:
        if self._before is None:
            raise RuntimeError("sample before begin")
        since_start = time_ns - self.start_ns
        first, last = self.points[0], self.points[-1]
        if since_start < first.time_ns:
            first_ns = self.start_ns + first.time_ns
            state = interpolate(self._before_ns, self._before, first_ns, first, time_ns)
            return TrajectorySample(state, first_ns, False)
        if since_start >= last.time_ns:
            return TrajectorySample(last.filled(time_ns), self.start_ns + last.time_ns, True)
        after = next(i for i, point in enumerate(self.points) if since_start < point.time_ns)
        a, b = self.points[after - 1], self.points[after]
        state = interpolate(a.time_ns, a, b.time_ns, b, since_start)
        return TrajectorySample(state, self.start_ns + a.time_ns, False)
