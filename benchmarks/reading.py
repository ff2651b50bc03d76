"""Training samples read per second from a bag: cold, while the cache is built, and warm.

    ./pi05 run python benchmarks/reading.py --out docs/benchmarks/reading.md

A sample is three 224x224 pictures, the state, and a chunk of 50 rows with its mask, at random
places of the episode. The bag is made first: three cameras at 30 Hz, 640x480, sensor noise on a
smooth picture, rows at 50 Hz, as the recorder writes them. No ROS is needed.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from live import machine

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic, BagWriter
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
CAMERAS = PLATFORM.policy_cameras
BEGAN = 100 * 10**9
ROUNDS = 3  # The median of these is reported, since the machine is shared.
WANTED = 300  # Target [samples/s].

PAGE = """# Reading episodes

`benchmarks/reading.py`: one episode of {seconds:.0f} s, three cameras of 640x480 at 30 Hz, rows at
50 Hz, {samples} samples, on {machine}; all on a local disk. Median of {rounds} rounds.
A sample is three 224x224 pictures, state, and a 50-row chunk with its mask, at a random place;
the target is {wanted} a second. `cold` decodes from the bag at each access without a cache.
`warm` reads the cache from memory, `warm, from disk` after its pages were dropped from memory. Two
processes each read a half, like the workers of a data loader, without passing samples on.
`others` is the load of the rest of the machine.

{table}
"""


@dataclass(frozen=True)
class Kind:
    """Encoding of the drivers' pictures."""

    name: str
    type: str
    encode: Callable[[np.ndarray], dict]


def raw(pixels: np.ndarray) -> dict:
    """Fields of an Image message."""
    return {
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "encoding": "rgb8",
        "is_bigendian": 0,
        "step": pixels.shape[1] * 3,
        "data": pixels.reshape(-1),
    }


def jpeg(pixels: np.ndarray) -> dict:
    """Fields of a CompressedImage message."""
    return {"format": "jpeg", "data": cv2.imencode(".jpg", pixels[..., ::-1])[1].reshape(-1)}


KINDS = (
    Kind("JPEG", "sensor_msgs/msg/CompressedImage", jpeg),
    Kind("raw rgb8", "sensor_msgs/msg/Image", raw),
)


def make_bag(folder: Path, kind: Kind, seconds: float) -> Path:
    """Write the episode as a bag."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    for name in ("RobotState", "Subtask", "BoundingBox"):
        text = Path(__file__).parents[1] / f"pi05_msgs/msg/{name}.msg"
        store.register(get_types_from_msg(text.read_text(), f"pi05_msgs/msg/{name}"))
    types: Any = store.types

    def stamp(ns: int) -> Any:
        return types["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)

    def header(ns: int) -> Any:
        return types["std_msgs/msg/Header"](stamp=stamp(ns), frame_id="")

    facts = EpisodeFacts(
        id=folder.name,
        platform=PLATFORM.name,
        names=PLATFORM.names,
        units=tuple(str(d.unit) for d in PLATFORM.dimensions),
        rate_hz=50.0,
        cameras={name: PLATFORM.camera(name).topic for name in CAMERAS},
    )
    writer = BagWriter(folder, facts)
    state_type, subtask_type = "pi05_msgs/msg/RobotState", "pi05_msgs/msg/Subtask"
    writer.add_topic(BagTopic("/pi05/robot_state", state_type, (OfferedQos(),)))
    writer.add_topic(BagTopic("/pi05/subtask", subtask_type, (OfferedQos(),)))
    for topic in facts.cameras.values():
        writer.add_topic(BagTopic(topic, kind.type, (OfferedQos(),)))
    subtask = types[subtask_type](
        header=header(BEGAN), id=1, task="tidy up", text="pick up the cup", boxes=[],
        source="human", score=np.nan, latency=np.nan, model_text="", model_score=np.nan,
        model_stamp=stamp(0),
    )  # fmt: skip
    writer.write("/pi05/subtask", bytes(store.serialize_cdr(subtask, subtask_type)), BEGAN, BEGAN)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 6, (8, 480, 640, 3)).astype(np.float32)
    events: list[tuple[int, str | None]] = [
        (BEGAN + k * 20_000_000, None) for k in range(round(seconds * 50))
    ]
    events += [
        (BEGAN + round(k / 30 * 1e9), name) for k in range(round(seconds * 30)) for name in CAMERAS
    ]
    for at, camera in sorted(events, key=lambda event: event[0]):
        if camera is None:
            values = PLATFORM.home + 0.1 * np.sin(at * 1e-9 + np.arange(PLATFORM.size))
            row = types[state_type](
                header=header(at), platform=PLATFORM.name, session=1, epoch=1,
                names=list(PLATFORM.names), measured=values, commanded=values,
                commanded_stamp=stamp(at), chunk_sequence=1, chunk_stamp=stamp(at), chunk_row=0.0,
                mode=1, reason="",
            )  # fmt: skip
            data = store.serialize_cdr(row, state_type)
            writer.write("/pi05/robot_state", bytes(data), at + 1_000_000, at)
            continue
        small = rng.integers(0, 256, (6, 8, 3)).astype(np.float32)
        picture = cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC)
        picture = np.clip(picture + noise[rng.integers(8)], 0, 255).astype(np.uint8)
        message = types[kind.type](header=header(at), **kind.encode(picture))
        data = store.serialize_cdr(message, kind.type)
        writer.write(facts.cameras[camera], bytes(data), at + 1_000_000, at)
    writer.close(facts)
    return folder


def read(samples: Samples, count: int, seed: int) -> float:
    """Samples per second, read one after the other at random places."""
    places = np.random.default_rng(seed).integers(0, len(samples), count)
    begin = time.perf_counter()
    for place in places:
        sample = samples[int(place)]
        assert len(sample.images) == 3 and sample.actions.shape == (50, PLATFORM.size)
    return count / (time.perf_counter() - begin)


def read_by_two(samples: Samples, count: int, seed: int) -> float:
    """Samples per second of two processes together."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, _keep, (samples,)) as pool:
        pool.map(_warm_up, range(2), chunksize=1)
        rates = pool.starmap(_read_kept, [(count, seed), (count, seed + 1)], chunksize=1)
    return sum(rates)


