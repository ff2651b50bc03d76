"""Nodes that simulated time waits for, on clocks that the test advances."""

import pytest

from pi05_ros.sim.graph_wait import GraphWait

MS = 1_000_000


@pytest.fixture
def wait():
    return GraphWait(max_lag_s=0.08, max_work_s=0.2, patience_s=3.0)


def test_a_graph_without_heartbeats_is_not_waited_for(wait):
    assert wait.blocking_node(10_000 * MS, 0.0) == ""


def test_time_waits_for_a_node_whose_heartbeat_is_old(wait):
    wait.on_heartbeat("policy", 1000 * MS, 0)
    assert wait.blocking_node(1080 * MS, 0.0) == ""
    assert wait.blocking_node(1081 * MS, 0.0) == "policy"
    wait.on_heartbeat("policy", 1040 * MS, 0)
    assert wait.blocking_node(1081 * MS, 0.1) == ""


def test_time_waits_for_work_only_when_it_takes_longer_than_it_may(wait):
    wait.on_heartbeat("policy", 1200 * MS, 1000 * MS)
    assert wait.blocking_node(1200 * MS, 0.0) == ""
    assert wait.blocking_node(1201 * MS, 0.0) == "policy"
    wait.on_heartbeat("policy", 1200 * MS, 0)
    assert wait.blocking_node(1201 * MS, 0.1) == ""


def test_the_one_that_is_furthest_behind_is_named(wait):
    wait.on_heartbeat("policy", 1000 * MS, 0)
    wait.on_heartbeat("planner", 990 * MS, 0)
    assert wait.blocking_node(1090 * MS, 0.0) == "planner"


def test_a_dead_node_is_given_up_and_waited_for_again_when_it_is_back(wait):
    wait.on_heartbeat("policy", 1000 * MS, 0)
    assert wait.blocking_node(1100 * MS, 10.0) == "policy"
    assert wait.blocking_node(1100 * MS, 13.0) == "policy"
    assert wait.blocking_node(1100 * MS, 13.1) == ""
    assert wait.given_up == ("policy",)
    assert wait.blocking_node(2000 * MS, 14.0) == ""
    wait.on_heartbeat("policy", 2000 * MS, 0)
    assert wait.given_up == ()
    assert wait.blocking_node(2081 * MS, 20.0) == "policy"


def test_patience_counts_for_each_node_from_its_last_heartbeat(wait):
    wait.on_heartbeat("policy", 1000 * MS, 0)
    wait.on_heartbeat("planner", 990 * MS, 0)
    assert wait.blocking_node(1100 * MS, 0.0) == "planner"
    wait.on_heartbeat("policy", 1010 * MS, 0)  # Slow, not dead.
    assert wait.blocking_node(1100 * MS, 2.9) == "planner"
    assert wait.blocking_node(1100 * MS, 3.1) == "policy"
    assert wait.given_up == ("planner",)
    assert wait.blocking_node(1100 * MS, 6.0) == ""
    assert wait.given_up == ("planner", "policy")


def test_nodes_that_die_together_are_waited_for_together(wait):
    for name in ("planner", "policy"):
        wait.on_heartbeat(name, 1000 * MS, 0)
    assert wait.blocking_node(1100 * MS, 0.0) != ""
    assert wait.blocking_node(1100 * MS, 3.1) == ""


def test_a_removed_node_is_not_waited_for(wait):
    wait.on_heartbeat("policy", 1000 * MS, 0)
    wait.remove("policy")
    assert wait.blocking_node(5000 * MS, 0.0) == ""


def test_long_work_of_a_node_that_lives_is_waited_for_without_end(wait):
    wait.on_heartbeat("policy", 1000 * MS, 1000 * MS)
    for second in range(100):
        assert wait.blocking_node(1300 * MS, float(second)) == "policy"
        wait.on_heartbeat("policy", 1300 * MS, 1000 * MS)
    assert wait.given_up == ()
