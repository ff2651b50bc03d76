"""What the launch tests of the platforms share: the launch, and what is heard of its graph."""

import contextlib
import threading
import time
from collections import Counter
from pathlib import Path

from launch.actions import IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String

import launch
from pi05_msgs.msg import ActionChunk, CameraSet, RobotState, Subtask
from pi05_ros.nodes.common import qos
from pi05_ros.platforms.platform import load_platform

ROOT = Path(__file__).parents[2]
NAMESPACE = "fleet/r1"
NODES = ("mock_home", "camera_ingestion", "brain", "control_bridge", "lifecycle_manager")


def describe(platform, home, exits, **more):
    """The platform's launch file in a mock home; `exits` takes each process's name and status.

    `more` are further launch arguments.
    """

    def note(event, context):
        exits[event.process_name] = event.returncode

    arguments = {
        "sim": "true",
        "brain": "expert",
        "home": str(home),
        "task": "put the dishes in the sink",
        "namespace": NAMESPACE,
        **more,
    }
    source = PythonLaunchDescriptionSource(str(ROOT / "launch" / f"{platform}.launch.py"))
    return launch.LaunchDescription(
        [
            RegisterEventHandler(OnProcessExit(on_exit=note)),
            IncludeLaunchDescription(source, launch_arguments=arguments.items()),
        ]
    )


def check_while_it_runs(platform, exits):
    """Nodes come up, topics flow in the namespace that was asked for, the bridge is armed."""
    with Listener() as listener:
        listener.wait(
            lambda: listener.last_text("lifecycle_manager/state") == "active", "active graph"
        )
        assert exits == {}
        for topic, count in (
            ("/clock", 50),
            ("/joint_states", 20),
            ("/front_camera/image_raw", 5),
            ("camera_set", 5),
            ("robot_state", 20),
            ("action_chunk", 2),
        ):
            listener.wait_for(topic, count)
        assert listener.last["subtask"].text
        assert tuple(listener.last["action_chunk"].names) == load_platform(platform).names
        state = listener.last["robot_state"]
        assert state.mode in (state.MODE_RUNNING, state.MODE_HOLDING), state.reason
        assert exits == {}


def check_after_the_end(exits):
    """Every process ended, with status 0."""
    assert {name.rsplit("-", 1)[0] for name in exits} == set(NODES)
    assert set(exits.values()) == {0}, exits


class Listener:
    """Hears the graph from outside, in a context and a thread of its own."""

    def __init__(self):
        self.heard = Counter()
        self.last = {}
        self._context = Context()
        self._context.init()
        self._node = Node("listener", context=self._context, namespace=NAMESPACE)
        for kind, topic, profile in (
            (Clock, "/clock", qos.SENSOR),
            (JointState, "/joint_states", qos.SENSOR),
            (Image, "/front_camera/image_raw", qos.DRIVER_IMAGE),
            (CameraSet, "camera_set", qos.CAMERA_SET),
            (RobotState, "robot_state", qos.ROBOT_STATE),
            (Subtask, "subtask", qos.LATCHED),
            (ActionChunk, "action_chunk", qos.ACTION_CHUNK),
            (String, "lifecycle_manager/state", qos.LATCHED),
        ):
            self._node.create_subscription(
                kind, topic, lambda message, topic=topic: self._hear(topic, message), profile
            )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(timeout=1.0)
        self._node.destroy_node()
        self._context.try_shutdown()

    def wait(self, condition, what, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"no {what}; heard {dict(self.heard)}"
            time.sleep(0.05)

    def last_text(self, topic):
        return self.last[topic].data if topic in self.last else ""

    def wait_for(self, topic, count):
        since = self.heard[topic]
        self.wait(lambda: self.heard[topic] >= since + count, f"{count} messages on {topic}")

    def _hear(self, topic, message):
        self.heard[topic] += 1
        self.last[topic] = message

    def _spin(self):
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()
