"""The drivers' topics at a difficulty are those of the same home in process."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.graph import Graph, wait_for
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image, JointState

from pi05_ros.errors import ConfigError
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.mock_home.mock_home import MockHome
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.sensors import Sensors
from pi05_ros.sim.simulation import START_NS, TICK_NS, Simulation

PLATFORM = load_platform("mobile_18dof")
HARDER = "normal,angle_noise=0.01,twist_noise=0.02"
TASK = "put the dishes in the sink"


def ns(stamp):
    return stamp.sec * 10**9 + stamp.nanosec


@pytest.fixture
def graph():
    graph = Graph()
    yield graph
    graph.close()


def test_messages_are_those_of_the_same_home_in_process(graph):
    mock = graph.add(MockHome, platform=PLATFORM.name, home=10003, difficulty=HARDER)
    node, camera = graph.plain("client"), PLATFORM.camera("back")
    states, odometry, pictures = [], [], []
    for kind, topic, found in (
        (JointState, PLATFORM.joint_states_topic, states),
        (Odometry, PLATFORM.odom_topic, odometry),
        (Image, camera.topic, pictures),
    ):
        node.create_subscription(kind, topic, found.append, qos.STATUS)
    wait_for(lambda: states and odometry and pictures, "all messages")
    mock.close()
    simulation = Simulation(PLATFORM, 10003, TASK, difficulty=Difficulty.parse(HARDER))
    sensors, world = Sensors(simulation.world), simulation.world
    renderer = CameraRenderer(world)
    by_stamp = {}
    last = max(ns(messages[0].header.stamp) for messages in (states, odometry, pictures))
    assert (last - START_NS) % TICK_NS == 0
    for _ in range((last - START_NS) // TICK_NS):
        simulation.tick()
        by_stamp[simulation.now_ns] = (
            sensors.measure(),
            world.snapshot(),
            world.joint_positions(),
        )
    state = states[0]
    measured, _, truth = by_stamp[ns(state.header.stamp)]
    assert list(state.position) == [measured.positions[name] for name in state.name]
    errors = [measured.positions[name] - truth[name] for name in state.name]
    assert 0.003 < np.std(errors) < 0.03
    measured = by_stamp[ns(odometry[0].header.stamp)][0]
    twist = odometry[0].twist.twist
    assert (twist.linear.x, twist.linear.y, twist.angular.z) == measured.twist
    snapshot = by_stamp[ns(pictures[0].header.stamp)][1]
    shown = np.frombuffer(pictures[0].data, np.uint8).reshape(camera.height, camera.width, 3)
    assert (shown == renderer.render("back", snapshot)).all()
    renderer.close()


def test_a_difficulty_that_is_none_is_refused_by_name(graph):
    with pytest.raises(ConfigError, match="there is no preset 'hrd'; did you mean 'hard'"):
        graph.add(MockHome, platform=PLATFORM.name, home=0, difficulty="hrd")
