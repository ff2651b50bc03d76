"""Planner and policy with brain none: an operator's words are passed on, nothing else happens."""

import pytest

pytest.importorskip("rclpy")

from fakes.graph import wait_for
from rclpy.lifecycle import TransitionCallbackReturn

from pi05_msgs.msg import Heartbeat, Subtask
from pi05_msgs.srv import Instruct
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.planner.planner import Planner
from pi05_ros.nodes.policy.policy import Policy


def test_the_planner_passes_an_operators_words_on_under_the_task(graph):
    node = graph.plain("test")
    subtasks, hearts = [], []
    node.create_subscription(Subtask, "subtask", subtasks.append, qos.LATCHED)
    node.create_subscription(Heartbeat, "heartbeat", hearts.append, qos.HEARTBEAT)
    planner = graph.add(Planner, brain="none", task="tidy up")
    assert planner.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert planner.trigger_activate() == TransitionCallbackReturn.SUCCESS
    client = node.create_client(Instruct, "instruct")
    wait_for(client.service_is_ready, "the service")
    answer = client.call_async(Instruct.Request(text="pick up the cup"))
    assert wait_for(answer.done, "an answer") and answer.result().code == 0
    heard = wait_for(lambda: subtasks, "a subtask")[-1]
    assert (heard.task, heard.text, heard.source) == ("tidy up", "pick up the cup", "human")
    assert wait_for(lambda: hearts, "a heartbeat")[-1].fit


def test_a_policy_is_not_configured(graph, capfd):
    policy = graph.add(Policy, brain="none")
    assert policy.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert "'none' moves nothing: leave the policy out of the graph" in capfd.readouterr().err
