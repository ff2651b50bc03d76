"""Limits of the lifecycle manager. Its node parameters are declared from this dataclass."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


def _limit(default: float | int, description: str) -> Any:
    """A field that is also a node parameter; the keys are those of `nodes.parameters`."""
    metadata = {"description": description, "minimum": 0.0, "maximum": None, "choices": ()}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class LifecycleConfig:
    """Time limits of the lifecycle manager, of a steady clock, never simulated."""

    ask_period_s: float = _limit(0.2, "Period of the requests for a node's state [s].")
    answer_timeout_s: float = _limit(
        4.0, "A node that answers no request for so long counts as dead or hung [s]."
    )
    configure_limit_s: float = _limit(
        900.0,
        "Longest configure transition: loading and compiling a large model take minutes [s].",
    )
    activate_limit_s: float = _limit(30.0, "Longest activate transition [s].")
    deactivate_limit_s: float = _limit(2.0, "Longest deactivate transition [s].")
    shutdown_limit_s: float = _limit(1.5, "Longest deactivation of all nodes at the end [s].")
    reply_grace_s: float = _limit(
        1.0, "After so long a node's state counts as the reply to a call [s]."
    )
    first_retry_s: float = _limit(1.0, "Delay before the first retry; it doubles [s].")
    max_retry_s: float = _limit(10.0, "Longest delay between retries [s].")
    failed_after: int = _limit(3, "Refusals in a row after which the graph counts as failed.")
    progress_period_s: float = _limit(5.0, "Time between two log lines about a wait [s].")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name}: wanted more than 0")
        if self.answer_timeout_s < self.ask_period_s:
            raise ValueError("answer_timeout_s: wanted at least ask_period_s")
        if self.max_retry_s < self.first_retry_s:
            raise ValueError("max_retry_s: wanted at least first_retry_s")

    def limit_s(self, transition: str) -> float:
        """Limit of a transition by its name ("configure") [s]."""
        return float(getattr(self, f"{transition}_limit_s"))

    def retry_delay_s(self, refusals: int) -> float:
        """Delay after `refusals` refusals in a row [s]."""
        return float(min(self.first_retry_s * 2.0 ** (refusals - 1), self.max_retry_s))
