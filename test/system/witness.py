"""What reached the controllers, and when: the judge of every row.

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

_ZERO_SPEED = 1e-6  # [m/s], [rad/s]
_POSITION_MARGIN = 1e-6  # [rad], [m]: rounding on the way.
_SPEED_MARGIN = 1e-6  # Relative: a step of exactly v_max * dt is allowed.
# The base brakes harder than it accelerates, to stand 80 ms after a hold: docs/design/safety.md.
_BASE_STOP_TIME = 0.08  # [s]


@dataclass(frozen=True)
class Command:
    """One message to one controller."""

    arrival_ns: int  # Steady clock, when DDS received it.
    sequence: int  # Of its publisher; a gap means that messages were lost on the way.
    stamp_ns: int  # Its header's stamp; 0 where none.
    values: np.ndarray  # Of the group's dimensions, in the platform's order and units.


@dataclass
class Witness:
    """The commands of every group, in the order of their arrival."""

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
        """Takes a command."""
        self.commands[group].append(command)

    def base_speed(self, now_ns: int) -> float:
        """Greatest component of the velocity that the base controller applies now."""
        if not self.base or now_ns - self.base[-1].arrival_ns > self._timeout_ns:
            return 0.0
        return float(np.abs(self.base[-1].values).max())

    def standing_since(self, after_ns: int, until_ns: int) -> int | None:
        """When the base came to stand for the rest of the time [ns].

        The base controller's own time-out counts: a command ends when the next one comes, or
        when it is that old.

        Args:
            after_ns: Beginning of the time looked at; the result is not before it.
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
        """What was last commanded before a moment, (D,); NaN for grippers, and for nothing."""
        values = np.full(self.platform.size, math.nan)
        for name, commands in self.commands.items():
            index = bisect.bisect_right(commands, at_ns, key=_arrival)
            if index:
                values[self.platform.slices[name]] = commands[index - 1].values
        return values

    def drift(self, from_ns: int, until_ns: int) -> float:
        """Farthest that a joint's command went from where it was at `from_ns` [rad or m]."""
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
        """Goals that grippers got."""
        return sum(from_ns < arrival <= until_ns for arrival, _, _ in self.gripper_goals)

    def longest_gap(self, from_ns: int, until_ns: int) -> float:
        """Longest time between two commands of the base [ns]; infinite with fewer than two."""
        arrivals = [c.arrival_ns for c in _between(self.base, from_ns, until_ns)]
        return float(max(np.diff(arrivals))) if len(arrivals) > 1 else math.inf

    def faults(self, from_ns: int = 0) -> list[str]:
        """Every command that was not finite or broke a limit, in words.

        Positions; velocity between two successive commands, which lie one period apart; and
        acceleration, from three. A pair with a lost message between, or with a pause (the stream
        begins anew, at the measured state), has no velocity.
        """
        found: list[str] = []
        for group in self.platform.groups:
            commands = self.commands.get(group.name)
            if commands is None:
                continue
            limits = _Limits.of(self.platform, group.name)
            stream = [c for c in commands if c.arrival_ns >= from_ns]
            found += [f"{group.name}: {text}" for text in limits.faults(stream)]
        for group in self.platform.groups_of("parallel_gripper"):
            ends = sorted((group.joint_closed, group.joint_open))
            for arrival, name, position in self.gripper_goals:
                # A comparison with NaN is false.
                inside = ends[0] - _POSITION_MARGIN <= position <= ends[1] + _POSITION_MARGIN
                if name == group.name and arrival >= from_ns and not inside:
                    found.append(f"{name}: a goal at {position}")
        return found

    def fastest(self, from_ns: int = 0) -> float:
        """Greatest step of a joint between two commands, as a share of v_max * period."""
        share = 0.0
        for group in self.platform.groups:
            commands = self.commands.get(group.name, [])
            limits = _Limits.of(self.platform, group.name)
            if limits.is_base:
                continue
            for before, after in itertools.pairwise(commands):
                if before.arrival_ns >= from_ns and limits.follows(before, after):
                    rate = np.abs(after.values - before.values) / limits.period
                    share = max(share, float((rate / limits.max_velocity).max()))
        return share


