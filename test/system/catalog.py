"""The rows of the table of faults, and the module of each. Imports no ROS."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from pi05_ros.errors import ConfigError
from system.checks import Checks


@dataclass(frozen=True)
class Trial:
    """Options of a run of a row."""

    times: int | None = None  # Repetitions, where a row counts them; None: its own number.
    report: Callable[[str], None] = lambda text: None  # Takes one line of progress.
    seed: int = 0

    def count(self, usual: int) -> int:
        """Return the repetitions: `times`, else `usual`."""
        return usual if self.times is None else self.times


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    number: int
    fault: str
    outcome: str  # Wanted, in short; the checks give numbers.
    module: str  # Below system.rows; its `run(trial)` gives Checks.
    seconds: float  # Typical duration on two cores.
    times: int | None = None  # Repetitions of an ordinary run; None: --times has no meaning.

    def run(self, trial: Trial) -> Checks:
        """Inject the fault and check the outcome.

        Raises:
            Pi05Error: The scenario ended before its fault could be injected.
        """
        module = importlib.import_module(f"system.rows.{self.module}")
        checks: Checks = module.run(trial)
        return checks


ROWS = (
    Row(1, "a needed camera is silent", "hold in 400 ms, goes on by itself", "camera_silent", 16),
    Row(2, "a camera repeats itself", "hold by stamp and by bytes", "camera_repeats", 13),
    Row(3, "malformed pictures", "counted, dropped, no crash", "malformed_images", 35, 1000),
    Row(7, "joint states are silent", "hold in 200 ms, goes on by itself", "joints_silent", 9),
    Row(8, "joint states are malformed", "dropped; 3 in a row hold", "joints_malformed", 16),
    Row(9, "a joint jumps, or does not follow", "latched hold", "joints_disobey", 23),
    Row(10, "a chunk starts far away", "blended or rejected, never a step", "far_start", 15),
    Row(11, "system time steps", "commands go on; one hold at most", "clock_steps", 17),
    Row(15, "a bad line drops, delays, doubles", "order kept, no jump", "bad_line", 14),
    Row(19, "fuzzed chunks", "rejected whole", "fuzzed_chunks", 32, 10_000),
    Row(20, "targets outside the limits", "clamped or rejected", "outside_limits", 29, 10_000),
    Row(21, "steps and oscillations", "limited, then hold", "violent_chunks", 34, 10_000),
    Row(22, "the policy is late, or hangs", "stands at the horizon's end", "late_policy", 13),
    Row(23, "chunks of an old task", "never executed", "old_tasks", 37, 1000),
    Row(26, "stop at random moments", "base 0 in 100 ms, latched", "stops", 78, 200),
    Row(27, "the operator's browser is gone", "hold in 300 ms", "browser_gone", 45, 3),
    Row(28, "two operators, a stale tab", "one holder, 409", "two_operators", 40, 10),
    Row(31, "kill -9 while recording", "1 s lost at most, recovered", "recorder_killed", 45, 5),
    Row(32, "the disk is full, or slow", "ends whole, drops are counted", "full_disk", 60),
    Row(33, "kill -9 and SIGSTOP of nodes", "base 0, hold, back disarmed", "node_deaths", 150, 5),
    Row(35, "strangers at the console", "refused, no command", "console_strangers", 30, 10_000),
    Row(
        36,
        "the leader is silent, or gone",
        "hold in 300 ms, never the policy",
        "leader_silent",
        12,
    ),
    Row(
        37,
        "a leader jumps, clutches, sends NaN",
        "limited, blended; 3 latch",
        "leader_violent",
        13,
    ),
    Row(38, "two leaders", "latched in 1 s", "two_leaders", 10),
    Row(
        39,
        "the page that drives is gone",
        "hold in 300 ms, never the policy",
        "driving_page_gone",
        15,
    ),
)


def rows_of(numbers: list[str]) -> tuple[Row, ...]:
    """Return the rows of these numbers in the table's order; all of them for no number.

    Raises:
        ConfigError: There is no such row.
    """
    known = {str(row.number): row for row in ROWS}
    for number in numbers:
        if number not in known:
            raise ConfigError(f"row '{number}'", f"there is none (valid: {', '.join(known)})")
    return tuple(row for row in ROWS if not numbers or str(row.number) in numbers)
