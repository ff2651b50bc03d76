"""Export of episodes into a LeRobot dataset: selected, staged in parallel, published at the end.

An interrupted export can be resumed: staged episodes stay staged. An export into an existing
dataset adds the episodes that it does not have yet.
"""

from __future__ import annotations

import fcntl
import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pi05_ros.data.episodes.cache_folder import CacheError
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.filters.episode_filter import EpisodeFilter, JudgedEpisode
from pi05_ros.data.lerobot import files, selection, staging
from pi05_ros.data.lerobot.committed import Committed, read_committed
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.fitting import LayoutRequest, common_layout
from pi05_ros.data.lerobot.layout import DatasetLayout
from pi05_ros.data.lerobot.publish import publish
from pi05_ros.data.lerobot.selection import Rows
from pi05_ros.data.lerobot.staging import StagedEpisode
from pi05_ros.data.lerobot.workers import Job, work
from pi05_ros.errors import Pi05Error

STAGING = ".pi05_export"  # Folder in the dataset while an export runs.
OnProgress = Callable[[str, int, int], None]  # Name of the step, amount done, total amount.
_LAYOUT = "layout.json"


@dataclass(frozen=True)
class ExportSettings:
    """Settings of an export."""

    # Which episodes are exported. LeRobot's trainer imitates every one of a dataset alike.
    episode_filter: EpisodeFilter = EpisodeFilter()
    include_recovered: bool = False
    cameras: tuple[str, ...] = ()  # (): the dataset's; those of the first episode in a new one.
    fps: float | None = None  # Rows a second [Hz]; None: the dataset's; the robot's in a new one.
    crf: int | None = (
        None  # Quality of x264; None: the dataset's, `encoding.DEFAULT_CRF` in a new one.
    )
    platform: str = ""  # Name of the platform; "": any, the same for all episodes.
    workers: int | None = None  # Episodes in parallel; None: by the number of cores.

    def __post_init__(self) -> None:
        if self.crf is not None and not 0 <= self.crf <= 51:
            raise ValueError(f"crf {self.crf} is not between 0 and 51")
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise ValueError(f"fps {self.fps} is no rate above 0")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers {self.workers} is not at least 1")


@dataclass(frozen=True)
class LeftOut:
    """An episode that was not exported, and the reason."""

    name: str
    why: str


@dataclass
class Exported:
    """Result of an export."""

    folder: Path
    added: list[StagedEpisode] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    judged: list[JudgedEpisode] = field(default_factory=list)  # What the filter decided.
    staged_before: int = 0  # Of those added: staged by an interrupted export.


def export(
    episodes: Sequence[Episode],
    folder: Path,
    settings: ExportSettings,
    on_progress: OnProgress = lambda what, done, total: None,
) -> Exported:
    """Write episodes to a dataset of LeRobot's format v3.0.

    Args:
        episodes: The episodes, in their order in the dataset.
        folder: The dataset: new, one of ours, or one whose export was interrupted.
        settings: The settings.
        on_progress: Called with the name of the step, the amount done and the total amount.

    Raises:
        DatasetError: The episodes' layouts do not match each other or the dataset; nothing was
            added.
        OSError, CacheError: The disk failed; staged episodes stay staged.
    """
    _check_folder(folder)
    read_committed(folder)  # Raises for a damaged dataset before anything is written.
    folder.mkdir(parents=True, exist_ok=True)
    stage_folder = folder / STAGING
    with _exclusive(folder, stage_folder):
        committed = read_committed(folder)
        result = Exported(folder)
        chosen = _choose(episodes, committed, settings, result)
        _read_through(chosen, result, on_progress)
        _apply_filter(chosen, settings.episode_filter, result)
        if not chosen:
            shutil.rmtree(stage_folder)  # Left by an export that was killed after publishing.
            return result
        fixed, owner = committed.layout, "the dataset"
        path = stage_folder / _LAYOUT
        if fixed is None and path.exists():
            fixed = DatasetLayout.from_json(json.loads(path.read_text(encoding="utf-8")))
            owner = f"the interrupted export in {stage_folder} (delete it to start over)"
        request = LayoutRequest(settings.cameras, settings.fps, settings.crf)
        layout, rejected = common_layout(chosen, fixed, owner, request)
        files.write_json(path, layout.to_json())
        jobs, ready = [], {}
        for name, episode in chosen.items():
            rows, why = Rows(0, 0, 1), rejected.get(name, "")
            if not why:
                rows, why = _rows_of(episode, layout, settings.episode_filter)
            if why:
                result.left_out.append(LeftOut(name, why))
                continue
            target = stage_folder / staging.folder_name(name)
            ready[name] = target
            if _is_staged(target, episode, rows):
                result.staged_before += 1
            else:
                jobs.append(Job(episode, name, rows, layout, target))
        progress = partial(on_progress, "rows of video")
        for name, why in work(jobs, len(layout.cameras), settings.workers, progress).items():
            result.left_out.append(LeftOut(name, f"not readable ({why})"))
            del ready[name]
        if ready:
            publish(committed, layout, list(ready.values()))
            result.added = [StagedEpisode.load(path / staging.RECORD) for path in ready.values()]
        shutil.rmtree(stage_folder)
    return result


