"""Limits of the lifecycle manager. Its node parameters are declared from this dataclass."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class LifecycleConfig:
    """Time limits of the lifecycle manager. All times are of a steady clock, never simulated."""

    ask_period_s: float = setting(
        0.2, "Period of the queries for each node's state [s].", minimum=0.0
    )
    answer_timeout_s: float = setting(
        4.0, "A node that answers no query for this long counts as dead or hung [s].", minimum=0.0
    )
    configure_limit_s: float = setting(
        900.0,
        "Longest configure transition: loading and compiling a large model take minutes [s].",
        minimum=0.0,
    )
    activate_limit_s: float = setting(30.0, "Longest activate transition [s].", minimum=0.0)
    deactivate_limit_s: float = setting(2.0, "Longest deactivate transition [s].", minimum=0.0)
    shutdown_limit_s: float = setting(
        1.5, "Longest deactivation of all nodes at the end [s].", minimum=0.0
    )
    reply_grace_s: float = setting(
        1.0, "After this long a node's state counts as the reply to a call [s].", minimum=0.0
    )
    first_retry_s: float = setting(
        1.0, "Delay before the first retry; it doubles with each [s].", minimum=0.0
    )
    max_retry_s: float = setting(10.0, "Longest delay between retries [s].", minimum=0.0)
    failed_after: int = setting(
        3, "Number of refusals in a row after which the graph counts as failed.", minimum=1
    )
    progress_period_s: float = setting(
        5.0, "Time between two log lines about a wait [s].", minimum=0.0
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name}: wanted more than 0")
        if self.answer_timeout_s < self.ask_period_s:
            raise ValueError("answer_timeout_s: wanted at least ask_period_s")
        if self.max_retry_s < self.first_retry_s:
            raise ValueError("max_retry_s: wanted at least first_retry_s")

    def limit_s(self, transition: str) -> float:
        """Time limit of a transition by its name ("configure") [s]."""
        return float(getattr(self, f"{transition}_limit_s"))

    def retry_delay_s(self, refusals: int) -> float:
        """Delay after `refusals` refusals in a row [s]."""
        return float(min(self.first_retry_s * 2.0 ** (refusals - 1), self.max_retry_s))
