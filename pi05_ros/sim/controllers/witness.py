"""An independent witness of what reaches the controllers: it counts, and changes nothing.

The control bridge limits what it sends. That it does is seen here, on the other side of the wire,
by someone who shares no code with it. Counts only rise; a reset of the home begins the streams
anew but forgets nothing.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from pi05_ros.platforms.platform import Group
from pi05_ros.sim.controllers.base_velocity import Twist
from pi05_ros.sim.controllers.spline import NANOSECONDS
from pi05_ros.sim.controllers.trajectory import JointTrajectory

_POSITION_MARGIN = 1e-6  # [unit] Rounding of float32 on the way.
_VELOCITY_MARGIN = 1.01  # Factor. Rounding of float32 positions and of times.

# What can be wrong with a command, worst first; names of counts.
NOT_FINITE = "not_finite"  # NaN or infinity in it.
REJECTED = "rejected"  # The controller did not take it.
POSITION_LIMIT = "position_limit"  # Beyond the URDF's limits.
VELOCITY_LIMIT = "velocity_limit"  # Base: beyond the limit. Joints: between points of one message.
REACH_LIMIT = "reach_limit"  # Its first point lies too far from the set-point for its time.
SET_POINT_JUMP = "set_point_jump"  # A drive's set-point moved faster than the limit in a tick.
# After commands in so many ticks in a row a stream counts as one at the tick's rate.
_STEADY_TICKS = 3

FAULTS = (NOT_FINITE, REJECTED, POSITION_LIMIT, VELOCITY_LIMIT, REACH_LIMIT, SET_POINT_JUMP)


class GroupWitness:
    """Counts what one controller got.

    A stream (trajectories, base) begins with its first command; from then on each tick either
    brought one or was missed. A stream that has ended goes on missing: `ticks_since_command` tells
    how long.

    Attributes:
        commands: Commands that arrived, taken or not.
        ticks: Ticks of begun streams.
        ticks_missed: Those of them without a command.
        longest_gap: Most ticks in a row without a command, the last gap included.
        ticks_since_command: Length of the gap now.
        faults: Count of commands (of ticks, for SET_POINT_JUMP) by fault.
        last_rejection: Why the last rejected command was rejected.
        last_fault: What the last fault was, with joint, value and limit.
    """

    def __init__(self, group: Group, tick: float) -> None:
        """Starts counting.

        Args:
            group: What the controller moves.
            tick: Length of a tick [s].
        """
        self.group = group
        self.commands = 0
        self.ticks = 0
        self.ticks_missed = 0
        self.longest_gap = 0
        self.ticks_since_command = 0
        self.faults: Counter[str] = Counter()
        self.last_rejection = ""
        self.last_fault = ""
        self._tick = tick
        self._lower, self._upper = joint_limits(group)
        self._least, self._most = self._lower - _POSITION_MARGIN, self._upper + _POSITION_MARGIN
        scale = (
            abs(group.joint_open - group.joint_closed) if group.kind == "parallel_gripper" else 1
        )
        self._max_velocity = np.array([d.max_velocity for d in group.dimensions]) * scale
        self._most_speed = self._max_velocity * _VELOCITY_MARGIN
        self._names = [d.joint_name for d in group.dimensions]
        self._has_begun = False
        self._arrived = False
        self._unbroken = 0  # Ticks in a row with a command.
        self._set_point: np.ndarray | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether a steady stream owes this tick its command."""
        return self._unbroken >= _STEADY_TICKS and not self._arrived

    def trajectory(self, message: JointTrajectory, set_point: np.ndarray) -> None:
        """Sees a trajectory arrive.

        Args:
            message: As it came.
            set_point: What the joints are commanded now, (joints,) in the group's order.
        """
        self._note_arrival()
        names, points = message.joint_names, message.points
        sizes = {len(point.positions) for point in points}
        if sorted(names) != sorted(self._names) or sizes != {len(names)}:
            return  # No sense in its numbers; the controller will say what is wrong.
        positions = np.array([p.positions for p in points])  # (points, joints)
        if list(names) != self._names:
            positions = positions[:, [names.index(name) for name in self._names]]
        times = np.array([p.time_ns for p in points]) * NANOSECONDS
        if not self._is_finite(positions):
            return
        self._check_positions(positions)
        with np.errstate(divide="ignore", invalid="ignore"):
            if len(points) > 1:
                speeds = np.abs(np.diff(positions, axis=0)) / np.diff(times)[:, None]
                self._check_speeds(VELOCITY_LIMIT, speeds)
            reach = np.abs(positions[:1] - set_point) / times[0]
        # A stamp moves the first point in time; the tick below sees what becomes of that.
        if message.stamp_ns == 0:
            self._check_speeds(REACH_LIMIT, reach)

    def gripper(self, positions: list[float]) -> None:
        """Sees a gripper goal arrive; `positions` [m or rad] as it came."""
        self._note_arrival()
        if self._is_finite(np.array([positions])) and len(positions) == 1:
            self._check_positions(np.array([positions]))

    def twist(self, command: Twist) -> None:
        """Sees a base command arrive."""
        self._note_arrival()
        if self._is_finite(np.array([command])):
            self._check_speeds(VELOCITY_LIMIT, np.abs([command]))

    def rejection(self, reason: str) -> None:
        """Sees the controller reject the command that just arrived."""
        self._count(REJECTED, reason)
        self.last_rejection = reason

    def end_tick(self, set_point: np.ndarray | None = None) -> None:
        """Closes a tick.

        Args:
            set_point: Finite positions that the drives were given at its end, (joints,); None for
                a base, which has none.
        """
        # A gripper gets a goal when something changes: there is no stream to miss, and its
        # set-point steps by design.
        if self.group.kind == "parallel_gripper":
            return
        if self._has_begun:
            self.ticks += 1
            if self._arrived:
                self._unbroken += 1
                self.ticks_since_command = 0
            else:
                self._unbroken = 0
                self.ticks_missed += 1
                self.ticks_since_command += 1
                self.longest_gap = max(self.longest_gap, self.ticks_since_command)
        self._arrived = False
        if set_point is not None:
            if self._set_point is not None:
                step = np.abs(set_point - self._set_point)[None]
                self._check_speeds(SET_POINT_JUMP, step / self._tick)
            self._set_point = np.array(set_point)

    def begin_anew(self) -> None:
        """The home was reset: the stream begins with the next command, counts stay."""
        self._has_begun = self._arrived = False
        self._unbroken = self.ticks_since_command = 0
        self._set_point = None

    def _note_arrival(self) -> None:
        self.commands += 1
        self._has_begun = self._arrived = True

    def _is_finite(self, values: np.ndarray) -> bool:
        """Counts and returns False if any of values (rows, dimensions) is not finite."""
        finite = np.isfinite(values)
        if finite.all():
            return True
        column = np.argwhere(~finite)[0][1]
        self._count(NOT_FINITE, f"{self._names[column % len(self._names)]}")
        return False

    def _check_positions(self, positions: np.ndarray) -> None:
        """Counts once if any of positions (points, joints) is beyond the limits."""
        bad = (positions < self._least) | (positions > self._most)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            limits = f"{self._lower[column]:g} to {self._upper[column]:g}"
            value = f"{positions[row, column]:.4g}"
            self._count(POSITION_LIMIT, f"{self._names[column]} at {value}, limits {limits}")

    def _check_speeds(self, fault: str, speeds: np.ndarray) -> None:
        """Counts `fault` once if any of speeds (rows, dimensions) is above its limit."""
        bad = speeds > self._most_speed
        if bad.any():
            row, column = np.argwhere(bad)[0]
            limit = f"limit {self._max_velocity[column]:g}"
            self._count(fault, f"{self._names[column]} at {speeds[row, column]:.4g}, {limit}")

    def _count(self, fault: str, detail: str) -> None:
        self.faults[fault] += 1
        self.last_fault = f"{fault}: {detail}"


def joint_limits(group: Group) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest joint positions of a group, (joints,) float64 [rad] or [m].

    A gripper's dimension is a fraction; its joint runs between `joint_closed` and `joint_open`.
    """
    if group.kind == "parallel_gripper":
        ends = sorted((group.joint_closed, group.joint_open))
        return np.array(ends[:1]), np.array(ends[1:])
    return (
        np.array([d.lower for d in group.dimensions]),
        np.array([d.upper for d in group.dimensions]),
    )
