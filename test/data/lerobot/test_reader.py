"""Datasets of other tools, of both formats, and damaged ones."""

import json
import pickle
import threading

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes.drawn_episodes import drawn
from fakes.lerobot_folders import JOINTS, LENGTHS, TASKS, picture, states, write_v21, write_v30

from pi05_ros.data.episodes.episode import MODE_RUNNING, SubtaskLabel
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.reader import open_dataset

WRITERS = {
    "v2.1": write_v21,
    "v3.0": write_v30,
    "v3.0 pictures": lambda root: write_v30(root, videos=False),
}


@pytest.fixture(params=WRITERS)
def folder(request, tmp_path):
    """A dataset of another tool."""
    return WRITERS[request.param](tmp_path / "cubes")


def test_rows_of_a_foreign_dataset(folder):
    episodes = open_dataset(folder)
    assert [len(one) for one in episodes] == list(LENGTHS)
    for index, one in enumerate(episodes):
        np.testing.assert_array_equal(one.states, states(index).astype(np.float64), strict=True)
        np.testing.assert_array_equal(one.actions, (states(index) + 1).astype(float), strict=True)
        assert one.modes.tolist() == [MODE_RUNNING] * LENGTHS[index]
        assert one.rate_hz == 10
    # Times rise through the dataset, from 1 s on.
    assert episodes[0].times_ns.tolist() == [10**9 + 10**8 * row for row in range(12)]
    assert episodes[1].times_ns[0] == 2_200_000_000


def test_facts_of_a_foreign_dataset_are_those_that_it_has(folder):
    facts = open_dataset(folder)[1].facts
    assert (facts.id, facts.task, facts.platform) == ("cubes_000001", TASKS[1], "so100")
    assert (facts.names, facts.units) == (tuple(JOINTS), ())
    assert (facts.outcome, facts.recovered, facts.rate_hz) == ("", "", 10)


def test_the_task_is_the_label_where_a_dataset_has_no_subtasks(folder):
    found = [one.labels for one in open_dataset(folder)]
    assert found == [
        (SubtaskLabel(0, count, task, "implicit", task),)
        for count, task in zip(LENGTHS, TASKS, strict=True)
    ]


def test_every_row_of_a_foreign_dataset_has_its_own_picture(folder):
    for index, one in enumerate(open_dataset(folder)):
        assert one.cameras == ("laptop",)
        assert one.frame_of_row("laptop").tolist() == list(range(LENGTHS[index]))
        np.testing.assert_array_equal(one.frame_times_ns("laptop"), one.times_ns)
        found = list(one.pictures("laptop", 2, 6))
        assert len(found) == 4
        for row, seen in enumerate(found, 2):
            assert np.abs(seen.astype(int) - picture(index, row)).mean() < 4
        for row in (LENGTHS[index] - 1, 0, 5):
            seen = one.picture("laptop", row).astype(int)
            assert np.abs(seen - picture(index, row)).mean() < 4
        with pytest.raises(KeyError):
            one.picture("front", 0)


