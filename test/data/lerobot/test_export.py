"""Export and import of a dataset: equal rows, episodes left out, episodes added later."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from fakes.drawn_episodes import drawn
from fakes.exports import contents, three, why

from pi05_ros.data.episodes.episode import CONTROL_POLICY, CONTROL_TELEOP, DeviceSpan
from pi05_ros.data.episodes.interventions import Intervention, interventions
from pi05_ros.data.filters.episode_filter import NO_FILTER, EpisodeFilter
from pi05_ros.data.lerobot import columns, fitting, publish, staging
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.fitting import layout_of
from pi05_ros.data.lerobot.reader import open_dataset

SETTINGS = ExportSettings()


def test_states_actions_times_modes_and_facts_round_trip(tmp_path):
    episodes = three()
    export(episodes, tmp_path / "set", SETTINGS)
    back = open_dataset(tmp_path / "set")
    assert [one.facts for one in back] == [one.facts for one in episodes]
    for found, made in zip(back, episodes, strict=True):
        first = made.silent_rows
        np.testing.assert_array_equal(found.states, made.states[first:], strict=True)
        np.testing.assert_array_equal(found.actions, made.actions[first:], strict=True)
        np.testing.assert_array_equal(found.times_ns, made.times_ns[first:], strict=True)
        np.testing.assert_array_equal(found.modes, made.modes[first:], strict=True)


def test_who_drove_round_trips(tmp_path):
    made = drawn(rows=100, silent_rows=20, devices=(DeviceSpan(10, 22, "page"),))
    made.control_sources[21:40] = CONTROL_TELEOP
    export([made], tmp_path / "set", ExportSettings(NO_FILTER))
    (found,) = open_dataset(tmp_path / "set")
    np.testing.assert_array_equal(found.control_sources, made.control_sources[20:], strict=True)
    assert found.devices == (DeviceSpan(0, 2, "page"),)
    assert interventions(found) == (Intervention(1, 20, "page"),)


def test_a_dataset_from_before_teleoperation_keeps_its_columns(tmp_path, monkeypatch):
    old = drawn("one", rows=60)
    monkeypatch.setattr(
        fitting, "layout_of", lambda *given: replace(layout_of(*given), control_source=False)
    )
    export([old], tmp_path / "set", SETTINGS)
    monkeypatch.undo()
    assert "control_source" not in (tmp_path / "set/meta/info.json").read_text()
    export([drawn("two", rows=60, seed=2)], tmp_path / "set", SETTINGS)
    for found in open_dataset(tmp_path / "set"):
        assert found.control_sources.tolist() == [CONTROL_POLICY] * 60


def test_labels_round_trip_with_boxes_scores_and_the_models_text(tmp_path):
    made = drawn(rows=100)
    export([made], tmp_path / "set", SETTINGS)
    (found,) = open_dataset(tmp_path / "set")
    assert found.labels == made.labels
    assert [label.start_row for label in found.labels] == [5, 50]  # Rows before have none.


def test_labels_move_with_rows_that_are_left_out_before_them(tmp_path):
    export([drawn(rows=100, silent_rows=20)], tmp_path / "set", SETTINGS)
    (found,) = open_dataset(tmp_path / "set")
    assert [(label.start_row, label.stop_row) for label in found.labels] == [(0, 30), (30, 73)]


def test_pictures_and_their_times_round_trip(tmp_path):
    made = drawn(rows=100, size=(120, 160))
    export([made], tmp_path / "set", SETTINGS)
    (found,) = open_dataset(tmp_path / "set")
    assert found.cameras == made.cameras
    for camera in made.cameras:
        shown = np.unique(made.frame_of_row(camera))
        np.testing.assert_array_equal(
            found.frame_times_ns(camera), made.frame_times_ns(camera)[shown]
        )
        of_row = made.frame_times_ns(camera)[made.frame_of_row(camera)]
        np.testing.assert_array_equal(
            found.frame_times_ns(camera)[found.frame_of_row(camera)], of_row
        )
        for index, picture in enumerate(found.pictures(camera, 0, len(shown))):
            around = [made.picture(camera, int(shown[index]) + step) for step in (3, 0, 1)]
            likeness = [error_db(picture, other) for other in around]
            assert np.argmax(likeness) == 1
            assert likeness[1] > 36


def error_db(one, other):
    """Peak signal to noise ratio [dB]."""
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def test_random_access_equals_reading_in_order(tmp_path):
    export([drawn(rows=60), drawn("2", rows=60, seed=1)], tmp_path / "set", SETTINGS)
    found = open_dataset(tmp_path / "set")[1]
    in_order = list(found.pictures("front", 0, 36))
    for index in (35, 0, 20, 21, 19, 35):
        np.testing.assert_array_equal(found.picture("front", index), in_order[index])


@pytest.mark.parametrize("size", [(45, 63), (48, 64)])
def test_pictures_of_odd_sizes_keep_their_size(tmp_path, size):
    export([drawn(rows=30, size=size)], tmp_path / "set", SETTINGS)
    assert open_dataset(tmp_path / "set")[0].picture("front", 3).shape == (*size, 3)


def test_fewer_rows_a_second_take_every_second_row(tmp_path):
    made = drawn(rows=60)
    result = export([made], tmp_path / "set", ExportSettings(fps=25))
    (found,) = open_dataset(tmp_path / "set")
    assert found.rate_hz == found.facts.rate_hz == 25
    np.testing.assert_array_equal(found.states, made.states[::2])
    assert result.added[0].left_out == {"between every 2th row": 30}


def test_a_rate_that_does_not_divide_is_refused_with_those_that_do(tmp_path):
    with pytest.raises(
        DatasetError, match=r"50 rows a second, of which 30 .* may be 50 or 25 or 10"
    ):
        export([drawn()], tmp_path / "set", ExportSettings(fps=30))


def test_each_episode_left_out_has_its_reason(tmp_path):
    episodes = [
        drawn("good"),
        drawn("bad", outcome="failure"),
        drawn("ungraded", outcome=""),
        drawn("mended", recovered="mended after a crash"),
        drawn("silent", silent_rows=100),
        drawn("good"),
    ]
    episodes[4].modes[:] = episodes[4].control_sources[:] = 1
    result = export(episodes, tmp_path / "set", SETTINGS)
    assert [one.id for one in result.added] == ["good"]
    assert why(result) == {
        "bad": "outcome failure",
        "ungraded": "outcome none",
        "mended": "recovered after a crash (--include-recovered takes it)",
        "silent": "no command for shoulder, elbow, gripper in the whole episode",
        "good": "the same episode as drawn",
    }
    settings = ExportSettings(
        EpisodeFilter(outcomes=("success", "failure", "none")), include_recovered=True
    )
    result = export(episodes, tmp_path / "set", settings)
    assert [one.id for one in result.added] == ["bad", "ungraded", "mended"]
    assert why(result)["good"] == "in the dataset already"


def test_a_changed_episode_has_another_reason_than_an_unchanged_one(tmp_path):
    export([drawn("a", rows=40)], tmp_path / "set", SETTINGS)
    result = export([drawn("a", rows=50)], tmp_path / "set", SETTINGS)
    assert "before it changed" in why(result)["a"]
    assert len(open_dataset(tmp_path / "set")[0]) == 40


def test_episodes_added_later_equal_one_export_of_all(tmp_path):
    export(three(), tmp_path / "at once", SETTINGS)
    export(three()[:1], tmp_path / "later", SETTINGS)
    export(three(), tmp_path / "later", SETTINGS)
    once, later = contents(tmp_path / "at once"), contents(tmp_path / "later")
    assert later == once


@pytest.mark.parametrize("together", [0, 2])
def test_data_files_are_bounded_and_later_episodes_fill_the_last(tmp_path, monkeypatch, together):
    export(three(), tmp_path / "unbounded", SETTINGS)
    sizes = pq.read_table(tmp_path / "unbounded/meta/episodes/chunk-000/file-000.parquet")
    limit = sum(sizes["pi05/data_bytes"].to_pylist()[:together]) + 1
    monkeypatch.setattr(publish.names, "DATA_FILE_MB", limit / 2**20)
    for count in (1, 2, 3):
        export(three()[:count], tmp_path / "set", SETTINGS)
    export(three(), tmp_path / "once", SETTINGS)
    paths = sorted((tmp_path / "set/data/chunk-000").iterdir())
    episodes = [sorted(set(pq.read_table(p)["episode_index"].to_pylist())) for p in paths]
    assert episodes == ([[0, 1], [2]] if together else [[0], [1], [2]])
    for found, made in zip(open_dataset(tmp_path / "set"), three(), strict=True):
        np.testing.assert_array_equal(found.states, made.states[made.silent_rows :])
    assert contents(tmp_path / "set/data") == contents(tmp_path / "once/data")


def test_indices_count_through_the_dataset(tmp_path):
    export(three(), tmp_path / "set", SETTINGS)
    table = pq.read_table(tmp_path / "set/data/chunk-000/file-000.parquet")
    assert table["index"].to_pylist() == list(range(190))
    assert table["episode_index"].to_pylist() == [0] * 50 + [1] * 90 + [2] * 50
    assert table["frame_index"].to_pylist() == [*range(50), *range(90), *range(50)]
    tasks = pq.read_table(tmp_path / "set/meta/tasks.parquet")
    assert tasks["task"].to_pylist() == ["wipe the table", "clear the table"]
    assert table["task_index"].to_pylist() == [0] * 140 + [1] * 50


def test_the_description_of_the_dataset(tmp_path):
    export(three(), tmp_path / "set", SETTINGS)
    info = json.loads((tmp_path / "set/meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == (
        "v3.0",
        50,
        "mobile_18dof",
    )
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 190, 2)
    assert info["splits"] == {"train": "0:3"}
    assert info["features"]["action"] == {
        "dtype": "float64",
        "shape": [3],
        "names": ["shoulder", "elbow", "gripper"],
    }
    statistics = json.loads((tmp_path / "set/meta/stats.json").read_text())
    rows = np.concatenate([one.actions[one.silent_rows :] for one in three()])
    for name, wanted in {
        "min": rows.min(0),
        "max": rows.max(0),
        "mean": rows.mean(0),
        "std": rows.std(0),
        "q01": np.quantile(rows, 0.01, axis=0),
        "q99": np.quantile(rows, 0.99, axis=0),
        "count": [190],
    }.items():
        np.testing.assert_allclose(statistics["action"][name], wanted, rtol=1e-12)
    front = statistics["observation.images.front"]
    assert np.shape(front["mean"]) == (3, 1, 1)
    assert front["count"] == [190]
    # Of texts their lengths; the rows of each label and of none, episode by episode.
    assert set(info["features"]) == set(statistics)
    texts = [
        *(["pick up the sponge"] * (20 + 40 + 20) + ["„Tisch“ wischen"] * (23 + 38 + 18)),
        *([""] * (7 + 12 + 12)),
    ]
    assert len(texts) == 190
    lengths = np.array([len(text) for text in texts])
    found = statistics["subtask"]
    assert (found["min"], found["max"], found["count"]) == ([0], [18], [190])
    np.testing.assert_allclose(found["mean"], [lengths.mean()], rtol=1e-12)
    np.testing.assert_allclose(found["q50"], [np.median(lengths)], rtol=1e-12)


def test_no_number_column_holds_a_missing_value(tmp_path):
    unscored = [replace(label, score=None) for label in drawn("a").labels]
    export([drawn("a", labels=tuple(unscored))], tmp_path / "set", SETTINGS)
    table = pq.read_table(tmp_path / "set/data/chunk-000/file-000.parquet")
    for name in table.column_names:
        values = columns.numbers(table.column(name))  # Raises for a null.
        assert np.isfinite(values.astype(np.float64)).all(), name
    assert set(table["score"].to_pylist()) == {-1.0}
    (found,) = open_dataset(tmp_path / "set")
    assert [label.score for label in found.labels] == [None, None]


def test_a_dataset_of_an_earlier_version_keeps_its_missing_scores(tmp_path, monkeypatch):
    monkeypatch.setattr(
        fitting, "layout_of", lambda *given: replace(layout_of(*given), complete_statistics=False)
    )
    export([drawn("one", rows=60)], tmp_path / "set", SETTINGS)
    monkeypatch.undo()
    assert "complete_statistics" not in (tmp_path / "set/meta/pi05.json").read_text()
    export([drawn("two", rows=60, seed=2)], tmp_path / "set", SETTINGS)
    table = pq.read_table(tmp_path / "set/data/chunk-000/file-000.parquet")
    assert np.isnan(table["score"].to_numpy()).sum() == 2 * (5 + 23 + 7)
    statistics = json.loads((tmp_path / "set/meta/stats.json").read_text())
    assert not {"score", "subtask", "outcome"} & set(statistics)
    for found in open_dataset(tmp_path / "set"):
        assert [label.score for label in found.labels] == [0.9, None]


def test_staged_records_round_trip(tmp_path):
    result = export([drawn("a")], tmp_path / "set", SETTINGS)
    result.added[0].save(tmp_path / "record.json")
    assert staging.StagedEpisode.load(tmp_path / "record.json") == result.added[0]
    before = json.loads((tmp_path / "record.json").read_text())
    del before["devices"], before["plans"]  # As an export that an earlier version began left it.
    (tmp_path / "record.json").write_text(json.dumps(before))
    old = staging.StagedEpisode.load(tmp_path / "record.json")
    assert old == replace(result.added[0], plans="")
    assert result.added[0].sources == {"": 12, "model": 45, "human": 43}
