"""Synthetic episodes: swinging joints, and squares that move over a gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes.episode import PictureBox, SubtaskLabel

NAMES = ("shoulder", "elbow", "gripper")
UNITS = ("rad", "rad", "fraction")
START_NS = 1_700_000_000_123_456_789


@dataclass
class DrawnEpisode:
    """An Episode of any length, without a file behind it.

    `silent_rows` rows at its begin have no command, `blind_rows` no picture.
    """

    facts: EpisodeFacts
    rows: int = 100
    picture_rate_hz: float = 30.0
    size: tuple[int, int] = (48, 64)  # Height, width.
    silent_rows: int = 0
    blind_rows: int = 0
    seed: int = 0
    cameras: tuple[str, ...] = ("front", "left_wrist")
    source: Path = Path("drawn")
    labels: tuple[SubtaskLabel, ...] = ()
    fail_at: int = -1  # Picture that cannot be decoded.
    failure: type[Exception] = OSError  # The error that is raised then.
    times_ns: np.ndarray = field(init=False)
    states: np.ndarray = field(init=False)
    actions: np.ndarray = field(init=False)
    modes: np.ndarray = field(init=False)
    control_sources: np.ndarray = field(init=False)
    devices: tuple = ()
    plans: tuple = ()

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        period = round(1e9 / self.rate_hz)
        jitter = random.integers(-period // 10, period // 10, self.rows)
        self.times_ns = START_NS + np.arange(self.rows) * period + jitter
        seconds = np.arange(self.rows)[:, None] / self.rate_hz
        width = len(self.facts.names)
        # Values that float32 cannot hold.
        self.states = np.sin(seconds * np.arange(1, width + 1)) + random.normal(
            0, 1e-3, (self.rows, width)
        )
        self.actions = self.states + 0.05 * np.cos(seconds)
        self.actions[: self.silent_rows] = np.nan
        self.modes = np.ones(self.rows, np.uint8)
        self.modes[: self.silent_rows] = 3
        self.control_sources = (self.modes == 1).astype(np.uint8)

    @property
    def rate_hz(self) -> float:
        return self.facts.rate_hz

    @property
    def fingerprint(self) -> str:
        return f"{self.facts.id.encode().hex()}{self.rows}x{self.seed}"

    @property
    def recording_fingerprint(self) -> str:
        return self.fingerprint

    def __len__(self) -> int:
        return self.rows

    def frame_times_ns(self, camera: str) -> np.ndarray:
        offset = self.cameras.index(camera) * 3_000_000
        count = int(self.rows / self.rate_hz * self.picture_rate_hz) + 1
        first = START_NS + offset - 7_000_000 + round(self.blind_rows * 1e9 / self.rate_hz)
        return first + (np.arange(count) * (1e9 / self.picture_rate_hz)).astype(np.int64)

    def frame_of_row(self, camera: str) -> np.ndarray:
        return np.searchsorted(self.frame_times_ns(camera), self.times_ns, side="right") - 1

    def picture(self, camera: str, index: int) -> np.ndarray:
        if index == self.fail_at:
            raise self.failure(f"picture {index} is broken")
        height, width = self.size
        y, x = np.mgrid[:height, :width]
        picture = np.stack(
            [x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)]
        )
        picture = np.moveaxis(picture, 0, 2).astype(np.uint8)
        side = height // 3
        top = (index * 2 + self.seed * 5) % (height - side)
        left = (index * 3 + 11 * self.cameras.index(camera)) % (width - side)
        picture[top : top + side, left : left + side] = 200 - 40 * (self.seed % 3)
        return picture

    def pictures(self, camera: str, start: int, stop: int) -> Iterator[np.ndarray]:
        for index in range(start, stop):
            yield self.picture(camera, index)


def drawn(name: str = "20260101T000000Z_wipe", **changes: object) -> DrawnEpisode:
    """An episode with two labels and a gap; facts and fields as given, by name."""
    facts = EpisodeFacts(
        id=name,
        task="wipe the table",
        operator_name="Ada",
        home="kitchen 3",
        platform="mobile_18dof",
        names=NAMES,
        units=UNITS,
        rate_hz=50.0,
        cameras={"front": "/front/image_raw", "left_wrist": "/left_wrist/image_raw"},
        outcome="success",
        started_ns=START_NS,
    )
    known = {
        key: changes.pop(key) for key in list(changes) if hasattr(facts, key) and key != "cameras"
    }
    facts = replace(facts, **known)
    rows = int(changes.get("rows", 100))  # type: ignore[call-overload]
    box = PictureBox("front", "sponge", 0.125, 0.25, 0.5, 0.7500000001, 0.875)
    half, task = rows // 2, facts.task
    labels = (
        SubtaskLabel(5, half, "pick up the sponge", "model", task, 0.9, (box,), "", 1),
        SubtaskLabel(half, rows - 7, "„Tisch“ wischen", "human", task, None, (), "put it down", 2),
    )
    changes.setdefault("labels", labels)
    return DrawnEpisode(facts, **changes)  # type: ignore[arg-type]
