"""Episodes of the expert as bags: content, equality, resumption, a full disk."""

import errno
import os

import numpy as np
import pytest

from pi05_ros.control.bridge import Bridge
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.checks.episode_check import check
from pi05_ros.data.checks.findings import Severity
from pi05_ros.data.episodes.episode import CONTROL_POLICY, MODE_RUNNING
from pi05_ros.data.episodes.plan_samples import PlanSamples
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.collection.collect import LOCK, UNDER_WAY, collect, exclusive
from pi05_ros.evaluation.collection.settings import (
    ONE_DISH,
    CollectError,
    CollectSettings,
    claim_folder,
)
from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
SHORT = CollectSettings("mobile_18dof", max_seconds=1.2)


def content(folder):
    """Bytes of all files of a collection but its lock, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOCK
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with one whole episode of one dish."""
    out = tmp_path_factory.mktemp("whole") / "out"
    result = collect(out, CollectSettings("mobile_18dof", task=ONE_DISH), [3])
    (summary,) = result.written
    assert (summary.outcome, summary.points, summary.max_points) == ("success", 2, 2), summary
    assert summary.task == "put the glass in the sink"
    return out


def test_an_episode_is_an_ordinary_bag(whole):
    (bag,) = [path for path in whole.iterdir() if path.is_dir()]
    report = check(bag)
    assert report.passed, report.findings
    # Topics of drivers and controllers, which nothing here publishes, are missing; nothing else.
    for finding in report.findings:
        assert finding.level < Severity.ERROR and finding.what.startswith("missing"), finding
        assert "camera" not in finding.subject and "subtask" not in finding.subject
    (episode,) = open_episodes(whole)
    facts = episode.facts
    assert (facts.outcome, facts.home, facts.brain, facts.platform) == (
        "success", "3", "expert", "mobile_18dof",
    )  # fmt: skip
    assert facts.simulated and facts.task == "put the glass in the sink"
    assert (
        np.ptp(np.diff(episode.times_ns)) == 0 and episode.times_ns[1] - episode.times_ns[0] == 2e7
    )
    assert episode.cameras == PLATFORM.camera_names
    for camera in PLATFORM.camera_names:
        assert set(np.diff(episode.frame_times_ns(camera)).tolist()) == {100_000_000}
    running = episode.modes == MODE_RUNNING
    assert running.mean() > 0.8
    assert np.array_equal(episode.control_sources == CONTROL_POLICY, running)


def test_pictures_and_rows_of_one_time_show_one_state(whole):
    """The picture of a row's time is that of its state: a frame later the robot has moved on."""
    (episode,) = open_episodes(whole)
    times = episode.frame_times_ns("front")
    assert np.isin(times[1:], episode.times_ns).all()


def test_labels_boxes_and_plans_name_the_dish_that_is_seen(whole):
    (episode,) = open_episodes(whole)
    texts = list(dict.fromkeys(label.text for label in episode.labels))
    assert texts == ["pick up the glass", "put the glass in the sink"]
    boxes = [box for label in episode.labels for box in label.boxes]
    assert {box.label for box in boxes} == {"glass", "sink"} and len(boxes) > 5
    picking = [label for label in episode.labels if label.text == "pick up the glass"]
    assert {box.label for label in picking for box in label.boxes} == {"glass"}
    assert all(0 <= b.x_min < b.x_max <= 1 and 0 <= b.y_min < b.y_max <= 1 for b in boxes)
    with BagReader(next(p for p in whole.iterdir() if p.is_dir())) as reader:
        decisions = [
            reader.decode(message.topic, message.data)
            for message in reader.messages(["/pi05/plan_decision"])
        ]
    outcomes = [decision.outcome for decision in decisions]
    assert outcomes[0] == "changed" and decisions[0].trigger == "task"
    assert outcomes[-1] == "done" and outcomes.count("done") == 1
    assert outcomes.count("changed") == 2 and "kept" in outcomes
    stamps = {d.header.stamp.sec * 10**9 + d.header.stamp.nanosec for d in decisions}
    assert stamps <= set(episode.frame_times_ns("front").tolist())  # Boxes are of a picture.


def test_pictures_at_a_lower_rate_are_still_those_of_the_boxes(tmp_path):
    settings = CollectSettings("mobile_18dof", max_seconds=4.0, picture_rate=5.0)
    collect(tmp_path / "slow", settings, [3])
    (episode,) = open_episodes(tmp_path / "slow")
    times = episode.frame_times_ns("front")
    assert set(np.diff(times)[1:].tolist()) == {200_000_000}  # The first ones are before all.
    plans = PlanSamples([episode], PLATFORM.planner_cameras)
    assert len(plans) >= 3 and not plans.left_out
    assert all(
        set(plans[k].picture_times_ns.values()) == {plans[k].time_ns} for k in range(len(plans))
    )


