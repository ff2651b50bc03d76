"""The 3D view of robots with one arm, a differential base, or no base at all."""

import numpy as np
import pytest
from fakes.robots import RobotKind, make_robot

pytest.importorskip("pinocchio", reason="./pi05 and rosdep bring it")

from pi05_ros.inspection.facts import ChunkFacts, StateFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.view import View, ViewSettings
from pi05_ros.platforms.description import description_xml

NOW = 10_000_000_000


def drawn(platform, actions):
    """Shapes of a chunk from NOW on, by namespace."""
    view = View(platform, ViewSettings(), LinkKinematics(platform, description_xml(platform)))
    if platform.base_axes:
        view.add_pose(NOW, (1.0, 2.0, np.pi / 2))
    view.add_state(StateFacts(NOW, platform.home, platform.home, 1, "", 0, np.nan))
    view.add_chunk(ChunkFacts(NOW, NOW, 1, 1, actions, 0, 0.1), NOW)
    assert view.problem() == ""
    return {shape.namespace: shape for shape in view.shapes(NOW)}


def test_a_robot_without_a_base_is_drawn_in_its_own_frame_and_needs_no_odometry(tmp_path):
    platform = make_robot(tmp_path, RobotKind(joints=5, base=""))
    actions = np.tile(platform.home, (50, 1))
    actions[:, 0] += np.linspace(0, 0.5, 50)
    shapes = drawn(platform, actions)
    assert shapes["chunk"].frame == "base_link"
    assert "base_predicted" not in shapes


def test_a_differential_base_is_drawn_ahead_of_itself(tmp_path):
    platform = make_robot(tmp_path)
    actions = np.tile(platform.home, (50, 1))
    actions[:, -2] = 0.5  # vx: 0.5 m in the second of a chunk.
    shapes = drawn(platform, actions)
    assert shapes["base_predicted"].frame == "odom"
    end = np.asarray(shapes["base_predicted"].points)[-1]
    np.testing.assert_allclose(end[:2], [1.0, 2.5], atol=0.02)
