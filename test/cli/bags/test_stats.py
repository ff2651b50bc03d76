"""`./pi05 bags stats`: a table, findings that block, files that are written or not."""

import errno
import json
import os

import numpy as np
import pytest
from fakes.model_bags import BEGAN, PERIOD, PLATFORM, STATE, episode_bag, state

from pi05_ros.cli.main import main as pi05
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.open import open_episodes
from pi05_ros.data.statistics.files import load_statistics, read_norm_stats


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PI05_CACHE", str(tmp_path / "cache"))


def stats(*words):
    return pi05(["bags", "stats", *map(str, words)])


@pytest.fixture(scope="module")
def bags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags")
    for name, rows in (("a", 700), ("b", 801)):
        episode_bag(folder / name, rows, outcome="success", cameras=())
    return folder


def test_sound_episodes_give_statistics_and_a_report(bags, tmp_path, capsys):
    out = tmp_path / "norm_stats.json"
    assert stats(bags, "--out", out, "--relative", "left_arm", "torso_lift") == 0
    said = capsys.readouterr().out
    assert "mobile_18dof: 1501 rows of 2 episodes" in said and "no findings" in said
    found = read_norm_stats(out)["mobile_18dof"]
    assert found.names == PLATFORM.names
    assert [d.name for d in found.dimensions if d.relative] == [
        *PLATFORM.names[:6],
        "torso_lift",
    ]
    states = []
    for name in ("a", "b"):
        with BagReader(bags / name) as reader:
            states += [reader.decode(STATE, m.data).measured for m in reader.messages([STATE])]
    wanted = np.quantile(states, 0.01, axis=0, method="inverted_cdf")
    wanted[15:] = np.minimum(wanted[15:], 0.2 * PLATFORM.lower[15:])  # Velocities: rest is inside.
    np.testing.assert_array_equal([d.state_q01 for d in found.dimensions], wanted)
    told = json.loads((tmp_path / "norm_stats.report.json").read_text())["mobile_18dof"]
    assert (told["rows"], told["episodes"], told["accepted"]) == (1501, 2, [])
    assert told["relative"] == [*PLATFORM.names[:6], "torso_lift"]
    entry = told["entries"]["torso_lift"]
    assert entry["state"]["count"] == entry["action"]["count"] == 1501
    assert entry["state"]["mean"] == pytest.approx(np.mean(states, axis=0)[14])
    assert entry["state"]["std"] == pytest.approx(np.std(states, axis=0)[14])
    assert entry["relative action"]["count"] == 50 * 1501 - 2 * sum(range(50))
    assert entry["relative action"]["q01"] == found.dimensions[14].action_q01


def test_parts_are_merged_to_the_same_statistics(bags, tmp_path):
    for name in ("a", "b"):
        assert stats(bags / name, "--save", tmp_path / f"{name}.npz", "--accept", "too-few") == 0
    assert load_statistics(tmp_path / "a.npz").rows == 700
    assert stats(tmp_path / "a.npz", tmp_path / "b.npz", "--out", tmp_path / "merged.json") == 0
    assert stats(bags, "--out", tmp_path / "whole.json") == 0
    merged = (tmp_path / "merged.json").read_text()
    assert merged == (tmp_path / "whole.json").read_text()


def test_a_finding_blocks_until_it_is_accepted_and_that_is_written_down(bags, tmp_path, capsys):
    out = tmp_path / "n.json"
    assert stats(bags / "a", "--out", out) == 1
    said = capsys.readouterr()
    assert "error too-few: wanted at least 1000 rows" in said.out
    assert "--accept too-few" in said.err and "was not written" in said.err
    assert not out.exists()
    assert stats(bags / "a", "--out", out, "--accept", "too-few") == 0
    assert "error (accepted) too-few" in capsys.readouterr().out
    told = json.loads((tmp_path / "n.report.json").read_text())["mobile_18dof"]
    assert told["accepted"] == ["too-few"] and told["findings"][0]["kind"] == "too-few"


