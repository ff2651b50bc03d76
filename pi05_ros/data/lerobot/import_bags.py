"""Import of a LeRobot dataset into bags, one for each episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.to_bag import UNDER_WAY, BagSettings, message_count, write_bag


@dataclass
class Imported:
    """Result of an import."""

    written: int = 0  # Bags that were written,
    rows: int = 0  # and their rows.
    present: int = 0  # Bags that were there already.
    left_out: list[DatasetError] = field(default_factory=list)  # Episodes that cannot be read.


def import_bags(
    episodes: Sequence[Episode],
    folder: Path,
    settings: BagSettings,
    on_episode: Callable[[str], None],
    on_messages: Callable[[float], None],
) -> Imported:
    """Write a bag for each episode that has none in the folder yet.

    Args:
        episodes: Episodes of a dataset.
        folder: Folder of the bags.
        settings: Settings of the bags.
        on_episode: Called with the name of each episode as it begins.
        on_messages: Called with the number of messages that were just written or skipped.
    """
    result = Imported()
    for episode in episodes:
        on_episode(episode.facts.id)
        try:
            bag = write_bag(episode, folder, settings, on_messages)
        except DatasetError as error:
            result.left_out.append(error)
            continue
        if bag is None:
            result.present += 1
            on_messages(message_count(episode))
        else:
            result.written += 1
            result.rows += len(episode)
    under_way = folder / UNDER_WAY
    if under_way.is_dir() and not any(under_way.iterdir()):
        under_way.rmdir()
    return result
