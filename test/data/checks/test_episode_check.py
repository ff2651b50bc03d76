"""Findings of `./pi05 bags check` in an episode, one fault at a time."""

import json
import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.episode_bags import PLATFORM, Message, alter, drop, make_episode_bag
from sensor_msgs.msg import JointState

from pi05_ros.cli.main import main as pi05
from pi05_ros.data.checks.episode_check import check
from pi05_ros.data.checks.findings import Severity
from pi05_ros.nodes.common.conversions import ns_to_time

FRONT = PLATFORM.camera("front").topic
STATE = "/pi05/robot_state"
S = 1_000_000_000


def found(report, least=Severity.WARNING):
    return [(f.level.name, f.subject, f.what) for f in report.findings if f.level >= least]


def test_a_whole_episode_passes_without_findings(tmp_path):
    report = check(make_episode_bag(tmp_path))
    # The short episode lacks the controllers' commands: a warning, not an error.
    assert {f.what for f in report.findings} == {"missing: there is no message"}
    assert {f.level for f in report.findings} == {Severity.WARNING}
    assert {f.subject for f in report.findings} == {
        g.controller.command_name for g in PLATFORM.groups if g.kind != "parallel_gripper"
    }
    assert report.passed and report.seconds == pytest.approx(3.98)
    rows = {row.topic: row for row in report.topics}
    assert (rows[STATE].count, rows[STATE].lost, rows[STATE].expected_hz) == (200, 0, 50.0)
    assert rows[STATE].rate_hz == pytest.approx(50.0)
    assert rows[FRONT].longest_gap == pytest.approx(0.1)


def test_without_a_brain_there_are_no_chunks_and_subtasks_may_be_labelled_later(tmp_path):
    def without(messages):
        return [m for m in messages if m.topic not in ("/pi05/action_chunk", "/pi05/subtask")]

    report = check(make_episode_bag(tmp_path / "model", fault=without))
    missing = {f.subject for f in report.findings if f.what == "missing: there is no message"}
    assert {"/pi05/action_chunk", "/pi05/subtask"} <= missing
    report = check(make_episode_bag(tmp_path / "none", fault=without, brain="none"))
    missing = {f.subject for f in report.findings if f.what == "missing: there is no message"}
    assert not {name for name in missing if name.startswith("/pi05/")}
    wanted = ("ERROR", STATE, "no row that moves has a subtask: `./pi05 bags label` gives it some")
    assert wanted in found(report)


def test_a_leader_with_another_clock_and_a_nan_is_no_fault_of_the_episode(tmp_path):
    leader = PLATFORM.teleop.leaders[0].topics[0].topic

    def also(topic):
        def fault(messages):
            found = []
            for number, m in enumerate(messages):
                found.append(m)
                if m.topic == STATE:
                    value = [math.nan if number < 9 else 0.0]
                    sample = JointState(name=["a"], position=value, velocity=value, effort=value)
                    sample.header.stamp = ns_to_time(m.time_ns - 77 * S)
                    found.append(Message(topic, m.time_ns, sample))
            return found

        return fault

    report = check(make_episode_bag(tmp_path / "leader", fault=also(leader)))
    assert report.passed, found(report)
    assert [f.what for f in report.findings if f.subject == leader] == [
        "1 messages hold NaN or infinity: the node teleop refuses such"
    ]
    report = check(make_episode_bag(tmp_path / "other", fault=also("/other")))
    assert {f.what for f in report.findings if f.subject == "/other"} == {
        "1 messages hold NaN or infinity",
        "stamps are 77.0 s behind the recorder's clock",
    }


def shift(number, m):
    m.time_ns += 30 * (number >= 20) * S // 1000


def stamp_late(number, m):
    m.message.header.stamp.sec = m.time_ns // S - 5


def go_back(number, m):
    m.message.header.stamp.sec = m.time_ns // S - (number == 50)
    m.message.header.stamp.nanosec = m.time_ns % S


def step_back(messages):
    """The clock jumps back by 1 s in the middle; sorted by log time, the stamps look valid."""
    begin = messages[0].time_ns
    return [replace(m, time_ns=m.time_ns - S * (m.time_ns >= begin + 2 * S)) for m in messages]


def not_a_number(number, m):
    if number in (3, 4):
        m.message.measured[2] = math.nan


