"""camera_ingestion: from the drivers' pictures to time-matched sets at the model's size."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from pi05_msgs.msg import CameraSet
from pi05_ros import fastdds
from pi05_ros.errors import MessageError
from pi05_ros.inference.camera_sets import CameraSetMatcher, MatchedSet
from pi05_ros.inference.letterbox import Letterbox
from pi05_ros.nodes import qos
from pi05_ros.nodes.base import ERROR, OK, Health, ManagedNode, run_node
from pi05_ros.nodes.conversions import camera_set_message, image_to_rgb, ns_to_time, time_to_ns
from pi05_ros.nodes.parameters import parameter
from pi05_ros.nodes.worker import Worker
from pi05_ros.platforms import Camera, load_platform

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ModuleNotFoundError:  # Humble calls the module by another name.
    from rclpy.qos_event import SubscriptionEventCallbacks

# A camera without a picture for this long is reported [s, wall].
_SILENT_AFTER = 2.0
_START_GRACE = 3.0  # [s, wall]
_REPORT_EVERY = 10.0  # [s, wall]


@dataclass(frozen=True)
class CameraIngestionParameters:
    """Parameters of camera_ingestion."""

    platform: str = parameter("mobile_18dof", "Platform name, or the path of its YAML file.")
    image_height: int = parameter(
        224, "Height of the model's pictures [pixel].", minimum=14, maximum=1024
    )
    image_width: int = parameter(
        224, "Width of the model's pictures [pixel].", minimum=14, maximum=1024
    )
    max_skew: float = parameter(
        0.05, "Greatest difference of stamps within a set [s].", minimum=0.0, maximum=1.0
    )
    partial_after: float = parameter(
        0.25,
        "A camera whose newest picture lags this far behind the others' no longer holds a set "
        "back [s].",
        minimum=0.05,
        maximum=5.0,
    )


class CameraIngestion(ManagedNode[CameraIngestionParameters]):
    """Publishes camera_set from the cameras of a platform."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__("camera_ingestion", CameraIngestionParameters, **arguments)
        self._lock = threading.Lock()  # Guards the matcher, the pending set and the counters.
        self._subscriptions_open: list[Any] = []
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
        self._matcher: CameraSetMatcher[Image | CompressedImage] = CameraSetMatcher(
            self._platform.camera_names, self.parameters.max_skew, self.parameters.partial_after
        )
        self._pending: MatchedSet[Image | CompressedImage] | None = None
        self._sequence = 0
        self._counts.clear()
        # Drivers may be starting too: a camera that never sent has a little longer.
        first_due = time.monotonic() + _START_GRACE
        self._last_arrival = dict.fromkeys(self._platform.camera_names, first_due)
        self._last_use = dict(self._last_arrival)  # When a picture last went into a set.
        self._last_report: dict[str, float] = {}
        self._last_problem = dict.fromkeys(self._platform.camera_names, "")
        self._worker = Worker(self, "camera_set", self._publish_pending)
        for camera in self._platform.cameras:
            kind = CompressedImage if camera.transport == "compressed" else Image
            self._subscriptions_open.append(
                self.create_subscription(
                    kind,
                    camera.topic,
                    self.guarded(functools.partial(self._on_picture, camera)),
                    qos.DRIVER_IMAGE,
                    event_callbacks=SubscriptionEventCallbacks(
                        incompatible_qos=functools.partial(self._on_incompatible_qos, camera)
                    ),
                )
            )
        self._watch = self.steady_timer(1.0, self._report_silent_cameras)

    def deactivate(self) -> None:
        """Unsubscribes."""
        for subscription in self._subscriptions_open:
            self.destroy_subscription(subscription)
        self._subscriptions_open = []
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
            self.destroy_timer(self._watch)

    def cleanup(self) -> None:
        """Frees the output."""
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def health(self) -> Health:
        """Silent and unusable cameras, drops and the count of sets."""
        silent = self._silent_cameras()
        unused = self._unused_cameras()
        with self._lock:
            values: dict[str, Any] = {"sets published": self._sequence}
            values |= dict(sorted(self._counts.items()))
            values |= {f"pictures {k}": v for k, v in self._matcher.counts.items()}
        if silent:
            names = ", ".join(camera.name for camera in silent)
            return Health(ERROR, f"no pictures of {names}", values)
        if unused:
            names = ", ".join(camera.name for camera in unused)
            return Health(ERROR, f"pictures of {names} come but are in no set", values)
        return Health(OK, "all cameras send", values)

    def _on_picture(self, camera: Camera, message: Image | CompressedImage) -> None:
        try:
            stamp = time_to_ns(message.header.stamp)
        except MessageError as error:
            self._drop(camera, error)
            return
        with self._lock:
            self._last_arrival[camera.name] = time.monotonic()
            matched = self._matcher.add(camera.name, stamp, message)
            if matched is None:
                return
            if self._pending is not None:
                self._counts["sets skipped"] += 1
            self._pending = matched
        if self._worker is not None:
            self._worker.wake()

    def _publish_pending(self) -> None:
        """Decodes, resizes and publishes the newest matched set: the worker's thread."""
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
        self._publisher.publish(
            camera_set_message(
                Header(stamp=ns_to_time(min(valid)), frame_id=self._platform.base_frame),
                self._sequence,
                self._platform.camera_names,
                [camera.frame for camera in self._platform.cameras],
                stamps,
                boxes,
                canvas,
            )
        )

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
        with self._lock:
            self._last_use[camera.name] = time.monotonic()
        return box

    def _drop(self, camera: Camera, error: MessageError) -> None:
        """Counts an unusable picture, and says why when the reason is a new one."""
        with self._lock:
            self._counts[f"{camera.name} dropped"] += 1
            known = self._last_problem[camera.name] == str(error)
            self._last_problem[camera.name] = str(error)
        if not known:
            self.get_logger().error(f"camera '{camera.name}' ({camera.topic}): {error}; dropped")

    def _silent_cameras(self) -> list[Camera]:
        now = time.monotonic()
        with self._lock:
            return [
                camera
                for camera in self._platform.cameras
                if now - self._last_arrival[camera.name] > _SILENT_AFTER
            ]

    def _unused_cameras(self) -> list[Camera]:
        """Cameras that send, but whose pictures are broken or match no other's stamps."""
        now = time.monotonic()
        with self._lock:
            return [
                camera
                for camera in self._platform.cameras
                if now - self._last_arrival[camera.name] <= _SILENT_AFTER
                and now - self._last_use[camera.name] > _SILENT_AFTER
            ]

    def _report_silent_cameras(self) -> None:
        for camera in self._silent_cameras():
            if time.monotonic() - self._last_report.get(camera.name, 0.0) < _REPORT_EVERY:
                continue
            self._last_report[camera.name] = time.monotonic()
            publishers = self.count_publishers(camera.topic)
            hint = (
                "nobody publishes it: is the driver running, and is the topic right?"
                if publishers == 0
                else f"{publishers} publisher(s), but nothing arrives"
            )
            self.get_logger().error(
                f"camera '{camera.name}': no picture on {camera.topic} for over "
                f"{_SILENT_AFTER:g} s; {hint}"
            )
        for camera in self._unused_cameras():
            if time.monotonic() - self._last_report.get(camera.name, 0.0) < _REPORT_EVERY:
                continue
            self._last_report[camera.name] = time.monotonic()
            self.get_logger().error(
                f"camera '{camera.name}': its pictures come but are in no set for over "
                f"{_SILENT_AFTER:g} s: they are broken, or their stamps lie more than "
                f"{self.parameters.max_skew:g} s (max_skew) from those of the other cameras"
            )

    def _on_incompatible_qos(self, camera: Camera, info: Any) -> None:
        self.get_logger().error(
            f"camera '{camera.name}': a publisher of {camera.topic} offers another QoS "
            f"({info.last_policy_kind}); its pictures do not arrive"
        )


def main(args: Sequence[str] | None = None) -> int:
    """Runs camera_ingestion."""
    return run_node(CameraIngestion, args)


if __name__ == "__main__":
    sys.exit(main())