@dataclass(frozen=True)
class _Limits:
    """Limits of one group as arrays of its dimensions."""

    lower: np.ndarray
    upper: np.ndarray
    max_velocity: np.ndarray
    max_acceleration: np.ndarray
    is_base: bool
    period: float

    @classmethod
    def of(cls, platform: Platform, group: str) -> _Limits:
        part = platform.slices[group]
        return cls(
            platform.lower[part],
            platform.upper[part],
            platform.max_velocity[part],
            platform.max_acceleration[part],
            bool(platform.is_velocity[part].all()),
            platform.period,
        )

    def faults(self, commands: list[Command]) -> list[str]:
        """What is wrong with a stream of commands."""
        found: list[str] = []
        velocity: np.ndarray | None = None  # Between the two commands before; None: unknown.
        previous: Command | None = None
        for command in commands:
            values = command.values
            if not np.isfinite(values).all():
                found.append(f"not finite: {values}")
                previous, velocity = None, None
                continue
            outside = np.maximum(self.lower - values, values - self.upper).max()
            if outside > _POSITION_MARGIN:
                found.append(f"{outside:.3g} outside its limits")
            if previous is None or not self.follows(previous, command):
                previous, velocity = command, None
                continue
            rate = (values - previous.values) / self.period
            if self.is_base:
                found += self._base_step(previous.values, values)
            else:
                found += self._joint_step(velocity, rate)
            previous, velocity = command, rate
        return found

    def follows(self, previous: Command, command: Command) -> bool:
        """Whether two commands are one period of one stream apart, with none lost between."""
        pause = (command.arrival_ns - previous.arrival_ns) * 1e-9
        return command.sequence == previous.sequence + 1 and pause < 10 * self.period

    def _joint_step(self, before: np.ndarray | None, rate: np.ndarray) -> list[str]:
        found = []
        if (np.abs(rate) > self.max_velocity * (1 + _SPEED_MARGIN) + 1e-6).any():
            found.append(f"speed {np.abs(rate / self.max_velocity).max():.4g} of its limit")
        if before is not None:
            acceleration = np.abs(rate - before) / self.period
            if (acceleration > self.max_acceleration * (1 + _SPEED_MARGIN) + 1e-4).any():
                share = (acceleration / self.max_acceleration).max()
                found.append(f"acceleration {share:.4g} of its limit")
        return found

    def _base_step(self, before: np.ndarray, after: np.ndarray) -> list[str]:
        braking = np.maximum(self.max_acceleration, self.max_velocity / _BASE_STOP_TIME)
        slows = (np.abs(after) <= np.abs(before)) & (after * before >= 0)
        limit = np.where(slows, braking, self.max_acceleration)
        share = np.abs(after - before) / self.period / limit
        return [f"acceleration {share.max():.4g} of its limit"] if share.max() > 1.0001 else []


def _arrival(command: Command) -> int:
    return command.arrival_ns


def _between(commands: list[Command], from_ns: int, until_ns: int) -> list[Command]:
    """Those that arrived from one moment to another, both included."""
    first = bisect.bisect_left(commands, from_ns, key=_arrival)
    return commands[first : bisect.bisect_right(commands, until_ns, key=_arrival)]


def base_timeout(platform: Platform) -> float:
    """cmd_vel_timeout of the platform's base controller [s], from config/controllers."""
    text = resource_path(f"config/controllers/{platform.name}.yaml").read_text()
    (base,) = platform.groups_of("base_velocity")
    parameters = yaml.safe_load(text)[base.controller.name]["ros__parameters"]
    return float(parameters["cmd_vel_timeout"])
