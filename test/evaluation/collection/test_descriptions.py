"""Words and boxes about pictures, on hand-made truth."""

import numpy as np

from pi05_ros.evaluation.collection.descriptions import (
    SeenItem,
    caption,
    entries,
    known_kinds,
    questions,
)

COUNTER, SINK = "on the counter", "in the sink"
RED_CUP = SeenItem("cup", "red", COUNTER, (0.1, 0.5, 0.2, 0.6))
BLUE_CUP = SeenItem("cup", "blue", COUNTER, (0.6, 0.5, 0.7, 0.6))
KNIFE = SeenItem("knife", "", SINK, (0.4, 0.5, 0.5, 0.6))
HIDDEN_CUP = SeenItem("cup", "green", COUNTER, (0.9, 0.5, 0.91, 0.6), is_clear=False)


def test_a_caption_goes_from_left_to_right_by_place():
    assert caption([BLUE_CUP, KNIFE, RED_CUP]) == (
        "a red cup and a blue cup on the counter, a knife in the sink"
    )
    orange = SeenItem("mug", "orange", COUNTER, (0.0, 0.5, 0.1, 0.6))
    assert caption([orange]) == "an orange mug on the counter"
    assert caption([KNIFE, KNIFE]) == "two knives in the sink"


def test_questions_have_one_right_answer():
    found = dict(questions([RED_CUP, BLUE_CUP, KNIFE], ["cup", "knife", "plate"]))
    assert found["how many cups are there?"] == "two"
    assert found["is there a plate?"] == "no"
    assert found["is there a knife?"] == "yes"
    assert found["where is the knife?"] == SINK
    assert found["is the red cup left or right of the knife?"] == "left"
    assert found["is the blue cup left or right of the knife?"] == "right"
    assert "what colour is the cup?" not in found  # There are two.
    assert "how many plates are there?" not in found
    one = dict(questions([RED_CUP], []))
    assert one["what colour is the cup?"] == "red"


def test_nothing_is_said_about_what_is_mostly_hidden():
    seen = [RED_CUP, KNIFE, HIDDEN_CUP]
    assert known_kinds(seen) == {"knife"}
    asked = [question for question, _ in questions(seen, ["cup", "knife"])]
    assert not [question for question in asked if "cup" in question]
    found = entries("a.jpg", seen, ["cup", "knife"], np.random.default_rng(0))
    assert all("green" not in str(entry) for entry in found)
    boxes = next(entry["boxes"] for entry in found if entry["kind"] == "boxes")
    assert boxes == [{"label": "knife", "box": [0.4, 0.5, 0.5, 0.6]}]
    assert entries("a.jpg", [HIDDEN_CUP], ["cup"], np.random.default_rng(0)) == []


def test_absent_things_are_asked_for_once_a_picture():
    kinds = ["bowl", "fork", "glass", "pan", "plate"]
    for seed in range(5):
        found = entries("a.jpg", [RED_CUP, KNIFE], kinds, np.random.default_rng(seed))
        answers = [entry["answer"] for entry in found if entry["kind"] == "question"]
        assert len(answers) == 4 and answers.count("no") == 1
