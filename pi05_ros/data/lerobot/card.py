"""The dataset card: a README.md for people and for the Hugging Face Hub.

meta/info.json has no place for units and for the meaning of a column, so this page states them.
"""

from __future__ import annotations

from pathlib import Path

from pi05_ros.data.episodes import episode as rows
from pi05_ros.data.lerobot import files
from pi05_ros.data.lerobot import layout as names
from pi05_ros.data.lerobot.layout import DatasetLayout

CARD = "README.md"

# As LeRobot writes it; the Hub's viewer finds the rows by it.
_FRONT_MATTER = """---
task_categories:
- robotics
tags:
- LeRobot
configs:
- config_name: default
  data_files: data/*/*.parquet
---
"""
_MODES = {
    rows.MODE_UNKNOWN: "unknown",
    rows.MODE_RUNNING: "running",
    rows.MODE_HOLDING: "holding",
    rows.MODE_DISARMED: "disarmed",
    rows.MODE_FAULTED: "faulted",
    rows.MODE_STOPPED: "stopped",
}
_CONTROL = {
    rows.CONTROL_NONE: "nobody",
    rows.CONTROL_POLICY: "the policy",
    rows.CONTROL_TELEOP: "an operator (teleoperation)",
    rows.CONTROL_DISTURBANCE: "a disturbance (not to be imitated)",
}


def write_card(folder: Path, layout: DatasetLayout) -> None:
    """Write the card of a dataset that has none; an edited one is kept."""
    path = folder / CARD
    if not path.exists():
        files.write_text(path, dataset_card(layout))


def dataset_card(layout: DatasetLayout) -> str:
    """Compose the card: names and units of the vectors, meaning of each column of ours."""
    cameras = ", ".join(camera.name for camera in layout.cameras) or "none"
    return "\n".join(
        [
            _FRONT_MATTER,
            f"# Episodes of the robot {layout.platform}",
            "",
            f"LeRobot dataset of format {names.VERSION}, exported by pi05_ros: {layout.fps} rows "
            f"a second, cameras {cameras}.",
            "",
            "## State and action",
            "",
            *_vectors(layout),
            "",
            "`observation.state` is measured; `action` is the command as sent, after limiting: "
            "targets of positions, and velocities of the base. Behind the last row of an episode "
            "LeRobot repeats the last action and sets `action_is_pad`: leave these steps out of a "
            "loss, and take 0 for velocities there (FAST tokens cannot be masked step by step).",
            "",
            "## Columns beyond LeRobot's",
            "",
            "| column | meaning |",
            "|---|---|",
            *(f"| `{name}` | {meaning} |" for name, meaning in _columns(layout).items()),
            "",
        ]
    )


def _vectors(layout: DatasetLayout) -> list[str]:
    units = dict(zip(layout.names, layout.units, strict=False))  # Other tools state none.
    table = ["| vector | index | entry | unit |", "|---|---|---|---|"]
    both = f"`{names.STATE}`, `{names.ACTION}`"
    vectors = {both: layout.names}
    if layout.action_names:
        vectors = {f"`{names.STATE}`": layout.names, f"`{names.ACTION}`": layout.action_names}
    for vector, entries in vectors.items():
        table += [
            f"| {vector} | {index} | {entry} | {units.get(entry, 'not stated')} |"
            for index, entry in enumerate(entries)
        ]
    return table


def _columns(layout: DatasetLayout) -> dict[str, str]:
    no_score = f"{names.NO_SCORE:g}" if layout.complete_statistics else "NaN"
    found = {
        "subtask": "what the robot was doing, as a text; empty: nothing",
        "subtask_index": "its row in `meta/subtasks.parquet`",
        "source": "where the subtask is from: `model`, `human`, `external`, or `implicit` (the "
        "task, where there are no subtasks)",
        "model_subtask": "what the model would have done while a person's subtask was followed",
        "subtask_id": "number of the subtask in the recording; 0: unknown",
        "score": f"mean token probability of the subtask, 0 to 1; {no_score}: the source gives "
        "none",
        "boxes": "JSON: boxes of the objects that the subtask names, as fractions of the picture",
        "mode": "mode of the robot's control: " + _values(_MODES),
    }
    if layout.control_source:
        found[names.CONTROL_SOURCE] = "whose commands `action` is: " + _values(_CONTROL)
    found["time_ns"] = "time of the measurement [ns since 1970]; `timestamp` is row / fps"
    if layout.cameras:
        found[names.CAMERA_TIMES] = (
            "time at which the row's picture was taken, one a camera [ns since 1970]; equal in "
            "rows that repeat a picture"
        )
    return found | {
        "outcome": "of the episode: `success`, `failure`, or empty (not graded)",
        "operator": "who recorded the episode",
    }


def _values(meanings: dict[int, str]) -> str:
    return ", ".join(f"{value} {meaning}" for value, meaning in meanings.items())
