"""Which rows a subtask is the label of."""

import math
from types import SimpleNamespace

import numpy as np

from pi05_ros.data.episodes.episode import PictureBox, SubtaskLabel
from pi05_ros.data.episodes.labels import Saying, spans

ROWS = np.arange(10, 20) * 100  # Row k came at 1000 + 100 k.


def said(log_ns, text, source="model", **more):
    return Saying(log_ns, text, source, **more)


def test_a_subtask_holds_from_when_it_was_heard_to_the_next():
    found = spans(ROWS, [said(1150, "pick"), said(1500, "place", "human", id=4)])
    assert found == (
        SubtaskLabel(2, 5, "pick", "model"),
        SubtaskLabel(5, 10, "place", "human", id=4),
    )


def test_a_row_that_came_at_the_same_time_is_the_first_of_it():
    found = spans(ROWS, [said(0, "pick"), said(1300, "place")])
    assert [(label.start_row, label.stop_row) for label in found] == [(0, 3), (3, 10)]


def test_one_that_was_latched_before_the_first_row_holds_from_it():
    assert spans(ROWS, [said(3, "pick")]) == (SubtaskLabel(0, 10, "pick", "model"),)


def test_an_empty_subtask_leaves_rows_without_a_label():
    found = spans(ROWS, [said(0, "pick"), said(1200, ""), said(1700, "pick")])
    assert [(label.start_row, label.stop_row) for label in found] == [(0, 2), (7, 10)]


def test_a_planner_that_repeats_itself_says_nothing_new():
    found = spans(ROWS, [said(0, "pick", score=0.5), said(1300, "pick", score=0.9)])
    assert found == (SubtaskLabel(0, 10, "pick", "model", score=0.5),)


def test_a_change_of_the_boxes_alone_is_a_new_span():
    box = PictureBox("front", "cup", 0.1, 0.2, 0.3, 0.4)
    found = spans(ROWS, [said(0, "pick"), said(1300, "pick", boxes=(box,))])
    assert [label.boxes for label in found] == [(), (box,)]


def test_what_the_model_would_have_said_is_a_new_span():
    found = spans(ROWS, [said(0, "wave", "human"), said(1300, "wave", "human", model_text="go")])
    assert [label.model_text for label in found] == ["", "go"]


def test_a_subtask_without_rows_is_none():
    found = spans(ROWS, [said(1110, "a"), said(1120, "b"), said(1900, "c"), said(2500, "d")])
    assert [label.text for label in found] == ["b"] + ["c"]
    assert spans(ROWS, []) == ()


def test_a_message_becomes_what_it_says():
    box = SimpleNamespace(
        camera="front", label="cup", x_min=0.25, y_min=0.5, x_max=0.75, y_max=1.0, score=math.nan
    )
    message = SimpleNamespace(
        text="pick", source="human", task="tidy", score=math.nan, boxes=[box], id=7
    )
    wanted = Saying(
        5, "pick", "human", "tidy", None, (PictureBox("front", "cup", 0.25, 0.5, 0.75, 1),)
    )
    assert Saying.of(5, message) == Saying(
        **{**vars(wanted), "id": 7}
    )  # An old one: no model_text.
    message.model_text, message.score, box.score = "place", 0.5, 0.25
    found = Saying.of(5, message)
    assert (found.model_text, found.score, found.boxes[0].score) == ("place", 0.5, 0.25)
