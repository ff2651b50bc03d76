"""Frames through camera_ingestion and through a bag are the same model input, byte for byte.

The drivers' messages go over real topics to the real node, and as they came over the wire into a
bag, as the recorder writes them. What the brain would get of each set is compared with the sample
of the bag: pictures, state, and the tokens of its prompt.
"""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")

import cv2
from fakes.bags import make_bag
from fakes.graph import Graph, wait_for
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image

from pi05_msgs.msg import CameraSet, RobotState, Subtask
from pi05_ros.brain.observation_buffer import ObservationBuffer
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.live import live_moments
from pi05_ros.data.episodes.plan_samples import PlanSamples
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.open import open_episodes
from pi05_ros.foundation.resources import resource_path
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.text import prompts
from pi05_ros.model.text.tokenizer import ByteTokenizer
from pi05_ros.nodes.camera_ingestion.camera_ingestion import CameraIngestion
from pi05_ros.nodes.camera_ingestion.parameters import CameraIngestionParameters
from pi05_ros.nodes.common.conversions import (
    float_array,
    ns_to_time,
    pictures_from_message,
    state_from_message,
    time_to_ns,
)
from pi05_ros.platforms.platform import load_platform

# Deeper than the suite's own, so that a busy machine costs no message.
SETS = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
POLICY = ("front", "left_wrist", "right_wrist")
TYPES = {
    Image: "sensor_msgs/msg/Image",
    CompressedImage: "sensor_msgs/msg/CompressedImage",
    RobotState: "pi05_msgs/msg/RobotState",
    Subtask: "pi05_msgs/msg/Subtask",
}


def noise(rng, size, channels, dtype=np.uint8):
    """A smooth picture with noise on it: so that JPEG and Bayer patterns matter."""
    small = rng.integers(0, 256, (8, 8, channels)).astype(np.float32)
    smooth = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC).reshape(*size, channels)
    noisy = np.clip(smooth + rng.normal(0, 5, smooth.shape), 0, 255)
    return (noisy * (257 if np.dtype(dtype).itemsize == 2 else 1)).astype(dtype)


def raw(encoding, channels=3, size=(120, 160), dtype=np.uint8, padding=0):
    """A driver that sends Image."""

    def draw(rng):
        pixels = noise(rng, size, channels, dtype)
        rows = [row.tobytes() + rng.bytes(padding) for row in pixels]
        return Image(
            height=size[0],
            width=size[1],
            encoding=encoding,
            is_bigendian=np.dtype(dtype).byteorder == ">",
            step=len(rows[0]),
            data=b"".join(rows),
        )

    return Image, draw


def planes(encoding, chroma, size=(120, 160), padding=0):
    """A driver that sends Image in planes; `chroma`: rows of the chroma planes for each of Y."""

    def draw(rng):
        pixels = noise(rng, (round(size[0] * (1 + chroma)), size[1]), 1)
        rows = [row.tobytes() + rng.bytes(padding) for row in pixels]
        return Image(
            height=size[0],
            width=size[1],
            encoding=encoding,
            step=len(rows[0]),
            data=b"".join(rows),
        )

    return Image, draw


def compressed(suffix, channels=3, size=(120, 160)):
    """A driver that sends CompressedImage."""

    def draw(rng):
        data = cv2.imencode(suffix, noise(rng, size, channels))[1].tobytes()
        return CompressedImage(format=f"bgr8; {suffix[1:]} compressed bgr8", data=data)

    return CompressedImage, draw


DRIVERS = {
    "colours": [raw("rgb8"), raw("rgba8", 4), raw("bgr8", size=(200, 140)), raw("bgra8", 4)],
    "padded": [raw("rgb8", padding=5), raw("bgr8", padding=1), raw("mono8", 1, padding=7),
               raw("bgr8", padding=6)],
    "compressed": [compressed(".jpg"), compressed(".png"), compressed(".jpg", size=(300, 400)),
                   compressed(".png", 4)],
    "deep": [raw("mono16", 1, dtype=">u2"), raw("rgb16", 3, dtype="<u2"),
             raw("bgra16", 4, dtype=">u2", padding=3), raw("mono16", 1, dtype="<u2")],
    "sensors": [raw("bayer_rggb8", 1), raw("yuv422", 2), raw("yuv422_yuy2", 2),
                raw("bayer_gbrg16", 1, dtype="<u2")],
    "hardware decoders": [planes("nv12", 0.5), planes("nv21", 0.5, padding=6),
                          planes("nv24", 2.0), planes("i420", 0.5)],
    "names": [raw("yuyv", 2), raw("uyvy", 2), raw("YUYV", 2, padding=3), planes("NV12", 0.5)],
    "turned": [raw("rgb8"), compressed(".jpg"), raw("bgr8", padding=5), planes("nv12", 0.5)],
    "as the model sees": [raw("rgb8", size=(224, 224)), raw("mono8", 1, size=(64, 48)),
                          raw("bgr8", size=(448, 448)), raw("rgb8", size=(50, 300))],
}  # fmt: skip

