"""Figures of answers, computed by hand."""

import pytest

from pi05_ros.model.text.locations import Answer, Location
from pi05_ros.training.validation.answers import (
    AnswerPair,
    answer_figures,
    overlap,
    overlaps_of,
)


def box(label, x0, y0, x1, y1, camera="head"):
    return Location(camera, label, x0, y0, x1, y1)


def pair(target, predicted, finished=True, boxes=(), found=()):
    return AnswerPair(Answer(target, boxes), Answer(predicted, found), finished)


def test_overlap():
    # 0.2 × 0.4 shared of 0.4 × 0.4 + 0.4 × 0.4 - 0.08.
    assert overlap(box("a", 0, 0, 0.4, 0.4), box("a", 0.2, 0, 0.6, 0.4)) == pytest.approx(1 / 3)
    assert overlap(box("a", 0, 0, 0.4, 0.4), box("a", 0.5, 0, 0.6, 0.4)) == 0.0
    assert overlap(box("a", 0, 0, 0, 0), box("a", 0, 0, 0, 0)) == 0.0


def test_boxes_are_matched_by_label_and_camera():
    whole, left = box("cup", 0, 0, 1, 1), box("cup", 0, 0, 0.5, 1)
    assert overlaps_of([whole], [box("plate", 0, 0, 1, 1)]) == [0.0]
    assert overlaps_of([whole], [box("cup", 0, 0, 1, 1, "wrist")]) == [0.0]
    assert overlaps_of([whole], [left]) == [0.5]
    # The best pairs first: each gets its own copy.
    assert overlaps_of([left, whole], [whole, left]) == [1.0, 1.0]
    # One predicted box serves one recorded one.
    assert sorted(overlaps_of([whole, whole], [whole])) == [0.0, 1.0]


def test_subtasks_and_done():
    figures = answer_figures(
        [
            pair("pick up the cup", "pick up the cup"),
            pair("pick up the cup", "pick up the cups"),
            pair("pick up the cup", "pick up the cup", finished=False),
            pair("put it down", "done"),
            pair("done", "done"),
            pair("done", "put it down"),
            pair("done", "done", finished=False),
        ]
    )
    assert figures == {
        "subtask_exact": pytest.approx(1 / 4),
        "done_precision": pytest.approx(1 / 2),
        "done_recall": pytest.approx(1 / 3),
    }


def test_box_figures():
    figures = answer_figures(
        [
            pair(
                "a",
                "a",
                boxes=(box("cup", 0, 0, 1, 1), box("plate", 0, 0, 1, 1)),
                found=(box("cup", 0, 0, 0.5, 1), box("bowl", 0, 0, 1, 1), box("pan", 0, 0, 1, 1)),
            )
        ]
    )
    assert figures["box_iou"] == pytest.approx(0.25)
    assert figures["box_precision"] == pytest.approx(1 / 3)


def test_nothing_to_count_gives_no_figure():
    assert answer_figures([]) == {}
    assert set(answer_figures([pair("a", "a")])) == {"subtask_exact"}
