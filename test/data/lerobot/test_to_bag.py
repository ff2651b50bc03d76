"""From a dataset back to a bag that our readers and rosbags read like a recorded one."""

import errno
import os

import numpy as np
import pyarrow.parquet as pq
import pytest
from fakes.drawn_episodes import drawn
from fakes.lerobot_folders import TASKS, states, write_v21, write_v30
from rosbags.rosbag2 import Reader

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.episodes.episode import SubtaskLabel
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.reader import open_dataset
from pi05_ros.data.lerobot.to_bag import UNDER_WAY, BagSettings, log_times, write_bag
from pi05_ros.data.open import open_episodes


def psnr(one, other):
    """Peak signal to noise ratio [dB]."""
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def float32_labels(labels):
    """Round scores and corners to float32, as messages hold them."""
    return [(la.start_row, la.stop_row, la.text, la.source, la.task, la.id) for la in labels]


@pytest.mark.parametrize("pictures", ["jpeg", "raw"])
def test_bag_to_dataset_to_bag_keeps_everything(tmp_path, pictures):
    made = drawn(rows=80, silent_rows=8, size=(120, 160))
    made.control_sources[20:29] = 2
    export([made], tmp_path / "set", ExportSettings())
    (of_set,) = open_dataset(tmp_path / "set")
    folder = write_bag(of_set, tmp_path / "bags", BagSettings(pictures))
    assert folder == tmp_path / "bags" / of_set.facts.id
    (of_bag,) = open_episodes(tmp_path / "bags")
    np.testing.assert_array_equal(of_bag.states, of_set.states, strict=True)
    np.testing.assert_array_equal(of_bag.actions, of_set.actions, strict=True)
    np.testing.assert_array_equal(of_bag.times_ns, of_set.times_ns, strict=True)
    np.testing.assert_array_equal(of_bag.modes, of_set.modes, strict=True)
    assert (of_bag.control_sources == 2).sum() == 9
    np.testing.assert_array_equal(of_bag.control_sources, of_set.control_sources, strict=True)
    assert float32_labels(of_bag.labels) == float32_labels(of_set.labels)
    for found, made in zip(of_bag.labels, of_set.labels, strict=True):
        assert found.model_text == made.model_text
        assert (found.score is None) == (made.score is None)
        assert [box.label for box in found.boxes] == [box.label for box in made.boxes]
        for box, other in zip(found.boxes, made.boxes, strict=True):
            assert (box.x_min, box.y_max) == pytest.approx((other.x_min, other.y_max))
    assert of_bag.cameras == of_set.cameras
    for camera in of_set.cameras:
        np.testing.assert_array_equal(of_bag.frame_times_ns(camera), of_set.frame_times_ns(camera))
        np.testing.assert_array_equal(of_bag.frame_of_row(camera), of_set.frame_of_row(camera))
        for index in (0, 7, 30):
            one, other = of_bag.picture(camera, index), of_set.picture(camera, index)
            if pictures == "raw":
                np.testing.assert_array_equal(one, other)
            else:
                assert psnr(one, other) > 36
    kept = of_bag.facts
    assert {**kept.__dict__, "cameras": 0} == {**of_set.facts.__dict__, "cameras": 0}
    end = "/compressed" if pictures == "jpeg" else ""
    assert kept.cameras["front"] == f"/front/image_raw{end}"


def test_an_imported_bag_exports_to_the_same_rows_again(tmp_path):
    export([drawn(rows=80, silent_rows=8)], tmp_path / "set", ExportSettings())
    write_bag(open_dataset(tmp_path / "set")[0], tmp_path / "bags")
    export(open_episodes(tmp_path / "bags"), tmp_path / "again", ExportSettings())
    one, other = (pq.read_table(tmp_path / name / "data") for name in ("set", "again"))
    for name in set(one.column_names) - {"score", "boxes"}:  # float32 in messages.
        assert one.column(name).combine_chunks() == other.column(name).combine_chunks(), name


