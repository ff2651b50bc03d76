"""Share of four cameras' pictures that the recorder writes, with its cost and a plain write's.

    ./pi05 run python benchmarks/recording.py --out docs/benchmarks/recording.md

Drivers in a separate process send four cameras at 30 Hz by DDS, as noise in rgb8 (110 MB/s) and as
JPEG; the recorder runs as on a robot. The bag's messages are counted by sequence numbers. Then the
same messages go through the recorder's queue and writer at full speed, and once more to a plain
file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from live import machine
from live.noisy_cameras import PLATFORM, pictures
from live.process import Process, environment_with
from system.recorder_bench import RECORDER, RecorderBench, recorded_numbers
from system.scene import Scene

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.writer import BagTopic, WriterSettings
from pi05_ros.platforms.platform import load_platform
from pi05_ros.recording.queue import Message, QueueLimits
from pi05_ros.recording.session import Session, SessionSettings

RATE = 30.0  # Of each camera [Hz].
KINDS = {"rgb8": "sensor_msgs/msg/Image", "jpeg": "sensor_msgs/msg/CompressedImage"}
CAMERAS = 4
MEGABYTE = 1e6

PAGE = """# Recording

`benchmarks/recording.py`: four 640x480 cameras at {rate:.0f} Hz each, {seconds:.0f} s a line,
on {machine}.
`others` is the load of the rest of the machine, drivers included: cores are shared.

## Over DDS, as on a robot

`written` is the share of the messages sent from the first picture in the bag to the stop, by
sequence numbers; `lost` never reached the recorder, `dropped` did not fit into its queue.

{live}

## At full speed

The same messages from memory through the recorder's queue, chunks and checksums into a bag that is
closed and verified, and as a plain file with one fsync. Best of {repeats}, one after the other.

{flat_out}

The bag costs more than the plain file for the CRC of each chunk and the copies between two
threads. Over DDS three copies come on top: from shared memory into the reader's history, from
there into a serialized message, and from that into a Python object.
"""


@dataclass(frozen=True)
class Live:
    """Measurements of one episode."""

    kind: str
    compression: str
    sent: int
    written: int
    lost: int
    dropped: int
    megabytes: float
    seconds: float
    cores: float
    others: float

    def row(self) -> str:
        """Format a line of the table."""
        return (
            f"| {self.kind} | {self.compression} | {self.megabytes / self.seconds:.0f} "
            f"| {100 * self.written / self.sent:.2f} % of {self.sent} | {self.lost} "
            f"| {self.dropped} | {self.cores:.2f} "
            f"| {1000 * self.cores * self.seconds / self.megabytes:.2f} | {self.others:.2f} |"
        )


def live(kind: str, compression: str, seconds: float, folder: Path) -> Live:
    """Record an episode of `seconds` over DDS, and measure."""
    parameters = {RECORDER: {"bags": folder / "bags", "compression": compression}}
    topics = [
        camera.topic + ("" if kind == "rgb8" else "/compressed")
        for camera in load_platform(PLATFORM).cameras
    ]
    with Scene((RECORDER,), parameters=parameters, fake_policy=False) as scene:
        environment = {**scene.environment, **environment_with()}
        bench = RecorderBench(scene)
        with Process(
            ["live.noisy_cameras", kind, str(RATE)], environment, scene.folder
        ) as drivers:
            drivers.wait()
            path = bench.start()
            scene.wait(lambda: bench.recordings, "a report", 20.0)
            meter = machine.CpuMeter({RECORDER: scene.processes[RECORDER].pid})
            time.sleep(seconds)
            cores, others = meter.read()
            until = len(drivers.times())
            reports = {t.name: t for t in bench.recordings[-1][1].topics}
            reply = bench.stop(120.0)
        if reply.code:
            raise SystemExit(f"the bag was not closed: {reply.message}")
        numbers = recorded_numbers(path)
        size = len(pictures(kind)[0])
        sent = written = 0
        for topic in topics:
            there = [n for n in numbers[topic] if n <= until]
            sent += until - there[0] + 1
            written += len(there)
        shutil.rmtree(path)
    return Live(
        kind,
        compression,
        sent,
        written,
        sum(reports[topic].lost for topic in topics),
        sum(reports[topic].dropped for topic in topics),
        CAMERAS * RATE * seconds * size / MEGABYTE,
        seconds,
        cores[RECORDER],
        others,
    )


def flat_out(kind: str, compression: str, megabytes: float, folder: Path) -> tuple[float, float]:
    """Write through the recorder's queue and bag without DDS: MB/s, processor time [s/GB]."""
    data = pictures(kind)
    count = round(megabytes * MEGABYTE / len(data[0]))
    path = folder / "bag"
    queue = QueueLimits()
    settings = SessionSettings(WriterSettings(compression=compression), queue)
    session = Session(path, EpisodeFacts("bag"), settings)
    for camera in range(CAMERAS):
        session.add_topic(BagTopic(f"/camera_{camera}", KINDS[kind]))
    began, used = time.monotonic(), _used()
    writer = threading.Thread(target=session.run)
    writer.start()
    for number in range(count):
        while session.queue_bytes > queue.total_bytes // 2:
            time.sleep(0.0005)
        now = time.time_ns()
        session.put(
            Message(f"/camera_{number % CAMERAS}", data[number % len(data)], now, now, number + 1)
        )
    session.finish()
    writer.join()
    took, cpu = time.monotonic() - began, _used() - used
    if session.failure or session.trouble:
        raise SystemExit(session.failure or session.trouble)
    shutil.rmtree(path)
    size = count * len(data[0]) / MEGABYTE
    return size / took, 1000 * cpu / size


