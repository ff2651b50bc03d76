"""Offered QoS in the formats of rosbag2."""

from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.rosbag2.metadata import dump_qos_v8, dump_qos_v9, parse_qos

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.qos import INFINITE_NS, OfferedQos, from_yaml, to_yaml

durations = st.integers(0, INFINITE_NS)
profiles = st.builds(
    OfferedQos,
    history=st.sampled_from(["keep_last", "keep_all", "system_default", "unknown"]),
    depth=st.integers(0, 1000),
    reliability=st.sampled_from(["reliable", "best_effort", "system_default", "unknown"]),
    durability=st.sampled_from(["volatile", "transient_local", "system_default", "unknown"]),
    deadline_ns=durations,
    lifespan_ns=durations,
    liveliness=st.sampled_from(["automatic", "manual_by_topic", "system_default", "unknown"]),
    liveliness_lease_duration_ns=durations,
    avoid_ros_namespace_conventions=st.booleans(),
)
several = st.lists(profiles, max_size=3).map(tuple)


@settings(deadline=None, max_examples=60)
@given(several)
def test_round_trip(given_profiles):
    assert from_yaml(to_yaml(given_profiles)) == given_profiles


@settings(deadline=None, max_examples=60)
@given(several)
def test_rosbags_reads_our_profiles_and_we_read_its(given_profiles):
    theirs = parse_qos(to_yaml(given_profiles))
    assert [profile.as_mapping() for profile in given_profiles] == dump_qos_v9(theirs)
    assert from_yaml(dump_qos_v9(theirs)) == given_profiles
    assert from_yaml(dump_qos_v8(theirs)) == given_profiles  # policies by number, in a text


@pytest.mark.parametrize("number", [77, -1])
def test_an_unknown_number_of_a_policy_reads_as_unknown(number):
    (mapping,) = yaml.safe_load(to_yaml([OfferedQos()]))
    (found,) = from_yaml([mapping | {"reliability": number, "durability": "newer"}])
    assert (found.reliability, found.durability) == ("unknown", "unknown")


def test_a_profile_of_version_9_word_for_word():
    (mapping,) = yaml.safe_load(to_yaml([OfferedQos(durability="transient_local", depth=1)]))
    infinite = {"sec": 9223372036, "nsec": 854775807}
    assert mapping == {
        "history": "unknown",
        "depth": 1,
        "reliability": "reliable",
        "durability": "transient_local",
        "deadline": infinite,
        "lifespan": infinite,
        "liveliness": "automatic",
        "liveliness_lease_duration": infinite,
        "avoid_ros_namespace_conventions": False,
    }


def test_a_profile_of_rclpy_is_converted():
    qos = pytest.importorskip("rclpy.qos")
    duration = pytest.importorskip("rclpy.duration").Duration
    profile = qos.QoSProfile(
        depth=7,
        reliability=qos.ReliabilityPolicy.BEST_EFFORT,
        durability=qos.DurabilityPolicy.TRANSIENT_LOCAL,
        deadline=duration(seconds=0.25),
    )
    assert OfferedQos.of(profile) == OfferedQos(
        history="keep_last",
        depth=7,
        reliability="best_effort",
        durability="transient_local",
        deadline_ns=250_000_000,
        lifespan_ns=profile.lifespan.nanoseconds,
        liveliness="system_default",
        liveliness_lease_duration_ns=profile.liveliness_lease_duration.nanoseconds,
    )


def test_other_values_are_refused_as_profiles():
    for text in ("- 1", "a: b", "- {history: 3}", "[", "just words"):
        with pytest.raises(BagError, match="no QoS profile"):
            from_yaml(text)
    assert from_yaml("") == from_yaml(None) == from_yaml([]) == ()
    with pytest.raises(ValueError, match="reliability: wanted one of"):
        OfferedQos(reliability="mostly")


def test_an_unknown_name_of_a_policy_reads_as_unknown():
    mapping = {**OfferedQos().as_mapping(), "reliability": "telepathic"}
    assert OfferedQos.from_mapping(mapping).reliability == "unknown"
    with pytest.raises(AttributeError):
        OfferedQos.of(SimpleNamespace())
