"""Heartbeats on a steady clock that the test turns."""

from pi05_ros.control.peers import PeerWatch

MS = 1_000_000


def watch(*required):
    return PeerWatch(required, timeout=0.15, gone_after=1.0)


def test_a_node_is_watched_from_its_first_heartbeat_on():
    peers = watch()
    assert peers.problem(0) == "" and peers.missing(0) == ()
    peers.on_heartbeat("policy", 1, "", 0)
    assert peers.problem(150 * MS) == ""
    assert peers.problem(151 * MS) == "no heartbeat from policy for 0.2 s"
    peers.on_heartbeat("policy", 1, "", 151 * MS)
    assert peers.problem(151 * MS) == ""
    assert peers.ages(171 * MS) == {"policy": 0.02}


def test_a_node_that_is_not_fit_means_hold():
    peers = watch()
    peers.on_heartbeat("camera_ingestion", 1, "front is silent", 0)
    assert peers.problem(0) == "camera_ingestion: front is silent"
    peers.on_heartbeat("camera_ingestion", 1, "", 40 * MS)
    assert peers.problem(40 * MS) == ""


def test_required_nodes_are_needed_from_the_start_and_others_do_not_count():
    peers = watch("planner", "policy")
    peers.on_heartbeat("recorder", 1, "the disk is full", 0)
    assert peers.missing(0) == ("planner", "policy")
    assert peers.problem(0) == "no heartbeat yet from planner, policy"
    peers.on_heartbeat("policy", 1, "", 0)
    peers.on_heartbeat("planner", 1, "", 0)
    assert peers.missing(0) == () and peers.problem(0) == ""
    assert peers.missing(150 * MS) == ()
    peers.on_heartbeat("planner", 1, "", 151 * MS)
    assert peers.missing(151 * MS) == ("policy",)


def test_a_node_is_gone_after_a_second_or_when_it_was_started_anew():
    peers = watch()
    peers.on_heartbeat("policy", 1, "", 0)
    assert peers.gone(5_000 * MS) == ""  # Nobody was armed with it.
    peers.on_armed()
    assert peers.gone(1_000 * MS) == ""
    assert peers.gone(1_001 * MS) == "policy is gone (no heartbeat for over 1 s)"
    peers.on_heartbeat("policy", 1, "", 1_001 * MS)
    assert peers.gone(1_001 * MS) == ""
    peers.on_heartbeat("policy", 2, "", 1_041 * MS)
    assert peers.gone(1_041 * MS) == "policy was restarted"
    peers.on_armed()
    assert peers.gone(1_041 * MS) == ""


def test_who_is_gone_is_forgotten_unless_required():
    for required, problem in (((), ""), (("policy",), "no heartbeat from policy for 1.1 s")):
        peers = watch(*required)
        peers.on_heartbeat("policy", 1, "", 0)
        peers.on_armed()
        peers.remove_gone(1_100 * MS)
        assert peers.problem(1_100 * MS) == problem
        assert peers.gone(1_100 * MS) == ""


def test_who_is_silent_for_a_moment_is_not_forgotten():
    peers = watch()
    peers.on_heartbeat("policy", 1, "", 0)
    peers.remove_gone(1_000 * MS)
    assert peers.problem(1_000 * MS) == "no heartbeat from policy for 1.0 s"
