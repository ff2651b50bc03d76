"""Videos of the best and the worst trial of each task and mode: the trials are run once more.

Pictures are rendered for them only. A trial without a GPU is the same each time it is run.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from pi05_ros.cameras.rotation import upright, upright_size
from pi05_ros.evaluation.report.frame import Caption
from pi05_ros.evaluation.report.video import FRAMES_PER_SECOND, Frame, VideoWriter
from pi05_ros.evaluation.trials.brains import high_level, low_level, platform_of
from pi05_ros.evaluation.trials.episode import Episode
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.result import TrialResult
from pi05_ros.evaluation.trials.run import disk_error
from pi05_ros.evaluation.trials.settings import EvaluationSettings, Machine, Trial, TrialJob
from pi05_ros.foundation.parallel import finished_in_processes
from pi05_ros.platforms.platform import Platform

_CELL_WIDTH = 240  # Of a camera's cell [pixel].


def best_and_worst(results: Sequence[TrialResult]) -> list[tuple[str, str]]:
    """Choose trials to show: of each task, mode and checkpoint the best and the worst.

    More points are better, then less time. Of equal ones the first counts.

    Returns:
        (name of the trial, "best" or "worst"); a single trial is the best only.
    """
    cells: dict[tuple[str, str, str], list[TrialResult]] = defaultdict(list)
    for result in results:
        cells[result.task, result.mode, result.checkpoint].append(result)
    chosen = []
    for found in cells.values():
        best = max(found, key=_merit)
        worst = min(found, key=_merit)
        chosen.append((best.name, "best"))
        if worst is not best:
            chosen.append((worst.name, "worst"))
    return chosen


def _merit(result: TrialResult) -> tuple[float, float]:
    return result.share, -result.seconds


def make_videos(
    folder: EvaluationFolder,
    settings: EvaluationSettings,
    machine: Machine,
    names: Sequence[str],
    *,
    on_video: Callable[[str], None] = lambda name: None,
    on_start: Callable[[int], None] = lambda count: None,
) -> dict[str, Path]:
    """Write the videos that a folder lacks; return name → file of all.

    Args:
        folder: Of the evaluation.
        settings: Its settings.
        machine: Processes and device.
        names: Of trials.
        on_video: Called with the name of each video that is written.
        on_start: Called with the number of videos to make, if there are any.

    Raises:
        Pi05Error: A video cannot be made, or the disk is full.
    """
    files = {name: folder.videos / f"{name}.mp4" for name in dict.fromkeys(names)}
    trials = {settings.name_of(trial): trial for trial in settings.trials()}
    jobs = [
        TrialJob(settings, machine, trials[name], "")
        for name, file in files.items()
        if not file.exists()
    ]
    if jobs:
        on_start(len(jobs))
    try:
        folder.videos.mkdir(exist_ok=True)
        for name, data in finished_in_processes(film, jobs, machine.jobs):
            part = files[name].with_suffix(".part")
            part.write_bytes(data)
            os.replace(part, files[name])
            on_video(name)
    except OSError as error:
        raise disk_error(folder.path, error) from error
    return files


def film(job: TrialJob) -> tuple[str, bytes]:
    """Run a trial once more, and return its name and its video as MP4.

    Raises:
        Pi05Error: OpenGL does not start, or the video cannot be encoded.
    """
    cv2.setNumThreads(1)
    settings, trial = job.settings, job.trial
    platform = platform_of(settings.platform)
    low = low_level(settings, job.machine, trial)
    episode = Episode(settings, trial, platform, low, high_level(settings, trial, low))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = VideoWriter(folder, platform.camera_names, _cell(platform))
        try:
            episode.run(_Camera(platform, trial, writer).on_period)
        finally:
            writer.finish()
        while not writer.wait(1.0):
            pass
        return settings.name_of(trial), (folder / "video.mp4").read_bytes()


class _Camera:
    """Adds a frame to a video ten times a second."""

    def __init__(self, platform: Platform, trial: Trial, writer: VideoWriter) -> None:
        self._platform, self._trial, self._writer = platform, trial, writer
        self._every = max(1, round(1.0 / (FRAMES_PER_SECOND * platform.period)))
        self._periods = 0

    def on_period(self, episode: Episode) -> None:
        """Take the pictures of now, if a frame is due."""
        self._periods += 1
        if self._periods % self._every:
            return
        driver = episode.driver_pictures
        images = {
            camera.name: upright(driver.picture(camera.name), camera.rotate)
            for camera in self._platform.cameras
        }
        score, seconds = episode.score, episode.loop.seconds
        caption = Caption(
            task=self._trial.text,
            subtask=episode.loop.subtask.text,
            score=f"{score.points:g}/{score.max_points:g} points",
            time=f"{seconds:.1f} s",
        )
        self._writer.add_blocking(Frame(seconds, images, caption))


def _cell(platform: Platform) -> tuple[int, int]:
    """Return (height, width) of a camera's cell [pixel]."""
    first = platform.cameras[0]
    width, height = upright_size(first.width, first.height, first.rotate)
    return round(height * _CELL_WIDTH / width), _CELL_WIDTH
