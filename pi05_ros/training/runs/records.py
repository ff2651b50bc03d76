"""What a run reports: one record a step, and who takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class SourceLosses:
    """Mean losses of one source in a step, over its samples; 0 where they have no such part."""

    samples: int
    text: float  # [nat per target token], as is fast.
    fast: float
    flow: float
    grounding: float
    total: float


@dataclass(frozen=True)
class StepRecord:
    """One step of a run."""

    step: int  # From 0.
    loss: float
    gradient_norm: float
    learning_rate: float
    seconds: float  # Wall time of the step.
    waited_s: float  # Of it, waiting for the loader.
    sources: Mapping[str, SourceLosses] = field(default_factory=dict)
    memory_bytes: int = 0  # Largest so far: of the GPU, else of the process.
    bad: tuple[str, ...] = ()  # Samples that could not be read.
    clipped: int = 0  # Values of actions that are cut off in FAST targets.

    def as_json(self) -> dict[str, Any]:
        """Return the record as a line of metrics.jsonl."""
        return asdict(self)


class Reporter(Protocol):
    """Takes what happens in a run; called in the first process only."""

    def on_begin(self, first_step: int, steps: int) -> None:
        """The run begins, or goes on, at a step."""
        ...

    def on_step(self, record: StepRecord) -> None:
        """A step is done."""
        ...

    def on_validation(self, step: int, figures: Mapping[str, float]) -> None:
        """The weights after `step` steps were validated; names are "source/figure"."""
        ...

    def on_saved(self, step: int, checkpoint: Path, is_best: bool) -> None:
        """A checkpoint was written."""
        ...

    def on_end(self) -> None:
        """The run ends: completed, interrupted or failed."""
        ...
