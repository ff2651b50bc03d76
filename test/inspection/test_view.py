"""Shapes drawn for a robot, and their positions."""

import dataclasses
import math

import numpy as np
import pytest

pytest.importorskip("pinocchio", reason="./pi05 and rosdep bring it")

from pi05_ros.cameras.rotation import to_driver, to_upright
from pi05_ros.data.episodes.episode import CONTROL_POLICY, CONTROL_TELEOP, PictureBox
from pi05_ros.inspection.colours import COMMANDED, DRIVEN, OPERATOR, rgba
from pi05_ros.inspection.facts import ChunkFacts, StateFacts, SubtaskFacts, TeleopFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.lens import lens_of
from pi05_ros.inspection.planar import drive, place
from pi05_ros.inspection.shapes import NAMESPACES, ShapeKind
from pi05_ros.inspection.view import View, ViewSettings
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import load_platform

SECOND = 1_000_000_000
PLATFORM = load_platform("mobile_19dof")
KINEMATICS = LinkKinematics(PLATFORM, description_xml(PLATFORM, False))
BASE = PLATFORM.slices["base"]
JOINT = PLATFORM.index("left_arm_joint_1")
CAMERA = PLATFORM.camera("front")
POSE = (1.0, 2.0, 0.5)


def actions(rows=50, turn=0.4, velocity=(0.0, 0.0, 0.0)):
    """Home, with one joint of the left arm on its way, and the base driving."""
    targets = np.tile(PLATFORM.home, (rows, 1))
    targets[:, JOINT] = np.linspace(0, turn, rows)
    targets[:, BASE] = velocity
    return targets


def chunk(stamp_s=10.0, committed=0, sequence=4, **what):
    stamp_ns = round(stamp_s * SECOND)
    return ChunkFacts(stamp_ns, stamp_ns, sequence, 1, actions(**what), committed, 0.1)


def state(stamp_s=10.0, row=math.nan, sequence=0, turn=0.0, control=CONTROL_POLICY):
    measured = PLATFORM.home.copy()
    commanded = measured.copy()
    commanded[JOINT] = turn
    stamp_ns = round(stamp_s * SECOND)
    return StateFacts(stamp_ns, measured, commanded, 1, "", sequence, row, control)


def subtask(stamp_s=10.0, text="pick up the cup", boxes=(), **facts):
    told = {"id": 1, "task": "t", "source": "model", "score": 0.9, "latency": 0.1} | facts
    return SubtaskFacts(round(stamp_s * SECOND), text=text, boxes=tuple(boxes), **told)


@pytest.fixture
def view():
    found = View(PLATFORM, ViewSettings(), KINEMATICS)
    found.add_pose(9 * SECOND, POSE)
    return found


def of(view, namespace, now_s=10.0):
    shapes = [s for s in view.shapes(round(now_s * SECOND)) if s.namespace == namespace]
    assert len({s.key for s in shapes}) == len(shapes)
    return shapes


def tcp(gripper, vectors, poses):
    """Tool centre points (N, 3) in odom."""
    links = KINEMATICS.poses(np.atleast_2d(vectors), KINEMATICS.tools)[:, gripper, :3, 3]
    return place(np.asarray(poses), links)


def test_the_fan_follows_both_grippers_through_the_rows_of_the_chunk(view):
    view.add_chunk(chunk(), 10 * SECOND)
    left, right = of(view, "chunk")
    assert left.kind is ShapeKind.STRIP and left.frame == "odom"
    assert left.stamp_ns == 10 * SECOND
    assert left.points == pytest.approx(tcp(0, actions(), POSE))
    assert right.points == pytest.approx(tcp(1, actions(), POSE))
    assert np.ptp(left.points, axis=0).max() > 0.05 > 0.001 > np.ptp(right.points, axis=0).max()


def test_the_fan_moves_with_the_base_that_the_chunk_drives(view):
    velocity = (0.3, -0.1, 0.4)
    view.add_chunk(chunk(velocity=velocity), 10 * SECOND)
    bases = drive(np.array(POSE), np.tile(velocity, (50, 1)), PLATFORM.period)
    (left, _), (floor,) = of(view, "chunk"), of(view, "base_predicted")
    assert left.points == pytest.approx(tcp(0, actions(), bases))
    assert floor.points[:, :2] == pytest.approx(bases[:, :2])
    assert (floor.points[:, 2] < 0.05).all()


