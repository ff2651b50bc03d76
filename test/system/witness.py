"""The witness that judges every row: commands that reached the controllers, and when.

It shares no code with the control bridge. Times are of the steady clock of the harness [ns].
"""

from __future__ import annotations

import bisect
import itertools
import math
from dataclasses import dataclass, field

import numpy as np
import yaml

from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.controllers.command_limits import CommandLimits

_ZERO_SPEED = 1e-6  # [m/s], [rad/s]
_POSITION_MARGIN = 1e-6  # [rad], [m]: rounding on the way.
_SPEED_MARGIN = 1e-6  # Relative: a step of exactly v_max * dt is allowed.


@dataclass(frozen=True)
class Command:
    """One message to one controller."""

    arrival_ns: int  # Steady clock, when DDS received it.
    sequence: int  # Of its publisher; a gap means that messages were lost on the way.
    stamp_ns: int  # Its header's stamp; 0 where none.
    values: np.ndarray  # Of the group's dimensions, in the platform's order and units.


@dataclass
class Witness:
    """Commands of every group, in the order of their arrival."""

    platform: Platform
    commands: dict[str, list[Command]] = field(default_factory=dict)  # By group name.
    gripper_goals: list[tuple[int, str, float]] = field(default_factory=list)  # (ns, group, m)

    def __post_init__(self) -> None:
        for group in self.platform.groups:
            if group.kind != "parallel_gripper":
                self.commands[group.name] = []
        (self._base,) = self.platform.groups_of("base_velocity")
        self._timeout_ns = round(base_timeout(self.platform) * 1e9)

    @property
    def base(self) -> list[Command]:
        """The commands of the base."""
        return self.commands[self._base.name]

    def add(self, group: str, command: Command) -> None:
        """Take a command of a group."""
        self.commands[group].append(command)

    def base_speed(self, now_ns: int) -> float:
        """Return the greatest component of the velocity that the base controller applies now."""
        if not self.base or now_ns - self.base[-1].arrival_ns > self._timeout_ns:
            return 0.0
        return float(np.abs(self.base[-1].values).max())

    def standing_since(self, after_ns: int, until_ns: int) -> int | None:
        """Return when the base came to stand for the rest of the time [ns].

        The base controller's own time-out counts: a command ends when the next one comes, or
        when it is that old.

        Args:
            after_ns: Beginning of the time; the result is not before it.
            until_ns: Its end.

        Returns:
            The moment; None if the base still moved at the end.
        """
        standing = after_ns
        # What came before the last time-out has no effect any more.
        base = _between(self.base, after_ns - 2 * self._timeout_ns, until_ns)
        for index, command in enumerate(base):
            end = command.arrival_ns + self._timeout_ns
            if index + 1 < len(base):
                end = min(end, base[index + 1].arrival_ns)
            moves = not np.isfinite(command.values).all()
            moves = moves or bool((np.abs(command.values) > _ZERO_SPEED).any())
            if moves and end > standing:
                standing = end
        return standing if standing <= until_ns else None

    def positions_at(self, at_ns: int) -> np.ndarray:
        """Return the last commands before a moment, (D,); NaN: none, or a gripper."""
        values = np.full(self.platform.size, math.nan)
        for name, commands in self.commands.items():
            index = bisect.bisect_right(commands, at_ns, key=_arrival)
            if index:
                values[self.platform.slices[name]] = commands[index - 1].values
        return values

    def drift(self, from_ns: int, until_ns: int) -> float:
        """Return how far a joint's command went from where it was at `from_ns` [rad or m]."""
        start = self.positions_at(from_ns)
        farthest = 0.0
        for name, commands in self.commands.items():
            if name == self._base.name:
                continue
            for command in _between(commands, from_ns + 1, until_ns):
                away = np.abs(command.values - start[self.platform.slices[name]])
                farthest = max(farthest, float(np.nanmax(away)))
        return farthest

    def goals_between(self, from_ns: int, until_ns: int) -> int:
        """Return the number of goals that grippers received."""
        return sum(from_ns < arrival <= until_ns for arrival, _, _ in self.gripper_goals)

    def longest_gap(self, from_ns: int, until_ns: int) -> float:
        """Return the longest time between two base commands [ns]; infinite with fewer than two."""
        arrivals = [c.arrival_ns for c in _between(self.base, from_ns, until_ns)]
        return float(max(np.diff(arrivals))) if len(arrivals) > 1 else math.inf

    def faults(self, from_ns: int = 0) -> list[str]:
        """Return a description of each command that was not finite or broke a limit.

        Limits are those of position, of velocity between two successive commands one period
        apart, and of acceleration, from three. A pair with a lost message between, or with a
        pause (the stream restarts at the measured state), has no velocity.
        """
        found: list[str] = []
        for group in self.platform.groups:
            commands = self.commands.get(group.name)
            if commands is None:
                continue
            limits = CommandLimits.of_group(group, self.platform.period)
            stream = [c for c in commands if c.arrival_ns >= from_ns]
            found += [f"{group.name}: {text}" for text in _faults(limits, stream)]
        for group in self.platform.groups_of("parallel_gripper"):
            limits = CommandLimits.of_group(group, self.platform.period)
            for arrival, name, position in self.gripper_goals:
                # A comparison with NaN is false.
                inside = bool((limits.outside(np.array([position])) <= _POSITION_MARGIN).all())
                if name == group.name and arrival >= from_ns and not inside:
                    found.append(f"{name}: a goal at {position}")
        return found

    def fastest(self, from_ns: int = 0) -> float:
        """Return the greatest step of a joint between commands, as a share of v_max * period."""
        share, period = 0.0, self.platform.period
        for group in self.platform.groups:
            commands = self.commands.get(group.name)
            if commands is None or group is self._base:
                continue
            limits = CommandLimits.of_group(group, period)
            for before, after in itertools.pairwise(commands):
                if before.arrival_ns >= from_ns and _follows(before, after, period):
                    rates = np.abs(limits.rates(np.array([before.values, after.values])))
                    share = max(share, float((rates / limits.max_velocity).max()))
        return share


