"""`./pi05 bags adopt`: recordings of other stacks become episodes of every verb."""

import json

import pytest
import yaml
from fakes.foreign_bags import ALOHA, aloha

from pi05_ros.cli.main import main as pi05
from pi05_ros.data.lerobot.reader import open_dataset


@pytest.fixture
def place(tmp_path):
    aloha().write(tmp_path / "bags" / "one")
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(ALOHA))
    return tmp_path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PI05_CACHE", str(tmp_path / "cache"))


def adopt(place, *more, bag="bags/one", mapping="m.yaml"):
    return pi05(["bags", "adopt", str(place / bag), str(place / mapping), *more])


def test_a_dry_run_says_what_fits_and_writes_nothing(place, capsys):
    assert adopt(place, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "/follower/joint_states" in out and "state waist, state gripper" in out
    assert "100            100" in out and "fits (nothing was written)" in out
    assert not (place / "bags/one/adopted.yaml").exists()


def test_an_adopted_bag_is_listed_checked_and_exported(place, capsys):
    assert adopt(place) == 0
    assert pi05(["bags", "list", str(place / "bags")]) == 0
    assert "adopted" in capsys.readouterr().out
    assert pi05(["bags", "check", str(place / "bags")]) == 0
    assert "one: passed" in capsys.readouterr().out
    assert pi05(["bags", "show", str(place / "bags/one"), "--out", str(place / "one.png")]) == 0
    assert pi05(["bags", "export", str(place / "bags"), str(place / "set")]) == 0
    (episode,) = open_dataset(place / "set")
    assert len(episode) == 100 and episode.labels[0].text == "fold the towel"
    assert episode.states[7] == pytest.approx([0.07, 0.4])
    assert (episode.control_sources == 2).all()


def test_every_bag_of_a_folder_is_tried_and_those_that_do_not_fit_are_named(place, capsys):
    bag = aloha()
    bag.messages = [m for m in bag.messages if not m[1].startswith("/leader")]
    bag.write(place / "bags" / "two")
    assert adopt(place, bag="bags") == 1
    captured = capsys.readouterr()
    assert "adopted: " in captured.out and (place / "bags/one/adopted.yaml").exists()
    # The topics of the one that does not fit are shown, too, and every problem once.
    assert captured.out.count("/cam_high/image_raw/compressed") == 2
    wanted = "there is no topic /leader/joint_states in the bag; did you mean '/follower/joint_st"
    assert captured.err.count(wanted) == 2  # For two entries.
    assert not (place / "bags/two/adopted.yaml").exists()


def test_json_holds_everything(place, capsys):
    assert adopt(place, "--json", "--out", str(place / "links")) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["adopted"] == str(place / "links/one") and document["problem"] == ""
    (episode,) = document["episodes"]
    assert (episode["span"]["id"], episode["rows"]) == ("one", 100)
    assert pi05(["bags", "check", str(place / "links/one")]) == 0


def test_a_guess_is_printed_and_can_be_used(place, capsys):
    assert pi05(["bags", "adopt", str(place / "bags/one"), "--guess"]) == 0
    (place / "guess.yaml").write_text(capsys.readouterr().out)
    assert adopt(place, "--dry-run", mapping="guess.yaml") == 0
    assert "no row has a subtask, so none trains yet" in capsys.readouterr().out


def test_a_wrong_command_line(place, capsys):
    assert pi05(["bags", "adopt", str(place / "bags/one")]) == 2
    assert "wanted MAPPING or --guess" in capsys.readouterr().err
    (place / "m.yaml").write_text("robot: x\n")
    assert adopt(place) == 1
    assert "m.yaml: the key 'rate_hz' is missing" in capsys.readouterr().err
