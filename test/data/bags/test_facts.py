"""Round trip of an episode's facts through a bag's custom_data."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.data.bags.facts import OUTCOMES, BagError, EpisodeFacts, describes_episode
from pi05_ros.data.bags.metadata import BagMetadata

# YAML cannot hold surrogates; every other character it can, escaped.
texts = st.text(st.characters(codec="utf-8"), max_size=20)
words = st.lists(texts, max_size=4, unique=True).map(tuple)
facts = st.builds(
    lambda names, **rest: EpisodeFacts(names=names, units=tuple("m" for _ in names), **rest),
    names=words,
    id=texts.filter(bool),
    task=texts,
    operator_name=texts,
    home=texts,
    notes=texts,
    platform=texts,
    rate_hz=st.floats(0, 1e6, allow_nan=False),
    cameras=st.dictionaries(texts, texts, max_size=3),
    rotations=st.dictionaries(texts, st.sampled_from((0, 90, 180, 270)), max_size=3),
    simulated=st.booleans(),
    started_ns=st.integers(0, 2**63 - 1),
    outcome=st.sampled_from(OUTCOMES),
    ended=texts,
    recovered=texts,
)


def test_units_of_actions():
    both = EpisodeFacts("a", names=("x", "y"), units=("m", "rad"))
    assert both.units_of_actions == ("m", "rad")
    assert EpisodeFacts("a", names=("x", "y")).units_of_actions == ("", "")
    own = replace(both, action_names=("vx", "y"))
    assert own.units_of_actions == ("", "rad")  # Of the same name.
    own = replace(own, action_units=("m/s", ""))
    assert own.units_of_actions == ("m/s", "")
    assert EpisodeFacts.from_custom_data(own.to_custom_data()) == own
    assert "pi05.action_units" not in both.to_custom_data()
    with pytest.raises(ValueError, match="one for each of 2 action_names, got 1"):
        replace(own, action_units=("m/s",))


@settings(deadline=None, max_examples=60)
@given(facts)
def test_round_trip(given_facts):
    data = given_facts.to_custom_data()
    assert all(isinstance(value, str) for value in data.values())
    assert describes_episode(data)
    assert EpisodeFacts.from_custom_data(data) == given_facts


@settings(deadline=None, max_examples=60)
@given(facts)
def test_metadata_yaml_keeps_them_as_they_are(given_facts):
    metadata = BagMetadata((), (), given_facts.to_custom_data())
    again = BagMetadata.from_yaml(metadata.to_yaml(), "bag")
    assert EpisodeFacts.from_custom_data(again.custom_data) == given_facts


def test_other_keys_are_ignored():
    data = {"pi05.id": "a", "pi05.from_the_future": "1", "robot": "ours", "pi05.task": "wipe"}
    assert EpisodeFacts.from_custom_data(data) == EpisodeFacts(id="a", task="wipe")
    assert not describes_episode({"robot": "ours"})


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("pi05.names", "left_1, left_2", "Expecting value"),
        ("pi05.names", '{"a": 1}', "wanted a JSON list of texts"),
        ("pi05.units", "[1]", "wanted a JSON list of texts"),
        ("pi05.rotations", '{"wrist": "180"}', "wanted a JSON object of whole numbers"),
        ("pi05.rotations", '{"wrist": 45}', "wanted 0, 90, 180 or 270 for 'wrist', got 45"),
        ("pi05.cameras", '["front"]', "wanted a JSON object of texts"),
        ("pi05.simulated", "yes", "wanted true or false"),
        ("pi05.rate_hz", "fast", "could not convert"),
        ("pi05.rate_hz", "nan", "wanted a rate >= 0"),
        ("pi05.started_ns", "1.5", "invalid literal"),
        ("pi05.outcome", "discard", "wanted 'success', 'failure' or ''"),
        ("pi05.units", '["m"]', "wanted one for each of 0 names"),
        ("pi05.id", "", "an episode needs an id"),
    ],
)
def test_a_bad_value_is_reported_with_its_bag(key, value, why):
    with pytest.raises(BagError, match="kitchen") as raised:
        EpisodeFacts.from_custom_data({"pi05.id": "a", key: value}, "bags/kitchen")
    assert why in str(raised.value)


def test_without_an_id_it_is_no_episode():
    with pytest.raises(BagError, match=r"holds no facts of an episode: there is no pi05\.id"):
        EpisodeFacts.from_custom_data({"pi05.task": "wipe"})
