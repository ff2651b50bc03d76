"""Labels that the model's answer cannot carry are refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.brain.label_text import label_problem
from pi05_ros.model.text.locations import MAX_LABEL, Answer, Location, parse, write

CAMERAS = ("front", "left_wrist")


@pytest.mark.parametrize(
    "text",
    [
        "pick up the cup",
        "„Tisch“ wischen",
        "take the 2nd one: the red cup",
        "move > 3 cm",
        "half-done",
        "x" * 256,
    ],
)
def test_plain_texts_pass(text):
    assert label_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("<loc0001> cup", "it has '<', which begins a token in the model's answers"),
        ("cup; plate", "it has ';', which parts two boxes in the model's answers"),
        ("cup\nplate", "it must be one line without control characters"),
        ("cup\u2028plate", "it must be one line without control characters"),
        ("cup\x07", "it must be one line without control characters"),
        ("\udcff", "it must be UTF-8"),
        ("zero\u200bwidth", "it has characters that cannot be printed"),
        ("broken \ufffd", "it has characters that cannot be printed"),
        ("two  spaces", "it has spaces around it or several in a row"),
        (" cup", "it has spaces around it or several in a row"),
        ("front: cup", "it begins with 'front:', which names a camera in the model's answers"),
        ("left_wrist :cup", "it begins with 'left_wrist :', which names a camera in the model's"),
        ("Done", "'done' means that the task is finished"),
        ("x" * 257, "it has 257 characters, at most 256 are allowed"),
    ],
)
def test_others_are_refused_with_the_reason(text, why):
    assert label_problem(text).startswith(why)


@given(st.text(max_size=MAX_LABEL))
@settings(max_examples=300, deadline=None)
def test_a_label_that_passes_is_parsed_back_as_it_was(text):
    if label_problem(text):
        return
    for camera in CAMERAS:
        answer = Answer(text, (Location(camera, text, 0.0, 0.0, 1.0, 1.0),))
        found = parse(write(answer, CAMERAS), CAMERAS)
        assert found == answer and not found.done
