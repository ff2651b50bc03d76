"""Phrases that complete the prompt of `./pi05 say`."""

import pytest

from pi05_ros.cli.say.phrases import Phrases
from pi05_ros.platforms.platform import load_platform, robot_names


def test_what_was_said_last_comes_first_and_each_stands_once():
    phrases = Phrases(["pick up the cup", "pick up the fork"])
    phrases.add("wipe the table")
    phrases.add("Pick up  the FORK\n")
    phrases.add("wipe the table")
    phrases.add("")
    assert phrases.all() == ["wipe the table", "Pick up the FORK", "pick up the cup"]


@pytest.mark.parametrize(
    ("typed", "fitting"),
    [
        ("", ["pick up the cup", "put the cup in the sink"]),
        ("pick", ["pick up the cup"]),
        ("cu si", ["put the cup in the sink"]),
        ("CUP", ["pick up the cup", "put the cup in the sink"]),
        ("fork", []),
    ],
)
def test_every_word_that_was_typed_begins_a_word(typed, fitting):
    assert Phrases(["pick up the cup", "put the cup in the sink"]).fitting(typed) == fitting


@pytest.mark.parametrize("name", robot_names())
def test_shipped_platforms_have_a_vocabulary(name):
    vocabulary = load_platform(name).vocabulary
    assert "pick up the cup" in vocabulary and len(set(vocabulary)) == len(vocabulary) > 10
