"""Node `camera_ingestion`: time-matched sets of driver pictures at the model's size."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header, String

from pi05_msgs.msg import CameraSet
from pi05_ros.cameras.consumers import ConsumerSets
from pi05_ros.cameras.health import CameraStatus, CameraWatch, Level
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.cameras.model_input import fit_driver_picture
from pi05_ros.cameras.picture_checks import blindness_of, fingerprint
from pi05_ros.cameras.sets import MatchedSet
from pi05_ros.errors import MessageError
from pi05_ros.foundation import fastdds
from pi05_ros.nodes.camera_ingestion.drivers import CameraDrivers
from pi05_ros.nodes.camera_ingestion.parameters import CameraIngestionParameters
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.conversions import camera_set_message, ns_to_time, time_to_ns
from pi05_ros.nodes.common.driver_pictures import check_picture, image_to_rgb
from pi05_ros.nodes.common.health import ERROR, OK, WARN, Health
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.common.worker import Worker
from pi05_ros.platforms.platform import Camera, load_platform

# Period of the checks of all cameras, for the log and /diagnostics [s, wall].
_CHECK_PERIOD = 0.1
_LARGE = 1 << 20  # [byte]; a JPEG of this size takes some milliseconds.
_LOG_PERIOD = 1.0  # Minimum interval of log lines of a camera [s, wall].
_REPEAT_PERIOD = 10.0  # Interval after which a persistent fault is logged again [s, wall].


@dataclass(frozen=True)
class _Drawn:
    """A picture at the model's size."""

    message: Image | CompressedImage
    box: Letterbox
    canvas: np.ndarray  # (H, W, 3) uint8 rgb.


