"""camera_ingestion: real pictures in, sets out, broken ones dropped."""

import time

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from fakes.graph import Graph, wait_for
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from pi05_msgs.msg import CameraSet, Heartbeat
from pi05_ros.cameras.consumers import SetChoice
from pi05_ros.foundation.resources import resource_path
from pi05_ros.nodes.camera_ingestion.camera_ingestion import CameraIngestion
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time, pictures_from_message, time_to_ns
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


JPEG_TOPIC = "/left_wrist_camera/image_raw/compressed"


def jpeg_wrist(folder):
    """A platform whose left wrist camera sends JPEG."""
    text = resource_path("config/platforms/mobile_18dof.yaml").read_text()
    topic = "topic: /left_wrist_camera/image_raw"
    path = folder / "robot.yaml"
    path.write_text(text.replace(topic, f"topic: {JPEG_TOPIC}\n    transport: compressed"))
    return str(path)


class Scene:
    """The node, four drivers, and a listener."""

    def __init__(self, graph: Graph, jpeg: tuple[str, ...] = (), **parameters) -> None:
        self.node = graph.plain("test")
        self.sets: list[CameraSet] = []
        self.beats: list[Heartbeat] = []
        self.health: list[tuple[int, str]] = []
        self.node.create_subscription(CameraSet, "camera_set", self.sets.append, qos.CAMERA_SET)
        self.node.create_subscription(Heartbeat, "heartbeat", self.beats.append, qos.HEARTBEAT)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_health, 50)
        self.noise = np.random.default_rng(0)
        parameters.setdefault("platform", "mobile_18dof")
        self.ingestion = graph.add(CameraIngestion, **parameters)
        assert self.ingestion.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.ingestion.trigger_activate() == TransitionCallbackReturn.SUCCESS
        self.drivers = {
            camera.name: self.node.create_publisher(Image, camera.topic, 5)
            for camera in PLATFORM.cameras
            if camera.name not in jpeg
        }
        wait_for(
            lambda: all(d.get_subscription_count() for d in self.drivers.values()), "discovery"
        )
        if not parameters.get("use_sim_time"):  # Then it beats when time runs.
            wait_for(lambda: self.beats, "a heartbeat")

    def _on_health(self, message: DiagnosticArray) -> None:
        status = message.status[0]
        if status.name.endswith("camera_ingestion"):
            self.health.append((status.level[0], status.message))

    @property
    def reason(self) -> str:
        """Reason of the newest heartbeat."""
        assert self.beats[-1].fit is not bool(self.beats[-1].reason)
        return self.beats[-1].reason

    def count(self, camera: str, what: str) -> int:
        return self.ingestion._watch.counts(camera).get(what, 0)

    def image(self, value: int | None, **changes) -> Image:
        """A grey picture, or noise; `behind` is how much older its stamp is [ns]."""
        behind = changes.pop("behind", 0)
        data = (
            self.noise.integers(0, 256, (240, 320, 3), dtype=np.uint8).tobytes()
            if value is None
            else np.full((240, 320, 3), value, np.uint8).tobytes()
        )
        fields = {"width": 320, "height": 240, "step": 960, "encoding": "rgb8", "data": data}
        image = Image(**{**fields, **changes})
        image.header.stamp = ns_to_time(time_to_ns(self.stamp) - behind)
        return image

    def shoot(self, grey: bool = True, **special) -> None:
        """One picture of each camera, with the same stamp.

        `special` replaces some: the changed fields, or None for a camera that is silent.
        """
        self.stamp = self.node.get_clock().now().to_msg()
        for index, (name, driver) in enumerate(self.drivers.items()):
            changes = special.get(name, {})
            if changes is not None:
                driver.publish(self.image(50 * (index + 1) if grey else None, **changes))

    def shoot_until(self, condition, what, **special):
        def shoot_and_look():
            self.shoot(**special)
            return condition()

        return wait_for(shoot_and_look, what)


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
    assert time_to_ns(found.published) > max(stamps)


def test_a_slow_back_camera_leaves_the_policy_its_rate_and_stamps(graph):
    scene = Scene(graph)
    own = PLATFORM.policy_cameras
    choice, times, whole = SetChoice(own), [], 0
    for k in range(90):
        scene.shoot(grey=False, back={} if k % 6 == 0 else None)
        time.sleep(1 / 30)
    wait_for(lambda: len(scene.sets) >= 85, "the last sets")
    for one in scene.sets:
        have = pictures_from_message(one).stamps_ns
        whole += len(have) == 4
        stamp = choice.stamp(have, 0)
        if choice.take(stamp, have.keys() >= set(own)) and have.keys() >= set(own):
            times.append(stamp)
            assert stamp == min(have[name] for name in own)
    assert len(times) >= 85 and whole >= 13
    seconds = (times[-1] - times[0]) * 1e-9
    assert len(times) / seconds >= 0.9 * 90 / (seconds + 1 / 30)
    assert scene.reason == ""


