"""An independent witness of the commands that reach the controllers: it counts, changes nothing.

The control bridge limits what it sends; this checks it at the receiving end, without sharing code
with the bridge. Counts only rise: a reset of the home restarts the streams and keeps the counts.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from pi05_ros.platforms.platform import Group
from pi05_ros.sim.controllers.base_velocity import Twist
from pi05_ros.sim.controllers.command_limits import CommandLimits
from pi05_ros.sim.controllers.spline import NANOSECONDS
from pi05_ros.sim.controllers.trajectory import JointTrajectory

_POSITION_MARGIN = 1e-6  # [unit] Rounding of float32 on the way.
_VELOCITY_MARGIN = 1.01  # Factor. Rounding of float32 positions and of times.

# Faults of commands, the worst first; names of counts.
NOT_FINITE = "not_finite"  # NaN or infinity in it.
REJECTED = "rejected"  # The controller did not take it.
POSITION_LIMIT = "position_limit"  # Beyond the URDF's limits.
VELOCITY_LIMIT = "velocity_limit"  # Base: beyond the limit. Joints: between points of one message.
REACH_LIMIT = "reach_limit"  # Its first point lies too far from the set-point for its time.
SET_POINT_JUMP = "set_point_jump"  # A drive's set-point moved faster than the limit in a tick.
# A stream counts as one at the tick's rate after commands in this many ticks in a row.
_STEADY_TICKS = 3

FAULTS = (NOT_FINITE, REJECTED, POSITION_LIMIT, VELOCITY_LIMIT, REACH_LIMIT, SET_POINT_JUMP)


class GroupWitness:
    """Counts of the commands that one controller received.

    A stream (trajectories, base) begins with its first command; each tick from then on either
    brought a command or missed one. A stream that has ended keeps missing ticks:
    `ticks_since_command` gives the length of the gap.

    Args:
        group: What the controller moves.
        tick: Length of a tick [s].

    Attributes:
        commands: Commands that arrived, accepted or not.
        ticks: Ticks of begun streams.
        ticks_missed: Those of them without a command.
        longest_gap: Most ticks in a row without a command, the last gap included.
        ticks_since_command: Length of the present gap.
        faults: Count of commands (of ticks, for SET_POINT_JUMP) by fault.
        last_rejection: Why the last rejected command was rejected.
        last_fault: The last fault, with joint, value and limit.
    """

    def __init__(self, group: Group, tick: float) -> None:
        self.group = group
        self.commands = 0
        self.ticks = 0
        self.ticks_missed = 0
        self.longest_gap = 0
        self.ticks_since_command = 0
        self.faults: Counter[str] = Counter()
        self.last_rejection = ""
        self.last_fault = ""
        self._limits = CommandLimits.of_group(group, tick)
        self._most_speed = self._limits.max_velocity * _VELOCITY_MARGIN
        self._names = [d.joint_name for d in group.dimensions]
        self._has_begun = False
        self._arrived = False
        self._unbroken = 0  # Ticks in a row with a command.
        self._set_point: np.ndarray | None = None

    @property
    def is_awaited(self) -> bool:
        """True while a steady stream has not brought this tick's command yet."""
        return self._unbroken >= _STEADY_TICKS and not self._arrived

    def trajectory(self, message: JointTrajectory, set_point: np.ndarray) -> None:
        """Take a trajectory that arrives.

        Args:
            message: As received.
            set_point: Present set-point of the joints, (joints,) in the group's order.
        """
        self._note_arrival()
        names, points = message.joint_names, message.points
        sizes = {len(point.positions) for point in points}
        if sorted(names) != sorted(self._names) or sizes != {len(names)}:
            return  # Its numbers cannot be read; the controller rejects it with a reason.
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
        # A stamp moves the first point in time; `end_tick` checks the set-point that follows.
        if message.stamp_ns == 0:
            self._check_speeds(REACH_LIMIT, reach)

    @property
    def is_stream(self) -> bool:
        """True if a command is due every tick; a gripper and an action get one on a change."""
        return self.group.kind != "parallel_gripper" and not self.group.controller.is_action

    def gripper(self, positions: list[float]) -> None:
        """Take a gripper goal that arrives; `positions` [m or rad] as received."""
        self._note_arrival()
        if self._is_finite(np.array([positions])) and len(positions) == 1:
            self._check_positions(np.array([positions]))

    def twist(self, command: Twist) -> None:
        """Take a base command that arrives, all three components of it."""
        self._note_arrival()
        axes = self.group.base_axes
        sideways = [command[axis] for axis in range(len(command)) if axis not in axes]
        values = [command[axis] for axis in axes]
        if not np.isfinite(sideways).all() or any(sideways):
            self._count(VELOCITY_LIMIT, f"vy at {sideways[0]:.4g}, a differential base has none")
        if self._is_finite(np.array([values])):
            self._check_speeds(VELOCITY_LIMIT, np.abs([values]))

    def rejection(self, reason: str) -> None:
        """Note that the controller rejected the command that just arrived."""
        self._count(REJECTED, reason)
        self.last_rejection = reason

    def end_tick(self, set_point: np.ndarray | None = None) -> None:
        """Close a tick.

        Args:
            set_point: Finite positions that the drives received at its end, (joints,); None for a
                base, which has none.
        """
        # Its set-point steps by design.
        if not self.is_stream:
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
                steps = self._limits.rates(np.stack([self._set_point, set_point]))
                self._check_speeds(SET_POINT_JUMP, np.abs(steps))
            self._set_point = np.array(set_point)

    def begin_anew(self) -> None:
        """Restart the stream with the next command, after a reset of the home; counts stay."""
        self._has_begun = self._arrived = False
        self._unbroken = self.ticks_since_command = 0
        self._set_point = None

    def _note_arrival(self) -> None:
        self.commands += 1
        self._has_begun = self._arrived = True

    def _is_finite(self, values: np.ndarray) -> bool:
        """Check that all values (rows, dimensions) are finite; count a fault if not."""
        finite = np.isfinite(values)
        if finite.all():
            return True
        column = np.argwhere(~finite)[0][1]
        self._count(NOT_FINITE, f"{self._names[column % len(self._names)]}")
        return False

    def _check_positions(self, positions: np.ndarray) -> None:
        """Count one fault if any of positions (points, joints) is beyond the limits."""
        limits = self._limits
        bad = limits.outside(positions) > _POSITION_MARGIN
        if bad.any():
            row, column = np.argwhere(bad)[0]
            bounds = f"{limits.lower[column]:g} to {limits.upper[column]:g}"
            value = f"{positions[row, column]:.4g}"
            self._count(POSITION_LIMIT, f"{self._names[column]} at {value}, limits {bounds}")

    def _check_speeds(self, fault: str, speeds: np.ndarray) -> None:
        """Count one `fault` if any of speeds (rows, dimensions) is above its limit."""
        bad = speeds > self._most_speed
        if bad.any():
            row, column = np.argwhere(bad)[0]
            limit = f"limit {self._limits.max_velocity[column]:g}"
            self._count(fault, f"{self._names[column]} at {speeds[row, column]:.4g}, {limit}")

    def _count(self, fault: str, detail: str) -> None:
        self.faults[fault] += 1
        self.last_fault = f"{fault}: {detail}"
