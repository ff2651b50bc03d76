"""camera_ingestion: real pictures in, sets out, broken ones dropped."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.graph import Graph, wait_for
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from pi05_msgs.msg import CameraSet
from pi05_ros.nodes import camera_ingestion, qos
from pi05_ros.nodes.camera_ingestion import CameraIngestion
from pi05_ros.nodes.conversions import time_to_ns
from pi05_ros.platforms import load_platform

PLATFORM = load_platform("mobile_18dof")


class Scene:
    """The node, four drivers, and a listener."""

    def __init__(self, graph: Graph) -> None:
        self.node = graph.plain("test")
        self.sets: list[CameraSet] = []
        self.node.create_subscription(CameraSet, "camera_set", self.sets.append, qos.CAMERA_SET)
        self.ingestion = graph.add(CameraIngestion, platform="mobile_18dof")
        assert self.ingestion.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.ingestion.trigger_activate() == TransitionCallbackReturn.SUCCESS
        self.drivers = {
            camera.name: self.node.create_publisher(Image, camera.topic, 5)
            for camera in PLATFORM.cameras
        }
        wait_for(
            lambda: all(d.get_subscription_count() for d in self.drivers.values()), "discovery"
        )

    def image(self, value: int, **changes) -> Image:
        data = np.full((240, 320, 3), value, np.uint8).tobytes()
        fields = {"width": 320, "height": 240, "step": 960, "encoding": "rgb8", "data": data}
        image = Image(**{**fields, **changes})
        image.header.stamp = self.stamp
        return image

    def shoot(self, **special) -> None:
        """One picture of each camera, with the same stamp; `special` replaces some."""
        self.stamp = self.node.get_clock().now().to_msg()
        for index, (name, driver) in enumerate(self.drivers.items()):
            image = self.image(50 * (index + 1))
            if name in special:
                image = self.image(0, **special[name])
            driver.publish(image)

    def shoot_until(self, condition, what, **special):
        def shoot_and_look():
            self.shoot(**special)
            return condition()

        return wait_for(shoot_and_look, what)


@pytest.fixture
def graph():
    made = Graph()
    yield made
    made.close()


def complete(sets):
    return [s for s in sets if all(s.valid)]


def test_four_pictures_become_one_set_with_the_aspect_kept(graph):
    scene = Scene(graph)
    found = scene.shoot_until(lambda: complete(scene.sets), "a complete set")[0]
    assert tuple(found.names) == PLATFORM.camera_names
    assert (found.height, found.width) == (224, 224)
    pixels = np.frombuffer(found.data, np.uint8).reshape(4, 224, 224, 3)
    for index in range(4):
        assert (pixels[index, 28:196] == 50 * (index + 1)).all()
        assert (pixels[index, :28] == 0).all() and (pixels[index, 196:] == 0).all()
    region = found.content_regions[0]
    assert (region.x_offset, region.y_offset, region.width, region.height) == (0, 28, 224, 168)
    assert found.frames[0] == "front_camera_optical_frame"
    stamps = [time_to_ns(stamp) for stamp in found.stamps]
    assert min(stamps) == time_to_ns(found.header.stamp)
    assert max(stamps) - min(stamps) <= 50_000_000


@pytest.mark.parametrize(
    "broken",
    [
        {"width": 0},
        {"height": 0},
        {"width": 1_000_000_000},
        {"step": 1},
        {"data": b""},
        {"data": b"\0" * 1000},
        {"encoding": "no such encoding"},
        {"encoding": ""},
    ],
    ids=lambda b: ",".join(f"{k}={str(v)[:12]}" for k, v in b.items()),
)
def test_a_malformed_picture_is_dropped_and_counted_and_the_others_are_used(graph, broken):
    scene = Scene(graph)
    counts = scene.ingestion._counts
    scene.shoot_until(lambda: counts["back dropped"] > 0, "a drop", back=broken)
    partial = scene.shoot_until(
        lambda: [s for s in scene.sets if list(s.valid) == [True, False, True, True]],
        "a set without the broken camera",
        back=broken,
    )[-1]
    pixels = np.frombuffer(partial.data, np.uint8).reshape(4, 224, 224, 3)
    assert (pixels[1] == 0).all() and (pixels[0, 28:196] == 50).all()
    assert scene.ingestion._last_problem["back"]
    scene.shoot_until(lambda: complete(scene.sets), "a complete set again")


def test_a_zero_stamp_is_dropped_with_a_reason(graph):
    scene = Scene(graph)
    image = Image(width=1, height=1, step=3, encoding="rgb8", data=b"\0\0\0")
    wait_for(
        lambda: (
            scene.drivers["front"].publish(image)
            or "stamp is zero" in scene.ingestion._last_problem["front"]
        ),
        "the reason",
    )
    assert not scene.sets


def test_a_camera_that_nobody_publishes_is_named(graph):
    scene = Scene(graph)
    wait_for(lambda: "front, back" in scene.ingestion.health().message, "the report", 15)
    assert scene.ingestion.health().level == 2


def test_a_wrong_platform_is_one_sentence(graph, capfd):
    node = graph.add(CameraIngestion, platform="mobile_18dog")
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    said = capfd.readouterr().err
    assert "did you mean 'mobile_18dof'?" in said and "Traceback" not in said


def test_cameras_that_send_at_different_times_are_named(graph, monkeypatch):
    monkeypatch.setattr(camera_ingestion, "_START_GRACE", 0.0)
    monkeypatch.setattr(camera_ingestion, "_SILENT_AFTER", 0.5)
    scene = Scene(graph)

    def shoot_apart():
        for driver in scene.drivers.values():
            scene.stamp = scene.node.get_clock().now().to_msg()
            driver.publish(scene.image(0))
            time.sleep(0.06)
        return "come but are in no set" in scene.ingestion.health().message

    wait_for(shoot_apart, "the reason")
    assert complete(scene.sets) == []
