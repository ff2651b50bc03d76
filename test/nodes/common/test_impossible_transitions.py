"""A managed node outlives a transition that its state does not have."""

import pytest

pytest.importorskip("rclpy")

from dataclasses import dataclass

from fakes.graph import Graph, wait_for
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

from pi05_ros.nodes.common.base import ManagedNode


@dataclass(frozen=True)
class NoParameters:
    """None."""


@pytest.fixture
def graph():
    graph = Graph()
    yield graph
    graph.close()


def call(client, request):
    wait_for(client.service_is_ready, "the service")
    future = client.call_async(request)
    wait_for(future.done, "an answer")
    return future.result()


def test_activate_said_too_early_and_twice(graph):
    graph.add(lambda **arguments: ManagedNode("managed", NoParameters, **arguments))
    operator = graph.plain("operator")
    change = operator.create_client(ChangeState, "managed/change_state")
    get = operator.create_client(GetState, "managed/get_state")

    def ask(transition):
        return call(change, ChangeState.Request(transition=Transition(id=transition))).success

    assert ask(Transition.TRANSITION_ACTIVATE) is False
    assert ask(Transition.TRANSITION_CONFIGURE) is True
    assert ask(Transition.TRANSITION_CONFIGURE) is False
    assert ask(Transition.TRANSITION_ACTIVATE) is True
    assert ask(Transition.TRANSITION_ACTIVATE) is False
    assert ask(99) is False
    assert call(get, GetState.Request()).current_state.label == "active"