# Clockwise turns of the platform's cameras, which the episode's facts keep.
TURNS = {"turned": (180, 90, 0, 270)}


@pytest.fixture
def graph():
    made = Graph()
    yield made
    made.close()


class Scene:
    """camera_ingestion, drivers, a brain that stores its inputs, and a recorder."""

    def __init__(self, graph, folder, drivers, turns=(0, 0, 0, 0)):
        text = resource_path("config/platforms/mobile_18dof.yaml").read_text()
        for camera, (kind, _) in zip(load_platform("mobile_18dof").cameras, drivers, strict=True):
            if kind is CompressedImage:
                text = text.replace(camera.topic, f"{camera.topic}\n    transport: compressed")
        for camera, turn in zip(load_platform("mobile_18dof").cameras, turns, strict=True):
            text = text.replace(
                f"topic: {camera.topic}", f"topic: {camera.topic}\n    rotate: {turn}"
            )
        (folder / "robot.yaml").write_text(text)
        self.platform = load_platform(str(folder / "robot.yaml"))
        self.drivers = drivers
        self.node = graph.plain("test")
        self.sets: list[CameraSet] = []
        self.recorded: list[tuple[str, bytes, int]] = []
        self.lock = threading.Lock()
        self.topics: dict[str, type] = {}
        self.node.create_subscription(CameraSet, "camera_set", self.sets.append, SETS)
        self.ingestion = graph.add(
            CameraIngestion, platform=str(folder / "robot.yaml"), repeats_unfit=0
        )
        assert self.ingestion.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.ingestion.trigger_activate() == TransitionCallbackReturn.SUCCESS
        self.cameras = [
            self.publisher(kind, camera.topic)
            for camera, (kind, _) in zip(self.platform.cameras, drivers, strict=True)
        ]
        self.states = self.publisher(RobotState, "/pi05/robot_state")
        self.subtasks = self.publisher(Subtask, "/pi05/subtask")
        wait_for(lambda: all(c.get_subscription_count() == 2 for c in self.cameras), "discovery")
        wait_for(lambda: self.states.get_subscription_count() == 1, "discovery")
        wait_for(lambda: self.subtasks.get_subscription_count() == 1, "discovery")

    def publisher(self, kind, topic):
        """A publisher whose messages are also recorded as serialised."""
        self.topics[topic] = kind
        self.node.create_subscription(
            kind, topic, lambda data: self.record(topic, data), RELIABLE, raw=True
        )
        return self.node.create_publisher(kind, topic, RELIABLE)

    def record(self, topic, data):
        with self.lock:
            self.recorded.append((topic, bytes(data), self.node.get_clock().now().nanoseconds))

    def play(self, wanted=4):
        """States at 50 Hz, and pictures with every fifth of them, until there are enough sets."""
        rng = np.random.default_rng(0)
        self.subtasks.publish(Subtask(id=1, task="tidy up", text="pick up the cup",
                                      source="human"))  # fmt: skip
        wait_for(lambda: self.recorded, "the subtask in the bag")
        end, step = time.monotonic() + 20.0, 0
        while len(self.complete()) < wanted:
            assert time.monotonic() < end, (
                f"waited 20 s for {wanted} sets, got {len(self.complete())}"
            )
            stamp = self.node.get_clock().now().nanoseconds
            measured = self.platform.home + rng.normal(0, 0.2, self.platform.size)
            state = RobotState(
                platform=self.platform.name,
                session=1,
                epoch=1,
                names=list(self.platform.names),
                measured=float_array(measured, "d"),
                commanded=float_array(measured + 0.01, "d"),
                mode=RobotState.MODE_RUNNING,
            )
            state.header.stamp = ns_to_time(stamp)
            self.states.publish(state)
            if step % 5 == 0:
                pairs = zip(self.cameras, self.drivers, strict=True)
                for index, (publisher, (_, draw)) in enumerate(pairs):
                    picture = draw(rng)
                    picture.header.stamp = ns_to_time(stamp - index * 2_000_000)
                    publisher.publish(picture)
            time.sleep(0.02)
            step += 1
        count = 1 + step + (step + 4) // 5 * len(self.cameras)
        wait_for(lambda: len(self.recorded) >= count, "everything in the bag")

    def complete(self):
        """The complete sets that arrived."""
        return [one for one in self.sets if all(one.valid)]

    def bag(self, folder):
        """The recorded bag."""
        facts = EpisodeFacts(
            id="e",
            platform=self.platform.name,
            names=self.platform.names,
            units=tuple(str(d.unit) for d in self.platform.dimensions),
            rate_hz=50.0,
            cameras={camera.name: camera.topic for camera in self.platform.cameras},
            rotations={camera.name: camera.rotate for camera in self.platform.cameras},
        )
        topics = [BagTopic(t, TYPES[kind], (OfferedQos(),)) for t, kind in self.topics.items()]
        return make_bag(folder, topics, sorted(self.recorded, key=lambda m: m[2]), facts)

    def brains_view(self, camera_set, cameras=POLICY):
        """Observation of a set and the states, as planner and policy build it."""
        buffer = ObservationBuffer(cameras, needs_scene=False)
        with self.lock:
            recorded = list(self.recorded)
        for topic, data, _ in recorded:
            if self.topics[topic] is RobotState:
                buffer.add_state(state_from_message(deserialize_message(data, RobotState)))
        pictures = pictures_from_message(camera_set)
        buffer.add_pictures(pictures)
        return buffer.latest(pictures.stamp_ns).observation