def test_an_episode_can_be_pickled_and_is_read_by_many_threads(folder):
    one = pickle.loads(pickle.dumps(open_dataset(folder)[0]))
    seen = {}

    def look(row):
        seen[row] = (one.states[row].tolist(), int(one.picture("laptop", row).mean()))

    threads = [threading.Thread(target=look, args=(row,)) for row in range(LENGTHS[0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for row in range(LENGTHS[0]):
        assert seen[row][0] == states(0)[row].tolist()
        assert abs(seen[row][1] - picture(0, row).mean()) < 4


def test_the_fingerprint_changes_with_the_files(folder):
    first, second = (one.fingerprint for one in open_dataset(folder))
    assert first != second
    assert first.isalnum()
    data = open_dataset(folder)[0].entry.data
    table = pq.read_table(data)
    pq.write_table(table, data, compression="none")
    assert open_dataset(folder)[0].fingerprint != first


def test_subtasks_that_a_dataset_numbers_are_labels(tmp_path):
    root = write_v30(tmp_path / "cubes")
    change_info(root, lambda info: info["features"].update(subtask_index=NUMBER))
    data = root / "data/chunk-000/file-000.parquet"
    numbers = [0] * 5 + [1] * 7 + [1] * 7
    pq.write_table(pq.read_table(data).append_column("subtask_index", pa.array(numbers)), data)
    table = pa.table({"subtask_index": [0, 1], "subtask": ["grasp", "lift"]})
    pq.write_table(table, root / "meta/subtasks.parquet")
    first, second = open_dataset(root)
    assert first.labels == (
        SubtaskLabel(0, 5, "grasp", "external", TASKS[0]),
        SubtaskLabel(5, 12, "lift", "external", TASKS[0]),
    )
    assert second.labels == (SubtaskLabel(0, 7, "lift", "external", TASKS[1]),)


def test_subtasks_that_lerobot_annotated_are_labels(tmp_path):
    root = write_v30(tmp_path / "cubes")
    language = {"dtype": "language", "shape": [1], "names": None}
    change_info(root, lambda info: info["features"].update(language_persistent=language))

    def annotation(style, content, timestamp):
        return {"style": style, "content": content, "timestamp": timestamp, "role": "assistant"}

    first = [annotation("subtask", "lift", 0.7), annotation("plan", "1. grasp", 0.0)]
    first.append(annotation("subtask", "grasp", 0.2))
    second = [annotation("plan", "1. lift", 0.0)]
    text = pa.string()
    fields = {"style": text, "content": text, "timestamp": pa.float32(), "role": text}
    kind = pa.list_(pa.struct(fields))
    data = root / "data/chunk-000/file-000.parquet"
    column = pa.array([first] * 12 + [second] * 7, kind)
    pq.write_table(pq.read_table(data).append_column("language_persistent", column), data)
    one, other = open_dataset(root)
    assert one.labels == (
        SubtaskLabel(2, 7, "grasp", "external", TASKS[0]),
        SubtaskLabel(7, 12, "lift", "external", TASKS[0]),
    )
    assert other.labels == (SubtaskLabel(0, 7, TASKS[1], "implicit", TASKS[1]),)


NUMBER = {"dtype": "int64", "shape": [1], "names": None}


def change_info(root, change):
    """Edit meta/info.json."""
    path = root / "meta/info.json"
    info = json.loads(path.read_text())
    change(info)
    path.write_text(json.dumps(info))


def test_recovered_episodes_are_read_on_request_only(tmp_path):
    settings = ExportSettings(include_recovered=True)
    export([drawn("a"), drawn("b", recovered="mended")], tmp_path / "set", settings)
    assert [one.facts.id for one in open_dataset(tmp_path / "set")] == ["a"]
    both = open_dataset(tmp_path / "set", include_recovered=True)
    assert [one.facts.id for one in both] == ["a", "b"]


def test_outcome_and_operator_survive_tools_that_drop_columns_of_episodes(tmp_path):
    export([drawn("a"), drawn("b", rows=60)], tmp_path / "set", ExportSettings())
    path = tmp_path / "set/meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    ours = [name for name in table.column_names if name.startswith("pi05/")]
    pq.write_table(table.drop_columns([*ours, "outcome"]), path)
    found = open_dataset(tmp_path / "set")[1]
    assert (found.facts.outcome, found.facts.operator_name) == ("success", "Ada")
    assert (found.facts.id, found.facts.platform) == ("set_000001", "mobile_18dof")
    assert found.labels == drawn("b", rows=60).labels


# ---- broken ---------------------------------------------------------------------------------


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


BREAKS = {
    "no dataset": (
        lambda root: (root / "meta/info.json").unlink(),
        "is no LeRobot dataset: there is no meta/info.json",
    ),
    "info cut": (lambda root: truncate(root / "meta/info.json"), "info.json: is no JSON"),
    "a later version": (
        lambda root: change_info(root, lambda info: info.update(codebase_version="v4.0")),
        "has format v4.0; known are v2.0, v2.1, v3.0",
    ),
    "no features": (
        lambda root: change_info(root, lambda info: info.pop("features")),
        "info.json: or what it points to lacks 'features'",
    ),
    "no actions": (
        lambda root: change_info(root, lambda info: info["features"].pop("action")),
        "info.json: has no feature action, as LeRobot calls it; found observation.state, obs",
    ),
    "no episodes": (
        lambda root: (root / "meta/episodes/chunk-000/file-000.parquet").unlink(),
        "meta/episodes: holds no parquet file: the dataset is cut",
    ),
    "episodes cut": (
        lambda root: truncate(root / "meta/episodes/chunk-000/file-000.parquet"),
        "file-000.parquet: is no parquet file that can be read",
    ),
    "tasks of another kind": (
        lambda root: pq.write_table(pa.table({"x": [1]}), root / "meta/tasks.parquet"),
        "tasks.parquet: has columns x; wanted task and task_index",
    ),
    "fewer episodes than listed": (
        lambda root: change_info(root, lambda info: info.update(total_episodes=5)),
        "lists 5 episodes in meta/info.json and describes 2",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_dataset_is_refused_with_file_and_reason(tmp_path, name):
    root = write_v30(tmp_path / "cubes")
    breaks, message = BREAKS[name]
    breaks(root)
    with pytest.raises(DatasetError, match=message):
        open_dataset(root)


def test_an_old_dataset_without_its_episodes_is_refused(tmp_path):
    root = write_v21(tmp_path / "cubes")
    (root / "meta/episodes.jsonl").write_text('{"episode_index": 0, "len')
    with pytest.raises(DatasetError, match="episodes.jsonl: is not JSON by lines"):
        open_dataset(root)


DATA = "data/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.laptop/chunk-000/file-000.mp4"


def test_missing_or_damaged_rows_are_an_error_when_they_are_read(tmp_path):
    root = write_v30(tmp_path / "cubes")
    table = pq.read_table(root / DATA)
    pq.write_table(table.slice(0, 15), root / DATA)
    first, second = open_dataset(root)
    assert len(first.states) == 12
    with pytest.raises(DatasetError, match="holds 3 rows of episode 1, not 7: it is cut"):
        _ = second.states
    pq.write_table(table.drop_columns("action"), root / DATA)
    with pytest.raises(DatasetError, match=f"{DATA}: has no column action"):
        _ = open_dataset(root)[0].actions
    numbers = pa.array(np.full(19, 9))
    pq.write_table(
        table.set_column(table.column_names.index("task_index"), "task_index", numbers),
        root / DATA,
    )
    with pytest.raises(DatasetError, match="names task 9, which the dataset does not have"):
        _ = open_dataset(root)[0].labels
    truncate(root / DATA)
    with pytest.raises(DatasetError, match=f"{DATA}: is no parquet file that can be read"):
        _ = open_dataset(root)[0].states


def test_missing_or_damaged_videos_are_an_error_when_they_are_read(tmp_path):
    root = write_v30(tmp_path / "cubes")
    episode = open_dataset(root)[1]
    with av.open(str(root / VIDEO), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for row in range(14):
            frame = av.VideoFrame.from_ndarray(picture(1, row), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(DatasetError, match=r"file-000.mp4: has no frame at 1.400 s: it is cut"):
        list(episode.pictures("laptop", 0, 7))
    truncate(root / VIDEO)
    with pytest.raises(DatasetError, match="file-000.mp4: is no video that can be read"):
        list(episode.pictures("laptop", 0, 7))
    (root / VIDEO).unlink()
    with pytest.raises(DatasetError, match="file-000.mp4: is no video that can be read"):
        list(episode.pictures("laptop", 0, 7))


def test_a_cell_that_holds_no_picture_is_named(tmp_path):
    root = write_v30(tmp_path / "cubes", videos=False)
    table = pq.read_table(root / DATA)
    kind = table.schema.field("observation.images.laptop").type
    cells = pa.array([{"bytes": b"no picture", "path": None}] * 19, kind)
    pq.write_table(
        table.set_column(table.num_columns - 1, "observation.images.laptop", cells), root / DATA
    )
    with pytest.raises(
        DatasetError, match="laptop of row 3 of episode 1: holds 10 bytes that are"
    ):
        open_dataset(root)[1].picture("laptop", 3)