def test_a_base_that_stands_has_no_predicted_path(view):
    view.add_chunk(chunk(), 10 * SECOND)
    assert of(view, "base_predicted") == []


def test_jaws_lie_across_the_gripper_and_are_as_wide_as_it_is_open(view):
    targets = chunk()
    targets.actions[:, PLATFORM.index("right_gripper")] = 0.0
    view.add_chunk(targets, 10 * SECOND)
    left, right = of(view, "chunk_jaws")
    middle = left.points.reshape(-1, 2, 3).mean(axis=1)
    assert middle == pytest.approx(tcp(0, actions(), POSE)[::5])
    widths = [np.linalg.norm(np.diff(s.points.reshape(-1, 2, 3), axis=1), axis=2) for s in
              (left, right)]  # fmt: skip
    assert widths[0] == pytest.approx(0.09) and widths[1] == pytest.approx(0.012)
    # At home the grippers look ahead: their fingers close sideways.
    across = left.points[1] - left.points[0]
    side = np.array([-np.sin(POSE[2]), np.cos(POSE[2]), 0])
    assert abs(across @ side) == pytest.approx(0.09, abs=1e-3)


def test_rows_that_are_past_are_faint_and_the_bridges_word_counts(view):
    view.add_chunk(chunk(), 10 * SECOND)
    alpha = of(view, "chunk", 10.2)[0].colours[:, 3]  # By time: row 10.
    assert (alpha[:10] == 0.25).all() and (alpha[10:] > 0.3).all()
    assert (np.diff(alpha[10:]) < 0).all()
    view.add_state(state(10.2, row=20.5, sequence=4))
    alpha = of(view, "chunk", 10.2)[0].colours[:, 3]
    assert (alpha[:21] == 0.25).all() and (alpha[21:] > 0.3).all()


def test_a_chunk_that_is_over_is_gone(view):
    view.add_chunk(chunk(), 10 * SECOND)
    assert of(view, "chunk", 10.9) and not of(view, "chunk", 11.1)


def test_the_committed_prefix_is_drawn_apart(view):
    view.add_chunk(chunk(committed=8), 10 * SECOND)
    prefix = of(view, "chunk_committed")[0]
    assert prefix.points == pytest.approx(tcp(0, actions(), POSE)[:8])
    assert (prefix.colours[0] == 1.0).all()
    view.add_chunk(chunk(committed=0), 10 * SECOND)
    assert of(view, "chunk_committed") == []


def test_a_single_committed_row_is_seen(view):
    view.add_chunk(chunk(committed=1), 10 * SECOND)
    beads = of(view, "chunk_committed")
    assert [b.kind for b in beads] == [ShapeKind.BALLS] * 2
    assert beads[0].points == pytest.approx(tcp(0, actions()[:1], POSE))


def test_a_chunk_that_was_replaced_stays_a_while_and_fades(view):
    view.add_chunk(chunk(turn=0.4, sequence=1), 10 * SECOND)
    assert of(view, "chunk_earlier") == []
    view.add_chunk(chunk(10.4, turn=0.1, sequence=2), round(10.4 * SECOND))
    left, right = of(view, "chunk_earlier", 10.5)
    assert (left.kind, left.frame, left.stamp_ns) == (ShapeKind.STRIP, "odom", 10 * SECOND)
    rows = [*range(0, 50, 2), 49]  # The last one, too.
    assert left.points == pytest.approx(tcp(0, actions(turn=0.4)[rows], POSE))
    assert right.points == pytest.approx(tcp(1, actions(turn=0.4)[rows], POSE))
    fan = of(view, "chunk", 10.5)[0]
    assert fan.points == pytest.approx(tcp(0, actions(turn=0.1), POSE))
    assert left.size < fan.size and left.colours[0, 3] < 0.8
    view.add_chunk(chunk(10.8, turn=0.2, sequence=3), round(10.8 * SECOND))
    latest, _, first, _ = of(view, "chunk_earlier", 11.0)
    assert latest.stamp_ns == round(10.4 * SECOND) and first.stamp_ns == 10 * SECOND
    assert first.colours[0, 3] < latest.colours[0, 3]
    # It turns grey: the gripper's blue goes.
    assert np.ptp(first.colours[0, :3]) < np.ptp(latest.colours[0, :3])
    assert [s.stamp_ns for s in of(view, "chunk_earlier", 12.6)] == [round(10.8 * SECOND)] * 2 + [
        round(10.4 * SECOND)
    ] * 2
    assert of(view, "chunk_earlier", 14.0) == []