def tokens(stats, text, state, level=prompts.low_level):
    """Token ids of a level's prompt."""
    prompt = level(text, stats.normalize_state(state))
    return prompts.prompt_batch(ByteTokenizer(), [prompt], 400)[0].tolist()


@pytest.mark.parametrize("name", DRIVERS)
def test_live_and_bag_are_the_same_model_input(graph, tmp_path, name):
    scene = Scene(graph, tmp_path, DRIVERS[name], TURNS.get(name, (0, 0, 0, 0)))
    scene.play()
    for camera_set in scene.complete():  # The planner answers each of them, a while later.
        answer = Subtask(id=2, task="tidy up", text="pick up the cup", source="model")
        answer.header.stamp = camera_set.header.stamp
        scene.record("/pi05/subtask", serialize_message(answer))
    (episode,) = open_episodes(scene.bag(tmp_path / "bag"))
    cache = FrameCache(CacheFolder(tmp_path / "cache", 1 << 30))
    cache.build([episode], episode.cameras)
    samples = {
        "decoded": Samples([episode], episode.cameras, max_picture_age=1.0),
        "cached": Samples([episode], episode.cameras, cache, max_picture_age=1.0),
    }
    defaults = CameraIngestionParameters()
    moments = live_moments(episode, defaults.max_skew_s, defaults.partial_after_s, POLICY)
    units = tuple(str(d.unit) for d in scene.platform.dimensions)
    stats = NormStats.from_limits(
        scene.platform.names, units, scene.platform.lower, scene.platform.upper
    )
    plans = {
        sample.time_ns: sample
        for sample in PlanSamples([episode], episode.cameras, cache)
        if sample.source == "model"
    }
    for camera_set in scene.complete():
        stamp = time_to_ns(camera_set.header.stamp)
        seen = scene.brains_view(camera_set)
        (m,) = np.flatnonzero(moments.times_ns == stamp)
        row = int(moments.rows[m])
        np.testing.assert_array_equal(episode.states[row], seen.state)
        pixels = np.frombuffer(camera_set.data, np.uint8).reshape(4, 224, 224, 3)
        assert len(np.unique(pixels)) > 20  # Something is in the pictures.
        for which in samples.values():
            places = [i for i in range(len(which)) if which[i].row == row]
            sample = which[places[0]]
            for camera, live in zip(camera_set.names, pixels, strict=True):
                assert sample.images[camera].tobytes() == live.tobytes(), camera
            assert tokens(stats, sample.subtask, sample.state) == tokens(
                stats, "pick up the cup", seen.state
            )
            assert sample.source == "human"
        plan, seen = plans[stamp], scene.brains_view(camera_set, episode.cameras)
        assert plan.row == row and plan.text == "pick up the cup"
        for camera, live in seen.images.items():
            assert plan.images[camera].tobytes() == live.tobytes(), camera
        high = prompts.high_level
        assert tokens(stats, plan.task, plan.state, high) == tokens(
            stats, "tidy up", seen.state, high
        )
