"""Round trip of vectors and labels through columns."""

import numpy as np
import pyarrow as pa
import pytest

from pi05_ros.data.episodes.episode import PictureBox, SubtaskLabel
from pi05_ros.data.lerobot import columns


@pytest.mark.parametrize("width", [1, 3])
def test_vectors_round_trip_bit_for_bit(width):
    values = np.random.default_rng(0).normal(size=(7, width))
    column = columns.vectors(values)
    assert column.type == (pa.float64() if width == 1 else pa.list_(pa.float64(), 3))
    np.testing.assert_array_equal(columns.matrix(column), values, strict=True)
    chunks = pa.chunked_array([column.slice(0, 2), column.slice(2)])
    np.testing.assert_array_equal(columns.matrix(chunks), values, strict=True)


def test_lists_of_variable_type_are_vectors_when_they_are_of_equal_length():
    column = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32()))
    assert columns.matrix(column).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="of different lengths"):
        columns.matrix(pa.array([[1.0], [2.0, 3.0], [4.0, 5.0, 6.0]]))
    with pytest.raises(ValueError, match="of different lengths"):
        columns.matrix(pa.array([[1.0], [2.0, 3.0]]))
    with pytest.raises(ValueError, match="1 rows have no value"):
        columns.matrix(pa.array([[1.0], None]))


def test_boxes_round_trip():
    boxes = (
        PictureBox("front", "Glas „grün“", 0.1, 0.2, 0.30000000000000004, 1.0, 0.5),
        PictureBox("left_wrist", "", 0.0, 0.0, 1.0, 1.0, None),
    )
    assert columns.boxes_from_json(columns.boxes_to_json(boxes)) == boxes
    assert columns.boxes_from_json(columns.boxes_to_json(())) == ()


def label_table(rows):
    """The label's columns of (text, source, boxes, model_subtask, id, score) rows."""
    names = ("subtask", "source", "boxes", "model_subtask", "subtask_id", "score")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def test_each_run_of_equal_rows_is_a_label():
    nan = float("nan")
    none = ("", "", "[]", "", 0, nan)
    grasp, other_id = ("grasp", "model", "[]", "", 1, 0.5), ("grasp", "model", "[]", "", 2, 0.5)
    box = PictureBox("front", "cup", 0.0, 0.0, 0.5, 0.5, None)
    boxed = ("grasp", "model", columns.boxes_to_json((box,)), "", 2, 0.5)
    human = ("lift", "human", "[]", "grasp", 3, nan)
    by_lerobot = ("lift", "human", "[]", "grasp", 3, None)  # Its tools replace NaN by null.
    finite = ("lift", "human", "[]", "grasp", 3, -1.0)  # As exported today.
    rows = [none, grasp, grasp, other_id, boxed, none, human, by_lerobot]
    assert columns.labels_from(label_table(rows), ["tidy"] * 7 + ["wipe"]) == (
        SubtaskLabel(1, 3, "grasp", "model", "tidy", 0.5, (), "", 1),
        SubtaskLabel(3, 4, "grasp", "model", "tidy", 0.5, (), "", 2),
        SubtaskLabel(4, 5, "grasp", "model", "tidy", 0.5, (box,), "", 2),
        SubtaskLabel(6, 7, "lift", "human", "tidy", None, (), "grasp", 3),
        SubtaskLabel(7, 8, "lift", "human", "wipe", None, (), "grasp", 3),
    )
    (all_three,) = columns.labels_from(label_table([human, by_lerobot, finite]), ["tidy"] * 3)
    assert all_three.stop_row == 3


def test_the_number_of_a_text_is_its_length():
    assert columns.numbers(pa.array(["", "a", "„ä“"])).tolist() == [[0], [1], [3]]
    assert columns.numbers(pa.chunked_array([pa.array([2.5, -1.0])])).tolist() == [[2.5], [-1.0]]


def test_texts_become_labels_where_there_are_any():
    assert columns.labels_of_texts(["", "a", "a", "b", ""], "external", ["t"] * 5) == (
        SubtaskLabel(1, 3, "a", "external", "t"),
        SubtaskLabel(3, 4, "b", "external", "t"),
    )
