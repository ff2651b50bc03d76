"""The door to LeRobot datasets: their episodes."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.data.lerobot.dataset import read_dataset
from pi05_ros.data.lerobot.dataset_episode import DatasetEpisode


def open_dataset(root: Path, *, include_recovered: bool = False) -> list[DatasetEpisode]:
    """The episodes of a LeRobot dataset of format v2.0, v2.1 or v3.0, in its order.

    Args:
        root: Its folder, which holds `meta/info.json`.
        include_recovered: Whether episodes that a crash cut short are among them.

    Raises:
        DatasetError: It is no such dataset, or damaged.
    """
    dataset = read_dataset(root)
    episodes = [DatasetEpisode(dataset, entry) for entry in dataset.episodes]
    return [one for one in episodes if include_recovered or not one.facts.recovered]
