"""Plans of the high level through a dataset, and back into a bag."""

import dataclasses
import json

import pyarrow.parquet as pq
import pytest
from fakes.drawn_episodes import drawn
from fakes.planned_bags import CUP_TEXT, planned_bag

from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.episode import SPOKEN, PictureBox, Plan
from pi05_ros.data.episodes.plan_samples import PlanSamples
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.plans import plans_from_json, plans_to_json
from pi05_ros.data.lerobot.reader import open_dataset
from pi05_ros.data.lerobot.to_bag import write_bag
from pi05_ros.data.open import open_episodes

CAMERAS = ("front", "left_wrist")


def shown(samples):
    """What can be compared: pictures go through the video's codec."""
    return [
        (s.time_ns, s.task, s.text, s.done, s.source, s.kind, s.model_text, s.picture_times_ns)
        for s in samples
    ]


def test_plans_survive_an_export_and_an_import(tmp_path):
    made = planned_bag(tmp_path / "e", outcome="success", size=(120, 160), smooth=True)
    of_bag = BagEpisode(made.path)
    export([of_bag], tmp_path / "set", ExportSettings())
    (of_set,) = open_dataset(tmp_path / "set")
    assert of_set.plans == of_bag.plans and len(of_set.plans) == 8
    write_bag(of_set, tmp_path / "bags")
    (again,) = open_episodes(tmp_path / "bags")
    # Its id rises with the empty subtask that ended the task, which is no row of the dataset.
    assert again.plans[:-1] == of_bag.plans[:-1] and again.plans[-1].done
    wanted = shown(PlanSamples([of_bag], CAMERAS))
    assert len(wanted) == 8 and wanted[0][2] == CUP_TEXT
    assert shown(PlanSamples([of_set], CAMERAS)) == shown(PlanSamples([again], CAMERAS)) == wanted
    for one, other in zip(
        PlanSamples([of_bag], CAMERAS), PlanSamples([of_set], CAMERAS), strict=True
    ):
        assert one.boxes == other.boxes and one.state.tolist() == other.state.tolist()


def test_plans_as_text_and_back():
    box = PictureBox("front", "Löffel", 0.1, 0.2, 0.3, 0.4, None)
    plans = (
        Plan(5, "t", "take it", "human", SPOKEN, boxes=(box,), model_text="no", subtask_id=3),
        Plan(6, "t", "", "model", done=True, score=0.5),
    )
    assert plans_from_json(plans_to_json(plans)) == plans
    assert plans_from_json(plans_to_json(())) == ()
    for text in ("{", "[1]", '[{"stamp_ns": 1}]', '[{"boxes": [], "colour": 1}]'):
        with pytest.raises(ValueError):
            plans_from_json(text)


def test_a_dataset_without_plans_has_none_and_a_damaged_one_says_so(tmp_path):
    export([drawn(rows=60)], tmp_path / "set", ExportSettings())
    (episode,) = open_dataset(tmp_path / "set")
    assert episode.plans == ()
    for ours in ({}, {"pi05/plans": None}):  # LeRobot's tools, an export from before.
        episode.entry = dataclasses.replace(episode.entry, ours=ours)
        assert episode.plans == ()
    (path,) = (tmp_path / "set/meta/episodes").rglob("*.parquet")
    table = pq.read_table(path)
    at = table.column_names.index("pi05/plans")
    pq.write_table(table.set_column(at, "pi05/plans", [[json.dumps([{}])]]), path)
    (damaged,) = open_dataset(tmp_path / "set")
    with pytest.raises(DatasetError, match="episode 0 has plans that cannot be read"):
        damaged.plans  # noqa: B018
