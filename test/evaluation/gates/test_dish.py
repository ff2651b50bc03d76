"""What a subtask names, and how far a point is from it."""

import math

import pytest

from pi05_ros.brain.interface import Box
from pi05_ros.evaluation.gates.dish import is_near, named_thing, pixels_away

SIZE = (144, 192)


def test_the_thing_and_not_the_place():
    boxes = [
        Box("front", "cup", 0.1, 0.1, 0.2, 0.2),
        Box("front", "red cup", 0.3, 0.1, 0.4, 0.2),
        Box("back", "red cup", 0.3, 0.1, 0.4, 0.2),
        Box("right_wrist", "red cup", 0.5, 0.1, 0.6, 0.2),
        Box("left_wrist", "sink", 0.5, 0.1, 0.6, 0.2),
    ]
    thing = named_thing("put the red cup in the sink", boxes)
    assert thing.label == "red cup"
    assert thing.boxes == {"front": boxes[1], "right_wrist": boxes[3]}
    assert named_thing("put the fork in the sink", boxes) is None
    assert named_thing("pick up the red cup", boxes[2:3]) is None  # Seen behind the robot alone.


def test_distances_are_in_widths_of_the_picture():
    box = Box("front", "cup", 0.4, 0.3, 0.6, 0.7)
    assert pixels_away(box, (0.5, 0.5), SIZE) == pytest.approx(0.0)
    assert pixels_away(box, (0.5 + 3 / 112, 0.5), SIZE) == pytest.approx(3.0)
    assert pixels_away(box, (0.5, 0.5 + 3 / 84), SIZE) == pytest.approx(3.0)
    assert pixels_away(box, (0.5 + 3 / 112, 0.5 - 4 / 84), SIZE) == pytest.approx(5.0)
    assert pixels_away(box, None, SIZE) == math.inf


def test_near_is_a_box_of_a_long_diagonal():
    # 0.06 of the width and 0.0799 or 0.0801 of it upright: diagonals around 0.1.
    assert not is_near(Box("front", "cup", 0.0, 0.0, 0.06, 0.0799 / 0.75), SIZE)
    assert is_near(Box("front", "cup", 0.0, 0.0, 0.06, 0.0801 / 0.75), SIZE)
