"""A brain with heat maps: boxes move to the peaks, chunks get the subtask's points."""

import dataclasses
import math

import pytest
from fakes.compact_model import CAMERAS, SIZE, compact_checkpoint
from fakes.model_brain import observe, stats_of

from pi05_ros.brain.interface import Box
from pi05_ros.checkpoints.checkpoint import Training, save_checkpoint
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.model.decoding import Decoded
from pi05_ros.model.text.locations import Location
from pi05_ros.platforms.platform import Platform, load_platform


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform("mobile_18dof")


@pytest.fixture(scope="module")
def brain(platform, tmp_path_factory) -> ModelBrain:
    folder = tmp_path_factory.mktemp("compact") / "c"
    facts = {
        "norm_stats": {platform.name: stats_of(platform)},
        "training": Training(text=True, flow=True),
        "planner_cameras": CAMERAS,
        "policy_cameras": ("front", "left_wrist", "right_wrist"),
    }
    save_checkpoint(folder, compact_checkpoint(**facts))
    return ModelBrain(platform, str(folder))


def answer(monkeypatch, brain: ModelBrain, text: str) -> None:
    """Let the text head say this."""
    inner = brain._engine.generate_text

    def say(*arguments, **options):
        result = inner(*arguments, **options)
        decoded = Decoded(result.decoded.tokens, 0.5, finished=True)
        return dataclasses.replace(result, text=text, decoded=decoded)

    monkeypatch.setattr(brain._engine, "generate_text", say)


def corners(box: Box) -> tuple[float, ...]:
    return box.x_min, box.y_min, box.x_max, box.y_max


def test_a_box_is_moved_to_the_thing_and_keeps_its_size():
    box = Location("front", "cup", 0.1, 0.2, 0.3, 0.6)
    moved = box.moved_to((0.5, 0.5))
    assert corners(moved) == pytest.approx((0.4, 0.3, 0.6, 0.7))
    assert (moved.camera, moved.label) == ("front", "cup")
    assert corners(box.moved_to((0.95, 0.1))) == pytest.approx((0.85, 0.0, 1.0, 0.3))  # Cut off.
    assert box.moved_to(None) == box


def test_boxes_are_looked_for_in_their_own_pictures(brain, platform, monkeypatch):
    """Those of one label in one picture, and those that are not seen, stay."""
    answer(
        monkeypatch,
        brain,
        "<loc0100><loc0100><loc0300><loc0200> cup ; <loc0500><loc0500><loc0600><loc0600> plate ; "
        "<loc0000><loc0000><loc0100><loc0100> left_wrist: cup ; "
        "<loc0000><loc0000><loc0100><loc0100> fork ; "
        "<loc0200><loc0200><loc0300><loc0300> fork\npick up the cup",
    )
    asked = []

    def find(images, names):
        asked.append((sorted(images), names))
        return {("front", "cup"): (0.5, 0.25), ("left_wrist", "cup"): (0.0, 1.0)}

    monkeypatch.setattr(brain._engine, "find", find)
    found = brain.predict_subtask(observe(platform, SIZE), "tidy up")
    assert asked == [(sorted(CAMERAS), {"front": ["cup", "plate"], "left_wrist": ["cup"]})]
    assert [(box.camera, box.label) for box in found.boxes] == [
        ("front", "cup"),
        ("front", "plate"),
        ("left_wrist", "cup"),
        ("front", "fork"),
        ("front", "fork"),
    ]
    each = 1 / 1023
    assert corners(found.boxes[0]) == pytest.approx(
        (0.5 - 50 * each, 0.25 - 100 * each, 0.5 + 50 * each, 0.25 + 100 * each)
    )
    assert corners(found.boxes[1]) == pytest.approx(
        [500 * each, 500 * each, 600 * each, 600 * each]
    )
    assert corners(found.boxes[2]) == pytest.approx((0.0, 1.0 - 50 * each, 50 * each, 1.0))
    assert corners(found.boxes[4]) == pytest.approx(
        [200 * each, 200 * each, 300 * each, 300 * each]
    )
    assert math.isnan(found.boxes[0].score)


def test_the_real_heat_maps_are_asked(brain, platform, monkeypatch):
    answer(monkeypatch, brain, "<loc0100><loc0100><loc0300><loc0200> cup\npick up the cup")
    monkeypatch.setattr("pi05_ros.inference.engine._SEEN", 0.0)
    observation = observe(platform, SIZE)
    (box,) = brain.predict_subtask(observation, "tidy up").boxes
    place = brain._engine.find(observation.images, {"front": ["cup"]})["front", "cup"]
    want = Location("front", "cup", 100 / 1023, 100 / 1023, 200 / 1023, 300 / 1023)
    assert corners(box) == pytest.approx(corners(want.moved_to(place)))


def test_a_chunk_is_asked_with_the_subtask_as_it_is_in_the_prompt(brain, platform, monkeypatch):
    asked = []
    inner = brain._engine.sample_actions

    def spy(*arguments, **options):
        asked.append((arguments[1], options["query"]))
        return inner(*arguments, **options)

    monkeypatch.setattr(brain._engine, "sample_actions", spy)
    brain.predict_chunk(observe(platform, SIZE), " pick up\nthe red_cup ")
    ((prompt, query),) = asked
    assert query == "pick up the red cup"
    assert prompt.startswith(f"Task: {query}, State: ")