class CameraIngestion(ManagedNode[CameraIngestionParameters]):
    """Publishes camera_set from the cameras of a platform, and reports their health.

    The health checks are in `cameras/health.py`.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__("camera_ingestion", CameraIngestionParameters, **arguments)
        # Guards the matchers, the watch, the pending sets and the counters.
        self._lock = threading.Lock()
        self._drivers: CameraDrivers | None = None
        self._worker: Worker | None = None
        self._publisher: Any = None
        self._counts: Counter[str] = Counter()

    def configure(self) -> None:
        """Read the platform and create the output."""
        problem = fastdds.profile_problem()
        if problem:
            self.get_logger().warning(problem)
        self._platform = load_platform(self.parameters.platform)
        self._publisher = self.create_publisher(CameraSet, "camera_set", qos.CAMERA_SET)

    def activate(self) -> None:
        """Subscribe to the drivers."""
        names = self._platform.camera_names
        self._sets: ConsumerSets[Image | CompressedImage] = ConsumerSets(
            names,
            {"policy": self._platform.policy_cameras, "planner": self._platform.planner_cameras},
            self.parameters.max_skew_s,
            self.parameters.partial_after_s,
        )
        self._watch = CameraWatch(
            names,
            self._platform.policy_cameras,
            self.parameters.watch_settings(),
            self.timeout_clock_ns(),
        )
        # Consumers → their newest set that is not published yet.
        self._pending: dict[tuple[str, ...], MatchedSet[Image | CompressedImage]] = {}
        # Camera → its last drawn picture: sets of two consumers have some in common.
        self._drawn: dict[str, _Drawn] = {}
        self._sequence = 0
        self._counts.clear()
        # Camera → last logged reason and its time.
        self._logged: dict[str, tuple[str, float]] = {}
        self._last_problem = dict.fromkeys(names, "")
        self._last_health = (OK, "")
        self._problems: dict[str, str] = {}  # Camera → why no picture of its publishers arrives.
        self._worker = self.start_worker("camera_set", self._publish_pending)
        self._drivers = CameraDrivers(self, self._platform, self._on_picture)
        # Latched by policy and planner: cameras of their checkpoint, perhaps not the platform's.
        self._needed = [
            self.create_subscription(String, topic, self.guarded(callback), qos.LATCHED)
            for topic, callback in (
                ("policy_cameras", self._on_policy_cameras),
                ("planner_cameras", self._on_planner_cameras),
            )
        ]
        self._timer = self.steady_timer(_CHECK_PERIOD, self._check_cameras)

    def deactivate(self) -> None:
        """Destroy the subscriptions."""
        if self._drivers is not None:
            self._drivers.close()
            self._drivers = None
        if self._worker is not None:
            self.stop_worker(self._worker)
            self._worker = None
            self.destroy_timer(self._timer)
            for subscription in self._needed:
                self.destroy_subscription(subscription)

    def cleanup(self) -> None:
        """Destroy the output."""
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def fitness(self) -> str:
        """Return why the robot must not move on the policy's cameras; "" if it may."""
        with self._lock:
            return self._watch.fitness(self.timeout_clock_ns())

    def health(self) -> Health:
        """Rate, age, drops and faults of each camera."""
        with self._lock:
            now, watch = self.timeout_clock_ns(), self._watch
            statuses = {name: watch.status(name, now) for name in self._platform.camera_names}
            unfit, starting = watch.fitness(now), watch.starting(now)
            values: dict[str, Any] = {"sets published": self._sequence}
            values |= dict(sorted(self._counts.items()))
            values |= {f"pictures {k}": v for k, v in sorted(self._sets.counts.items())}
            for name in self._platform.camera_names:
                values[f"{name} rate [Hz]"] = f"{watch.rate(name, now):.1f}"
                values[f"{name} age [s]"] = f"{watch.age(name, now):.3f}"
                values[f"{name} last arrival [s]"] = f"{watch.arrival_age(name, now):.3f}"
                values |= {f"{name} {k}": v for k, v in watch.counts(name).items()}
        problems = self._problems
        reasons = {n: problems.get(n) or status.reason for n, status in statuses.items()}
        text = "; ".join(f"camera {name}: {why}" for name, why in reasons.items() if why)
        any_unfit = any(status.level == Level.UNFIT for status in statuses.values())
        if problems or (not starting and (any_unfit or unfit)):
            # All cameras blind is an error, one blind camera a warning.
            return Health(ERROR, text if any_unfit or problems else unfit, values)
        return Health(WARN, text, values) if text else Health(OK, "all cameras publish", values)

    def _on_policy_cameras(self, message: String) -> None:
        self._on_needed_cameras("policy", message)

    def _on_planner_cameras(self, message: String) -> None:
        self._on_needed_cameras("planner", message)

    def _on_needed_cameras(self, consumer: str, message: String) -> None:
        """Match sets for the cameras of a consumer; without the policy's the robot must hold."""
        try:
            names = json.loads(message.data)
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError(f"wanted a list of names, found {message.data[:80]!r}")
            with self._lock:
                self._sets.set_cameras(consumer, names)
                if consumer == "policy":
                    self._watch.need(names)
        except ValueError as error:
            raise MessageError(
                f"{consumer}_cameras: {error}; start all nodes with one platform"
            ) from error
        self.get_logger().info(f"cameras of the {consumer}: {', '.join(names) or 'none'}")

    # Pictures: the executor's thread.

    def _on_picture(self, camera: Camera, message: Image | CompressedImage) -> None:
        try:
            stamp = time_to_ns(message.header.stamp)
            # Checked here, so that each is counted and none displaces a valid one in a set.
            check_picture(message, damage=_is_small(message))
        except MessageError as error:
            self._drop_picture(camera, error)
            return
        print_ = fingerprint(message.data)
        with self._lock:
            now, steady = self.now_ns(), self.timeout_clock_ns()
            if not self._watch.arrived(camera.name, stamp, now, steady, print_):
                return
            made = self._sets.add(camera.name, stamp, message, len(message.data))
            if not made:
                return
            for one in made:
                # A set for all of them also replaces one that was for some.
                for consumers in [c for c in self._pending if set(c) <= set(one.consumers)]:
                    self._counts["sets skipped"] += 1
                    del self._pending[consumers]
                self._pending[one.consumers] = one.matched
        if self._worker is not None:
            self._worker.wake()

    def _check_cameras(self) -> None:
        """Report changes of the cameras' health, in /diagnostics and in the log."""
        assert self._drivers is not None
        self._problems = self._drivers.problems()
        health = self.health()
        if (health.level, health.message) != self._last_health:
            self._last_health = (health.level, health.message)
            self._publish_health()
        with self._lock:
            now = self.timeout_clock_ns()
            starting = self._watch.starting(now)
            statuses = {n: self._watch.status(n, now) for n in self._platform.camera_names}
        for camera in self._platform.cameras:
            problem = self._problems.get(camera.name)
            if problem:
                self._log_status(camera, CameraStatus(Level.UNFIT, problem))
            elif not starting:
                self._log_status(camera, statuses[camera.name])

    def _log_status(self, camera: Camera, status: CameraStatus) -> None:
        """Log a change of a camera's status, and a persistent fault at intervals."""
        logged, when = self._logged.get(camera.name, ("", -_REPEAT_PERIOD))
        passed = time.monotonic() - when
        if status.reason == logged and (not logged or passed < _REPEAT_PERIOD):
            return
        if passed < _LOG_PERIOD:
            return
        self._logged[camera.name] = (status.reason, time.monotonic())
        if status.level == Level.FINE:
            self.get_logger().info(f"camera '{camera.name}' is healthy again")
        elif status.level == Level.WARN:
            self.get_logger().warning(f"camera '{camera.name}': {status.reason}")
        else:
            hint = self._hint(camera, status.reason)
            self.get_logger().error(f"camera '{camera.name}': {status.reason}{hint}")

    def _hint(self, camera: Camera, reason: str) -> str:
        """Return a hint on the likely cause, to append to the log line."""
        if self._drivers is not None and reason.startswith(("silent", "no picture yet")):
            return f"; {self._drivers.silence(camera)}"
        if reason.endswith("into no set"):
            return (
                f": are its stamps within {self.parameters.max_skew_s:g} s (max_skew_s) of those "
                "of the other cameras?"
            )
        return ""

    # Sets: the worker's thread.

    def _publish_pending(self) -> None:
        """Decode, resize and publish the newest matched set of each consumer."""
        with self._lock:
            pending, self._pending = self._pending, {}
        for matched in pending.values():
            self._publish_set(matched)

    def _publish_set(self, matched: MatchedSet[Image | CompressedImage]) -> None:
        height, width = self.parameters.image_height_px, self.parameters.image_width_px
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
        """Draw a picture into its canvas; return None if there is no valid one."""
        if message is None:
            return None
        drawn = self._drawn.get(camera.name)
        if drawn is not None and drawn.message is message:
            canvas[:] = drawn.canvas
            return drawn.box
        try:
            picture = image_to_rgb(message, checked=_is_small(message))
        except MessageError as error:
            self._drop_picture(camera, error)
            return None
        box = fit_driver_picture(picture, camera.rotate, canvas)
        self._drawn[camera.name] = _Drawn(message, box, canvas)
        blindness = blindness_of(picture)
        with self._lock:
            self._watch.used(camera.name, blindness, self.timeout_clock_ns())
        return box

    def _drop_picture(self, camera: Camera, error: MessageError) -> None:
        """Count an invalid picture; log its error if it differs from the last one."""
        with self._lock:
            self._watch.malformed(camera.name, str(error), self.timeout_clock_ns())
            known = self._last_problem[camera.name] == str(error)
            self._last_problem[camera.name] = str(error)
        if not known:
            self.get_logger().error(f"camera '{camera.name}' ({camera.topic}): {error}; dropped")


def _is_small(message: Image | CompressedImage) -> bool:
    """Check whether a picture is searched for damage on arrival, in the executor's thread.

    A larger one is when it is decoded: it may then be missing in a set.
    """
    return len(message.data) <= _LARGE


def main(args: Sequence[str] | None = None) -> int:
    """Run camera_ingestion."""
    return run_node(CameraIngestion, args)


if __name__ == "__main__":
    sys.exit(main())
