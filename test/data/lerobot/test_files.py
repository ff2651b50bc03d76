"""Files are written atomically; numbered texts equal those of pandas."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pi05_ros.data.lerobot import files


def test_a_table_that_fails_half_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "meta/x.parquet"
    table = pa.table({"a": [1, 2]})
    files.write_parquet(path, [table], table.schema)

    def tables():
        yield table
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        files.write_parquet(path, tables(), table.schema)
    assert pq.read_table(path).to_pydict() == {"a": [1, 2]}


def test_each_table_is_a_row_group(tmp_path):
    tables = [pa.table({"a": list(range(count))}) for count in (5, 1, 3)]
    files.write_parquet(tmp_path / "x.parquet", tables, tables[0].schema)
    with pq.ParquetFile(tmp_path / "x.parquet") as file:
        assert [file.read_row_group(k).num_rows for k in range(file.num_row_groups)] == [5, 1, 3]


def test_json_is_replaced_whole(tmp_path):
    files.write_json(tmp_path / "x.json", {"a": "ä"})
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "x.json", {"a": 1, "b": object()})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"a": "ä"}


def test_texts_are_the_index_of_the_frame_that_pandas_reads(tmp_path):
    table = files.indexed_by_text(["wipe", "clear"], "task", "task_index")
    files.write_parquet(tmp_path / "tasks.parquet", [table], table.schema)
    found = pq.read_table(tmp_path / "tasks.parquet")
    assert found.to_pydict() == {"task_index": [0, 1], "task": ["wipe", "clear"]}
    about = json.loads(found.schema.metadata[b"pandas"])
    assert about["index_columns"] == ["task"]
    assert [column["name"] for column in about["columns"]] == ["task_index", "task"]
    assert len(files.indexed_by_text([], "task", "task_index")) == 0
