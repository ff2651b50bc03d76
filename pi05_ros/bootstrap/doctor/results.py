"""Results of the doctor's checks: the lines of its page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CheckStatus(Enum):
    """Severity of a result."""

    GOOD = "good"
    NOTE = "note"  # The suite works without it; the result says what is lost.
    MISSING = "missing"


@dataclass(frozen=True)
class CheckResult:
    """One line of the page.

    Args:
        topic: The section that it belongs to.
        name: The thing that was checked.
        value: The result as text.
        status: Its severity.
        fix: The command or action that corrects it; empty for good results.
    """

    topic: str
    name: str
    value: str
    status: CheckStatus = CheckStatus.GOOD
    fix: str = ""
