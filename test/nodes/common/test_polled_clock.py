"""Polled simulated time: constant between polls, taken by the executor after `resume`."""

import pytest

pytest.importorskip("rclpy")

from fakes.graph import Graph, wait_for
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.nodes.common.manual_take import ManualTakeMixin
from pi05_ros.nodes.common.polled_clock import PolledClock

SECOND = 1_000_000_000


class Resting(ManualTakeMixin, Node):
    """A node that can rest."""


class Scene:
    """A node in simulated time, and the simulator."""

    def __init__(self, graph, simulated=True):
        self.graph = graph
        self.node = graph.add(lambda **a: Resting("resting", **a), use_sim_time=simulated)
        self.time = PolledClock(self.node)
        other = graph.plain("other")
        self._clock = other.create_publisher(Clock, "/clock", 10)
        self._heard = []
        other.create_subscription(Clock, "/clock", self._heard.append, qos.STATUS)

    def at(self, seconds):
        """Turns the clock until another node has heard it."""
        before = len(self._heard)

        def told():
            self._clock.publish(Clock(clock=ns_to_time(round(seconds * SECOND))))
            return len(self._heard) > before + 2

        wait_for(told, "the clock")

    @property
    def now(self):
        return self.node.get_clock().now().nanoseconds / SECOND

    @property
    def woken_by(self):
        """Entities of /clock that an executor sees."""
        taps = [t for t in Node.subscriptions.fget(self.node) if t.topic_name == "/clock"]
        entities = [entity for tap in taps for entity in (tap, *tap.event_handlers)]
        shown = [*self.node.subscriptions, *self.node.waitables]
        return [entity for entity in entities if entity in shown]


@pytest.fixture
def scene():
    graph = Graph()
    yield Scene(graph)
    graph.close()


def poll_until(scene, seconds):
    """Looks until the time has come through DDS."""
    wait_for(lambda: scene.graph.call(scene.time.poll) or scene.now == seconds, "the time")


def test_time_is_constant_between_polls_and_does_not_wake_the_executor(scene):
    scene.graph.call(scene.time.poll)
    assert scene.woken_by == []  # Not its events either: they fire while a message lies unread.
    scene.at(10.0)
    assert scene.now == 0.0
    poll_until(scene, 10.0)
    scene.at(11.0)
    assert scene.now == 10.0
    poll_until(scene, 11.0)


def test_after_resume_time_advances_again(scene):
    scene.graph.call(scene.time.poll)
    scene.graph.call(scene.time.resume)
    scene.at(10.0)
    wait_for(lambda: scene.now == 10.0, "the time to come by itself")
    assert len(scene.woken_by) >= 1


def test_a_jump_is_reported_at_the_next_poll(scene):
    backward = JumpThreshold(
        min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=False
    )
    jumps = []
    handle = scene.node.get_clock().create_jump_callback(backward, post_callback=jumps.append)
    scene.at(10.0)
    poll_until(scene, 10.0)
    scene.at(4.0)
    assert jumps == []
    poll_until(scene, 4.0)
    assert len(jumps) == 1
    handle.unregister()


def test_on_a_robot_there_is_nothing_to_do():
    graph = Graph()
    try:
        scene = Scene(graph, simulated=False)
        graph.call(scene.time.poll)
        graph.call(scene.time.resume)
        assert scene.woken_by == [] and scene.now > 1e9
    finally:
        graph.close()
