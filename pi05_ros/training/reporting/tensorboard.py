"""Scalars of a run for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter

from pi05_ros.training.objective.losses import PARTS
from pi05_ros.training.runs.records import StepRecord


class TensorBoardReporter:
    """Writes event files.

    Args:
        folder: Of the event files.
        batch_size: Samples of a step.
    """

    def __init__(self, folder: Path, batch_size: int) -> None:
        self._folder, self._batch_size = folder, batch_size
        self._writer: SummaryWriter | None = None

    def on_begin(self, first_step: int, steps: int) -> None:
        """Open a file, which replaces the events of steps that are computed again."""
        self._writer = SummaryWriter(str(self._folder), purge_step=first_step or None)

    def on_step(self, record: StepRecord) -> None:
        """Write the scalars of a step."""
        scalars = {
            "loss": record.loss,
            "gradient_norm": record.gradient_norm,
            "learning_rate": record.learning_rate,
            "samples_per_s": self._batch_size / max(record.seconds, 1e-9),
            "waiting_share": record.waited_s / max(record.seconds, 1e-9),
            "memory_gb": record.memory_bytes / 2**30,
        }
        for name, source in record.sources.items():
            for part in (*PARTS, "total"):
                scalars[f"{name}/{part}"] = getattr(source, part)
        self._write("train", scalars, record.step)

    def on_validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Write the figures."""
        self._write("validation", figures, step)

    def on_saved(self, step: int, checkpoint: Path, is_best: bool) -> None:
        """Do nothing."""

    def on_end(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()

    def _write(self, prefix: str, scalars: Mapping[str, float], step: int) -> None:
        assert self._writer is not None  # A run begins before its first step.
        for name, value in scalars.items():
            self._writer.add_scalar(f"{prefix}/{name}", value, step)
