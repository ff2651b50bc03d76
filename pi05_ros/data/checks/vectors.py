"""The robot's vectors and labels: numbers that are none, limits, and what has no words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pi05_ros.data.checks.findings import CheckSettings, EpisodeFinding, Severity
from pi05_ros.data.episodes.episode import MODE_RUNNING
from pi05_ros.platforms.platform import Platform

_SLACK = 0.02  # Share of a dimension's range by which a measurement may lie outside it.


@dataclass
class VectorSeries:
    """What is collected of robot_state and subtask, in the order of their log times."""

    rows: list[np.ndarray] = field(default_factory=list)  # Measured, (D,) each.
    running: list[bool] = field(default_factory=list)
    labelled: list[bool] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)  # Rows that move, by who said so.
    not_finite: int = 0
    without_command: int = 0  # Rows that move although nothing was sent.
    uneven: int = 0  # Rows that have not one value for each name.
    layouts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _text: str = ""
    _source: str = ""

    def add_state(self, message: Any) -> None:
        """Takes a RobotState."""
        measured = np.asarray(message.measured, dtype=np.float64)
        self.layouts[tuple(message.names)] += 1
        sizes = {len(message.names), len(measured), len(message.commanded)}
        self.uneven += len(sizes) > 1
        running = message.mode == MODE_RUNNING
        self.rows.append(measured)
        self.running.append(running)
        self.labelled.append(bool(self._text))
        self.not_finite += not np.isfinite(measured).all()
        if running:
            self.without_command += not np.isfinite(np.asarray(message.commanded)).all()
            self.sources[self._source if self._text else ""] += 1

    def add_subtask(self, message: Any) -> None:
        """Takes a Subtask."""
        self._text, self._source = message.text, message.source

    def findings(
        self, topic: str, platform: Platform | None, settings: CheckSettings
    ) -> list[EpisodeFinding]:
        """What is wrong.

        Args:
            topic: Of the states.
            platform: The robot; None: not known.
            settings: What is too much.
        """
        found: list[tuple[Severity, str]] = []
        total, moving = len(self.rows), sum(self.running)
        if self.not_finite:
            said = f"{self.not_finite} of {total} states hold NaN or infinity"
            found.append((Severity.ERROR, said))
        if self.without_command:
            said = f"{self.without_command} of {moving} rows that move have no command (NaN)"
            found.append((Severity.ERROR, said))
        if self.uneven:
            said = f"{self.uneven} of {total} rows have not one value for each name"
            found.append((Severity.ERROR, said))
        if len(self.layouts) > 1:
            found.append((Severity.ERROR, f"its layout changes: {len(self.layouts)} of them"))
        if total and not moving:
            said = "the robot never followed a chunk: there is nothing to learn from"
            found.append((Severity.WARNING, said))
        found += self._label_findings(moving, settings)
        if platform is not None and len(self.layouts) == 1 and not self.uneven:
            found += self._limit_findings(platform, settings)
        return [EpisodeFinding(level, topic, what) for level, what in found]

    def _label_findings(self, moving: int, settings: CheckSettings) -> list[tuple[Severity, str]]:
        if not moving:
            return []
        unsaid = self.sources.get("", 0)
        share = 1 - unsaid / moving
        if share == 0:
            return [(Severity.ERROR, "no row that moves has a subtask")]
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