_kept: Samples


def _keep(samples: Samples) -> None:
    global _kept
    _kept = samples


def _warm_up(_: int) -> None:
    read(_kept, 5, 0)
    time.sleep(0.5)  # So that each process gets one.


def _read_kept(count: int, seed: int) -> float:
    return read(_kept, count, seed)


def drop_from_memory(folder: Path) -> None:
    """Drop the pages of all files below a folder from the page cache."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def lines(kind: Kind, folder: Path, seconds: float) -> Iterator[tuple[str, str, str]]:
    """Measure with one encoding; yield (name, figure, load of others)."""
    path = make_bag(folder / kind.name.replace(" ", "-"), kind, seconds)
    size = sum(file.stat().st_size for file in path.iterdir())
    yield "bag", f"{size / 1e6:.0f} MB, {size / 1e6 / seconds:.1f} MB/s recorded", ""

    def median(measure: Callable[[int], float], form: str) -> tuple[str, str]:
        machine.wait_for_quiet()
        meter = machine.CpuMeter({"own": os.getpid()})
        figures = [measure(number) for number in range(ROUNDS)]
        _, others = meter.read()
        return form.format(statistics.median(figures)), f"{others:.2f}"

    def median_of_two(samples: Samples, count: int) -> tuple[str, str]:
        figure, _ = median(lambda number: read_by_two(samples, count, number), "{:.0f} samples/s")
        return figure, ""  # The two processes would be among the others.

    def index(_: int) -> float:
        begin = time.perf_counter()
        len(BagEpisode(path))
        return seconds / (time.perf_counter() - begin)

    yield (
        "rows, labels and places of pictures, from the bag",
        *median(index, "{:.0f}x real time"),
    )
    cache = CacheFolder(folder / f"cache-{kind.name}", 1 << 40)
    len(BagEpisode(path, cache))

    def index_again(_: int) -> float:
        begin = time.perf_counter()
        len(BagEpisode(path, cache))
        return (time.perf_counter() - begin) * 1e3

    yield ("the same, from the cache", *median(index_again, "{:.1f} ms"))
    episode = BagEpisode(path, cache)
    plain = Samples([episode], CAMERAS)
    yield ("cold, one process", *median(lambda n: read(plain, 60, n), "{:.0f} samples/s"))
    yield ("cold, two processes", *median_of_two(plain, 60))

    def build(number: int) -> float:
        shutil.rmtree(cache.folder)
        begin = time.perf_counter()
        made = FrameCache(cache).build([episode], CAMERAS)
        return made / (time.perf_counter() - begin) / 90

    yield ("building the cache", *median(build, "{:.1f}x real time"))

    def warm() -> Iterator[tuple[str, str, str]]:
        samples = Samples([episode], CAMERAS, FrameCache(cache))
        read(samples, len(samples), 0)
        figure = median(lambda number: read(samples, 3000, number), "{:.0f} samples/s")
        yield ("warm, one process", *figure)
        yield ("warm, two processes", *median_of_two(samples, 3000))

    yield from warm()  # Closes its memory map, since mapped pages stay in memory.

    def from_disk(number: int) -> float:
        gc.collect()
        drop_from_memory(cache.folder)
        return read(Samples([episode], CAMERAS, FrameCache(cache)), 300, number)

    yield ("warm, from disk, one process", *median(from_disk, "{:.0f} samples/s"))
    used = sum(file.stat().st_size for file in cache.folder.rglob("*") if file.is_file())
    yield "cache", f"{used / 1e6:.0f} MB, {used / 1e6 / seconds:.1f} MB/s recorded", ""


def main() -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the episode")
    parser.add_argument("--folder", type=Path, help="where the bags and the cache lie")
    parser.add_argument("--out", type=Path, help="the page to write")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="reading-", dir=arguments.folder))
    try:
        rows = ["| driver | what | figure | others [cores] |", "|---|---|---|---|"]
        for kind in KINDS:
            for what, figure, others in lines(kind, folder, arguments.seconds):
                rows.append(f"| {kind.name} | {what} | {figure} | {others} |")
                print(rows[-1], flush=True)
    finally:
        shutil.rmtree(folder)
    page = PAGE.format(
        seconds=arguments.seconds,
        samples=round(arguments.seconds * 50),
        machine=machine.describe(),
        rounds=ROUNDS,
        wanted=WANTED,
        table="\n".join(rows),
    )
    if arguments.out:
        arguments.out.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