def test_an_entry_that_stands_still_is_told_and_normalised_by_its_floor(tmp_path, capsys):
    still = np.tile(PLATFORM.home, (1100, 1))
    still[:, :17] += 0.2 * np.sin(np.arange(1100)[:, None] / 50 + np.arange(17))
    still = np.clip(still, PLATFORM.lower, PLATFORM.upper)
    still[:, 14] = 0.25  # The torso, of 0 to 0.5 m.
    extra = [
        (STATE, state(BEGAN + k * PERIOD, row, row), BEGAN + k * PERIOD + 1)
        for k, row in enumerate(still, start=1)
    ]
    path = episode_bag(tmp_path / "e", 1, outcome="success", cameras=(), extra=extra).path
    assert stats(path, "--out", tmp_path / "n.json") == 0
    said = capsys.readouterr().out
    assert "warning near-constant: base_wz: the state hardly moves" in said
    assert "warning near-constant: torso_lift: the action hardly moves" in said
    lift, wz = read_norm_stats(tmp_path / "n.json")["mobile_18dof"].dimensions[14::3]
    # The bag's first row, which is not at rest, is the farthest, and becomes 5.
    half = abs(open_episodes(path)[0].states[0, 14] - 0.25) / 5
    assert 0.0125 < half < 0.05
    assert (lift.state_q01, lift.state_q99) == pytest.approx((0.25 - half, 0.25 + half))
    limit = PLATFORM.upper[17]
    assert (wz.action_q01, wz.action_q99) == pytest.approx((-0.2 * limit, 0.2 * limit))
    assert stats(path, "--out", tmp_path / "n.json", "--least-span", "0.2") == 0
    lift = read_norm_stats(tmp_path / "n.json")["mobile_18dof"].dimensions[14]
    assert (lift.state_q01, lift.state_q99) == pytest.approx((0.2, 0.3))  # 20 % of 0.5 m.


def test_an_episode_that_cannot_be_had_is_told_and_the_others_are_counted(bags, tmp_path, capsys):
    broken = tmp_path / "more"
    episode_bag(broken / "c", 1200, outcome="success", cameras=())
    episode_bag(broken / "d", 50, outcome="success", cameras=(), recovered="the end was lost")
    assert stats(broken) == 1
    said = capsys.readouterr()
    assert "1200 rows of 1 episode\n" in said.out
    assert "left out: " in said.err and "--include-recovered" in said.err
    assert stats(broken, "--include-recovered") == 0
    assert "1250 rows of 2 episodes" in capsys.readouterr().out


def test_data_are_judged_by_a_checkpoints_statistics(bags, tmp_path, capsys):
    assert stats(bags, "--out", tmp_path / "n.json") == 0
    assert stats(bags, "--against", tmp_path / "n.json") == 0
    content = json.loads((tmp_path / "n.json").read_text())
    content["mobile_18dof"]["dimensions"][0]["state_q99"] = 0.0
    (tmp_path / "n.json").write_text(json.dumps(content))
    assert stats(bags, "--against", tmp_path / "n.json") == 1
    assert "outside-range: left_arm_joint_1" in capsys.readouterr().out


def test_statistics_that_cannot_be_put_where_they_should_leave_nothing_behind(
    bags, tmp_path, capsys
):
    (tmp_path / "out.json").mkdir()
    assert stats(bags, "--out", tmp_path / "out.json") == 1
    assert f"{tmp_path}/out.json cannot be written (Is a directory)" in capsys.readouterr().err
    left = sorted(path.name for path in tmp_path.iterdir() if path.name != "cache")
    assert left == ["out.json", "out.report.json"]


@pytest.mark.parametrize("option", ["--out", "--save"])
def test_a_full_disk_is_told_with_the_file(bags, tmp_path, capsys, monkeypatch, option):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = tmp_path / "out"
    assert stats(bags) == 0  # The cache is there then.
    monkeypatch.setattr(os, "fsync", full)
    assert stats(bags, option, folder / "n.json") == 1
    said = capsys.readouterr().err
    assert f"pi05 bags: {folder}/n." in said and "written (No space left on device)" in said
    assert not list(folder.iterdir())


