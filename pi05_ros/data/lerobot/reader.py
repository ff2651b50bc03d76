"""Reader of LeRobot datasets."""

from __future__ import annotations

import logging
from pathlib import Path

from pi05_ros.data.lerobot.dataset import read_dataset
from pi05_ros.data.lerobot.dataset_episode import DatasetEpisode
from pi05_ros.data.lerobot.decoding import SAME_S
from pi05_ros.data.lerobot.features import camera_keys, farthest_frame_s, not_colour
from pi05_ros.data.lerobot.layout import INFO

_log = logging.getLogger(__name__)


def open_dataset(root: Path, *, include_recovered: bool = False) -> list[DatasetEpisode]:
    """Open the episodes of a LeRobot dataset of format v2.0, v2.1 or v3.0, in its order.

    Depth and other pictures that are no colour are left out, with a warning. Another warning names
    videos in which rows lie between two frames.

    Args:
        root: The dataset's folder, which holds `meta/info.json`.
        include_recovered: Whether to include episodes that a crash cut short.

    Raises:
        DatasetError: The folder is no such dataset, or damaged.
    """
    dataset = read_dataset(root)
    if left_out := not_colour(dataset.features):
        _log.warning(
            "%s: left out, as the model takes colour pictures: %s",
            root,
            ", ".join(f"{key} ({why})" for key, why in left_out.items()),
        )
    apart = {
        name: farthest_frame_s(dataset.features[key], dataset.fps)
        for name, key in camera_keys(dataset.features).items()
    }
    if apart := {name: far for name, far in apart.items() if far > SAME_S}:
        _log.warning(
            "%s: videos have no frame at some rows' times, by the rates in %s: the nearest one is "
            "taken, up to %s away",
            root,
            INFO,
            ", ".join(f"{1e3 * far:.0f} ms ({name})" for name, far in apart.items()),
        )
    episodes = [DatasetEpisode(dataset, entry) for entry in dataset.episodes]
    return [one for one in episodes if include_recovered or not one.facts.recovered]
