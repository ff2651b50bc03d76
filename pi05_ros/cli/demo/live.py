"""The state of a run in one line."""

from __future__ import annotations

from pi05_ros.cli.common.live_line import shorten
from pi05_ros.control.modes import Mode
from pi05_ros.evaluation.run_record import RunRecord


def describe(record: RunRecord, notice: str = "") -> str:
    """The state of a run in one line.

    Args:
        record: What happened up to now.
        notice: What the demo waits for or does about it; empty: nothing.
    """
    if not record.began:
        return f"coming up: {notice or record.graph_message or 'processes start'}"
    age, factor, score = record.chunk_age_s, record.real_time_factor, record.score
    commands, chunks, pictures = record.rates_hz()
    robot = record.robot
    if not notice and robot.mode is not Mode.RUNNING:
        mode = f"robot {robot.mode.name.lower()}: " if robot.mode else ""
        notice = f"{mode}{robot.reason}"
    parts = [
        f"{record.sim_s:6.1f} s",
        shorten(record.current_subtask) or "(no subtask)",
        f"{score.points:g}/{score.max_points:g} points" if score.max_points else "not scored yet",
        "no chunk yet" if age is None else f"chunk {age:.2f} s old",
        f"{commands:.0f} commands/s, {chunks:.1f} chunks/s, {pictures:.0f} pictures/s",
        f"{factor:.2f}x real time" if factor else "",
    ]
    if notice:  # First: a terminal may be too narrow for all.
        parts.insert(2, notice)
    return " | ".join(part for part in parts if part)
