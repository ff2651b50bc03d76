"""Durations of the parts of a prediction, with the device synchronised at every lap."""

from __future__ import annotations

import time

import torch

from pi05_ros.brain.timings import Times


class Stopwatch:
    """Sums the durations of the parts of one prediction.

    Args:
        device: Of the model; CUDA devices are synchronised at every lap.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._parts = {"waited": 0.0, "vision": 0.0, "prefix": 0.0, "generation": 0.0}
        self._start = self._last = self._now()

    def lap(self, part: str) -> None:
        """Add the time since the last lap to `part`."""
        now = self._now()
        self._parts[part] += now - self._last
        self._last = now

    def times(self) -> Times:
        """Return the sums [s]."""
        return Times(**self._parts, total=self._last - self._start)

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
