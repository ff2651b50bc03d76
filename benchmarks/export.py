"""Speed of exporting bags to a LeRobot dataset, its size, and the loss in its pictures.

    ./pi05 run python benchmarks/export.py --out docs/benchmarks/export.md

A bag of four cameras, 640x480 at 30 Hz, with rows at 50 Hz, is exported and imported again.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from live import machine

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes.episode import DeviceSpan, Episode, Plan, SubtaskLabel
from pi05_ros.data.episodes.rows import newest_frames
from pi05_ros.data.lerobot.encoding import DEFAULT_CRF, PRESET
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.reader import open_dataset
from pi05_ros.data.lerobot.to_bag import BagSettings, write_bag
from pi05_ros.data.open import open_episodes
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
SIZE = (480, 640)
CAMERA_HZ = 30.0
STEP = 10**9
_SCENES = 45  # Pictures that are played forwards and backwards; 1.5 s.

COLUMNS = (
    "pictures in the bag",
    "bag [MB/min]",
    "export [x real time]",
    "own cores",
    "other cores",
    "processor time [s for 1 s]",
    "dataset [MB/min]",
    "PSNR mean / least [dB]",
    "import [x real time]",
)

PAGE = """# Export

`benchmarks/export.py`: four cameras of {width}x{height} at {camera_hz:.0f} Hz, rows at {rate:.0f}
Hz, {seconds:.0f} s, on {machine}. H.264, preset {preset}, crf {crf}, a key frame every 10 rows.
The pictures are a textured view that moves by 2 pixels a picture, with noise of a small sensor
(deviation 2 of 255 levels a channel), which costs most of the bytes; a mock home has none.
`x real time` is seconds of episode in a second; cores are this process's and everything else's.
On a busy machine use the processor time: two free cores export in half of it.
PSNR compares the bag's pictures with those of the dataset, over all cameras.

