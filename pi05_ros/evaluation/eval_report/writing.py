"""Summary, videos and report of an evaluation as files of its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.evaluation.eval_report.page import render
from pi05_ros.evaluation.trials.folder import REPORT, EvaluationFolder
from pi05_ros.evaluation.trials.result import TrialResult
from pi05_ros.evaluation.trials.run import disk_error
from pi05_ros.evaluation.trials.settings import WHOLE, EvaluationSettings, Machine, Shard
from pi05_ros.evaluation.trials.summary import summarize
from pi05_ros.evaluation.trials.videos import best_and_worst, make_videos


def write_results(
    folder: EvaluationFolder,
    settings: EvaluationSettings,
    results: Sequence[TrialResult],
    machine: Machine,
    *,
    shard: Shard = WHOLE,
    with_videos: bool = True,
    on_video: Callable[[str], None] = lambda name: None,
    on_start: Callable[[int], None] = lambda count: None,
) -> dict[str, Any]:
    """Write summary.json, the videos and report.html, and return the summary.

    The summary is there before the videos are made.

    Args:
        folder: Of the evaluation.
        settings: Its settings.
        results: Of its trials, in their order.
        machine: Processes and device for the videos.
        shard: The part that the results are.
        with_videos: Whether videos are made.
        on_video: Called with the name of each video that is written.
        on_start: Called with the number of videos to make, if there are any.

    Raises:
        Pi05Error: A video cannot be made, or the disk is full.
    """
    summary = summarize(settings, results, shard)
    chosen = best_and_worst(results) if with_videos and not settings.ros else []
    for episode in summary["episodes"]:
        if episode["name"] in {name for name, _ in chosen}:
            episode["video"] = f"videos/{episode['name']}.mp4"
    try:
        folder.write_summary(summary)
        names = [name for name, _ in chosen]
        videos: dict[str, Path] = {}
        if names:
            videos = make_videos(
                folder, settings, machine, names, on_video=on_video, on_start=on_start
            )
        write_atomically(folder.path / REPORT, render(summary, chosen, videos))
    except OSError as error:
        raise disk_error(folder.path, error) from error
    return summary
