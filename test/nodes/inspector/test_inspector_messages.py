"""Shapes as markers, the way RViz reads them."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from visualization_msgs.msg import Marker

from pi05_ros.inspection.shapes import Shape, ShapeKind
from pi05_ros.nodes.inspector.messages import marker

POINTS = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])


def line(colours):
    return Shape("measured", 3, ShapeKind.STRIP, "odom", 2_500_000_000, POINTS, colours, 0.02)


def test_a_line_that_fades_never_ends_opaque():
    """RViz blends it as its last point says; from 0.9998 on it draws all of it opaque."""
    colours = np.array([[1.0, 0, 0, 0.2], [0, 1, 0, 0.6], [0, 0, 1, 1.0]])
    made = marker(line(colours), 1.5)
    assert [c.a for c in made.colors] == pytest.approx([0.2, 0.6, 0.99])
    assert [(c.r, c.g, c.b) for c in made.colors] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert colours[2, 3] == 1.0


def test_colours_without_transparency_stay_opaque():
    made = marker(line(np.array([[1.0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]])), 1.5)
    assert [c.a for c in made.colors] == [1.0] * 3


def test_one_colour_is_sent_once():
    made = marker(line(np.array([0.25, 0.5, 0.75, 0.5])), 1.5)
    assert made.colors == [] and len(made.points) == 3
    assert (made.color.r, made.color.g, made.color.b, made.color.a) == (0.25, 0.5, 0.75, 0.5)
    assert (made.ns, made.id, made.type) == ("measured", 3, Marker.LINE_STRIP)
    assert (made.header.frame_id, made.header.stamp.sec) == ("odom", 2)
    assert (made.lifetime.sec, made.lifetime.nanosec) == (1, 500_000_000)
    assert made.scale.x == 0.02