def test_a_chunk_that_is_over_fades_instead_of_vanishing(view):
    view.add_chunk(chunk(), 10 * SECOND)
    assert [s.id for s in of(view, "chunk_earlier", 11.1)] == [0, 1]


def test_the_command_is_a_ball_while_a_chunk_is_followed(view):
    view.add_state(state(10.0, row=3.0, sequence=4, turn=0.3))
    left, right = of(view, "executed")
    vector = PLATFORM.home.copy()
    vector[JOINT] = 0.3
    assert left.points == pytest.approx(tcp(0, vector, POSE))
    view.add_state(state(10.1, row=math.nan, sequence=0))
    assert of(view, "executed") == []


def test_a_bridge_that_fell_silent_sends_no_command_that_could_be_shown(view):
    view.add_chunk(chunk(), 10 * SECOND)
    view.add_state(state(10.1, row=30.0, sequence=4))
    assert len(of(view, "executed", 10.5)) == 2
    assert (of(view, "chunk", 10.5)[0].colours[:30, 3] == 0.25).all()
    assert of(view, "executed", 10.7) == []
    alpha = of(view, "chunk", 10.7)[0].colours[:, 3]  # By time again: row 35.
    assert (alpha[:35] == 0.25).all() and alpha[35] > 0.25


def test_commanded_and_measured_trails_part_and_fade(view):
    for k in range(30):
        view.add_pose(round((10 + k * 0.1) * SECOND), (1.0 + 0.01 * k, 2.0, 0.5))
        view.add_state(state(10 + k * 0.1, turn=0.02 * k))
    commanded, measured = of(view, "commanded", 12.9)[0], of(view, "measured", 12.9)[0]
    moved = measured.points - tcp(0, PLATFORM.home, POSE)
    assert moved[:, 0] == pytest.approx(0.01 * np.arange(30), abs=1e-6)
    assert np.abs(moved[:, 1:]).max() < 1e-6
    vector = PLATFORM.home.copy()
    vector[JOINT] = 0.58
    assert commanded.points[-1] == pytest.approx(tcp(0, vector, (1.29, 2.0, 0.5))[0])
    assert (np.diff(measured.colours[:, 3]) > 0).all()
    assert measured.colours[-1, 3] == pytest.approx(1.0)
    new, old = measured.colours[-1, :3], of(view, "measured", 15.8)[0].colours[0, :3]
    assert new.argmax() == 1 and old.argmax() == 2  # From green to blue.
    (path,) = of(view, "base_path", 12.9)
    assert path.points[-1, :2] == pytest.approx([1.29, 2.0])
    assert of(view, "measured", 30.0) == []


def test_before_anything_was_sent_the_command_is_where_the_robot_is(view):
    nothing = state(10.0)
    nothing.commanded[:] = np.nan
    view.add_state(nothing)
    later = state(10.2)
    later.commanded[:] = np.nan
    view.add_state(later)
    assert of(view, "commanded")[0].points == pytest.approx(of(view, "measured")[0].points)


def test_the_subtask_stands_above_the_base_and_those_before_it_above_that(view):
    view.add_subtask(subtask(8.0, "pick up the plate"), 8 * SECOND)
    view.add_subtask(subtask(8.5, "pick up the plate"), 9 * SECOND)  # Anew, the same words.
    view.add_subtask(subtask(10.0, score=math.nan, source="human", model_text="stop"), 10 * SECOND)
    (text,) = of(view, "subtask", 11.5)
    assert (text.frame, text.follows, text.kind) == ("base_link", True, ShapeKind.TEXT)
    assert text.text == "pick up the cup\nhuman, 1.5 s ago\nthe model would: stop"
    (before,) = of(view, "subtask_history", 11.5)
    assert before.text == "pick up the plate" and before.points[0, 2] > text.points[0, 2]
    assert before.colours[0, 3] < text.colours[0, 3]
    assert of(view, "subtask_history", 75.0) == []


