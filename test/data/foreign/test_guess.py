"""A guessed mapping: valid, and right where topics say what they are."""

import pytest
import yaml
from fakes.foreign_bags import COMPRESSED, IMAGE, START, ForeignBag, aloha, jpeg, libero, mobile

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.foreign.adoption import adopt
from pi05_ros.data.foreign.guess import guess_mapping
from pi05_ros.data.foreign.mapping import mapping_of


def guessed(path):
    with BagReader(path) as reader:
        return yaml.safe_load(guess_mapping(reader))


@pytest.mark.parametrize("make", [aloha, mobile, libero])
def test_a_guess_is_a_mapping_that_the_bag_fits(tmp_path, make):
    path = make().write(tmp_path / "b")
    content = guessed(path)
    if make is mobile:  # Its head and finger have no command: the rest has.
        content["entries"] = [e for e in content["entries"] if e["name"] != "finger"]
        content["max_age_s"] = 2.0
    adoption = adopt(path, content, "guess.yaml")
    assert adoption.episodes[0].running > 0


def test_a_leader_is_the_action_of_the_joints_with_its_names(tmp_path):
    content = guessed(aloha().write(tmp_path / "b"))
    assert content["rate_hz"] == 50
    assert content["entries"][0] == {
        "name": "waist",
        "unit": "rad",
        "state": {"topic": "/follower/joint_states", "joint": "waist"},
        "action": {"topic": "/leader/joint_states", "joint": "waist"},
    }
    assert content["cameras"] == [{"name": "high", "topic": "/cam_high/image_raw/compressed"}]


def test_two_arms_keep_their_sides(tmp_path):
    bag = ForeignBag()
    for k in range(20):
        for side in ("left", "right"):
            bag.joints(f"/follower_{side}/joint_states", 20 * k, waist=0.0)
            bag.joints(f"/leader_{side}/joint_states", 20 * k, waist=0.0)
    entries = mapping_of(guessed(bag.write(tmp_path / "b")), "guess").entries
    pairs = {e.name: (e.state.topic, e.action.topic) for e in entries}
    topics = "/follower_{0}/joint_states", "/leader_{0}/joint_states"
    assert pairs == {
        f"follower_{side}_waist": tuple(topic.format(side) for topic in topics)
        for side in ("left", "right")
    }


def test_without_commands_the_action_is_the_next_state(tmp_path):
    bag = ForeignBag()
    for k in range(20):
        bag.joints("/joint_states", 20 * k, waist=0.0)
    (entry,) = mapping_of(guessed(bag.write(tmp_path / "b")), "guess").entries
    assert entry.next_state and entry.action is None


def test_of_a_camera_the_compressed_topic_is_taken_and_no_depth(tmp_path):
    bag = aloha(0.2)
    for topic in ("/front/color/image_raw", "/front/depth/image_rect_raw"):
        bag.add(topic, IMAGE, 5, 5)
    bag.add("/front/color/image_raw/compressed", COMPRESSED, 5, 5, data=jpeg(3))
    assert bag.messages[-1][0] > START
    cameras = guessed(bag.write(tmp_path / "b"))["cameras"]
    assert {c["name"]: c["topic"] for c in cameras} == {
        "front": "/front/color/image_raw/compressed",
        "high": "/cam_high/image_raw/compressed",
    }