def plain(kind: str, megabytes: float, folder: Path) -> tuple[float, float]:
    """Write the same bytes to a plain file: MB/s, processor time [s/GB]."""
    data = pictures(kind)
    count = round(megabytes * MEGABYTE / len(data[0]))
    path = folder / "plain"
    began, used = time.monotonic(), _used()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    for number in range(count):
        os.write(file, data[number % len(data)])
    os.fsync(file)
    os.close(file)
    took, cpu = time.monotonic() - began, _used() - used
    path.unlink()
    size = count * len(data[0]) / MEGABYTE
    return size / took, 1000 * cpu / size


def _used() -> float:
    times = os.times()
    return times.user + times.system


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=None, help="page to write")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each episode")
    parser.add_argument("--megabytes", type=float, default=1500.0, help="written at full speed")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pi05-recording-", dir=arguments.folder) as name:
        folder = Path(name)
        rows = []
        for kind, compression in (("rgb8", "zstd"), ("rgb8", "none"), ("jpeg", "zstd")):
            machine.wait_for_quiet()
            rows.append(live(kind, compression, arguments.seconds, folder))
            print(rows[-1].row(), flush=True)
        columns = ["pictures", "compression", "MB/s", "written", "lost", "dropped"]
        columns += ["recorder [cores]", "[s/GB]", "others [cores]"]
        table = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        table += [row.row() for row in rows]
        flat = ["| pictures | how | MB/s | of plain | [s/GB] |", "|---|---|---|---|---|"]
        for kind in KINDS:
            ways = {"plain": lambda k=kind: plain(k, arguments.megabytes, folder)} | {
                f"bag, {c}": lambda k=kind, c=c: flat_out(k, c, arguments.megabytes, folder)
                for c in ("zstd", "none")
            }
            machine.wait_for_quiet()
            best = {
                way: max(measure() for _ in range(arguments.repeats))
                for way, measure in ways.items()
            }
            for way, (speed, cost) in best.items():
                share = speed / best["plain"][0]
                flat.append(f"| {kind} | {way} | {speed:.0f} | {share:.2f} | {cost:.2f} |")
                print(flat[-1], flush=True)
    page = PAGE.format(
        rate=RATE,
        seconds=arguments.seconds,
        machine=machine.describe(),
        live="\n".join(table),
        flat_out="\n".join(flat),
        repeats=arguments.repeats,
    )
    if arguments.out:
        arguments.out.write_text(page)


if __name__ == "__main__":
    main()