{rows}
"""


class SyntheticEpisode:
    """An Episode in memory whose cameras move over a textured wall."""

    source = Path("benchmark")
    fingerprint = recording_fingerprint = "benchmark"

    def __init__(self, seconds: float) -> None:
        self.cameras = tuple(camera.name for camera in PLATFORM.cameras)
        self.facts = EpisodeFacts(
            id="benchmark",
            task="wipe the table",
            platform=PLATFORM.name,
            names=PLATFORM.names,
            units=tuple(dimension.unit for dimension in PLATFORM.dimensions),
            rate_hz=PLATFORM.rate_hz,
            cameras={camera.name: camera.topic for camera in PLATFORM.cameras},
            outcome="success",
        )
        self.rate_hz = PLATFORM.rate_hz
        rows = round(seconds * self.rate_hz)
        self.times_ns = STEP + (np.arange(rows) * (STEP / self.rate_hz)).astype(np.int64)
        phase = np.arange(rows)[:, None] / 40 + np.arange(len(PLATFORM.names))
        self.states = np.sin(phase)
        self.actions = np.sin(phase + 0.1)
        self.modes = np.ones(rows, np.uint8)
        self.control_sources = np.ones(rows, np.uint8)
        self.devices: tuple[DeviceSpan, ...] = ()
        self.plans: tuple[Plan, ...] = ()
        self.labels = (SubtaskLabel(0, rows, "pick up the sponge", "model", "wipe the table"),)
        self._frame_times = (
            STEP
            - 10**7
            + (np.arange(round(seconds * CAMERA_HZ)) * (STEP / CAMERA_HZ)).astype(np.int64)
        )
        self._scenes = {camera: list(_scenes(k)) for k, camera in enumerate(self.cameras)}

    def __len__(self) -> int:
        return len(self.times_ns)

    def frame_times_ns(self, camera: str) -> np.ndarray:
        """See Episode."""
        return self._frame_times

    def frame_of_row(self, camera: str) -> np.ndarray:
        """See Episode."""
        return newest_frames(self._frame_times, self.times_ns)

    def picture(self, camera: str, index: int) -> np.ndarray:
        """See Episode."""
        place = index % (2 * _SCENES - 2)
        return self._scenes[camera][min(place, 2 * _SCENES - 2 - place)]

    def pictures(self, camera: str, start: int, stop: int) -> Iterator[np.ndarray]:
        """See Episode."""
        return (self.picture(camera, index) for index in range(start, stop))


def _scenes(seed: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(seed)
    height, width = SIZE
    grain = random.integers(0, 256, (height + _SCENES, width + 2 * _SCENES, 3)).astype(np.uint8)
    blurred = cv2.GaussianBlur(grain, (0, 0), 5).astype(float)
    wall = 20 + 215 * (blurred - blurred.min()) / np.ptp(blurred)
    for k in range(_SCENES):
        view = wall[k : k + height, 2 * k : 2 * k + width]
        yield np.clip(view + random.normal(0, 2, view.shape), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Result:
    """Measurements with one encoding of pictures."""

    pictures: str
    bag_bytes: int
    dataset_bytes: int
    export_s: float
    import_s: float
    own_cores: float
    other_cores: float
    psnr: np.ndarray  # [dB]


def measure(pictures: Literal["jpeg", "raw"], seconds: float, folder: Path) -> Result:
    """Make a bag, export it and import it again."""
    made: Episode = SyntheticEpisode(seconds)
    write_bag(made, folder / "bags", BagSettings(pictures))
    episodes = open_episodes(folder / "bags")
    meter = machine.CpuMeter({"export": os.getpid()})
    begun = time.monotonic()
    export(episodes, folder / "set", ExportSettings())
    export_s = time.monotonic() - begun
    own, others = meter.read()
    (episode,) = open_dataset(folder / "set")
    begun = time.monotonic()
    write_bag(episode, folder / "again")
    import_s = time.monotonic() - begun
    return Result(
        pictures,
        _size(folder / "bags"),
        _size(folder / "set"),
        export_s,
        import_s,
        own["export"],
        others,
        _psnr(episodes[0], episode),
    )


def _psnr(bag: Episode, dataset: Episode) -> np.ndarray:
    found = []
    for camera in bag.cameras:
        times = dataset.frame_times_ns(camera)
        for index in range(0, len(times), 15):
            one = dataset.picture(camera, index).astype(float)
            place = int(np.searchsorted(bag.frame_times_ns(camera), times[index]))
            found.append(10 * np.log10(255**2 / np.mean((one - bag.picture(camera, place)) ** 2)))
    return np.array(found)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure each encoding, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the episode [s]")
    parser.add_argument("--out", type=Path, help="page to write; else it is printed")
    arguments = parser.parse_args()
    rows = [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
    for pictures in ("jpeg", "raw"):
        machine.wait_for_quiet()
        with tempfile.TemporaryDirectory() as folder:
            found = measure(pictures, arguments.seconds, Path(folder))
        per_minute = 60 / arguments.seconds / 1e6
        cells = [
            "JPEG, quality 95" if pictures == "jpeg" else "rgb8",
            f"{found.bag_bytes * per_minute:.0f}",
            f"{arguments.seconds / found.export_s:.2f}",
            f"{found.own_cores:.2f}",
            f"{found.other_cores:.2f}",
            f"{found.own_cores * found.export_s / arguments.seconds:.2f}",
            f"{found.dataset_bytes * per_minute:.0f}",
            f"{found.psnr.mean():.1f} / {found.psnr.min():.1f}",
            f"{arguments.seconds / found.import_s:.2f}",
        ]
        rows.append(_line(cells))
    page = PAGE.format(
        width=SIZE[1],
        height=SIZE[0],
        camera_hz=CAMERA_HZ,
        rate=PLATFORM.rate_hz,
        seconds=arguments.seconds,
        machine=machine.describe(),
        preset=PRESET,
        crf=DEFAULT_CRF,
        rows="\n".join(rows),
    )
    if arguments.out:
        arguments.out.write_text(page)
    else:
        print(page)


if __name__ == "__main__":
    main()