def test_a_jpeg_with_a_lost_packet_is_counted_named_and_in_no_set(graph, tmp_path):
    """Three of five pictures of the left wrist are damaged, as of a camera on a bad hub."""
    scene = Scene(graph, jpeg=("left_wrist",), platform=jpeg_wrist(tmp_path))
    wrist = scene.node.create_publisher(CompressedImage, JPEG_TOPIC, 5)
    wait_for(lambda: wrist.get_subscription_count(), "discovery")
    sent = 0

    def shoot():
        nonlocal sent
        scene.shoot(grey=False)
        pixels = scene.noise.integers(0, 256, (240, 320, 3), dtype=np.uint8)
        data = cv2.imencode(".jpg", pixels)[1].tobytes()
        if sent % 5 < 3:
            data = data[:20_000] + data[21_000:]
        picture = CompressedImage(format="jpeg", data=data)
        picture.header.stamp = scene.stamp
        wrist.publish(picture)
        sent += 1
        return sent >= 50 and scene.count("left_wrist", "malformed") >= 20

    wait_for(shoot, "malformed pictures")
    damaged = "the JPEG is damaged: a part of its data is missing"
    warned = f"camera left_wrist: some of its pictures are broken ({damaged}), and not used"
    wait_for(lambda: shoot() and any(warned in text for _, text in scene.health), "the warning")
    assert scene.reason == ""
    assert len(complete(scene.sets)) >= 10


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
    scene.shoot_until(lambda: scene.count("back", "malformed") > 0, "a drop", back=broken)
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


def test_a_camera_that_is_silent_from_the_start_is_named(graph, capfd):
    scene = Scene(graph, start_grace_s=0.2)
    front = scene.drivers.pop("front")
    scene.node.destroy_publisher(front)
    wait_for(
        lambda: any(
            level == 2 and text.startswith("camera front: no picture yet; camera back")
            for level, text in scene.health
        ),
        "diagnostics",
    )
    said = ""

    def nobody():
        nonlocal said
        said += capfd.readouterr().err
        return "no publisher on /front_camera/image_raw: is the driver running" in said

    wait_for(nobody, "the hint")


def test_a_wrong_platform_is_one_sentence(graph, capfd):
    node = graph.add(CameraIngestion, platform="mobile_18dog")
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    said = capfd.readouterr().err
    assert "did you mean 'mobile_18dof'?" in said and "Traceback" not in said


def test_cameras_that_send_at_different_times_are_named(graph, capfd):
    scene = Scene(graph, start_grace_s=0.0)

    def shoot_apart():
        for driver in scene.drivers.values():
            scene.stamp = scene.node.get_clock().now().to_msg()
            driver.publish(scene.image(None))
            time.sleep(0.06)
        return "come but fit into no set" in scene.reason

    wait_for(shoot_apart, "the reason")
    assert complete(scene.sets) == []
    wait_for(lambda: any("into no set" in message for _, message in scene.health), "diagnostics")
    said = ""

    def hinted():
        nonlocal said
        said += capfd.readouterr().err
        return "(max_skew_s) of those of the other cameras?" in said

    wait_for(lambda: shoot_apart() and hinted(), "the hint")  # Logged with a limit on its rate.


def test_a_silent_camera_is_unfit_and_fit_again_when_it_sends(graph):
    scene = Scene(graph)
    scene.shoot_until(lambda: scene.beats[-1].fit, "a fit heartbeat", grey=False)
    scene.shoot_until(
        lambda: scene.reason == "camera left_wrist: silent for over 0.3 s",
        "the reason",
        grey=False,
        left_wrist=None,
    )
    wait_for(lambda: any("left_wrist: silent" in text for _, text in scene.health), "diagnostics")
    scene.shoot_until(lambda: scene.beats[-1].fit, "a fit heartbeat again", grey=False)


def test_a_camera_that_only_the_planner_needs_holds_nothing_up(graph):
    scene = Scene(graph, start_grace_s=0.0)
    scene.shoot_until(
        lambda: (2, "camera back: no picture yet") in scene.health,
        "diagnostics",
        grey=False,
        back=None,
    )
    scene.shoot_until(lambda: scene.beats[-1].fit, "a fit heartbeat", grey=False, back=None)


