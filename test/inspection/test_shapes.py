"""Validation of shapes, and keys of markers to delete."""

import numpy as np
import pytest

from pi05_ros.inspection.shapes import DisplayedShapes, Shape, ShapeKind

RED = np.array([1.0, 0.0, 0.0, 1.0])


def shape(namespace="chunk", id=0, points=((0, 0, 0), (1, 0, 0)), colours=RED):
    return Shape(namespace, id, ShapeKind.STRIP, "odom", 1, np.array(points), colours, 0.01)


def test_one_colour_is_every_points():
    assert shape().colours.tolist() == [RED.tolist()] * 2


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"points": ((0, 0), (1, 0))}, "wanted points"),
        ({"colours": np.ones((3, 4))}, "wanted points"),
        ({"points": ((0, 0, np.nan), (1, 0, 0))}, "not finite"),
        ({"namespace": "chunks"}, "none of the namespaces"),
    ],
)
def test_a_shape_that_rviz_cannot_display_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        shape(**wrong)


def test_what_is_gone_is_named_once():
    shown = DisplayedShapes()
    assert shown.replace([shape(id=0), shape(id=1), shape("boxes", 0)]) == []
    assert shown.replace([shape(id=1)]) == [("boxes", 0), ("chunk", 0)]
    assert shown.replace([shape(id=1)]) == []
