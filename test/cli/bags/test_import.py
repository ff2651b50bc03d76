"""`./pi05 bags import`: a dataset of somebody else becomes bags that the other verbs take."""

import pytest
from fakes.lerobot_folders import write_v21

from pi05_ros.cli.bags import command
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.to_bag import UNDER_WAY
from pi05_ros.data.open import open_episodes


def test_a_dataset_becomes_bags_once(tmp_path, capsys):
    words = ["import", str(write_v21(tmp_path / "cubes")), str(tmp_path / "bags")]
    assert command.main(words) == 0
    assert "2 bags written with 19 rows, 0 were there already" in capsys.readouterr().out
    assert [len(one) for one in open_episodes(tmp_path / "bags")] == [12, 7]
    assert not (tmp_path / "bags" / UNDER_WAY).exists()
    assert command.main(words) == 0
    assert "0 bags written with 0 rows, 2 were there already" in capsys.readouterr().out


def test_an_episode_that_cannot_be_read_is_left_out_and_the_others_come(tmp_path, capsys):
    root = write_v21(tmp_path / "cubes")
    (video,) = root.rglob("episode_000000.mp4")
    video.write_bytes(video.read_bytes()[:900])
    words = ["import", str(root), str(tmp_path / "bags")]
    for written, there in ((1, 0), (0, 1)):
        assert command.main(words) == 1
        said = capsys.readouterr()
        assert f"{written} bags written with {7 * written} rows, {there} were there" in said.out
        assert said.err.startswith(f"left out: {video}: is no video that can be read")
    assert [path.name for path in (tmp_path / "bags").iterdir()] == ["cubes_000001"]


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="is no LeRobot dataset: there is no meta/info.json"):
        command.main(["import", str(tmp_path), str(tmp_path / "bags")])
    assert not (tmp_path / "bags").exists()


def test_a_quality_that_is_none_is_refused(tmp_path, capsys):
    words = ["import", str(tmp_path), str(tmp_path), "--quality", "0"]
    assert command.main(words) == 2
    assert "quality 0 is not between 1 and 100" in capsys.readouterr().err
