"""Episodes in memory, for tests of readers of episodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes.episode import MODE_RUNNING, SubtaskLabel
from pi05_ros.data.episodes.rows import newest_frames


@dataclass
class MemoryEpisode:
    """An Episode whose every part is given; by default all rows are trainable."""

    states: np.ndarray
    actions: np.ndarray
    facts: EpisodeFacts
    rate_hz: float = 50.0
    modes: np.ndarray = None
    control_sources: np.ndarray = None
    devices: tuple = ()
    plans: tuple = ()
    times_ns: np.ndarray = None
    labels: tuple[SubtaskLabel, ...] = None
    frames: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)  # times, pixels
    source: Path = Path("memory")
    fingerprint: str = "memory"

    def __post_init__(self) -> None:
        rows = len(self.states)
        if self.modes is None:
            self.modes = np.full(rows, MODE_RUNNING, np.uint8)
        if self.control_sources is None:
            self.control_sources = (self.modes == MODE_RUNNING).astype(np.uint8)
        if self.times_ns is None:
            self.times_ns = 10**9 + np.arange(rows) * round(1e9 / self.rate_hz)
        if self.labels is None:
            self.labels = (SubtaskLabel(0, rows, "pick up the cup", "model", "tidy up"),)

    @property
    def recording_fingerprint(self):
        return self.fingerprint

    @property
    def cameras(self):
        return tuple(self.frames)

    def __len__(self):
        return len(self.states)

    def frame_times_ns(self, camera):
        return self.frames[camera][0]

    def frame_of_row(self, camera):
        return newest_frames(self.frame_times_ns(camera), self.times_ns)

    def picture(self, camera, index):
        return self.frames[camera][1][index]

    def pictures(self, camera, start, stop):
        return iter(self.frames[camera][1][start:stop])


def layout_facts(names, units, platform="robot", **facts):
    """Facts with the layout of the vectors."""
    return EpisodeFacts(id="e", platform=platform, names=names, units=units, rate_hz=50.0, **facts)


def wandering(rows, seed=0, size=2, **parts):
    """An episode whose joints wander, and whose actions lead the state by a row."""
    noise = np.random.default_rng(seed).normal(size=(rows + 1, size))
    path = np.sin(np.cumsum(noise, axis=0) * 0.05)
    names = tuple(f"joint_{i}" for i in range(size))
    facts = parts.pop("facts", layout_facts(names, ("rad",) * size))
    return MemoryEpisode(path[:-1].copy(), path[1:].copy(), facts, **parts)