def one_value_short(number, m):
    if number == 20:
        m.message.measured = m.message.measured[:-1]


def no_command(number, m):
    if number < 10:
        m.message.commanded[0] = math.nan


def other_encoding(number, m):
    if number == 7:
        m.message.encoding = "bgr8"


def cut_picture(number, m):
    m.message.data = m.message.data[:-1]


def darken(number, m):
    m.message.data = bytes(len(m.message.data))


def say_nothing(number, m):
    m.message.text = ""


def far(number, m):
    m.message.measured[7] = 9.0


def half_a_second_off(number, m):
    m.time_ns += S // 2


@pytest.mark.parametrize(
    ("fault", "level", "subject", "what"),
    [
        (
            drop(STATE, lambda k: k % 100 != 7, lost=True),
            "ERROR", STATE, "2 of 200 messages lost (1.0%)",
        ),
        (
            drop(FRONT, lambda k: not 10 <= k < 20, lost=False),
            "ERROR", FRONT, "1 gaps, the longest of 1.10 s at 0.9 s",
        ),
        (
            drop(FRONT, lambda k: k not in (10, 11, 12), lost=False),
            "WARNING", FRONT, "1 gaps, the longest of 0.40 s at 0.9 s",
        ),
        (
            drop(FRONT, lambda k: k < 20, lost=False),
            "ERROR", FRONT, "it fell silent 2.08 s before the others",
        ),
        (drop(FRONT, lambda k: k < 1, lost=False), "ERROR", FRONT, "it fell silent 3.98 s before"),
        (drop(FRONT, lambda k: k > 9, lost=False), "WARNING", FRONT, "it came 1.00 s later than"),
        (drop(STATE, lambda k: k < 99, lost=False), "ERROR", STATE, "it fell silent 1.94 s"),
        (drop(FRONT, lambda k: k % 2 == 0, lost=False), "WARNING", FRONT, "5.0 Hz, 10 Hz"),
        (drop(FRONT, lambda k: False, lost=False), "ERROR", FRONT, "missing: there is no message"),
        (drop("/pi05/subtask", lambda k: False, lost=False), "ERROR", STATE, "no row that moves"),
        (drop("/pi05/subtask", lambda k: k > 0, lost=False), "WARNING", STATE, "only 50.0%"),
        (alter("/joint_states", stamp_late), "ERROR", "/joint_states", "behind the recorder's"),
        (alter("/odom", go_back), "WARNING", "/odom", "stamps go back in time"),
        (alter(STATE, go_back), "ERROR", STATE, "stamps go back in time"),
        (step_back, "ERROR", STATE, "the clock jumped back: rows from before and after"),
        (alter(STATE, not_a_number), "ERROR", STATE, "2 of 200 states hold NaN"),
        (alter(STATE, one_value_short), "ERROR", STATE, "1 of 200 rows have not one value for"),
        (alter(STATE, no_command), "ERROR", STATE, "10 of 200 rows that move have no command"),
        (alter(STATE, far), "WARNING", STATE, "100.0% of right_arm_joint_1 lie outside"),
        (alter(FRONT, other_encoding), "ERROR", f"{FRONT} (front)", "39 rgb8 64x48, 1 bgr8"),
        (alter(FRONT, cut_picture), "ERROR", f"{FRONT} (front)", "decoded pictures are broken"),
        (alter(FRONT, darken), "ERROR", f"{FRONT} (front)", "the same picture came 40 times"),
        (alter(FRONT, darken), "WARNING", f"{FRONT} (front)", "4 of 4 decoded pictures are"),
    ],
)  # fmt: skip
def test_a_fault_is_found_where_it_is(tmp_path, fault, level, subject, what):
    report = check(make_episode_bag(tmp_path, fault=fault))
    assert any(f[:2] == (level, subject) and what in f[2] for f in found(report)), found(report)
    assert report.passed == (Severity.ERROR not in {f.level for f in report.findings})


def test_another_clock_on_a_topic_that_no_sample_reads_is_a_warning(tmp_path):
    def leader_of_another_clock(messages):
        copies = [deepcopy(m) for m in messages if m.topic == "/joint_states"]
        for copy in copies:
            copy.topic = "/leader/joint_states"
            stamp_late(0, copy)
        return [*messages, *copies]

    report = check(make_episode_bag(tmp_path, fault=leader_of_another_clock))
    (finding,) = [f for f in report.findings if f.subject == "/leader/joint_states"]
    assert finding.level is Severity.WARNING and "behind the recorder's clock" in finding.what
    assert report.passed


