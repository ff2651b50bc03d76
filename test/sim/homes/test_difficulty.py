"""Difficulty as text, and the distractors of a kitchen."""

import dataclasses
import math

import numpy as np
import pytest

from pi05_ros.errors import ConfigError
from pi05_ros.sim.homes.difficulty import (
    IDEAL,
    PRESETS,
    Difficulty,
    cut_normal,
    random_of,
)
from pi05_ros.sim.homes.distractors import with_distractors
from pi05_ros.sim.homes.kitchen import draw_kitchen


def test_a_preset_with_changes_is_parsed():
    found = Difficulty.parse("normal, image_noise=0.02,shadows=1,distractors=3")
    wanted = dataclasses.replace(PRESETS["normal"], image_noise=0.02, shadows=True, distractors=3)
    assert found == wanted and found.shadows is True and isinstance(found.distractors, int)
    assert Difficulty.parse("ideal") == IDEAL == Difficulty()


def test_each_preset_is_harder_than_the_one_before():
    easy, normal, hard = (dataclasses.astuple(PRESETS[n]) for n in ("ideal", "normal", "hard"))
    assert not any(easy)
    for field, a, b in zip(dataclasses.fields(Difficulty), normal, hard, strict=True):
        assert a < b, field.name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("norml", r"difficulty 'norml': there is no preset 'norml'; did you mean 'normal'\?"),
        ("", "there is no preset ''"),
        ("hard,image_nois=1", "'image_nois=1' is no FIELD=NUMBER; did you mean 'image_noise'"),
        ("hard,gain", "'gain' is no FIELD=NUMBER"),
        ("hard,gain=much", "gain: wanted a number, found 'much'"),
        ("hard,gain=nan", "gain: wanted a number, found 'nan'"),
        ("hard,distractors=1.5", "distractors: wanted a whole number, found '1.5'"),
        ("hard,shadows=2", "shadows: wanted a number from 0 to 1, found 2"),
        ("hard,gamma=-0.1", "gamma: wanted a number from 0 to 0.45, found -0.1"),
        ("hard,distractors=13", "distractors: wanted a number from 0 to 12, found 13"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Difficulty.parse(text)


def test_numbers_are_cut_and_belong_to_home_use_and_index():
    numbers = cut_normal(random_of(3, 1), 2000)
    assert np.abs(numbers).max() == 2.0 and abs(numbers.std() - 0.96) < 0.05
    assert (numbers == cut_normal(random_of(3, 1), 2000)).all()
    for other in (random_of(4, 1), random_of(3, 2), random_of(3, 1, 1)):
        assert not (numbers == cut_normal(other, 2000)).any(where=np.abs(numbers) < 2.0)


@pytest.mark.parametrize("seed", [*range(10000, 10020)])
def test_distractors_stand_clear_and_come_on_top(seed):
    plain = draw_kitchen(seed)
    few, many = with_distractors(plain, 2), with_distractors(plain, 6)
    assert few.items[: len(plain.items)] == plain.items
    assert many.items[: len(few.items)] == few.items
    assert len({item.name for item in many.items}) == len(many.items)
    for number, item in enumerate(many.items[len(plain.items) :], len(plain.items)):
        assert item.grasp is None and not item.is_dish
        for other in many.items[:number]:
            apart = math.dist(item.position, other.position)
            assert apart > item.design.footprint + other.design.footprint + 0.07
        x, y, _ = many.surface(item.surface).pose.local(item.position)
        assert x + item.design.footprint <= many.surface(item.surface).depth
        if item.surface == "counter":
            aside = abs(many.sink.pose.local(item.position)[1])
            assert aside > many.sink.size[1] / 2 + item.design.footprint


def test_most_distractors_find_a_place():
    added = [
        len(with_distractors(draw_kitchen(s), 2).items) - len(draw_kitchen(s).items)
        for s in range(10000, 10030)
    ]
    assert np.mean(added) > 1.5
