"""Words and boxes about pictures, on hand-made truth."""

import numpy as np

from pi05_ros.evaluation.collection.descriptions import (
    SeenFurniture,
    SeenItem,
    caption,
    entries,
    furniture_questions,
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


def test_names_in_the_plural_are_spoken_of_as_such():
    trousers = SeenItem("trousers", "red", "on the floor", (0.1, 0.5, 0.2, 0.6))
    scissors = SeenItem("pair of scissors", "", COUNTER, (0.5, 0.5, 0.6, 0.6))
    assert caption([trousers]) == "red trousers on the floor"
    assert caption([scissors, scissors]) == "two pairs of scissors on the counter"
    found = dict(questions([trousers, scissors], ["shoes", "roll of tape"]))
    assert found["are there trousers?"] == "yes" and found["are there shoes?"] == "no"
    assert found["what colour are the trousers?"] == "red"
    assert found["where are the red trousers?"] == "on the floor"
    assert found["are the red trousers left or right of the pair of scissors?"] == "left"
    assert found["is there a roll of tape?"] == "no"
    assert found["how many pairs of scissors are there?"] == "one"
    assert not [question for question in found if "how many trousers" in question]


def test_furniture_names_the_room_and_has_a_state():
    sink, drawer = (
        SeenFurniture("sink", (0, 0, 1, 1)),
        SeenFurniture("drawer", (0, 0, 1, 1), "open"),
    )
    assert furniture_questions([sink, drawer], "kitchen") == [
        ("which room is this?", "a kitchen"),
        ("is there a sink?", "yes"),
        ("is there a drawer?", "yes"),
        ("is the drawer open or shut?", "open"),
    ]
    assert furniture_questions([], "kitchen") == [], "nothing tells the room"
    random = np.random.default_rng(0)
    alone = entries("a.jpg", [], [], random, "kitchen", [sink, drawer])
    assert alone[0]["answer"] == "a kitchen with a sink and a drawer"
    assert [box["label"] for box in alone[1]["boxes"]] == ["sink", "drawer"]
    both = entries("a.jpg", [KNIFE], [], random, "kitchen", [sink])
    assert both[0]["answer"] == "a kitchen with a knife in the sink"
    assert entries("a.jpg", [KNIFE], [], random, "kitchen")[0]["answer"] == "a knife in the sink"
