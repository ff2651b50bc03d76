"""A sample of a message decides whether the topic is compressed."""

import os

from pi05_ros.data.bags.compressibility import LARGE, Compressibility


def test_noise_is_not_compressed_and_flat_pictures_are():
    pays = Compressibility()
    assert not pays.pays(1, os.urandom(100_000))
    assert pays.pays(2, bytes(100_000))


def test_small_messages_are_compressed_together_whatever_they_are():
    assert Compressibility().pays(1, os.urandom(LARGE - 1))


def test_a_topic_that_changes_is_noticed_within_a_hundred_messages():
    pays, noise, flat = Compressibility(), os.urandom(50_000), bytes(50_000)
    answers = [pays.pays(1, noise if i < 150 else flat) for i in range(400)]
    assert answers[:150] == [False] * 150
    assert answers[250:] == [True] * 150
