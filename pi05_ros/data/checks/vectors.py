"""The check of the robot's vectors and labels: NaN, limits, rows without a subtask."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pi05_ros.data.checks.findings import CheckSettings, EpisodeFinding, Severity
from pi05_ros.data.episodes.episode import MODE_RUNNING
from pi05_ros.data.episodes.label_spans import LabelFile
from pi05_ros.platforms.platform import Platform

_SLACK = 0.02  # Share of a dimension's range by which a measurement may lie outside it.


@dataclass
class VectorSeries:
    """Statistics of robot_state and subtask, added in the order of their log times."""

    labels: LabelFile | None = None  # Replaces the subtasks; None: there is none.
    times_ns: list[int] = field(default_factory=list)  # Of the rows.
    rows: list[np.ndarray] = field(default_factory=list)  # Measured states, (D,) each.
    running: list[bool] = field(default_factory=list)
    labelled: list[bool] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)  # Moving rows by source.
    not_finite: int = 0
    without_command: int = 0  # Rows that move without a command.
    uneven: int = 0  # Rows without exactly one value for each name.
    layouts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _text: str = ""
    _source: str = ""

    def add_state(self, message: Any) -> None:
        """Add a RobotState."""
        measured = np.asarray(message.measured, dtype=np.float64)
        self.layouts[tuple(message.names)] += 1
        sizes = {len(message.names), len(measured), len(message.commanded)}
        self.uneven += len(sizes) > 1
        running = message.mode == MODE_RUNNING
        stamp = message.header.stamp
        self.times_ns.append(stamp.sec * 10**9 + stamp.nanosec)
        if self.labels is not None:
            span = self.labels.at(self.times_ns[-1])
            self._text, self._source = (span.text, span.source) if span else ("", "")
        self.rows.append(measured)
        self.running.append(running)
        self.labelled.append(bool(self._text))
        self.not_finite += not np.isfinite(measured).all()
        if running:
            self.without_command += not np.isfinite(np.asarray(message.commanded)).all()
            self.sources[self._source if self._text else ""] += 1

    def add_subtask(self, message: Any) -> None:
        """Add a Subtask."""
        if self.labels is None:
            self._text, self._source = message.text, message.source

    def findings(
        self, topic: str, platform: Platform | None, settings: CheckSettings
    ) -> list[EpisodeFinding]:
        """List the findings.

        Args:
            topic: Topic of the states.
            platform: The robot; None: not known.
            settings: The limits.
        """
        found: list[tuple[Severity, str]] = []
        total, moving = len(self.rows), sum(self.running)
        if self.not_finite:
            what = f"{self.not_finite} of {total} states hold NaN or infinity"
            found.append((Severity.ERROR, what))
        if self.without_command:
            what = f"{self.without_command} of {moving} rows that move have no command (NaN)"
            found.append((Severity.ERROR, what))
        if self.uneven:
            what = f"{self.uneven} of {total} rows have not one value for each name"
            found.append((Severity.ERROR, what))
        if len(self.layouts) > 1:
            found.append((Severity.ERROR, f"its layout changes: {len(self.layouts)} of them"))
        if total and not moving:
            what = "the robot never followed a chunk: there is nothing to learn from"
            found.append((Severity.WARNING, what))
        found += self._label_findings(moving, settings)
        if platform is not None and len(self.layouts) == 1 and not self.uneven:
            found += self._limit_findings(platform, settings)
        return [EpisodeFinding(level, topic, what) for level, what in found]

    def _label_findings(self, moving: int, settings: CheckSettings) -> list[tuple[Severity, str]]:
        if self.labels is not None and self.rows:
            spans = self.labels.spans
            if spans and not self.labels.labels(np.sort(self.times_ns)):
                what = f"none of its {len(spans)} labels holds a row: their clock is another one"
                return [(Severity.ERROR, what)]
        if not moving:
            return []
        unlabelled = self.sources.get("", 0)
        share = 1 - unlabelled / moving
        if share == 0:
            what = "no row that moves has a subtask: `./pi05 bags label` gives it some"
            return [(Severity.ERROR, what)]
        if share < settings.min_labelled:
            return [(Severity.WARNING, f"only {share:.1%} of the rows that move have a subtask")]
        return []

    def _limit_findings(
        self, platform: Platform, settings: CheckSettings
    ) -> list[tuple[Severity, str]]:
        names = next(iter(self.layouts))
        if names != platform.names:
            return [(Severity.ERROR, f"its layout is not that of {platform.name}")]
        rows = np.array([row for row in self.rows if np.isfinite(row).all()])
        if not len(rows):
            return []
        # Measurements overshoot a little; commands never do.
        slack = _SLACK * (platform.upper - platform.lower)
        outside = (rows < platform.lower - slack) | (rows > platform.upper + slack)
        return [
            (Severity.WARNING, f"{share:.1%} of {name} lie outside its limits")
            for name, share in zip(names, outside.mean(axis=0), strict=True)
            if share > settings.max_outside
        ]