def identity(episode: Episode) -> str:
    """Id of an episode in a dataset."""
    return episode.facts.id


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise DatasetError(folder, "is a file; a dataset is a folder")
    if not folder.exists() or (folder / "meta").exists() or (folder / STAGING).exists():
        return
    if any(folder.iterdir()):
        raise DatasetError(folder, "holds files and no dataset; name a new or an empty folder")


@contextmanager
def _exclusive(folder: Path, stage_folder: Path) -> Iterator[None]:
    """Hold the dataset's lock, which ends with the process at the latest."""
    stage_folder.mkdir(exist_ok=True)
    with (stage_folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatasetError(
                folder, "another export into it is running; wait for it, or stop it"
            ) from error
        yield


def _choose(
    episodes: Sequence[Episode], committed: Committed, settings: ExportSettings, result: Exported
) -> dict[str, Episode]:
    """Select the episodes to add, by id; the reasons for the others go into the result."""
    chosen: dict[str, Episode] = {}
    judge, recovered = settings.episode_filter, settings.include_recovered
    for episode in episodes:
        name = identity(episode)
        why = selection.exclusion_reason(episode, judge, recovered)
        if not why and settings.platform not in ("", episode.facts.platform):
            why = f"platform {episode.facts.platform}"
        if not why and name in committed.fingerprints:
            why = "in the dataset already"
            if committed.fingerprints[name] != episode.fingerprint:
                why += ", as it was before it changed; a new folder takes it as it is now"
        if not why and name in chosen:
            why = f"the same episode as {chosen[name].source}"
        if why:
            result.left_out.append(LeftOut(name, why))
        else:
            chosen[name] = episode
    return chosen


def _read_through(chosen: dict[str, Episode], result: Exported, on_progress: OnProgress) -> None:
    """Read the rows of each episode once; episodes that cannot be read are dropped."""
    for number, (name, episode) in enumerate(list(chosen.items())):
        on_progress("reading episodes", number, len(chosen))
        try:
            len(episode)
        except CacheError:
            raise  # A failure of the disk, not of the episode.
        except Pi05Error as error:
            del chosen[name]
            result.left_out.append(LeftOut(name, f"not readable ({error})"))


def _apply_filter(
    chosen: dict[str, Episode], episode_filter: EpisodeFilter, result: Exported
) -> None:
    """Drop the episodes that do not train. Lengths are judged among the new ones alone."""
    result.judged = episode_filter.judge_all(chosen.values())
    for name, judged in zip(list(chosen), result.judged, strict=True):
        if not judged.is_kept:
            del chosen[name]
            result.left_out.append(LeftOut(name, judged.reason))


def _rows_of(
    episode: Episode, layout: DatasetLayout, episode_filter: EpisodeFilter
) -> tuple[Rows, str]:
    """Select the rows to export; with none, the second value is the reason."""
    cameras = [camera.name for camera in layout.cameras]
    rows = selection.select_rows(episode, cameras, layout.step, episode_filter)
    if len(rows):
        return rows, ""
    silent = selection.never_commanded(episode)
    if silent:
        return rows, f"no command for {', '.join(silent)} in the whole episode"
    return rows, "no row has a picture of every camera, a finite state and a command"


def _is_staged(folder: Path, episode: Episode, rows: Rows) -> bool:
    path = folder / staging.RECORD
    if not path.exists():
        return False
    record = StagedEpisode.load(path)
    # With another filter, other rows of the same number may have been staged.
    wanted = (episode.fingerprint, len(rows), rows.left_out)
    return (record.fingerprint, record.length, record.left_out) == wanted
