"""Cameras of other robots among the model's pictures."""

import pytest

from pi05_ros.training.sources.picture_places import picture_places

LOW = ("front", "left_wrist", "right_wrist")
HIGH = ("front", "back", "left_wrist", "right_wrist")


@pytest.mark.parametrize(
    ("model", "own", "places"),
    [
        (LOW, LOW, {name: name for name in LOW}),
        (HIGH, LOW, {name: name for name in LOW}),
        (LOW, ("front", "wrist"), {"front": "front", "wrist": "left_wrist"}),
        (LOW, ("scene", "wrist"), {"scene": "front", "wrist": "left_wrist"}),
        (HIGH, ("scene", "wrist"), {"scene": "front", "wrist": "left_wrist"}),
        (LOW, HIGH, {name: name for name in LOW}),  # No place is left for "back".
        (("scene",), ("front", "left_wrist"), {"front": "scene"}),
    ],
)
def test_each_camera_has_its_place(model, own, places):
    found = picture_places(model, own)
    assert found == places
    assert list(found.values()) == [name for name in model if name in found.values()]