def test_the_same_bytes_with_new_stamps_are_noticed(graph):
    scene = Scene(graph, repeats_warn=5, repeats_unfit=20)
    same = {"front": {"data": b"\1\2\3" * 320 * 240}}
    scene.shoot_until(
        lambda: scene.reason == "camera front: the same picture 20 times or more in a row",
        "the reason",
        grey=False,
        **same,
    )
    assert any("the same picture 5 times" in text for _, text in scene.health)


def test_a_camera_stamped_200_ms_behind_is_in_no_set(graph):
    scene = Scene(graph)
    scene.shoot_until(lambda: complete(scene.sets), "a complete set", grey=False)
    off = {"front": {"behind": 200_000_000}}
    scene.shoot(grey=False, **off)
    time.sleep(0.1)
    scene.sets.clear()
    scene.shoot_until(
        lambda: "front: no usable picture for over 0.3 s, its stamps lag" in scene.reason,
        "the reason",
        grey=False,
        **off,
    )
    assert complete(scene.sets) == []
    scene.shoot_until(lambda: complete(scene.sets), "a complete set again", grey=False)


def test_stamps_in_the_future_are_refused(graph):
    scene = Scene(graph)
    scene.shoot_until(
        lambda: scene.count("front", "refused, its stamps are in the future") > 3,
        "refusals",
        front={"behind": -5_000_000_000},
    )
    assert not any(s.valid[0] for s in scene.sets)


def test_cameras_that_all_see_nothing_are_unfit(graph):
    scene = Scene(graph, repeats_warn=0, repeats_unfit=0)
    scene.shoot_until(
        lambda: scene.reason == "nothing can be seen in any needed camera (covered)", "the reason"
    )
    wait_for(lambda: any("covered: nothing" in text for _, text in scene.health), "diagnostics")
    scene.shoot_until(lambda: scene.beats[-1].fit, "a fit heartbeat", grey=False)


def test_a_topic_of_another_type_is_an_error_that_names_it(graph):
    scene = Scene(graph, start_grace_s=60.0)
    # A context has one type for a topic, so the wrong driver needs one of its own.
    other = rclpy.Context()
    other.init(domain_id=graph.context.get_domain_id())
    wrong = Node("wrong_driver", context=other)
    wrong.create_publisher(CompressedImage, PLATFORM.cameras[0].topic, 5)
    found = wait_for(
        lambda: [text for level, text in scene.health if level == 2 and "Compressed" in text],
        "diagnostics",
    )[0]
    assert (
        "camera front: /front_camera/image_raw is published as sensor_msgs/msg/CompressedImage, "
        "wanted sensor_msgs/msg/Image (transport 'raw' in the platform)" in found
    )
    wrong.destroy_node()
    other.shutdown()


def test_a_simulation_slower_than_wall_time_is_judged_by_its_own_clock(graph):
    scene = Scene(graph, use_sim_time=True, start_grace_s=0.0)
    clock = scene.node.create_publisher(Clock, "/clock", 10)
    now = 100_000_000_000

    def advance(**special):
        """20 ms of simulated time in 100 ms of wall time; pictures every 100 ms of it."""
        nonlocal now
        now += 20_000_000
        wait_for(
            lambda: clock.publish(Clock(clock=ns_to_time(now))) or scene.ingestion.now_ns() == now,
            "the clock",
        )
        if now % 100_000_000 == 0:
            scene.stamp = ns_to_time(now)
            for name, driver in scene.drivers.items():
                if special.get(name, True):
                    noise = scene.noise.bytes(32 * 24 * 3)
                    driver.publish(scene.image(0, width=32, height=24, step=96, data=noise))
        time.sleep(0.1)

    wait_for(lambda: advance() or (scene.beats and scene.beats[-1].fit), "a fit heartbeat")
    begun = len(scene.beats)
    for _ in range(12):  # Over a second without pictures, as a wall clock would see it.
        advance()
    assert all(beat.fit for beat in scene.beats[begun:])
    wait_for(lambda: advance(front=False) or scene.reason, "a silent camera")
    assert scene.reason == "camera front: silent for over 0.3 s"


def test_the_policy_says_which_cameras_the_robot_needs(graph, capfd):
    scene = Scene(graph)
    needed = scene.node.create_publisher(String, "policy_cameras", qos.LATCHED)
    needed.publish(String(data='["front"]'))
    wait_for(lambda: "cameras of the policy: front" in capfd.readouterr().err, "the log")
    errors = scene.ingestion.callback_errors
    for count, data in enumerate(("front", '{"front": 1}', '["front", "base_0_rgb"]')):
        needed.publish(String(data=data))
        wait_for(lambda n=count: errors["_on_policy_cameras"] > n, f"the refusal of {data}")
    assert "start all nodes with one platform" in capfd.readouterr().err
    assert scene.ingestion._watch._needed == ("front",)
