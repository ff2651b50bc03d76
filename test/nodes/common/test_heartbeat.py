"""Heartbeats of managed nodes: liveness, fitness and pending work."""

import pytest

pytest.importorskip("rclpy")

import threading
import time
from dataclasses import dataclass

import numpy as np
from fakes.graph import Graph, wait_for
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from pi05_msgs.msg import Heartbeat
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.conversions import ns_to_time, time_to_ns


@dataclass(frozen=True)
class NoParameters:
    """None."""


class Moody(ManagedNode):
    """A node whose fitness the test sets."""

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


class Simulation:
    """A node in simulated time, and its clock."""

    def __init__(self, graph):
        self.node = graph.add(Moody, use_sim_time=True)
        self.heard = []
        other = graph.plain("simulator")
        other.create_subscription(Heartbeat, "heartbeat", self.heard.append, qos.HEARTBEAT_OUTPUT)
        self._clock = other.create_publisher(Clock, "/clock", 10)
        self.node.trigger_configure()
        self.node.trigger_activate()

    def at(self, milliseconds):
        """Turns the clock until the node has heard it."""

        def told():
            self.publish(milliseconds)
            return self.node.now_ns() == milliseconds * 1_000_000

        wait_for(told, "the clock")

    def publish(self, milliseconds):
        """One tick of /clock."""
        self._clock.publish(Clock(clock=ns_to_time(milliseconds * 1_000_000)))

    def stamps(self):
        """Stamps of the heartbeats so far [ms]."""
        return [time_to_ns(beat.header.stamp) // 1_000_000 for beat in self.heard]


@pytest.fixture
def simulation():
    graph = Graph()
    yield Simulation(graph)
    graph.close()


def test_in_a_simulation_it_beats_in_simulated_time(simulation):
    simulation.at(1000)
    wait_for(simulation.heard.copy, "the first heartbeat")
    before, began = len(simulation.heard), time.monotonic()
    for now in range(1020, 1401, 20):
        simulation.at(now)
        time.sleep(
            0.05
        )  # Slower than wall time: a second and more, in which it would beat 25 times.
    wait_for(lambda: simulation.stamps()[-1] >= 1380, "the last heartbeat")
    assert np.diff(simulation.stamps()).max() <= 40
    by_wall_time = time.monotonic() - began + 1  # Once a second it beats whatever the clock does.
    assert 9 <= len(simulation.heard) - before <= 11 + by_wall_time


def test_a_node_that_is_activated_while_time_stands_still_says_so(simulation):
    simulation.at(1000)
    simulation.node.trigger_deactivate()
    simulation.at(1040)
    wait_for(lambda: not simulation.heard[-1].fit, "the goodbye")
    simulation.node.trigger_activate()
    wait_for(lambda: simulation.heard[-1].fit, "a heartbeat of the next activation")
    assert simulation.stamps()[-1] == 1040


def test_while_time_stands_still_it_still_says_that_it_lives(simulation):
    simulation.at(1000)
    wait_for(simulation.stamps, "the first heartbeat")
    before = len(simulation.heard)
    wait_for(lambda: len(simulation.heard) >= before + 2, "heartbeats without ticks")
    assert set(simulation.stamps()[before:]) == {1000}


def test_a_burst_of_ticks_of_the_clock_costs_no_heartbeat(simulation):
    """EventsExecutor's own timers run ahead then, and are silent afterwards."""
    simulation.at(1000)
    wait_for(simulation.stamps, "the first heartbeat")
    for burst in range(1, 11):
        for step in range(6):
            simulation.publish(1000 + 120 * burst - 100 + 20 * step)
        simulation.at(1000 + 120 * burst)
    wait_for(lambda: simulation.stamps()[-1] == 2200, "the last heartbeat")
    assert np.diff(simulation.stamps()).max() <= 120
    assert len(simulation.heard) >= 11


def test_a_simulator_hears_of_pending_work_and_at_once_of_its_end(simulation):
    done = threading.Event()
    simulation.at(1000)
    worker = simulation.node.start_worker("slow", lambda: done.wait(20.0))
    worker.wake()
    for now in range(1020, 1121, 20):
        simulation.at(now)
    wait_for(lambda: [b for b in simulation.heard if b.pending.sec], "pending work")
    assert time_to_ns(simulation.heard[-1].pending) == 1_000_000_000
    done.set()  # The clock stands still, and a heartbeat comes all the same.
    wait_for(lambda: simulation.heard[-1].pending.sec == 0, "the end of the work")
    simulation.node.stop_worker(worker)


def test_a_node_whose_fitness_check_fails_is_not_fit(scene):
    _, node, heard, _ = scene
    node.trigger_configure()
    node.trigger_activate()
    node.trouble = "raise"
    wait_for(lambda: heard and not heard[-1].fit, "a heartbeat that is not fit")
    assert "fitness check failed" in heard[-1].reason
    assert node.callback_errors["_publish_heartbeat"] > 0


def test_an_exception_in_a_service_is_an_answer(scene):
    graph, node, _, listener = scene
    client = listener.create_client(Trigger, "break")
    wait_for(client.service_is_ready, "the service")
    for _ in range(2):
        future = client.call_async(Trigger.Request())
        wait_for(future.done, "an answer")
        assert future.result().success is False
        assert "see the log" in future.result().message
    assert node.callback_errors["_break"] == 2
