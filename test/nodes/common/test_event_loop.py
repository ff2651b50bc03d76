"""The loop that runs nodes' callbacks: it sleeps, it ends, and it outlives a step of the clock."""

import threading
import time
from contextlib import ExitStack

import pytest

pytest.importorskip("rclpy")

import rclpy
from fakes.domains import ros_domain
from fakes.graph import wait_for
from rclpy.action import ActionClient, ActionServer
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

from pi05_msgs.action import ExecuteTask
from pi05_ros.nodes.common import event_loop
from pi05_ros.nodes.common.event_loop import EventLoop


class Scene:
    """A loop with a node in a context of its own."""

    def __init__(self):
        self.context = rclpy.Context()
        self.domain = ExitStack()
        self.context.init(domain_id=self.domain.enter_context(ros_domain()))
        self.ended = threading.Event()
        self.loop = EventLoop(self.context, self.ended.set)
        self.node = Node("looped", context=self.context)
        self.loop.add(self.node)
        self.loop.start()

    def close(self):
        self.loop.stop()
        self.node.destroy_node()
        self.context.try_shutdown()
        self.domain.close()


@pytest.fixture(params=["events", "wait sets"])
def scene(request, monkeypatch):
    """With rclpy's EventsExecutor, and as in a distribution that has none."""
    if request.param == "wait sets":
        monkeypatch.setattr(
            event_loop, "_executor", lambda context: SingleThreadedExecutor(context=context)
        )
    found = Scene()
    yield found
    found.close()


def cores(seconds):
    """Processor time of this process over some seconds [cores]."""
    begin, began = time.process_time(), time.monotonic()
    time.sleep(seconds)
    return (time.process_time() - begin) / (time.monotonic() - began)


def test_it_sleeps_beside_an_action_server_before_and_after_a_goal(scene):
    """The stock spin of rclpy takes a whole core where waits on the steady clock are converted."""

    def execute(goal):
        goal.succeed()
        return ExecuteTask.Result(message="done")

    server = ActionServer(scene.node, ExecuteTask, "task", execute, result_timeout=1)
    client = ActionClient(scene.node, ExecuteTask, "task")
    wait_for(client.server_is_ready, "the server")
    assert cores(1.0) < 0.5
    results = []

    def on_goal(future):
        future.result().get_result_async().add_done_callback(results.append)

    client.send_goal_async(ExecuteTask.Goal(task="go")).add_done_callback(on_goal)
    wait_for(lambda: results, "the result")
    assert results[0].result().result.message == "done"
    time.sleep(1.2)  # The goal expires.
    assert cores(1.0) < 0.5
    server.destroy()
    client.destroy()


def test_messages_come_in_their_order_and_timers_keep_their_period(scene):
    heard, beats = [], []
    scene.node.create_subscription(String, "words", lambda m: heard.append(m.data), 50)
    steady = Clock(clock_type=ClockType.STEADY_TIME)
    scene.node.create_timer(0.02, lambda: beats.append(time.monotonic()), clock=steady)
    publisher = scene.node.create_publisher(String, "words", 50)
    wait_for(publisher.get_subscription_count, "discovery")
    words = [str(number) for number in range(40)]
    for word in words:
        publisher.publish(String(data=word))
    wait_for(lambda: len(heard) == 40, "the words")
    assert heard == words
    wait_for(lambda: len(beats) > 10, "beats")


def test_what_is_created_in_a_callback_is_heard_and_what_is_destroyed_is_not(scene):
    publisher = scene.node.create_publisher(String, "late", 10)
    heard = []
    task = scene.loop.create_task(
        lambda: scene.node.create_subscription(String, "late", heard.append, 10)
    )
    wait_for(task.done, "the subscription")
    wait_for(lambda: publisher.publish(String()) or heard, "a message")
    gone = scene.loop.create_task(lambda: scene.node.destroy_subscription(task.result()))
    wait_for(gone.done, "its end")
    count = len(heard)
    publisher.publish(String())
    time.sleep(0.2)
    assert len(heard) <= count + 1  # One may have been on its way.


def test_stop_ends_it_at_once_and_may_come_twice(scene):
    began = time.monotonic()
    assert scene.loop.stop()
    assert time.monotonic() - began < event_loop._WAIT_S / 2
    assert scene.ended.is_set() and scene.loop.failure == ""
    assert scene.loop.stop()


def test_it_ends_with_its_context(scene):
    scene.context.try_shutdown()
    assert scene.ended.wait(10.0)
    assert scene.loop.failure == ""


def test_an_exception_ends_it_and_is_kept(scene):
    def fail():
        raise RuntimeError("inside a callback")

    scene.node.create_timer(0.01, fail)
    assert scene.ended.wait(10.0)
    assert "inside a callback" in scene.loop.failure


def test_a_step_of_the_systems_clock_starts_the_timers_anew(scene, monkeypatch):
    if isinstance(scene.loop.executor, SingleThreadedExecutor):
        pytest.skip("its waits end with the next message")
    steady = Clock(clock_type=ClockType.STEADY_TIME)
    timer = scene.node.create_timer(100.0, lambda: None, clock=steady)
    time.sleep(0.3)
    scene.loop.restart_timers_after_step()
    time.sleep(0.1)
    assert timer.time_until_next_call() < 99.8e9  # No step: it goes on.
    real = time.time
    monkeypatch.setattr(event_loop.time, "time", lambda: real() - 3600.0)
    scene.loop.restart_timers_after_step()
    wait_for(lambda: timer.time_until_next_call() > 99.8e9, "the timer to start anew")
