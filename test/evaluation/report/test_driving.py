"""Who drove, and how far the model's rows were from the operator's commands."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.bags import SECOND
from fakes.drawn_episodes import drawn
from fakes.episode_bags import FACTS, PLATFORM, TYPES, Message, make_episode_bag

from pi05_msgs.msg import ActionChunk, RobotState, TeleopCommand
from pi05_ros.cli.main import main as pi05
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.episode import CONTROL_NONE, CONTROL_POLICY, CONTROL_TELEOP
from pi05_ros.evaluation.report.driving import (
    PolicyChunk,
    distances_text,
    driving,
    group_of,
    model_rows,
    summary,
)
from pi05_ros.evaluation.report.sheet import draw_sheet
from pi05_ros.nodes.common.conversions import float_array

START = FACTS.started_ns
TYPES[TeleopCommand] = "pi05_msgs/msg/TeleopCommand"


def intervened(messages):
    """An operator drives from 1 to 2 s; the base's chunk wants 0.3 m/s, and the arm 0.25 rad."""
    found = []
    for m in messages:
        at = (m.time_ns - START) / SECOND
        if isinstance(m.message, RobotState):
            driven = 1.0 <= at < 2.0
            m.message.control_source = CONTROL_TELEOP if driven else CONTROL_POLICY
            if driven:
                m.message.commanded = m.message.measured = list(map(float, PLATFORM.home))
                command = TeleopCommand(state=TeleopCommand.ENGAGED, device="leader")
                found.append(Message("/pi05/teleop_command", m.time_ns - 1000, command))
        if isinstance(m.message, ActionChunk):
            rows = np.tile(PLATFORM.home, (50, 1))
            rows[:, PLATFORM.index("left_arm_joint_2")] += 0.25
            rows[30:, PLATFORM.index("base_vx")] = 0.3  # Of rows that are replaced before.
            rows[5, PLATFORM.index("right_gripper")] -= 0.5
            rows[:, PLATFORM.index("right_arm_joint_1")] += 2 * np.pi
            m.message.data = float_array(rows, "f")
        found.append(m)
    return sorted(found, key=lambda m: m.time_ns)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return make_episode_bag(tmp_path_factory.mktemp("bags"), 4.0, intervened)


def test_a_span_tells_its_device_and_what_the_model_would_have_done(bag):
    found = driving(BagEpisode(bag))
    assert [(round(a, 2), round(b, 2), s) for a, b, s in found.spans] == [
        (0.0, 1.0, CONTROL_POLICY),
        (1.0, 2.0, CONTROL_TELEOP),
        (2.0, 3.98, CONTROL_POLICY),
    ]
    (span,) = found.operator
    assert (span.start, span.seconds) == pytest.approx((1.0, 1.0))
    assert (span.device, span.is_intervention) == ("leader", True)
    assert span.overridden == 2  # Chunks come every 0.4 s: those of 1.2 and 1.6 s.
    assert {(d.group, d.unit): d.value for d in span.distances} == pytest.approx(
        {
            ("left arm", "rad"): 0.25,
            ("left gripper", "fraction"): 0.0,
            ("right arm", "rad"): 0.0,  # A whole turn is none.
            ("right gripper", "fraction"): 0.5,
            ("torso", "m"): 0.0,
            ("base", "m/s"): 0.0,  # The newest chunk counts, and its first 20 rows.
            ("base", "rad/s"): 0.0,
        },
        abs=1e-6,
    )
    assert distances_text(span).startswith("left arm 0.25 rad, left gripper 0.00, ")
    assert summary(found) == "the model 3.0 s (75%), an operator 1.0 s (25%), 1 intervention"


def test_the_newest_chunk_counts_while_it_has_rows():
    step = 10
    old = PolicyChunk(100, 100, step, np.arange(4.0)[:, None])
    new = PolicyChunk(125, 140, step, np.arange(10.0, 12)[:, None])
    times = np.array([90, 100, 112, 124, 125, 135, 140, 151, 160])
    found = model_rows(times, 1, [old, new])[:, 0]
    nan = np.nan
    # Before it was heard, its rows, the row nearest in time; then the new one from its start on.
    assert found == pytest.approx([nan, 0, 1, 2, nan, 10, 10, 11, nan], nan_ok=True)
    assert np.isnan(model_rows(times, 2, [])).all()


@pytest.mark.parametrize(
    ("name", "unit", "group"),
    [
        ("left_arm_joint_2", "rad", "left arm"),
        ("left_gripper", "fraction", "left gripper"),
        ("torso_height", "m", "torso"),
        ("base_vx", "m/s", "base"),
        ("shoulder", "rad", "shoulder"),
    ],
)
def test_groups_are_read_from_names(name, unit, group):
    assert group_of(name, unit) == group


def test_a_demonstration_without_a_bag_has_spans_and_no_model():
    episode = drawn()
    episode.control_sources = np.full(len(episode), CONTROL_TELEOP, np.uint8)
    episode.control_sources[:10] = CONTROL_NONE
    (span,) = driving(episode).operator
    assert (span.overridden, span.distances, span.is_intervention) == (None, (), False)
    assert (span.device, distances_text(span)) == ("", "–")


def test_who_only_was_driven_by_the_model_needs_no_bag():
    assert driving(drawn()).operator == ()


def test_sheet_show_and_report_tell_it(bag, tmp_path, monkeypatch, capsys):
    figure = draw_sheet(BagEpisode(bag), moments=1)
    strips = figure.subfigs[1].axes
    assert [a.get_ylabel() for a in strips[:3]] == ["subtask", "mode", "driver"]
    legend = [t.get_text() for t in strips[2].get_legend().get_texts()]
    assert legend == ["the model", "an operator"]
    monkeypatch.chdir(tmp_path)
    assert pi05(["bags", "show", str(bag), "--moments", "1"]) == 0
    said = capsys.readouterr().out
    assert "who drove: the model 3.0 s (75%), an operator 1.0 s (25%), 1 intervention" in said
    assert "from [s]  for [s]  device  chunks overridden" in said
    assert "leader" in said and "left arm 0.25 rad, left gripper 0.00" in said
    out = tmp_path / "run.html"
    assert pi05(["report", str(bag), "--out", str(out), "--no-video"]) == 0
    html = out.read_text()
    assert "<h2>Who drove</h2>" in html and 'id="drivers"' in html
    assert "left arm 0.25 rad" in html and "an operator from 1.0 s for 1.0 s" in html


def test_a_run_of_the_model_alone_has_no_such_section(tmp_path):
    bag = make_episode_bag(tmp_path, 1.0)
    out = tmp_path / "run.html"
    assert pi05(["report", str(bag), "--out", str(out), "--no-video"]) == 0
    assert "Who drove" not in out.read_text() and 'id="drivers"' not in out.read_text()
