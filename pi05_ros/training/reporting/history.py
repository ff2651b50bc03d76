"""History of a run for its page: losses and speed of the steps, figures of the validations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from pi05_ros.training.objective.losses import PARTS
from pi05_ros.training.runs.folder import RunFolder, replace_file, whole_lines

_FILE = "validation.jsonl"


class History:
    """Steps and validations of a run, those before a stop included.

    Args:
        run: Its folder.
        batch_size: Samples of a step.
    """

    def __init__(self, run: RunFolder, batch_size: int) -> None:
        self._run, self._batch_size = run, batch_size
        self._path = run.path / _FILE
        self._columns: dict[str, list[tuple[int, float]]] = {}
        self.samples: Counter[str] = Counter()  # Of each source, used so far.
        self.bad = 0  # Samples that could not be read.
        self.validations: list[tuple[int, dict[str, float]]] = []

    def begin(self, first_step: int) -> None:
        """Read what the run did before a step; validations behind it are forgotten."""
        for record in self._run.read_metrics():
            self.add_step(record)
        if self._path.exists():
            lines = whole_lines(self._path)
            kept = [line for line in lines if line["step"] <= first_step]
            self.validations = [(line["step"], line["figures"]) for line in kept]
            replace_file(self._path, "".join(f"{json.dumps(line)}\n" for line in kept))

    def add_step(self, record: Mapping[str, Any]) -> None:
        """Take a step, as a line of metrics.jsonl."""
        step, seconds = record["step"], max(record["seconds"], 1e-9)
        values = {
            "loss": record["loss"],
            "learning_rate": record["learning_rate"],
            "gradient_norm": record["gradient_norm"],
            "samples_per_s": self._batch_size / seconds,
            "waiting_share": record["waited_s"] / seconds,
            "memory_gb": record["memory_bytes"] / 2**30,
        }
        for name, source in record["sources"].items():
            self.samples[name] += source["samples"]
            values |= {f"{name}/{part}": source[part] for part in PARTS}
            values[f"{name}/total"] = source["total"]
        for name, value in values.items():
            self._columns.setdefault(name, []).append((step, value))
        self.bad += len(record["bad"])

    def add_validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Take the figures of a validation and append them to the file of the run."""
        self.validations.append((step, dict(figures)))
        with self._path.open("a") as file:
            file.write(json.dumps({"step": step, "figures": dict(figures)}) + "\n")

    @property
    def names(self) -> list[str]:
        """Names of the curves."""
        return list(self._columns)

    def curve(self, name: str, points: int = 300) -> tuple[np.ndarray, np.ndarray]:
        """Return steps and values of a curve; if it has more than `points`, means of stretches.

        Returns:
            (n,) and (n,) float64.
        """
        values = np.array(self._columns.get(name, []), dtype=np.float64).reshape(-1, 2)
        parts = np.array_split(values, min(points, max(1, len(values))))
        means = np.array([part.mean(axis=0) for part in parts if len(part)]).reshape(-1, 2)
        return means[:, 0] + 1, means[:, 1]

    def last(self, name: str, steps: int = 50) -> float | None:
        """Return the mean of a curve over its last steps; None: it has none."""
        column = self._columns.get(name, [])[-steps:]
        return float(np.mean([value for _, value in column])) if column else None

    def figure(self, name: str) -> tuple[list[int], list[float]]:
        """Return steps and values of a validation's figure."""
        found = [(step, figures[name]) for step, figures in self.validations if name in figures]
        return [step for step, _ in found], [value for _, value in found]
