"""A mock home's moment through topics and in process is the same input of nano, byte for byte.

The drivers of the mock home publish one snapshot to the real camera_ingestion, at nano's size;
a trial without ROS looks at the same snapshot. What the model is given of each is compared:
pictures, those of the wrists reduced, and the tokens of the prompt.
"""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from fakes.graph import Graph, wait_for
from rclpy.lifecycle import TransitionCallbackReturn

from pi05_msgs.msg import CameraSet, RobotState
from pi05_ros.brain.observation_buffer import ObservationBuffer
from pi05_ros.checkpoints.checkpoint import make_tokenizer
from pi05_ros.evaluation.world_pictures import DriverPictures
from pi05_ros.foundation.resources import resource_path
from pi05_ros.inference.request import RequestReader
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.text import prompts
from pi05_ros.nodes.camera_ingestion.camera_ingestion import CameraIngestion
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import (
    float_array,
    ns_to_time,
    pictures_from_message,
    state_from_message,
)
from pi05_ros.nodes.mock_home.cameras import CameraDriver
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.world import World

QUALITY = 90  # Of the mock home's JPEG pictures, as its parameter.
SUBTASK = "pick up the red bowl"


@pytest.fixture
def graph():
    made = Graph()
    yield made
    made.close()


@pytest.fixture
def platform(tmp_path):
    """The robot, with the transport of one camera changed: both ways are compared."""
    text = resource_path("config/platforms/mobile_18dof.yaml").read_text()
    topic = load_platform("mobile_18dof").camera("left_wrist").topic
    text = text.replace(f"topic: {topic}", f"topic: {topic}\n    transport: compressed")
    (tmp_path / "robot.yaml").write_text(text)
    return load_platform(str(tmp_path / "robot.yaml"))


def through_the_graph(graph, platform, size, rendered, measured):
    """The observation that planner and policy build of a snapshot's pictures and a state."""
    node, sets, states = graph.plain("test"), [], []
    node.create_subscription(CameraSet, "camera_set", sets.append, qos.CAMERA_SET)
    node.create_subscription(RobotState, "robot_state", states.append, qos.ROBOT_STATE)
    height, width = size
    ingestion = graph.add(
        CameraIngestion,
        platform=platform.source,
        image_height_px=height,
        image_width_px=width,
        repeats_warn=0,
        repeats_unfit=0,
    )
    assert ingestion.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert ingestion.trigger_activate() == TransitionCallbackReturn.SUCCESS
    drivers = [CameraDriver(node, camera, QUALITY) for camera in platform.cameras]
    robot = node.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
    wait_for(lambda: all(driver.is_watched for driver in drivers), "discovery")
    wait_for(lambda: robot.get_subscription_count(), "discovery")
    end = time.monotonic() + 20.0
    while not (states and any(all(one.valid) for one in sets)):
        assert time.monotonic() < end, f"waited 20 s for a set, got {len(sets)}"
        stamp = node.get_clock().now().nanoseconds
        state = RobotState(
            platform=platform.name,
            session=1,
            epoch=1,
            names=list(platform.names),
            measured=float_array(measured, "d"),
            commanded=float_array(measured, "d"),
            mode=RobotState.MODE_RUNNING,
        )
        state.header.stamp = ns_to_time(stamp)
        robot.publish(state)
        for driver in drivers:
            driver.publish(rendered(driver.camera.name), stamp)
        time.sleep(0.1)
    (complete, *_) = (one for one in sets if all(one.valid))
    buffer = ObservationBuffer(platform.policy_cameras, needs_scene=False)
    for state in states:
        buffer.add_state(state_from_message(state))
    pictures = pictures_from_message(complete)
    buffer.add_pictures(pictures)
    return buffer.latest(pictures.stamp_ns).observation


def test_the_low_level_is_given_the_same_in_process_and_through_the_graph(graph, platform):
    config = load_preset("nano")
    assert config.picture_size == (144, 192) and config.reduction_of("left_wrist") == 2
    world = World(platform, 10_000)
    measured = platform.home + np.random.default_rng(0).normal(0, 0.2, platform.size)
    renderer = CameraRenderer(world)
    try:
        moment = DriverPictures(platform, renderer, world.snapshot())
        views = moment.at(config.picture_size)
        in_process = {camera: views[camera] for camera in platform.policy_cameras}
        live = through_the_graph(graph, platform, config.picture_size, moment.rendered, measured)
    finally:
        renderer.close()
    assert tuple(live.images) == platform.policy_cameras
    np.testing.assert_array_equal(live.state, measured)
    units = tuple(str(d.unit) for d in platform.dimensions)
    stats = NormStats.from_limits(platform.names, units, platform.lower, platform.upper)
    reader = RequestReader(config, make_tokenizer(config))

    def request(images, state):
        prompt = prompts.low_level(SUBTASK, stats.normalize_state(state), config.variant)
        return reader.actions(images, prompt, prompts.query(SUBTASK))

    wanted, found = request(in_process, measured), request(live.images, live.state)
    assert (found.prompt, found.query) == (wanted.prompt, wanted.query)
    assert found.keys == wanted.keys
    for camera, one, other in zip(live.images, found.pictures, wanted.pictures, strict=True):
        assert one.tobytes() == other.tobytes(), camera
        assert len(np.unique(one[:72, :96])) > 20  # Something is in it.
        is_reduced = config.reduction_of(camera) == 2
        assert one[72:].any() != is_reduced and one[:, 96:].any() != is_reduced
