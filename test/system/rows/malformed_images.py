"""Row 3: malformed pictures."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from builtin_interfaces.msg import Time
from rclpy.node import Node
from sensor_msgs.msg import Image

from pi05_msgs.msg import CameraSet
from pi05_ros.nodes.common import qos
from pi05_ros.platforms.platform import Camera
from system.catalog import Trial
from system.checks import Checks
from system.processes import resident_bytes
from system.scene import Scene

_RATE = 40.0  # Of the cameras [Hz]; of four pictures at most one is malformed.
_MEMORY = 20e6  # [bytes]
_NODE = "camera_ingestion"


def run(trial: Trial) -> Checks:
    """Let a random camera publish a malformed picture in each set."""
    checks = Checks()
    times = trial.count(1000)
    with Scene((_NODE,), cameras=_RATE, fake_policy=False) as scene:
        sets = _Sets(scene.node)
        noise = random.Random(trial.seed)
        process = scene.processes[_NODE]
        scene.wait(lambda: sets.seen > 40, "camera sets")
        base = _Counts.when_quiet(scene)
        scene.cameras.silent.clear()
        injector = _Injector(noise, scene.platform.camera_names, times)
        scene.cameras.defect = injector
        warm = min(times, 100)
        scene.wait(lambda: injector.sent >= warm, "the first malformed pictures", 30.0)
        before, seen, began = resident_bytes(process.pid), sets.seen, time.monotonic()
        while injector.sent < times and process.alive:
            trial.report(f"{injector.sent} of {times} malformed pictures")
            time.sleep(1.0)
        valid, seconds = dict(sets.valid), time.monotonic() - began
        rate = (sets.seen - seen) / seconds
        scene.cameras.defect = None
        after = _Counts.when_quiet(scene)
        malformed = after.malformed - base.malformed
        share = 1.0 - (after.received - base.received) / (after.sent - base.sent)
        lost = round(share * (after.sent - base.sent))
        checks.equal("malformed pictures sent", injector.sent, times)
        checks.equal("processes that ended", scene.ended(), 0)
        # Drivers' pictures are best effort: losses on a busy machine are not counted anywhere.
        checks.at_most("pictures lost on the way", share, 0.2)
        checks.between("counted as malformed", malformed, times - lost, times)
        checks.at_least("sets meanwhile", rate, 10, "Hz")
        for name in scene.platform.camera_names:
            checks.at_least(f"good pictures of {name} used", valid.get(name), 0.3 * times)
        growth = resident_bytes(process.pid) - before if process.alive else None
        value = None if growth is None else growth * 1e-6
        checks.at_most("memory growth", value, _MEMORY * 1e-6, "MB")
        checks.equal("exceptions in callbacks", scene.count(_NODE, "callback errors"), 0)
    return checks


@dataclass(frozen=True)
class _Counts:
    """Numbers of pictures, summed over all cameras."""

    sent: int  # By the drivers.
    received: int  # By camera_ingestion, good or malformed.
    malformed: int

    @classmethod
    def when_quiet(cls, scene: Scene) -> _Counts:
        """Silence the cameras, wait for the node's next report and count."""
        names = scene.platform.camera_names
        scene.cameras.silent.update(names)
        time.sleep(2.2)
        good, malformed = (
            sum(scene.count(_NODE, f"{name} {what}") for name in names)
            for what in ("pictures", "malformed")
        )
        return cls(sum(scene.cameras.sent.values()), good + malformed, malformed)


class _Sets:
    """Numbers of camera sets and of the valid pictures in them."""

    def __init__(self, node: Node) -> None:
        self.seen = 0
        self.valid: dict[str, int] = {}
        node.create_subscription(CameraSet, "camera_set", self._on_set, qos.CAMERA_SET)

    def _on_set(self, message: CameraSet) -> None:
        self.seen += 1
        for name, valid in zip(message.names, message.valid, strict=True):
            self.valid[name] = self.valid.get(name, 0) + valid


class _Injector:
    """A hook that makes one picture of each set malformed, up to a number."""

    def __init__(self, noise: random.Random, names: tuple[str, ...], times: int) -> None:
        self.sent = 0
        self._noise = noise
        self._names = names
        self._times = times
        self._chosen = ""

    def __call__(self, camera: Camera, image: Image) -> Image:
        if camera.name == self._names[0]:  # A new set.
            self._chosen = self._noise.choice(self._names) if self.sent < self._times else ""
        if camera.name != self._chosen:
            return image
        self.sent += 1
        self._noise.choice(_DEFECTS)(self._noise, image)
        return image


def _cut(noise: random.Random, image: Image) -> None:
    image.data = image.data[: noise.randrange(len(image.data))]


def _lengthen(noise: random.Random, image: Image) -> None:
    image.data.extend(noise.randbytes(noise.randint(1, 5000)))


def _sizes(noise: random.Random, image: Image) -> None:
    image.width, image.height = noise.choice(
        [(0, 0), (0, 48), (64, 0), (10**9, 48), (64, 10**9), (2**32 - 1, 2**32 - 1), (65, 48)]
    )


def _step(noise: random.Random, image: Image) -> None:
    image.step = noise.choice([0, 1, 63, 10**9, 2**32 - 1])


def _encoding(noise: random.Random, image: Image) -> None:
    image.encoding = noise.choice(["", "rgb7", "jpeg", "8UC0", "x" * 5000, "\x00\x01", "RGB8 "])


def _wide_encoding(noise: random.Random, image: Image) -> None:
    # Known, but the rows are too short for it.
    image.encoding = noise.choice(["rgba8", "rgb16", "32FC3"])


def _empty(noise: random.Random, image: Image) -> None:
    image.data = image.data[:0]


def _stamp(noise: random.Random, image: Image) -> None:
    # A new one: the pictures of a set share theirs.
    seconds = image.header.stamp.sec
    image.header.stamp = Time(sec=seconds, nanosec=noise.choice([10**9, 2**32 - 1]))


_DEFECTS: tuple[Callable[[random.Random, Image], None], ...] = (
    *(_cut, _lengthen, _sizes, _step, _encoding, _wide_encoding, _empty, _stamp),
)
