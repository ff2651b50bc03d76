"""The rows that a subtask labels."""

import math
from types import SimpleNamespace

import numpy as np

from pi05_ros.data.episodes.episode import PictureBox, SubtaskLabel
from pi05_ros.data.episodes.labels import ReceivedSubtask, spans

ROWS = np.arange(10, 20) * 100  # Row k is received at 1000 + 100 k.


def subtask(log_ns, text, source="model", **more):
    return ReceivedSubtask(log_ns, text, source, **more)


def test_a_subtask_is_valid_from_its_reception_to_the_next():
    found = spans(ROWS, [subtask(1150, "pick"), subtask(1500, "place", "human", id=4)])
    assert found == (
        SubtaskLabel(2, 5, "pick", "model"),
        SubtaskLabel(5, 10, "place", "human", id=4),
    )


def test_a_row_received_at_the_same_time_is_the_first_of_the_label():
    found = spans(ROWS, [subtask(0, "pick"), subtask(1300, "place")])
    assert [(label.start_row, label.stop_row) for label in found] == [(0, 3), (3, 10)]


def test_a_subtask_latched_before_the_first_row_is_valid_from_it():
    assert spans(ROWS, [subtask(3, "pick")]) == (SubtaskLabel(0, 10, "pick", "model"),)


def test_an_empty_subtask_leaves_rows_without_a_label():
    found = spans(ROWS, [subtask(0, "pick"), subtask(1200, ""), subtask(1700, "pick")])
    assert [(label.start_row, label.stop_row) for label in found] == [(0, 2), (7, 10)]


def test_a_repeated_subtask_begins_no_new_label():
    found = spans(ROWS, [subtask(0, "pick", score=0.5), subtask(1300, "pick", score=0.9)])
    assert found == (SubtaskLabel(0, 10, "pick", "model", score=0.5),)


def test_a_change_of_the_boxes_alone_is_a_new_span():
    box = PictureBox("front", "cup", 0.1, 0.2, 0.3, 0.4)
    found = spans(ROWS, [subtask(0, "pick"), subtask(1300, "pick", boxes=(box,))])
    assert [label.boxes for label in found] == [(), (box,)]


def test_a_new_prediction_of_the_model_is_a_new_span():
    found = spans(
        ROWS, [subtask(0, "wave", "human"), subtask(1300, "wave", "human", model_text="go")]
    )
    assert [label.model_text for label in found] == ["", "go"]


def test_a_subtask_without_rows_gives_no_label():
    found = spans(
        ROWS, [subtask(1110, "a"), subtask(1120, "b"), subtask(1900, "c"), subtask(2500, "d")]
    )
    assert [label.text for label in found] == ["b"] + ["c"]
    assert spans(ROWS, []) == ()


def test_a_message_is_converted():
    box = SimpleNamespace(
        camera="front", label="cup", x_min=0.25, y_min=0.5, x_max=0.75, y_max=1.0, score=math.nan
    )
    message = SimpleNamespace(
        text="pick", source="human", task="tidy", score=math.nan, boxes=[box], id=7
    )
    wanted = ReceivedSubtask(
        5, "pick", "human", "tidy", None, (PictureBox("front", "cup", 0.25, 0.5, 0.75, 1),)
    )
    assert ReceivedSubtask.of(5, message) == ReceivedSubtask(
        **{**vars(wanted), "id": 7}
    )  # From an older bag, without model_text.
    message.model_text, message.score, box.score = "place", 0.5, 0.25
    found = ReceivedSubtask.of(5, message)
    assert (found.model_text, found.score, found.boxes[0].score) == ("place", 0.5, 0.25)
