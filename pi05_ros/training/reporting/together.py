"""Several reporters as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pi05_ros.training.runs.records import Reporter, StepRecord


class Reporters:
    """Passes every call on.

    Args:
        reporters: In the order in which they are called.
    """

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = tuple(reporters)

    def on_begin(self, first_step: int, steps: int) -> None:
        """See Reporter."""
        for reporter in self._reporters:
            reporter.on_begin(first_step, steps)

    def on_step(self, record: StepRecord) -> None:
        """See Reporter."""
        for reporter in self._reporters:
            reporter.on_step(record)

    def on_validation(self, step: int, figures: Mapping[str, float]) -> None:
        """See Reporter."""
        for reporter in self._reporters:
            reporter.on_validation(step, figures)

    def on_saved(self, step: int, checkpoint: Path, is_best: bool) -> None:
        """See Reporter."""
        for reporter in self._reporters:
            reporter.on_saved(step, checkpoint, is_best)

    def on_end(self) -> None:
        """See Reporter."""
        for reporter in self._reporters:
            reporter.on_end()