def _follows(previous: Command, command: Command, period: float) -> bool:
    """Check whether two commands are one period of one stream apart, with none lost between."""
    pause = (command.arrival_ns - previous.arrival_ns) * 1e-9
    return command.sequence == previous.sequence + 1 and pause < 10 * period


def _faults(limits: CommandLimits, commands: list[Command]) -> list[str]:
    """Return the faults of a group's stream, in words."""
    check = _base_faults if limits.is_velocity.all() else _joint_faults
    found: list[str] = []
    recent: list[Command] = []  # Up to three, each a period behind the one before it.
    for command in commands:
        if not np.isfinite(command.values).all():
            found.append(f"not finite: {command.values}")
            recent = []
            continue
        outside = limits.outside(command.values).max()
        if outside > _POSITION_MARGIN:
            found.append(f"{outside:.3g} outside its limits")
        if recent and not _follows(recent[-1], command, limits.period):
            recent = []
        recent = [*recent[-2:], command]
        values = np.array([each.values for each in recent])
        found += check(limits, values)
    return found


def _joint_faults(limits: CommandLimits, values: np.ndarray) -> list[str]:
    """Return the faults of the last of up to three successive positions (N, D)."""
    found = []
    speeds = np.abs(limits.rates(values[-2:]))
    if (speeds > limits.max_velocity * (1 + _SPEED_MARGIN) + 1e-6).any():
        found.append(f"speed {(speeds / limits.max_velocity).max():.4g} of its limit")
    accelerations = np.abs(limits.accelerations(values))
    if (accelerations > limits.max_acceleration * (1 + _SPEED_MARGIN) + 1e-4).any():
        share = (accelerations / limits.max_acceleration).max()
        found.append(f"acceleration {share:.4g} of its limit")
    return found


def _base_faults(limits: CommandLimits, values: np.ndarray) -> list[str]:
    """Return the faults of the last of successive base velocities (N, 3)."""
    last = values[-2:]
    shares = np.abs(limits.rates(last)) / limits.base_acceleration_limits(last)
    share = shares.max(initial=0.0)
    return [f"acceleration {share:.4g} of its limit"] if share > 1.0001 else []


def _arrival(command: Command) -> int:
    return command.arrival_ns


def _between(commands: list[Command], from_ns: int, until_ns: int) -> list[Command]:
    """Return the commands that arrived from one moment to another, both included."""
    first = bisect.bisect_left(commands, from_ns, key=_arrival)
    return commands[first : bisect.bisect_right(commands, until_ns, key=_arrival)]


def base_timeout(platform: Platform) -> float:
    """Return cmd_vel_timeout of the platform's base controller [s], from config/controllers."""
    text = resource_path(f"config/controllers/{platform.name}.yaml").read_text()
    (base,) = platform.groups_of("base_velocity")
    parameters = yaml.safe_load(text)[base.controller.name]["ros__parameters"]
    return float(parameters["cmd_vel_timeout"])
