"""A dataset has one layout, one owner and one writer at a time."""

import pytest
from fakes.drawn_episodes import DrawnEpisode, drawn
from fakes.exports import why

from pi05_ros.data.lerobot import export as export_module
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.export import STAGING, ExportSettings, export
from pi05_ros.data.lerobot.reader import open_dataset

SETTINGS = ExportSettings()


def test_two_platforms_are_refused(tmp_path):
    other = drawn("b", platform="mobile_19dof")
    with pytest.raises(
        DatasetError, match=r"platform mobile_19dof instead of mobile_18dof as in a"
    ):
        export([drawn("a"), other], tmp_path / "set", SETTINGS)
    assert not (tmp_path / "set/meta").exists()
    export([drawn("a")], tmp_path / "set2", SETTINGS)
    with pytest.raises(DatasetError, match=r"platform .* as in the dataset.* a folder of its own"):
        export([other], tmp_path / "set2", SETTINGS)
    result = export(
        [drawn("c"), other], tmp_path / "set2", ExportSettings(platform="mobile_18dof")
    )
    assert why(result) == {"b": "platform mobile_19dof"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("a", "b", "c")}, "names a, b, c instead of shoulder, elbow, gripper"),
        ({"units": ("rad", "m", "fraction")}, "units rad, m, fraction instead of"),
        ({"rate_hz": 25.0}, "rate_hz 25.0 instead of 50.0"),
        ({"size": (24, 32)}, "cameras front 32x24, left_wrist 32x24 instead of front 64x48"),
    ],
)
def test_another_layout_is_refused(tmp_path, change, message):
    with pytest.raises(DatasetError, match=message):
        export([drawn("a"), drawn("b", **change)], tmp_path / "set", SETTINGS)


def test_a_dataset_keeps_its_settings(tmp_path):
    export([drawn("a")], tmp_path / "set", ExportSettings(fps=10, crf=30, cameras=("front",)))
    with pytest.raises(
        DatasetError, match="pictures of camera left_wrist, which the dataset has n"
    ):
        export([drawn("b")], tmp_path / "set", SETTINGS)
    export([drawn("b", cameras=("front",))], tmp_path / "set", SETTINGS)
    assert {one.rate_hz for one in open_dataset(tmp_path / "set")} == {10}
    with pytest.raises(DatasetError, match="fps 25 instead of 10; crf 20 instead of 30"):
        export([drawn("c")], tmp_path / "set", ExportSettings(fps=25, crf=20, cameras=("front",)))


def test_an_episode_without_a_camera_is_left_out(tmp_path):
    result = export([drawn("a"), drawn("b", cameras=("front",))], tmp_path / "set", SETTINGS)
    assert why(result) == {"b": "no picture of camera left_wrist"}


def test_an_episode_without_usable_pictures_of_a_camera_is_left_out(tmp_path):
    class Blind(DrawnEpisode):
        def frame_times_ns(self, camera):
            return super().frame_times_ns(camera)[: 0 if camera == "front" else None]

    blind = Blind(drawn("b").facts, labels=drawn("b").labels)
    result = export([drawn("a"), blind], tmp_path / "set", SETTINGS)
    assert why(result) == {"b": "no picture of camera front"}
    with pytest.raises(DatasetError, match=r"no episode has pictures of .*b: no picture of cam"):
        export([blind], tmp_path / "set2", SETTINGS)


def test_a_folder_with_other_content_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match="holds files and no dataset"):
        export([drawn()], tmp_path, SETTINGS)
    foreign = tmp_path / "foreign"
    (foreign / "meta").mkdir(parents=True)
    (foreign / "meta/info.json").write_text("{}")
    with pytest.raises(DatasetError, match="LeRobot dataset that something else wrote"):
        export([drawn()], foreign, SETTINGS)
    assert sorted(path.name for path in foreign.rglob("*")) == ["info.json", "meta"]


def test_two_exports_at_once_are_refused(tmp_path):
    folder = tmp_path / "set"
    (folder / STAGING).mkdir(parents=True)
    with (
        export_module._exclusive(folder, folder / STAGING),
        pytest.raises(DatasetError, match="another export into it is running"),
    ):
        export([drawn()], folder, SETTINGS)
