"""The dataset card states what meta/info.json has no place for."""

import json
from dataclasses import replace

from fakes.drawn_episodes import drawn
from fakes.exports import three

from pi05_ros.data.lerobot.card import CARD, dataset_card
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.layout import CameraFormat, DatasetLayout

LAYOUT = DatasetLayout(
    "arm", ("shoulder", "base_vx"), ("rad", "m/s"), 50.0, 2, (CameraFormat("front", 48, 64),), 20
)


def test_units_and_meanings_are_stated():
    lines = dataset_card(LAYOUT).splitlines()
    assert lines[0] == "---" and "- LeRobot" in lines and "  data_files: data/*/*.parquet" in lines
    both = "| `observation.state`, `action` |"
    assert f"{both} 0 | shoulder | rad |" in lines and f"{both} 1 | base_vx | m/s |" in lines
    (control,) = (line for line in lines if line.startswith("| `control_source` |"))
    assert "0 nobody, 1 the policy, 2 an operator (teleoperation)" in control
    (mode,) = (line for line in lines if line.startswith("| `mode` |"))
    assert "1 running, 2 holding, 3 disarmed, 4 faulted, 5 stopped" in mode
    (score,) = (line for line in lines if line.startswith("| `score` |"))
    assert "-1: the source gives none" in score


def test_an_action_with_entries_of_its_own_has_its_own_lines():
    layout = replace(LAYOUT, names=("x", "y"), units=("m", "m"), action_names=("y", "grip"))
    text = dataset_card(layout)
    assert "| `observation.state` | 1 | y | m |" in text
    assert "| `action` | 0 | y | m |" in text and "| `action` | 1 | grip | not stated |" in text


def test_units_that_nobody_stated_are_not_made_up():
    text = dataset_card(replace(LAYOUT, units=()))
    assert "| 0 | shoulder | not stated |" in text and "| rad |" not in text


def test_every_column_of_ours_is_explained(tmp_path):
    export(three(), tmp_path / "set", ExportSettings())
    text = (tmp_path / "set" / CARD).read_text(encoding="utf-8")
    info = json.loads((tmp_path / "set/meta/info.json").read_text())
    known = ("timestamp", "frame_index", "episode_index", "index", "task_index")  # LeRobot's.
    for name in info["features"]:
        if name not in known and not name.startswith("observation.images."):
            assert f"`{name}`" in text, name


def test_an_edited_card_is_kept(tmp_path):
    export([drawn("a", rows=30)], tmp_path / "set", ExportSettings())
    (tmp_path / "set" / CARD).write_text("ours")
    export([drawn("b", rows=30)], tmp_path / "set", ExportSettings())
    assert (tmp_path / "set" / CARD).read_text() == "ours"
