"""A managed node says that it lives, and whether the robot may move on what it gives."""

import pytest

pytest.importorskip("rclpy")

from dataclasses import dataclass

from fakes.graph import Graph, wait_for
from std_srvs.srv import Trigger

from pi05_msgs.msg import Heartbeat
from pi05_ros.nodes import qos
from pi05_ros.nodes.base import ManagedNode


@dataclass(frozen=True)
class NoParameters:
    """None."""


class Moody(ManagedNode):
    """Fit or not, as the test says."""

    def __init__(self, **arguments):
        super().__init__("moody", NoParameters, **arguments)
        self.trouble = ""
        self.create_service(Trigger, "break", self.guarded_service(self._break))

    def fitness(self):
        if self.trouble == "raise":
            raise ValueError("inside")
        return self.trouble

    def _break(self, request, response):
        raise ValueError("inside a service")


@pytest.fixture
def scene():
    graph = Graph()
    node = graph.add(Moody)
    heard = []
    listener = graph.plain("listener")
    listener.create_subscription(Heartbeat, "heartbeat", heard.append, qos.HEARTBEAT)
    yield graph, node, heard, listener
    graph.close()


def test_it_beats_while_active_and_says_goodbye(scene):
    _, node, heard, _ = scene
    assert node.trigger_configure() and not heard
    node.trigger_activate()
    wait_for(lambda: len(heard) > 3, "heartbeats")
    first = heard[0]
    assert (first.node, first.fit, first.reason) == ("moody", True, "")
    assert first.instance != 0
    node.trouble = "the lens is covered"
    wait_for(lambda: not heard[-1].fit, "a heartbeat that is not fit")
    assert heard[-1].reason == "the lens is covered"
    node.trouble = ""
    wait_for(lambda: heard[-1].fit, "a fit one")
    node.trigger_deactivate()
    wait_for(lambda: not heard[-1].fit, "a goodbye")
    assert "deactivated" in heard[-1].reason
    node.trigger_activate()
    wait_for(lambda: heard[-1].fit, "a heartbeat of the next activation")
    assert heard[-1].instance != first.instance


def test_a_node_that_cannot_tell_is_not_fit(scene):
    _, node, heard, _ = scene
    node.trigger_configure()
    node.trigger_activate()
    node.trouble = "raise"
    wait_for(lambda: heard and not heard[-1].fit, "a heartbeat that is not fit")
    assert "cannot tell" in heard[-1].reason
    assert node.callback_errors["_beat"] > 0


def test_an_exception_in_a_service_is_an_answer(scene):
    graph, node, _, listener = scene
    client = listener.create_client(Trigger, "break")
    wait_for(client.service_is_ready, "the service")
    for _ in range(2):
        future = client.call_async(Trigger.Request())
        wait_for(future.done, "an answer")
        assert future.result().success is False
        assert "log says why" in future.result().message
    assert node.callback_errors["_break"] == 2