def test_long_words_are_wrapped_and_cut(view):
    words = "put the red mug that stands left of the sink into the top drawer of the dish washer"
    view.add_subtask(subtask(8.0, words), 8 * SECOND)
    (text,) = of(view, "subtask", 9.0)
    assert text.text.split("\n") == [
        "put the red mug that stands left of",
        "the sink into the top drawer of the",
        "dish washer",
        "model 0.90, 1.0 s ago",
    ]
    view.add_subtask(subtask(9.0, "a " * 500), 9 * SECOND)
    (text,), (before,) = of(view, "subtask", 9.0), of(view, "subtask_history", 9.0)
    assert text.text.split("\n")[2].endswith(" ...") and len(text.text.split("\n")) == 4
    assert before.text == "put the red mug that stands left of the sink into the ..."
    # It stands above all four lines.
    assert before.points[0, 2] > text.points[0, 2] + 2 * 0.07 * 1.6


def test_a_box_is_a_pyramid_from_the_camera_that_saw_it(view):
    box = PictureBox("front", "cup", 0.25, 0.5, 0.5, 1.0, 0.7)
    view.add_subtask(subtask(boxes=[box, PictureBox("roof", "bird", 0, 0, 1, 1)]), 10 * SECOND)
    (pyramid,) = of(view, "boxes")
    assert (pyramid.frame, pyramid.stamp_ns) == (CAMERA.frame, 10 * SECOND)
    points = pyramid.points.reshape(-1, 2, 3)
    assert len(points) == 8 and (points[:4, 0] == 0).all()  # Four edges from the lens.
    ends = points[:4, 1]
    assert (ends[:, 2] == 1.2).all()
    lens = lens_of(CAMERA)
    seen = ends[:, :2] / ends[:, 2:] * (lens.fx, lens.fy) + (lens.cx + 0.5, lens.cy + 0.5)
    fractions = seen / (CAMERA.width, CAMERA.height)
    assert fractions == pytest.approx(np.array([(0.25, 0.5), (0.5, 0.5), (0.5, 1.0), (0.25, 1.0)]))
    (label,) = of(view, "box_labels")
    assert label.text == "cup" and label.points[0, 1] < ends[0, 1]
    assert of(view, "boxes", 19.0) == []  # tf would no longer know the camera's place.


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_box_of_a_turned_camera_points_where_the_object_is(turn):
    """One object, by its box in the driver's picture and by that in the upright picture."""
    cameras = tuple(dataclasses.replace(c, rotate=turn) for c in PLATFORM.cameras)
    turned = View(dataclasses.replace(PLATFORM, cameras=cameras), ViewSettings(), KINEMATICS)
    straight = View(PLATFORM, ViewSettings(), KINEMATICS)
    corners = np.array([(0.25, 0.5), (0.5, 0.75)])
    points = to_upright(corners, turn)
    for view, at in ((straight, corners), (turned, points)):
        view.add_pose(9 * SECOND, POSE)
        (x_min, y_min), (x_max, y_max) = at.min(axis=0), at.max(axis=0)
        box = PictureBox("front", "cup", x_min, y_min, x_max, y_max)
        view.add_subtask(subtask(boxes=[box]), 10 * SECOND)
    found, wanted = of(turned, "boxes")[0].points, of(straight, "boxes")[0].points
    assert {tuple(p) for p in found.round(9)} == {tuple(p) for p in wanted.round(9)}
    # The label stands on the side that is up in the upright picture.
    ends = found[[1, 3]].mean(axis=0)
    (label,) = of(turned, "box_labels")
    up = to_driver(np.array([(0.5, 0.0)]), turn)[0] - 0.5
    assert (np.asarray(label.points).reshape(-1)[:2] - ends[:2]) @ up > 0


