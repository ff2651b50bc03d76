"""The results of rows as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from system.catalog import Row
from system.checks import Check


@dataclass(frozen=True)
class RowResult:
    """A row that was run."""

    row: Row
    checks: tuple[Check, ...]
    problem: str  # Why the scenario ended early; empty: it did not.
    skipped: str  # Why this machine cannot run it; empty: it can.
    seconds: float

    @property
    def passed(self) -> bool:
        """True if the row was run and all checks passed."""
        return not self.problem and bool(self.checks) and all(c.passed for c in self.checks)

    @property
    def failed(self) -> bool:
        """True if the row was run and did not pass."""
        return not self.passed and not self.skipped

    @property
    def outcome(self) -> str:
        """Outcome in one word."""
        if self.skipped:
            return "skipped"
        return "passed" if self.passed else "FAILED"

    @property
    def failures(self) -> tuple[Check, ...]:
        """Checks that failed."""
        return tuple(check for check in self.checks if not check.passed)

    def lines(self) -> list[str]:
        """Return the row in full: one line a check."""
        head = f"{self.row.number:3}  {self.row.fault}: {self.outcome} ({self.seconds:.1f} s)"
        width = max((len(check.name) for check in self.checks), default=0)
        lines = [
            f"     {'ok  ' if check.passed else 'FAIL'} {check.name:{width}}  "
            f"{check.measured}  (wanted {check.wanted})"
            for check in self.checks
        ]
        if self.problem:
            lines += [f"     FAIL {line}" for line in self.problem.splitlines()]
        if self.skipped:
            lines.append(f"     {self.skipped}")
        return [head, *lines]


def summary_table(results: Sequence[RowResult]) -> str:
    """Return one line a row: number, fault, and wanted and measured values of one check."""
    rows = [("row", "fault", "wanted", "measured", "passed")]
    for result in results:
        shown = result.failures[0] if result.failures else _representative(result.checks)
        measured = (
            f"{shown.name}: {shown.measured}" if shown else (result.problem or result.skipped)
        )
        if len(result.failures) > 1:
            measured += f" (and {len(result.failures) - 1} more)"
        wanted = f"{shown.name}: {shown.wanted}" if shown else result.row.outcome
        measured = measured.strip().splitlines()[-1] if measured.strip() else ""
        outcome = {"passed": "yes", "FAILED": "NO"}.get(result.outcome, result.outcome)
        rows.append((str(result.row.number), result.row.fault, wanted, measured, outcome))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    widths = [min(width, 60) for width in widths]
    lines = []
    for row in rows:
        cells = [f"{cell[:60]:{width}}" for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[4]]))
    passed = sum(result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    skipped = sum(bool(result.skipped) for result in results)
    aside = f", {skipped} skipped" if skipped else ""
    lines.append(f"{passed} of {len(results)} rows passed{aside}, in {seconds:.0f} s")
    return "\n".join(lines)


def as_json(results: Sequence[RowResult]) -> list[dict[str, Any]]:
    """Return all results for a JSON file."""
    return [
        {
            "row": result.row.number,
            "fault": result.row.fault,
            "wanted": result.row.outcome,
            "passed": result.passed,
            "problem": result.problem,
            "skipped": result.skipped,
            "seconds": round(result.seconds, 1),
            "checks": [
                {
                    "name": check.name,
                    "wanted": check.wanted,
                    "measured": check.measured,
                    "passed": check.passed,
                }
                for check in result.checks
            ],
        }
        for result in results
    ]


def _representative(checks: Sequence[Check]) -> Check | None:
    """Return the check to show for a row that passed: the first with a limit, else the first."""
    limits = [check for check in checks if check.wanted.startswith("≤")]
    return next(iter(limits or checks), None)
