"""The data that the smoke recipes make themselves: a few short episodes and scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.evaluation.collection.collect import collect
from pi05_ros.evaluation.collection.scenes import SceneSettings, collect_scenes
from pi05_ros.evaluation.collection.settings import ONE_DISH, CollectSettings

# The expert succeeds in these homes with the dish that seed 0 draws; two platforms were tried.
SMOKE_HOMES = (0, 1, 2, 3)
_SETS = 2  # Sets of pictures of each home.


@dataclass(frozen=True)
class SmokeData:
    """Folders of the data."""

    episodes: Path  # Bags: sources of the kinds MM, ME, CE and HL.
    scenes: Path  # JSON lines beside pictures: a source of kind WD.


def smoke_episodes(
    folder: Path, platform: str = "mobile_18dof", homes: Sequence[int] = SMOKE_HOMES
) -> SmokeData:
    """Make the data of the smoke recipes in a folder; what is there already is kept.

    Each episode is whole: one dish is put into the sink, in about 11 s, and its outcome is what
    the rubric says. Cut episodes would be shorter, but no success.

    Args:
        folder: Folder that is new, or was made by this function.
        platform: Name of the platform, or a YAML file.
        homes: Seeds of the homes.

    Raises:
        Pi05Error: The data cannot be made.
    """
    data = SmokeData(folder / "episodes", folder / "scenes")
    collect(data.episodes, CollectSettings(platform, task=ONE_DISH), homes)
    collect_scenes(data.scenes, SceneSettings(platform, sets=_SETS), homes)
    return data