def test_more_episodes_than_a_few_are_counted_by_all_cores(tmp_path, capsys):
    for n in range(4):
        episode_bag(tmp_path / "bags" / str(n), 300 + n, outcome="success", cameras=())
    assert stats(tmp_path / "bags") == 0
    assert "1206 rows of 4 episodes" in capsys.readouterr().out


def test_the_filters_counts_are_printed_and_in_the_report(bags, tmp_path, capsys):
    folder = tmp_path / "bags"
    episode_bag(folder / "a", 1100, cameras=(), outcome="success")
    episode_bag(folder / "b", 300, cameras=(), outcome="failure")
    episode_bag(folder / "c", 200, cameras=())
    assert stats(folder, "--out", tmp_path / "n.json") == 0
    said = capsys.readouterr().out
    assert "mobile_18dof: train: 1100 of 1600 rows, 1 of 3 episodes\n" in said
    assert "mobile_18dof: episodes left out, outcome failure: 1\n" in said
    assert "mobile_18dof: episodes left out, outcome none: 1\n" in said
    report = json.loads((tmp_path / "n.report.json").read_text())["mobile_18dof"]
    assert report["counts"]["episodes_left_out"] == {"outcome failure": 1, "outcome none": 1}
    assert report["filter"]["outcomes"] == ["success"] and report["filter"]["idle_s"] == 3.0
    assert stats(folder, "--outcome", "all") == 0
    assert "train: 1600 of 1600 rows, 3 of 3 episodes" in capsys.readouterr().out
    (tmp_path / "f.yaml").write_text("outcomes: [success, failure]\nidle_s: 1.0\n")
    assert stats(folder, "--filter", tmp_path / "f.yaml") == 0
    assert "train: 1400 of 1600 rows, 2 of 3 episodes" in capsys.readouterr().out


def test_nothing_that_trains_is_told_with_the_remedy(tmp_path, capsys):
    episode_bag(tmp_path / "a", 100, cameras=())
    assert stats(tmp_path / "a", "--out", tmp_path / "n.json") == 1
    said = capsys.readouterr().err
    assert "no row trains (outcome none: 1); grade the episodes (./pi05 bags grade)" in said
    assert not (tmp_path / "n.json").exists()


def test_shards_of_another_filter_are_not_merged(bags, tmp_path, capsys):
    stats(bags / "a", "--save", tmp_path / "a.npz")
    stats(bags / "b", "--save", tmp_path / "b.npz", "--outcome", "all")
    capsys.readouterr()
    assert stats(tmp_path / "a.npz", tmp_path / "b.npz") == 1
    assert "counted with another filter (outcomes (" in capsys.readouterr().err


def test_json_has_the_report_and_nothing_else(bags, capsys):
    assert stats(bags, "--json") == 0
    report = json.loads(capsys.readouterr().out)["mobile_18dof"]
    assert (report["rows"], report["counts"]["episodes"], report["clip"]) == (1501, 2, 5.0)
    assert report["floors"] == {"position_share": 0.05, "velocity_share": 0.2, "reach": 5.0}
    assert {entry["clipped"] for entry in report["entries"].values()} == {0}
    assert stats(bags / "a", "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["mobile_18dof"]["findings"][0]["kind"] == "too-few"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "there are no episodes at nowhere"),
        (["--relative", "left_leg"], "no entry or group 'left_leg'; did you mean 'left_arm'"),
        (["--platform", "mobile_19dof"], "wanted mobile_19dof"),
        (["--horizon", "0"], "wanted --horizon above 0"),
    ],
)
def test_what_cannot_be_is_said(bags, capsys, words, said):
    words = words if words == ["nowhere"] else [str(bags / "a"), *words]
    assert stats(*words) in (1, 2)
    assert said in capsys.readouterr().err
