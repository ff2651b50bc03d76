"""Texts about boxes, and the points of what they name."""

import numpy as np
import torch

from pi05_ros.model.text.locations import Location
from pi05_ros.training.sources.queries import box_queries, subtask_query

CAMERAS = ("front", "left_wrist")
CUP = Location("front", "cup", 0.2, 0.4, 0.4, 0.6)
RED = Location("left_wrist", "red cup", 0.0, 0.0, 0.5, 1.0)
SINK = Location("front", "sink", 0.5, 0.0, 1.0, 0.5)
UNSEEN = [0.0, 0.0, 0.0]


def close(found, wanted):
    torch.testing.assert_close(found, torch.tensor(wanted))


def test_a_subtask_names_a_thing_and_a_place():
    query = subtask_query("put the cup in the sink", [CUP, SINK], CAMERAS)
    assert query.texts == ("put the cup in the sink",)
    close(query.points[0, 0], [[0.3, 0.5, 1.0], [0.75, 0.25, 1.0]])
    close(query.points[0, 1], [UNSEEN, UNSEEN])  # No box of either in that camera.


def test_a_place_of_which_no_thing_is_seen_is_no_thing():
    query = subtask_query("put the cup in the sink", [SINK], CAMERAS)
    close(query.points[0, 0], [UNSEEN, [0.75, 0.25, 1.0]])


def test_picking_up_names_no_place():
    query = subtask_query("pick up the cup", [CUP, SINK], CAMERAS)
    close(query.points[0, 0], [[0.3, 0.5, 1.0], UNSEEN])


def test_the_longest_label_is_meant():
    query = subtask_query("pick up the red cup", [CUP, RED], CAMERAS)
    close(query.points[0, :, 0], [UNSEEN, [0.25, 0.5, 1.0]])


def test_nothing_is_known_without_boxes():
    assert subtask_query("pick up the cup", [], CAMERAS) is None
    assert box_queries([], CAMERAS, {"fork": 4}, np.random.default_rng(0)) is None


def test_texts_about_boxes_have_the_points_of_what_they_name():
    forms = set()
    for seed in range(40):
        found = box_queries(
            [CUP, SINK], ("front",), {"cup": 9, "fork": 4}, np.random.default_rng(seed)
        )
        assert len(found.texts) == len(found.points) <= 2
        for text, points in zip(found.texts, found.points, strict=True):
            thing, place = points[0].tolist()
            if text == "put the cup in the sink":
                close(points[0], [[0.3, 0.5, 1.0], [0.75, 0.25, 1.0]])
            elif "cup" in text and "sink" not in text:
                close(points[0], [[0.3, 0.5, 1.0], UNSEEN])
            elif "fork" in text:  # It occurs elsewhere only.
                assert thing == place == UNSEEN
            forms.add(text)
    assert {"cup", "pick up the cup", "put the cup in the sink", "sink"} <= forms
    assert forms & {"fork", "pick up the fork"}


def test_a_thing_of_the_same_noun_is_not_taken_for_absent():
    for seed in range(20):
        found = box_queries([RED], CAMERAS, {"cup": 9}, np.random.default_rng(seed))
        assert all("red cup" in text for text in found.texts)


def test_rare_labels_are_drawn_more_often():
    boxes = [Location("front", f"box {k}", 0.1, 0.1, 0.2, 0.2) for k in range(8)]
    counts = {box.label: 100 for box in boxes} | {"box 7": 1}
    texts = [
        text
        for seed in range(100)
        for text in box_queries(boxes, ("front",), counts, np.random.default_rng(seed)).texts
    ]
    # Weight 1 against 0.1 for the others: in nearly every draw of four.
    assert sum("box 7" in text for text in texts) > 90
    assert sum("box 0" in text for text in texts) < 90