def test_rosbags_reads_it(tmp_path):
    write_bag(drawn(rows=30), tmp_path / "bags")
    with Reader(tmp_path / "bags" / drawn().facts.id) as reader:
        counts = {one.topic: one.msgcount for one in reader.connections}
        assert counts["/pi05/robot_state"] == 30
        assert counts["/pi05/subtask"] == 3  # Two labels, and an empty subtask at the end.


def test_a_foreign_dataset_becomes_bags(tmp_path):
    root = write_v30(tmp_path / "cubes")
    for one in open_dataset(root):
        write_bag(one, tmp_path / "bags")
    found = open_episodes(tmp_path / "bags")
    assert [one.facts.id for one in found] == ["cubes_000000", "cubes_000001"]
    np.testing.assert_array_equal(found[1].states, states(1))
    assert found[0].labels == (SubtaskLabel(0, 12, TASKS[0], "implicit", TASKS[0]),)
    assert found[0].facts.cameras == {"laptop": "/laptop/image_raw/compressed"}


def test_an_episode_without_labels_becomes_a_bag(tmp_path):
    episode = drawn(rows=30, labels=())
    (found,) = open_episodes(write_bag(episode, tmp_path))
    assert found.labels == ()
    np.testing.assert_array_equal(found.states, episode.states)


def test_a_bag_of_another_dataset_with_the_same_name_is_refused(tmp_path):
    write_v30(tmp_path / "a/cubes")
    root = write_v21(tmp_path / "b/cubes")
    first, second = open_dataset(tmp_path / "a/cubes")
    for one in (first, second, first):
        write_bag(one, tmp_path / "bags")
    text = (root / "meta/tasks.jsonl").read_text()
    (root / "meta/tasks.jsonl").write_text(text.replace(TASKS[1], "sweep"))
    lines = (root / "meta/episodes.jsonl").read_text()
    (root / "meta/episodes.jsonl").write_text(lines.replace(TASKS[1], "sweep"))
    same, other = open_dataset(root)
    assert write_bag(same, tmp_path / "bags") is None
    with pytest.raises(DatasetError, match="the bag of another episode than cubes_000001; import"):
        write_bag(other, tmp_path / "bags")


def test_an_existing_bag_is_kept_and_a_cut_one_is_rewritten(tmp_path):
    episode = drawn(rows=30)
    half = tmp_path / UNDER_WAY / episode.facts.id
    half.mkdir(parents=True)
    (half / "INCOMPLETE").touch()
    assert write_bag(episode, tmp_path) == tmp_path / episode.facts.id
    assert not half.exists()
    assert write_bag(episode, tmp_path) is None


def test_an_import_that_fails_leaves_no_bag(tmp_path):
    with pytest.raises(OSError, match="picture 9 is broken"):
        write_bag(drawn(rows=30, fail_at=9), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [UNDER_WAY]


def test_states_and_actions_of_different_sizes_are_refused(tmp_path):
    episode = drawn(rows=30)
    episode.actions = episode.actions[:, :2]
    with pytest.raises(DatasetError, match="states of 3 entries and actions of 2, for 3 names"):
        write_bag(episode, tmp_path)


def test_rows_of_equal_times_get_rising_log_times():
    assert log_times(np.array([5, 5, 5, 9, 9])).tolist() == [5, 6, 7, 9, 10]
    assert log_times(np.array([5, 7, 9])).tolist() == [5, 7, 9]


def test_a_disk_that_is_full_at_the_end_is_an_error_and_leaves_no_bag(tmp_path, monkeypatch):
    """The writer closes what it could write, as a recorder must; an import can be repeated."""
    made = drawn(rows=20, size=(48, 64))
    real, failed = os.writev, []

    def full(descriptor, buffers):
        # All messages are in one chunk, which is written by `close`; the end of the file fits.
        if sum(map(len, buffers)) > 15_000 and not failed:
            failed.append(descriptor)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(BagError, match="the disk takes no more .*No space left on device"):
        write_bag(made, tmp_path / "bags", BagSettings("raw"))
    assert len(failed) == 1
    assert [path.name for path in (tmp_path / "bags").iterdir()] == [UNDER_WAY]
    assert not list((tmp_path / "bags" / UNDER_WAY).iterdir())
