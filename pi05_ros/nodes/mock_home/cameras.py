"""Camera drivers of the mock home: pictures rendered from snapshots, in their own thread."""

from __future__ import annotations

import array
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pi05_ros.errors import Pi05Error
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.platforms.platform import Camera
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.simulation import Simulation
from pi05_ros.sim.world import Snapshot

_START_TIMEOUT = 30.0  # Limit for the first picture [s]: drivers of software GL load slowly.


@dataclass(frozen=True)
class _Request:
    """Request for the pictures that are due."""

    snapshot: Snapshot
    stamp_ns: int
    drivers: Sequence[CameraDriver]


class CameraDriver:
    """Publishers of one camera, in the transport that the platform names."""

    def __init__(self, node: Node, camera: Camera, jpeg_quality: int) -> None:
        self.camera = camera
        self.period_ns = round(1e9 / camera.rate_hz)
        self._quality = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        kind = Image if camera.transport == "raw" else CompressedImage
        self._pictures = node.create_publisher(kind, camera.topic, qos.DRIVER_OUTPUT)
        self._infos = node.create_publisher(
            CameraInfo, camera.camera_info_topic, qos.DRIVER_OUTPUT
        )
        self._info = camera_info(camera)
        self._image = Image(
            height=camera.height, width=camera.width, encoding="rgb8", step=3 * camera.width
        )
        self._image.header.frame_id = camera.frame
        self._image.data = array.array("B", bytes(3 * camera.width * camera.height))
        # The message keeps this buffer: a picture is copied once, in place.
        buffer = np.frombuffer(self._image.data, dtype=np.uint8)
        self._pixels = buffer.reshape(camera.height, camera.width, 3)
        self._compressed = CompressedImage(format="rgb8; jpeg compressed bgr8")
        self._compressed.header.frame_id = camera.frame

    @property
    def is_watched(self) -> bool:
        """True if the pictures have a subscriber."""
        return self._pictures.get_subscription_count() > 0

    def publish_info(self, stamp_ns: int) -> None:
        """Publish CameraInfo with the stamp of its picture, if there is a subscriber."""
        if not self._infos.get_subscription_count():
            return
        self._info.header.stamp = ns_to_time(stamp_ns)
        self._infos.publish(self._info)

    def publish(self, picture: np.ndarray, stamp_ns: int) -> None:
        """Publish a picture, (height, width, 3) uint8 rgb."""
        if self.camera.transport == "raw":
            self._image.header.stamp = ns_to_time(stamp_ns)
            self._pixels[:] = picture
            self._pictures.publish(self._image)
            return
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), self._quality)
        self._compressed.header.stamp = ns_to_time(stamp_ns)
        self._compressed.data = array.array("B", encoded.tobytes())
        self._pictures.publish(self._compressed)


class CameraThread:
    """Renders pictures in parallel with the physics.

    One snapshot may be queued while another is rendered. If the queue is full, simulated time
    waits: a slow machine slows the simulation, and the cameras keep their rate.

    Args:
        node: Owns the publishers.
        simulation: The simulation.
        jpeg_quality: Quality of compressed pictures, 1 to 100.

    Attributes:
        rendered: Pictures published.

    Raises:
        Pi05Error: No picture can be rendered on this machine.
    """

    def __init__(self, node: Node, simulation: Simulation, jpeg_quality: int) -> None:
        self.rendered = 0
        self._simulation = simulation
        self._drivers = [
            CameraDriver(node, camera, jpeg_quality) for camera in simulation.platform.cameras
        ]
        self._requests: queue.Queue[_Request] = queue.Queue(maxsize=1)
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="cameras", daemon=True)

    def start(self) -> None:
        """Start the thread, and wait for a first picture to check that rendering works."""
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT):
            raise Pi05Error(
                f"the first picture of the mock home was not rendered within {_START_TIMEOUT:g} s"
            )
        self.check()

    def check(self) -> None:
        """Raise Pi05Error if rendering has failed."""
        if self._failure is not None:
            raise Pi05Error(
                f"the mock home's cameras cannot render ({self._failure}); MUJOCO_GL=egl needs "
                "libegl1, MUJOCO_GL=osmesa needs libosmesa6"
            ) from self._failure

    def request_due(self, since_ns: int) -> None:
        """Request the pictures that became due after `since_ns`. Called after each tick."""
        now_ns = self._simulation.now_ns
        due = [d for d in self._drivers if now_ns // d.period_ns != since_ns // d.period_ns]
        for driver in due:
            driver.publish_info(now_ns)
        due = [driver for driver in due if driver.is_watched]
        if not due:
            return
        request = _Request(self._simulation.world.snapshot(), now_ns, due)
        while not self._stop.is_set() and self._thread.is_alive():
            try:
                self._requests.put(request, timeout=0.1)
                return
            except queue.Full:
                continue

    def close(self) -> None:
        """End the thread and free its OpenGL context."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        renderer = CameraRenderer(self._simulation.world)
        try:
            first = self._drivers[0].camera
            renderer.render(first.name, self._simulation.world.snapshot())
            self._ready.set()
            while not self._stop.is_set():
                try:
                    request = self._requests.get(timeout=0.1)
                except queue.Empty:
                    continue
                for driver in request.drivers:
                    picture = renderer.render(driver.camera.name, request.snapshot)
                    driver.publish(picture, request.stamp_ns)
                    self.rendered += 1
        except Exception as error:
            self._failure = error
        finally:
            self._ready.set()
            renderer.close()


def camera_info(camera: Camera) -> CameraInfo:
    """Return the CameraInfo of a mock camera, an ideal pinhole."""
    fx, fy, cx, cy = camera.intrinsics
    info = CameraInfo(
        height=camera.height,
        width=camera.width,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
    info.header.frame_id = camera.frame
    return info
