"""Bags whose episodes can be labelled: their folder, episodes and vocabulary."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.open import is_bag, open_episodes
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform


def bag_folder(path: Path) -> Path:
    """The folder in which a bag's labels are kept.

    Raises:
        BagError: The path is a file that is in no bag's folder.
    """
    folder = label_file.folder_of(path)
    if folder is None:
        raise BagError(
            f"{path} is a file without a bag's folder around it: labels are kept beside "
            "metadata.yaml; make a bag of it with `ros2 bag reindex`"
        )
    return folder


def open_bag(path: Path, cache: CacheFolder | None) -> list[BagEpisode]:
    """Open the episodes of a bag, in the order of time.

    Raises:
        Pi05Error: The path is no bag, or the bag is no episode.
    """
    if (path / "meta" / "info.json").exists():
        raise BagError(
            f"{path} is a LeRobot dataset, and labels are kept beside bags only: label the bags "
            f"that it was exported from and export them again, or make bags of it with "
            f"`./pi05 bags import {path} bags`"
        )
    if not path.exists():
        raise BagError(f"there is no bag {path}: wanted its folder")
    if path.is_dir() and not is_bag(path):
        raise BagError(f"{path} is no bag: wanted the folder of one episode")
    opened = open_episodes(path, include_recovered=True, cache=cache)
    return [episode for episode in opened if isinstance(episode, BagEpisode)]


def phrases_of(platform: str) -> tuple[str, ...]:
    """Phrases of a platform; none when this machine does not know it, as of a foreign robot."""
    try:
        return load_platform(platform).vocabulary
    except ConfigError:
        return ()
