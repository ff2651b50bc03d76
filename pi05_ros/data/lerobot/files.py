"""Atomic writing of text, JSON and parquet files: a temporary file is renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

COMPRESSION = "zstd"


def write_json(path: Path, data: Any) -> None:
    """Replace a JSON file."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False))


def write_text(path: Path, text: str) -> None:
    """Replace a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_parquet(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Replace a parquet file; each table becomes one row group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression=COMPRESSION) as writer:
            for table in tables:
                writer.write_table(table, row_group_size=max(1, len(table)))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def indexed_by_text(texts: Sequence[str], index_name: str, value_name: str) -> pa.Table:
    """Make a table of numbered texts like a pandas frame with the texts as its index.

    LeRobot reads meta/tasks.parquet with pandas and expects the texts as row names, which requires
    the `pandas` entry of the schema.
    """
    pandas = {
        "index_columns": [index_name],
        "column_indexes": [
            {
                "name": None,
                "field_name": None,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": {"encoding": "UTF-8"},
            }
        ],
        "columns": [
            _column(value_name, "int64", "int64"),
            _column(index_name, "unicode", "object"),
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({value_name: pa.array(range(len(texts)), pa.int64()), index_name: texts})
    table = table.cast(pa.schema([(value_name, pa.int64()), (index_name, pa.string())]))
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _column(name: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "field_name": name,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": None,
    }