def test_a_camera_with_another_clock_is_found(tmp_path):
    def stamp_early(number, m):
        m.message.header.stamp = ns_to_time(m.time_ns - 200_000_000)

    report = check(make_episode_bag(tmp_path, fault=alter(FRONT, stamp_early)))
    wanted = ("ERROR", "cameras", "the stamps of front lie 0.200 s behind those of back")
    assert wanted in found(report) and not report.passed


def test_rendered_pictures_of_a_still_scene_are_no_finding(tmp_path):
    fault = alter(FRONT, lambda k, m: setattr(m.message, "data", bytes([90, 200, 40] * 64 * 48)))
    assert not check(make_episode_bag(tmp_path / "robot", fault=fault)).passed
    assert check(make_episode_bag(tmp_path / "sim", fault=fault, simulated=True)).passed


def test_a_recovered_episode_passes_and_is_marked(tmp_path):
    report = check(make_episode_bag(tmp_path, recovered="the end was cut", outcome=""))
    assert report.passed
    assert ("WARNING", "recovered: the end was cut") in [(f[0], f[2]) for f in found(report)]
    assert any("not graded" in f[2] for f in found(report, Severity.NOTE))


def test_a_topic_that_a_crash_cut_off_is_no_error(tmp_path):
    fault = drop(FRONT, lambda k: k < 30, lost=False)
    report = check(make_episode_bag(tmp_path, fault=fault, recovered="the end was cut"))
    assert ("WARNING", FRONT, "it fell silent 1.08 s before the others") in found(report)
    assert report.passed


def test_another_platform_and_an_unknown_one(tmp_path):
    known = check(make_episode_bag(tmp_path / "a", platform="mobile_19dof"))
    assert any("its layout (18 entries) is not that of mobile_19dof" in f[2] for f in found(known))
    unknown = check(make_episode_bag(tmp_path / "b", platform="their_robot"))
    assert unknown.passed
    assert any("'their_robot' is not known here" in f[2] for f in found(unknown, Severity.NOTE))


def test_a_bag_that_cannot_be_read_is_one_finding(tmp_path, capsys):
    bag = make_episode_bag(tmp_path)
    file = next(bag.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[:-5000])
    report = check(bag)
    assert not report.passed and len(report.findings) == 1
    assert pi05(["bags", "check", str(tmp_path / "nothing")]) == 1
    output = capsys.readouterr().out
    assert "failed" in output and "nothing" in output and "Traceback" not in output


def test_the_command_checks_all_bags_of_a_folder(tmp_path, capsys):
    make_episode_bag(tmp_path)
    bad = alter(STATE, not_a_number)
    make_episode_bag(tmp_path, fault=bad, id="20260102T030406Z_bad")
    assert pi05(["bags", "check", "--topics", str(tmp_path)]) == 1
    output = capsys.readouterr().out
    assert "20260102T030405Z_put-the-dishes-in-the-sink: passed, 4.0 s" in output
    assert "20260102T030406Z_bad: failed" in output
    assert "error /pi05/robot_state: 2 of 200 states hold NaN or infinity" in output
    assert "longest gap" in output and "/front_camera/image_raw" in output
    assert pi05(["bags", "check", "--json", str(tmp_path)]) == 1
    reports = json.loads(capsys.readouterr().out)
    assert [r["passed"] for r in reports] == [True, False]
    assert reports[0]["facts"]["pi05.task"] == "put the dishes in the sink"


def test_losses_are_unknown_for_several_publishers(tmp_path):
    def interleaved(messages):
        odd = False
        for m in messages:
            if m.topic == STATE:
                m.sequence_step, odd = (-4 if odd else 5), not odd
        return messages

    report = check(make_episode_bag(tmp_path, fault=interleaved))
    assert next(row for row in report.topics if row.topic == STATE).lost is None


def test_invalid_settings_are_refused():
    from pi05_ros.data.checks.findings import CheckSettings

    with pytest.raises(ValueError, match="max_lost must be above 0, found -1"):
        replace(CheckSettings(), max_lost=-1)
    assert np.isfinite(CheckSettings().max_gap)
