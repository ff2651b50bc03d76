"""The report of an export counts what is in the dataset."""

from dataclasses import replace

from fakes.drawn_episodes import drawn

from pi05_ros.data.episodes.episode import CONTROL_NONE, CONTROL_TELEOP
from pi05_ros.data.filters.episode_filter import NO_FILTER
from pi05_ros.data.lerobot import fitting
from pi05_ros.data.lerobot.audit import audit
from pi05_ros.data.lerobot.export import ExportSettings, export


def test_rows_of_each_driver_are_counted_over_the_whole_dataset(tmp_path):
    made = drawn("a", rows=60)
    made.control_sources[10:16] = CONTROL_NONE
    made.control_sources[30:45] = CONTROL_TELEOP
    export([made], tmp_path / "set", ExportSettings(NO_FILTER))
    found = audit(export([drawn("b", rows=40)], tmp_path / "set", ExportSettings(NO_FILTER)))
    assert found.drivers == {"policy": 39 + 40, "operator": 15, "nobody": 6}
    line = "driven by: policy 79 rows (79 %), operator 15 rows (15 %), nobody 6 rows (6 %)"
    assert line in found.lines()


def test_a_dataset_without_the_column_says_nothing_about_drivers(tmp_path, monkeypatch):
    real = fitting.layout_of
    monkeypatch.setattr(
        fitting, "layout_of", lambda *given: replace(real(*given), control_source=False)
    )
    found = audit(export([drawn("a", rows=40)], tmp_path / "set", ExportSettings(NO_FILTER)))
    assert not found.drivers and not any("driven by" in line for line in found.lines())
