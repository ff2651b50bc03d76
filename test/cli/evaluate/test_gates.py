"""`pi05 eval gates`: from a command line to a table and a file."""

import json

import pytest
from fakes.gate_episodes import gate_episode

from pi05_ros.cli.evaluate import command as verb
from pi05_ros.evaluation.gates import episodes


@pytest.fixture
def homes(monkeypatch, tmp_path):
    """The folder `bags` holds an episode of a home."""

    def hold(*names):
        made = [gate_episode(name) for name in names]
        monkeypatch.setattr(episodes, "open_episodes", lambda path, **more: made)

    monkeypatch.setenv("PI05_CACHE", str(tmp_path / "cache"))
    return hold


def test_a_random_checkpoint_is_measured(homes, tmp_path, capsys):
    homes("10000", "10001")
    words = ["gates", "random:tiny?seed=3", "--episodes", "bags", "--samples", "4"]
    assert verb.main([*words, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "gripper on the right side of half open" in said and "gates.json" in said
    found = json.loads((tmp_path / "out" / "gates.json").read_text())
    assert found["chunks"] == 4 and found["plans"] == 4
    rows = {row["name"]: row for row in found["gates"]}
    assert rows["hand_cm"]["value"] > 4.3 and rows["hand_cm"]["reached"] is False
    assert rows["subtask"]["value"] == 0.0


def test_homes_for_training_are_refused(homes, capsys):
    homes("12")
    assert verb.main(["gates", "random:tiny", "--episodes", "bags"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("pi05 eval gates: memory: home 12 is for training")


@pytest.mark.parametrize(
    "arguments", [["gates"], ["gates", "c", "--episodes", "b", "--samples", "0"]]
)
def test_a_wrong_command_line(arguments):
    with pytest.raises(SystemExit) as end:
        verb.main(arguments)
    assert end.value.code == 2