def test_the_glass_is_inside_its_box(whole):
    """The first picture of the front camera has the glass's colour contrast inside the box."""
    (episode,) = open_episodes(whole)
    label = episode.labels[0]
    (box,) = [box for box in label.boxes if box.camera == "front"]
    picture = episode.picture("front", 0).astype(float)
    height, width = picture.shape[:2]
    x0, x1 = int(box.x_min * width), int(box.x_max * width)
    y0, y1 = int(box.y_min * height), int(box.y_max * height)
    inside = picture[y0:y1, x0:x1].mean(axis=(0, 1))
    beside = picture[y0:y1, x1 + 4 : x1 + 4 + (x1 - x0)].mean(axis=(0, 1))
    assert np.abs(inside - beside).max() > 15


def test_samples_and_export_take_it(whole, tmp_path):
    episodes = open_episodes(whole)
    samples = Samples(episodes, PLATFORM.policy_cameras)
    assert len(samples) > 80
    sample = samples[20]
    assert sample.subtask == "pick up the glass" and sample.control_source == CONTROL_POLICY
    assert set(sample.picture_times_ns.values()) == {sample.time_ns}
    result = export(episodes, tmp_path / "dataset", ExportSettings(workers=1))
    assert len(result.added) == 1 and not result.left_out


def test_the_high_level_learns_the_plans_and_the_end(whole):
    samples = PlanSamples(open_episodes(whole), PLATFORM.planner_cameras)
    found = [samples[index] for index in range(len(samples))]
    assert not samples.left_out
    assert [sample.done for sample in found] == [False] * (len(found) - 1) + [True]
    assert {sample.text for sample in found[:-1]} == {
        "pick up the glass", "put the glass in the sink",
    }  # fmt: skip
    for sample in found:
        assert sample.task == "put the glass in the sink" and sample.source == "external"
        assert set(sample.images) == set(PLATFORM.planner_cameras)
        assert set(sample.picture_times_ns.values()) == {sample.time_ns}
    assert any(box.camera == "front" for box in found[0].boxes)


def test_equal_runs_are_equal_and_interrupted_ones_go_on(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    collect(first, SHORT, [1, 4])
    # Killed while home 1 was under way: its folder is cut short, and home 4 was never begun.
    collect(second, SHORT, [4])
    part = second / UNDER_WAY / SHORT.episode_id(1, 0)
    part.mkdir(parents=True)
    (part / "half.mcap").write_bytes(b"half")
    result = collect(second, SHORT, [1, 4])
    assert result.present == 1 and [summary.home for summary in result.written] == [1]
    assert content(first) == content(second)
    assert not (second / UNDER_WAY).exists()
    assert collect(second, SHORT, [1, 4]).present == 2
    (summary,) = result.written
    assert summary.outcome == "" and summary.ended == "cut after 1.2 s"


def test_noise_acts_behind_the_bridge(tmp_path, monkeypatch):
    """Rows hold what the bridge sent, and the drives got something else; each seed is its own."""
    moved, sent = [], []
    move, tick = WorldRobot.move, Bridge.tick

    def spy_move(self, command):
        moved.append(command)
        move(self, command)

    def spy_tick(self, now_ns, steady_ns):
        found = tick(self, now_ns, steady_ns)
        sent.append(found.command)
        return found

    monkeypatch.setattr(WorldRobot, "move", spy_move)
    monkeypatch.setattr(Bridge, "tick", spy_tick)
    noisy = CollectSettings("mobile_18dof", max_seconds=1.2, noise=0.02)
    collect(tmp_path / "a", noisy, [1])
    (episode,) = open_episodes(tmp_path / "a")
    rows = len(episode)
    assert np.allclose(np.array(sent[:rows][-40:]), episode.actions[-40:], atol=1e-12)
    difference = np.array(moved[:rows][-40:]) - episode.actions[-40:]
    assert np.abs(difference[:, ~PLATFORM.is_gripper]).max() > 0.005
    collect(tmp_path / "b", noisy, [1], seed=1)
    (other,) = open_episodes(tmp_path / "b")
    assert not np.allclose(other.states[-1], episode.states[-1], atol=1e-4)
    assert "seed 1" in other.facts.notes


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_done(tmp_path, monkeypatch):
    out = tmp_path / "out"
    collect(out, SHORT, [1])
    before = content(out)
    real = os.writev

    def full(descriptor, buffers):
        if sum(map(len, buffers)) > 100_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(Pi05Error, match="No space left on device") as error:
        collect(out, SHORT, [1, 4])
    assert "\n" not in str(error.value)
    assert content(out) == before
    monkeypatch.undo()
    assert len(collect(out, SHORT, [1, 4]).written) == 1


def test_refusals(tmp_path):
    with (
        pytest.raises(CollectError, match="another process collects"),
        exclusive(_made(tmp_path / "busy")),
    ):
        collect(tmp_path / "busy", SHORT, [1])
    task = CollectSettings("mobile_18dof", task="put the dish in the sink")
    with pytest.raises(Pi05Error, match="no rubric scores the task 'put the dish in the sink'"):
        collect(tmp_path / "task", task, [1])


def _made(folder):
    claim_folder(folder, "episodes", SHORT)
    return folder
