"""Episodes into a LeRobot dataset: chosen, staged side by side, put together at the end.

An export that was interrupted goes on: what is staged stays staged. An export into a dataset that
is there adds what it does not have yet.
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
from pi05_ros.data.lerobot import files, selection, staging
from pi05_ros.data.lerobot.committed import Committed, read_committed
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.fitting import LayoutWish, common_layout
from pi05_ros.data.lerobot.layout import DatasetLayout
from pi05_ros.data.lerobot.publish import publish
from pi05_ros.data.lerobot.selection import Rows
from pi05_ros.data.lerobot.staging import StagedEpisode
from pi05_ros.data.lerobot.workers import Job, work
from pi05_ros.errors import Pi05Error

STAGING = ".pi05_export"  # In the dataset's folder while an export is under way.
OnProgress = Callable[[str, int, int], None]  # What is being done; how much is; of how much.
_LAYOUT = "layout.json"


@dataclass(frozen=True)
class ExportSettings:
    """What is exported, and how."""

    # LeRobot's trainer imitates every episode of a dataset, so failures are in on request only.
    outcomes: tuple[str, ...] = ("success",)
    include_recovered: bool = False
    cameras: tuple[str, ...] = ()  # (): the dataset's; those of the first episode in a new one.
    fps: float | None = None  # Rows a second [Hz]; None: the dataset's; the robot's in a new one.
    crf: int | None = None  # Of x264; None: the dataset's, `encoding.DEFAULT_CRF` in a new one.
    platform: str = ""  # "": all must be of one.
    workers: int | None = None  # Episodes at once; None: as many as the cores carry.

    def __post_init__(self) -> None:
        if self.crf is not None and not 0 <= self.crf <= 51:
            raise ValueError(f"crf {self.crf} is not between 0 and 51")
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise ValueError(f"fps {self.fps} is no rate above 0")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers {self.workers} is not at least 1")


@dataclass(frozen=True)
class LeftOut:
    """An episode that is not in the dataset, and why."""

    name: str
    why: str


@dataclass
class Exported:
    """What an export did."""

    folder: Path
    added: list[StagedEpisode] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    staged_before: int = 0  # Of those added: found ready, from an export that was interrupted.


def export(
    episodes: Sequence[Episode],
    folder: Path,
    settings: ExportSettings,
    on_progress: OnProgress = lambda what, done, total: None,
) -> Exported:
    """Writes episodes to a dataset of LeRobot's format v3.0.

    Args:
        episodes: In the order in which they shall stand.
        folder: The dataset: new, one of ours, or one whose export was interrupted.
        settings: What and how.
        on_progress: Called now and then with what is being done, how much is, and of how much.

    Raises:
        DatasetError: The episodes do not fit one another or the dataset; nothing was added.
        OSError, CacheError: The disk failed; what was staged before stays staged.
    """
    _check_folder(folder)
    read_committed(folder)  # Whatever is wrong with it is said before anything is made.
    folder.mkdir(parents=True, exist_ok=True)
    stage_folder = folder / STAGING
    with _alone(folder, stage_folder):
        committed = read_committed(folder)
        result = Exported(folder)
        chosen = _choose(episodes, committed, settings, result)
        _read_through(chosen, result, on_progress)
        if not chosen:
            shutil.rmtree(stage_folder)  # Of an export that was killed when all was done.
            return result
        fixed, owner = committed.layout, "the dataset"
        path = stage_folder / _LAYOUT
        if fixed is None and path.exists():
            fixed = DatasetLayout.from_json(json.loads(path.read_text(encoding="utf-8")))
            owner = f"the interrupted export in {stage_folder} (delete it to begin anew)"
        wish = LayoutWish(settings.cameras, settings.fps, settings.crf)
        layout, misfits = common_layout(chosen, fixed, owner, wish)
        files.write_json(path, layout.to_json())
        jobs, ready = [], {}
        for name, episode in chosen.items():
            rows, why = Rows(0, 0, 1), misfits.get(name, "")
            if not why:
                rows, why = _rows_of(episode, layout)
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
    """By which an episode is known in a dataset."""
    return episode.facts.id


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise DatasetError(folder, "is a file; a dataset is a folder")
    if not folder.exists() or (folder / "meta").exists() or (folder / STAGING).exists():
        return
    if any(folder.iterdir()):
        raise DatasetError(folder, "holds files and no dataset; name a new or an empty folder")


@contextmanager
def _alone(folder: Path, stage_folder: Path) -> Iterator[None]:
    """Holds the dataset for this process; the lock goes with it, however it ends."""
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
    """The episodes to add by identity; why the others are not goes into the result."""
    chosen: dict[str, Episode] = {}
    for episode in episodes:
        name = identity(episode)
        why = selection.why_not(episode, settings.outcomes, settings.include_recovered)
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
    """Reads each episode once, for its rows; those that cannot be read are chosen no more."""
    for number, (name, episode) in enumerate(list(chosen.items())):
        on_progress("reading episodes", number, len(chosen))
        try:
            len(episode)
        except CacheError:
            raise  # Of the disk, not of the episode.
        except Pi05Error as error:
            del chosen[name]
            result.left_out.append(LeftOut(name, f"not readable ({error})"))


def _rows_of(episode: Episode, layout: DatasetLayout) -> tuple[Rows, str]:
    """The rows to export, and why there are none."""
    rows = selection.select_rows(episode, [camera.name for camera in layout.cameras], layout.step)
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
    return (record.fingerprint, record.length) == (episode.fingerprint, len(rows))
