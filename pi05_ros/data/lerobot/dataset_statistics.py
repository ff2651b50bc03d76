"""Statistics of a whole dataset: of columns over all rows, of pictures pooled over episodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pi05_ros.data.lerobot import columns, staging, statistics
from pi05_ros.data.lerobot import layout as names
from pi05_ros.data.lerobot.layout import DatasetLayout

_ROWS_AT_ONCE = 1 << 16  # Rows in one batch from a file.
_STATISTICS = ("min", "max", "mean", "std", "count", *statistics.QUANTILES)


def dataset_statistics(
    folder: Path, layout: DatasetLayout, episodes: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Compute the content of meta/stats.json.

    Args:
        folder: The dataset, with its data files complete.
        layout: The dataset's layout.
        episodes: The rows of meta/episodes.

    Returns:
        Feature -> statistic -> nested lists.
    """
    total = sum(row["length"] for row in episodes)
    found: dict[str, Any] = {}
    paths = sorted(folder.glob("data/*/*.parquet"), key=names.numbered)
    without = layout.without_statistics()
    for key, feature in layout.features().items():
        if feature["dtype"] == "video":
            parts = [
                {name: np.array(row[f"stats/{key}/{name}"]) for name in _STATISTICS}
                for row in episodes
            ]
            found[key] = staging.as_lists(statistics.pooled(parts))
        elif key not in without:
            read = partial(_rows_of_column, paths, key)
            whole = statistics.of_dataset(read, total, feature["shape"][0])
            found[key] = staging.as_lists(whole)
    return found


def _rows_of_column(paths: Sequence[Path], key: str) -> Iterator[np.ndarray]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=[key]):
                yield columns.numbers(batch.column(0))
