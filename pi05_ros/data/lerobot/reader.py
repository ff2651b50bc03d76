"""Reader of LeRobot datasets."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.data.lerobot.dataset import read_dataset
from pi05_ros.data.lerobot.dataset_episode import DatasetEpisode


def open_dataset(root: Path, *, include_recovered: bool = False) -> list[DatasetEpisode]:
    """Open the episodes of a LeRobot dataset of format v2.0, v2.1 or v3.0, in its order.

    Args:
        root: The dataset's folder, which holds `meta/info.json`.
        include_recovered: Whether to include episodes that a crash cut short.

    Raises:
        DatasetError: The folder is no such dataset, or damaged.
    """
    dataset = read_dataset(root)
    episodes = [DatasetEpisode(dataset, entry) for entry in dataset.episodes]
    return [one for one in episodes if include_recovered or not one.facts.recovered]
