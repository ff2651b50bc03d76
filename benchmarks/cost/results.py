"""What a run found: to JSON and back, and its sums."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.errors import ConfigError

BRIDGE, HOME = "control_bridge", "mock_home"
# What nobody asks anything of: no task, no viewer, no episode.
QUIET = (
    "camera_ingestion",
    "inspector",
    "recorder",
    "lifecycle_manager",
    "brain",
    "planner",
    "policy",
)
WAITING, WORKING = "waiting", "working"


@dataclass(frozen=True)
class Cost:
    """Of one process."""

    cores: float  # User and system time per second of wall time.
    threads: int
    wakeups_hz: float  # Context switches of all threads [Hz].
    received_hz: float  # Messages for its subscriptions, per simulated second [Hz].
    sent_hz: float  # Messages that it publishes, the same.


@dataclass(frozen=True)
class Phase:
    """All processes over one while."""

    factor: float  # Simulated seconds in a wall second.
    others_cores: float  # What the rest of the machine used.
    robot: str  # Mode of the control bridge when it ended.
    nodes: Mapping[str, Cost]
    # The same of bare rclpy nodes, at 1.0 x real time; empty: not measured.
    bare: Mapping[str, Cost] = dataclasses.field(default_factory=dict)

    def at_real_time(self, name: str) -> float:
        """Cores of a process, scaled to a factor of 1."""
        return self.nodes[name].cores / self.factor

    def together(self, names: tuple[str, ...]) -> float:
        """Cores of those of `names` that there are, scaled to a factor of 1."""
        return sum(self.at_real_time(name) for name in names if name in self.nodes)

    def bare_together(self, names: tuple[str, ...]) -> float | None:
        """The same of the bare nodes; None where they were not measured."""
        found = [self.bare[name].cores for name in names if name in self.bare]
        return sum(found) if found else None


@dataclass(frozen=True)
class Sum:
    """A line of the summary, with what is wanted of it."""

    title: str
    phase: str
    names: tuple[str, ...]
    target: float | None  # At most [cores at 1.0 x real time].


SUMS = (
    Sum("control_bridge", WORKING, (BRIDGE,), 0.12),
    Sum("control_bridge, no task", WAITING, (BRIDGE,), 0.12),
    Sum("mock_home", WORKING, (HOME,), 0.35),
    Sum("mock_home, no task", WAITING, (HOME,), 0.35),
    Sum("the quiet ones together", WAITING, QUIET, 0.25),
    Sum("all nodes", WORKING, (BRIDGE, HOME, *QUIET), None),
    Sum("all nodes, no task", WAITING, (BRIDGE, HOME, *QUIET), None),
)


@dataclass(frozen=True)
class Result:
    """One run."""

    machine: str
    code: str  # Commit.
    platform: str
    brain: str
    home: int
    seconds: float  # Of each phase.
    phases: Mapping[str, Phase]

    def write(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Result:
        """Reads what `write` wrote.

        Raises:
            ConfigError: It is no such file.
        """
        try:
            fields = json.loads(path.read_text())
            phases = {
                name: Phase(
                    **{
                        **phase,
                        "nodes": {n: Cost(**cost) for n, cost in phase["nodes"].items()},
                        "bare": {n: Cost(**cost) for n, cost in phase["bare"].items()},
                    }
                )
                for name, phase in fields.pop("phases").items()
            }
            return cls(**fields, phases=phases)
        except OSError as error:
            raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError(str(path), "is not what graph_cost.py writes with --json") from error
