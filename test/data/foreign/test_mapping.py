"""The mapping file: strict keys, units, and contradictions."""

import copy
import math

import pytest
import yaml
from fakes.foreign_bags import ALOHA

from pi05_ros.data.foreign.mapping import factor, load_mapping, mapping_of
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.resources import resource_path

EXAMPLES = sorted(resource_path("config/adopt").glob("*.yaml"))


def changed(**keys):
    content = copy.deepcopy(ALOHA)
    content.update(keys)
    return content


def with_state(**keys):
    content = copy.deepcopy(ALOHA)
    content["entries"][0]["state"].update(keys)
    return content


def test_the_examples_are_mappings():
    names = {path.stem: load_mapping(path) for path in EXAMPLES}
    assert set(names) == {"aloha", "libero", "mobile_base"}
    assert len(names["aloha"].state_names) == 14
    assert len(names["libero"].state_names) == 8 and len(names["libero"].action_names) == 7


def test_state_and_action_have_their_own_entries():
    content = changed(
        entries=[
            {"name": "a", "state": {"topic": "/s", "index": 0}},
            {"name": "b", "state": {"topic": "/s", "index": 1}, "next_state": True},
            {"name": "c", "action": {"topic": "/a", "index": 0}},
        ]
    )
    mapping = mapping_of(content, "m.yaml")
    assert mapping.state_names == ("a", "b")
    assert mapping.action_names == ("b", "c")


@pytest.mark.parametrize(
    "content, message",
    [
        (changed(rate=50), r"m.yaml: unknown key 'rate'; did you mean 'rate_hz'\?"),
        (with_state(topics="/x"), r"state: unknown key 'topics'; did you mean 'topic'\?"),
        (with_state(topic="joint_states"), r"topic: wanted a full name that begins with '/'"),
        (with_state(index=3), "wanted one way to find the number, found index, joint"),
        (with_state(scale=0.0), "scale: wanted a number other than 0"),
        (with_state(clip=[1, 0]), "clip: wanted a lower bound below the upper one"),
        (with_state(unit="V"), "entry 'waist': state: unit: no factor from 'V' to 'rad'"),
        (with_state(max_age_s=0), "max_age_s: wanted a time above 0 s"),
        (with_state(interpolation="cubic"), "wanted one of hold, linear, found 'cubic'"),
        (changed(rate_hz=0), "rate_hz: wanted above 0"),
        (changed(robot=""), "robot: wanted a name"),
        (changed(entries=[]), "entries: wanted at least one with `state`"),
        (changed(entries=[ALOHA["entries"][0]] * 2), "entries: 'waist' stands twice"),
        (changed(entries=[{"name": "x"}]), "entry 'x': wanted `state`, `action`, or both"),
        (changed(task_topic="/task"), "wanted `task` or `task_topic`, found both"),
        (changed(outcome="won"), "outcome: wanted one of"),
        (changed(subtask="pick; place"), "subtask: it has ';'"),
        (changed(split={"by": "topic"}), "split: wanted `topic` with `by: topic`"),
        (changed(log_time=["/other"]), "log_time: '/other' is no topic of the mapping"),
        (
            changed(cameras=[{"name": "a", "topic": "/c"}, {"name": "b", "topic": "/c"}]),
            "cameras' topics: '/c' stands twice",
        ),
        (
            changed(cameras=[{"name": "a", "topic": "/c", "rotate": 45}]),
            r"cameras\[0\]: rotate: wanted one of 0, 90, 180, 270, found 45",
        ),
    ],
)
def test_a_mapping_that_is_wrong_says_where(content, message):
    with pytest.raises(ConfigError, match=message):
        mapping_of(content, "m.yaml")


def test_next_state_needs_a_state_and_no_action():
    content = copy.deepcopy(ALOHA)
    content["entries"][0]["next_state"] = True
    with pytest.raises(ConfigError, match="entry 'waist': next_state makes the action"):
        mapping_of(content, "m.yaml")


def test_a_key_that_stands_twice_is_an_error(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(yaml.safe_dump(ALOHA) + "rate_hz: 10\n")
    with pytest.raises(ConfigError, match="the key 'rate_hz' stands twice"):
        load_mapping(path)


@pytest.mark.parametrize(
    "recorded, wanted, expected",
    [
        (None, "rad", 1.0),
        ("rad", "rad", 1.0),
        ("deg", "rad", math.pi / 180),
        ("rpm", "rad/s", math.pi / 30),
        ("mm", "m", 0.001),
        ("%", "–", 0.01),
        ("m", "rad", None),
    ],
)
def test_units_are_converted_where_the_factor_is_known(recorded, wanted, expected):
    assert factor(recorded, wanted) == expected
