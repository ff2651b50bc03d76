"""camera_ingestion: from the drivers' pictures to time-matched sets at the model's size."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from pi05_msgs.msg import CameraSet
from pi05_ros.cameras.checks import blindness_of, fingerprint
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.cameras.sets import CameraSetMatcher, MatchedSet
from pi05_ros.cameras.watch import CameraStatus, CameraWatch, Level
from pi05_ros.errors import MessageError
from pi05_ros.foundation import fastdds
from pi05_ros.nodes.camera_ingestion.drivers import CameraDrivers
from pi05_ros.nodes.camera_ingestion.parameters import CameraIngestionParameters
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ERROR, OK, WARN, Health, ManagedNode
from pi05_ros.nodes.common.conversions import camera_set_message, ns_to_time, time_to_ns
from pi05_ros.nodes.common.driver_pictures import check_picture, image_to_rgb
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.common.worker import Worker
from pi05_ros.platforms.platform import Camera, load_platform

# How often the cameras are judged for the log and for /diagnostics [s, wall].
_LOOK_PERIOD = 0.1
_SAY_AT_MOST_EVERY = 1.0  # For each camera, in the log [s, wall].
_REPORT_EVERY = 10.0  # What is still wrong is said again after this long [s, wall].


class CameraIngestion(ManagedNode[CameraIngestionParameters]):
    """Publishes camera_set from the cameras of a platform, and tells whether they can be believed.

    What judges them is in `cameras/watch.py`.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__("camera_ingestion", CameraIngestionParameters, **arguments)
        # Guards the matcher, the watch, the pending set and the counters.
        self._lock = threading.Lock()
        self._drivers: CameraDrivers | None = None
        self._worker: Worker | None = None
        self._publisher: Any = None
        self._counts: Counter[str] = Counter()

    def configure(self) -> None:
        """Reads the platform and makes the output."""
        problem = fastdds.profile_problem()
        if problem:
            self.get_logger().warning(problem)
        self._platform = load_platform(self.parameters.platform)
        self._publisher = self.create_publisher(CameraSet, "camera_set", qos.CAMERA_SET)

    def activate(self) -> None:
        """Subscribes to the drivers."""
        names = self._platform.camera_names
        self._matcher: CameraSetMatcher[Image | CompressedImage] = CameraSetMatcher(
            names, self.parameters.max_skew, self.parameters.partial_after
        )
        self._watch = CameraWatch(
            names, self._platform.policy_cameras, self.parameters.watch(), self.silence_ns()
        )
        self._pending: MatchedSet[Image | CompressedImage] | None = None
        self._sequence = 0
        self._counts.clear()
        self._said: dict[str, tuple[str, float]] = {}  # Camera → what was logged of it, and when.
        self._last_problem = dict.fromkeys(names, "")
        self._last_health = (OK, "")
        self._problems: dict[str, str] = {}  # Camera → why its publishers cannot be heard.
        self._worker = self.start_worker("camera_set", self._publish_pending)
        self._drivers = CameraDrivers(self, self._platform, self._on_picture)
        self._timer = self.steady_timer(_LOOK_PERIOD, self._look)

    def deactivate(self) -> None:
        """Unsubscribes."""
        if self._drivers is not None:
            self._drivers.close()
            self._drivers = None
        if self._worker is not None:
            self.stop_worker(self._worker)
            self._worker = None
            self.destroy_timer(self._timer)

    def cleanup(self) -> None:
        """Frees the output."""
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def fitness(self) -> str:
        """Why the robot must not move on what the policy's cameras show; "" when it may."""
        with self._lock:
            return self._watch.fitness(self.silence_ns())

    def health(self) -> Health:
        """Each camera's rate, age and drops, and what is wrong with it."""
        with self._lock:
            now, watch = self.silence_ns(), self._watch
            verdicts = {name: watch.status(name, now) for name in self._platform.camera_names}
            unfit, starting = watch.fitness(now), watch.starting(now)
            values: dict[str, Any] = {"sets published": self._sequence}
            values |= dict(sorted(self._counts.items()))
            values |= {f"pictures {k}": v for k, v in sorted(self._matcher.counts.items())}
            for name in self._platform.camera_names:
                values[f"{name} rate [Hz]"] = f"{watch.rate(name, now):.1f}"
                values[f"{name} age [s]"] = f"{watch.age(name, now):.3f}"
                values[f"{name} last arrival [s]"] = f"{watch.arrival_age(name, now):.3f}"
                values |= {f"{name} {k}": v for k, v in watch.counts(name).items()}
        problems = self._problems
        reasons = {n: problems.get(n) or v.reason for n, v in verdicts.items()}
        said = "; ".join(f"camera {name}: {why}" for name, why in reasons.items() if why)
        unbelieved = any(verdict.level == Level.UNFIT for verdict in verdicts.values())
        if problems or (not starting and (unbelieved or unfit)):
            # All cameras blind is worse than each of them.
            return Health(ERROR, said if unbelieved or problems else unfit, values)
        return Health(WARN, said, values) if said else Health(OK, "all cameras send", values)

    # Pictures: the executor's thread.

    def _on_picture(self, camera: Camera, message: Image | CompressedImage) -> None:
        try:
            stamp = time_to_ns(message.header.stamp)
            # Here, so that each is counted, and none keeps a good one out of a set.
            check_picture(message)
        except MessageError as error:
            self._drop(camera, error)
            return
        print_ = fingerprint(message.data)
        with self._lock:
            now, steady = self.now_ns(), self.silence_ns()
            if not self._watch.arrived(camera.name, stamp, now, steady, print_):
                return
            matched = self._matcher.add(camera.name, stamp, message, len(message.data))
            if matched is None:
                return
            if self._pending is not None:
                self._counts["sets skipped"] += 1
            self._pending = matched
        if self._worker is not None:
            self._worker.wake()

    def _look(self) -> None:
        """Says what changed: in /diagnostics at once, in the log once."""
        assert self._drivers is not None
        self._problems = self._drivers.problems()
        health = self.health()
        if (health.level, health.message) != self._last_health:
            self._last_health = (health.level, health.message)
            self._publish_health()
        with self._lock:
            now = self.silence_ns()
            starting = self._watch.starting(now)
            verdicts = {n: self._watch.status(n, now) for n in self._platform.camera_names}
        for camera in self._platform.cameras:
            problem = self._problems.get(camera.name)
            if problem:
                self._say(camera, CameraStatus(Level.UNFIT, problem))
            elif not starting:
                self._say(camera, verdicts[camera.name])

    def _say(self, camera: Camera, verdict: CameraStatus) -> None:
        """Logs what holds for a camera when it changes, and what is still wrong now and then."""
        said, when = self._said.get(camera.name, ("", -_REPORT_EVERY))
        passed = time.monotonic() - when
        if verdict.reason == said and (not said or passed < _REPORT_EVERY):
            return
        if passed < _SAY_AT_MOST_EVERY:
            return
        self._said[camera.name] = (verdict.reason, time.monotonic())
        if verdict.level == Level.FINE:
            self.get_logger().info(f"camera '{camera.name}' is fine again")
        elif verdict.level == Level.WARN:
            self.get_logger().warning(f"camera '{camera.name}': {verdict.reason}")
        else:
            hint = self._hint(camera, verdict.reason)
            self.get_logger().error(f"camera '{camera.name}': {verdict.reason}{hint}")

    def _hint(self, camera: Camera, reason: str) -> str:
        """What a person could look for."""
        if self._drivers is not None and reason.startswith(("silent", "no picture yet")):
            return f"; {self._drivers.silence(camera)}"
        if reason.endswith("into no set"):
            return (
                f": are its stamps within {self.parameters.max_skew:g} s (max_skew) of those of "
                "the other cameras?"
            )
        return ""

    # Sets: the worker's thread.

    def _publish_pending(self) -> None:
        """Decodes, resizes and publishes the newest matched set."""
        with self._lock:
            matched, self._pending = self._pending, None
        if matched is None:
            return
        height, width = self.parameters.image_height, self.parameters.image_width
        canvas = np.zeros((len(self._platform.cameras), height, width, 3), dtype=np.uint8)
        stamps: list[int | None] = []
        boxes: list[Letterbox | None] = []
        for index, camera in enumerate(self._platform.cameras):
            box = self._draw(camera, matched.items[index], canvas[index])
            boxes.append(box)
            stamps.append(None if box is None else matched.stamps_ns[index])
        valid = [stamp for stamp in stamps if stamp is not None]
        if not valid:
            return
        with self._lock:
            self._sequence += 1
        message = camera_set_message(
            Header(stamp=ns_to_time(min(valid)), frame_id=self._platform.base_frame),
            self._sequence,
            self._platform.camera_names,
            [camera.frame for camera in self._platform.cameras],
            stamps,
            boxes,
            canvas,
        )
        message.published = ns_to_time(self.now_ns())
        self._publisher.publish(message)

    def _draw(
        self, camera: Camera, message: Image | CompressedImage | None, canvas: np.ndarray
    ) -> Letterbox | None:
        """Draws a driver's picture into its canvas; None when there is none that is usable."""
        if message is None:
            return None
        try:
            picture = image_to_rgb(message)
        except MessageError as error:
            self._drop(camera, error)
            return None
        box = Letterbox.fit(picture.shape[1], picture.shape[0], canvas.shape[1], canvas.shape[0])
        box.apply(picture, canvas)
        look = blindness_of(picture)
        with self._lock:
            self._watch.used(camera.name, look, self.silence_ns())
        return box

    def _drop(self, camera: Camera, error: MessageError) -> None:
        """Counts an unusable picture, and says why when the reason is a new one."""
        with self._lock:
            self._watch.malformed(camera.name, str(error), self.silence_ns())
            known = self._last_problem[camera.name] == str(error)
            self._last_problem[camera.name] = str(error)
        if not known:
            self.get_logger().error(f"camera '{camera.name}' ({camera.topic}): {error}; dropped")


def main(args: Sequence[str] | None = None) -> int:
    """Runs camera_ingestion."""
    return run_node(CameraIngestion, args)


if __name__ == "__main__":
    sys.exit(main())
