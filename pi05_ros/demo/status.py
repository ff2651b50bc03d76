"""The state and the result of a run in one line each."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.control.modes import Mode
from pi05_ros.evaluation.run_record import RunRecord
from pi05_ros.recording.disk import in_bytes


def status_text(record: RunRecord, notice: str = "") -> str:
    """Describe the state of a run in one line.

    Args:
        record: Events of the run up to now.
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


def closing_text(record: RunRecord, out: Path, ended: str) -> str:
    """Describe the result of a run in one line.

    Args:
        record: Events of the run.
        out: Folder of the results.
        ended: Why the run ended.
    """
    score = record.score
    points = f"{score.points:g} of {score.max_points:g} points" if score.max_points else "no score"
    factor = f", {record.real_time_factor:.2f}x real time" if record.real_time_factor else ""
    names = ("video.mp4", "strip.png", "report.html")
    files = [name for name in names if (out / name).exists()]
    if record.bag.path:
        bag = Path(record.bag.path)
        size = sum(file.stat().st_size for file in bag.rglob("*") if file.is_file())
        files.append(f"{bag} ({in_bytes(size)})")
    return (
        f"{points} in {record.sim_s:.0f} simulated seconds ({ended}{factor}); "
        f"results: {', '.join([str(out / 'summary.json'), *files])}"
    )


def shorten(text: str, length: int = 40) -> str:
    """Cut a text at `length` characters, with an ellipsis where it was longer."""
    return text if len(text) <= length else text[: length - 1] + "…"