def test_boxes_of_a_camera_on_a_hand_end_beyond_its_fingertips(view):
    view.add_subtask(
        subtask(boxes=[PictureBox("left_wrist", "cup", 0.4, 0.4, 0.6, 0.6)]), 10 * SECOND
    )
    (pyramid,) = of(view, "boxes")
    frame = PLATFORM.camera("left_wrist").frame
    hand, tip = KINEMATICS.poses(PLATFORM.home, (frame, "left_tcp"))[0, :, :3, 3]
    assert KINEMATICS.reach(frame) == pytest.approx(np.linalg.norm(tip - hand))
    assert pyramid.points[:, 2].max() == pytest.approx(1.2 * np.linalg.norm(tip - hand))
    assert KINEMATICS.reach(CAMERA.frame) is None


def test_time_that_jumped_clears_all(view):
    view.add_chunk(chunk(), 10 * SECOND)
    view.add_state(state(row=1.0, sequence=4))
    view.add_subtask(subtask(), 10 * SECOND)
    assert {s.namespace for s in view.shapes(10 * SECOND)} >= {"chunk", "executed", "subtask"}
    view.clear()
    assert view.shapes(10 * SECOND) == []


def test_missing_inputs_are_named():
    view = View(PLATFORM, ViewSettings(), KINEMATICS)
    view.add_chunk(chunk(), 10 * SECOND)
    view.add_state(state())
    # Nobody knows where the base is.
    assert [s.namespace for s in view.shapes(10 * SECOND)] == ["driver"]
    assert view.problem() == "nothing was heard on /odom"
    view.add_pose(9 * SECOND, POSE)
    assert view.problem() == ""  # Without a task there is no subtask to hear of.
    assert "kinematics" in View(PLATFORM, ViewSettings(), None).problem()


def test_who_drives_is_written_above_the_base_and_colours_the_command(view):
    view.add_state(state(9.8, row=1.0, sequence=4))
    (text,) = of(view, "driver")
    assert (text.text, text.frame, text.follows) == ("the model drives", "base_link", True)
    assert of(view, "executed")[0].colours[0] == pytest.approx(rgba(COMMANDED[0]))
    view.add_state(state(10.0, row=1.0, sequence=1, control=CONTROL_TELEOP))
    view.add_teleop(TeleopFacts("engaged", "leader", "", 0.0), 10 * SECOND)
    assert of(view, "driver")[0].text == "operator drives (leader)"
    assert of(view, "executed")[0].colours[0] == pytest.approx(rgba(OPERATOR))
    trail = of(view, "commanded")[0]
    assert trail.colours[0][:3] == pytest.approx(rgba(COMMANDED[0])[:3], abs=0.05)
    assert trail.colours[1] == pytest.approx(rgba(DRIVEN[0]))
    assert of(view, "measured")[0].colours[1][:3] != pytest.approx(rgba(DRIVEN[0])[:3], abs=0.05)
    # What was heard half a second ago tells nothing about the present.
    assert of(view, "driver", now_s=10.49)[0].text == "operator drives (leader)"
    assert of(view, "driver", now_s=10.5) == []


def test_without_kinematics_the_subtask_and_its_boxes_are_still_drawn():
    view = View(PLATFORM, ViewSettings(), None)
    view.add_pose(9 * SECOND, POSE)
    view.add_chunk(chunk(), 10 * SECOND)
    view.add_state(state(row=1.0, sequence=4))
    view.add_subtask(subtask(boxes=[PictureBox("front", "cup", 0, 0, 1, 1)]), 10 * SECOND)
    namespaces = {s.namespace for s in view.shapes(10 * SECOND)}
    assert namespaces == {"subtask", "driver", "boxes", "box_labels"}


def test_every_kind_is_drawn_of_a_robot_at_work(view):
    for k in range(5):
        view.add_pose(round((9.5 + 0.1 * k) * SECOND), (0.01 * k, 0, 0))
        view.add_state(state(9.5 + 0.1 * k, row=1.0, sequence=4))
    view.add_chunk(chunk(9.4, sequence=3), round(9.5 * SECOND))
    view.add_chunk(chunk(9.8, committed=5, velocity=(0.2, 0, 0)), 10 * SECOND)
    view.add_subtask(subtask(9.0, "before"), 9 * SECOND)
    view.add_subtask(subtask(boxes=[PictureBox("front", "cup", 0, 0, 1, 1)]), 10 * SECOND)
    assert {s.namespace for s in view.shapes(10 * SECOND)} == set(NAMESPACES)
