"""The verb `reproduce`: its command line, its table, and one real plan."""

import json

import pytest

from pi05_ros.cli.main import main

TINY = """
steps:
  scenes: {scenes: {homes: 0-1, room: kitchen, sets: 1}}
  ep: {collect: {homes: 0-1, task: one dish, picture_rate: 5}}
  one:
    train:
      recipe: smoke_pretrain
      steps: 2
      paths: {MM: [ep], HL: [ep], WD: [scenes]}
      settings: [saving.every_steps=2, validation.samples=2, batch.size=4, batch.micro=4]
  two:
    train:
      recipe: smoke_posttrain
      steps: 2
      init: one
      paths: {MM: [ep], HL: [ep], WD: [scenes]}
      settings: [saving.every_steps=2, validation.samples=2, batch.size=4, batch.micro=4]
  points: {eval: {homes: "10000", checkpoint: two, seconds: 1}}
"""


@pytest.fixture
def tiny(tmp_path):
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    return str(file)


def test_a_dry_run_prints_sizes_and_writes_nothing(tiny, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["reproduce", tiny, "--out", str(out), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("plan tiny, scale 1, hash ")
    assert [line.split()[:4] for line in lines[2:4]] == [
        ["scenes", "scenes", "2", "picture"],
        ["ep", "collect", "2", "episodes"],
    ]
    # 2 sets of 0.035 s, 2 episodes of 5 s, 16 samples of 0.05 s, a trial of 40 s.
    assert lines[-1].split()[:2] == ["all", f"{(0.07 + 10 + 0.8 + 40) / 3600:.3f}"]
    assert not out.exists()


def test_wrong_command_lines(tiny, capsys):
    assert main(["reproduce", tiny]) == 2
    assert "wanted --out DIR" in capsys.readouterr().err
    assert main(["reproduce", "nanoo", "--dry-run"]) == 1
    assert "did you mean 'nano'?" in capsys.readouterr().err
    assert main(["reproduce", tiny, "--dry-run", "--scale", "2"]) == 1
    assert "scale 2: wanted a share above 0 and at most 1" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["reproduce", tiny, "--out", "x", "--jobs", "0"])
    assert "wanted a number of processes from 1" in capsys.readouterr().err


@pytest.mark.slow
def test_a_tiny_plan_from_homes_to_points(tiny, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["reproduce", tiny, "--out", str(out), "--jobs", "1"]) == 0
    content = json.loads((out / "reproduce.json").read_text())
    assert all(step["finished"] for step in content["steps"].values())
    results = {name: step["result"] for name, step in content["steps"].items()}
    assert results["scenes"]["homes"] == 2 and results["scenes"]["caption"] > 0
    assert results["ep"] == {"episodes": 2, "success": 2}
    assert (results["two"]["steps"], results["two"]["samples"]) == (2, 8)
    assert len(results["two"]["checkpoint_hash"]) == 64
    (point,) = content["curve"]
    assert (point["step"], point["homes"]) == ("points", 1)
    before_points = sum(
        content["steps"][n]["core_seconds"] for n in ("scenes", "ep", "one", "two")
    )
    assert point["core_hours"] == pytest.approx(before_points / 3600, abs=1e-4)
    # The recipe's hash and the checkpoint do not depend on where the folder lies.
    assert "paths:\n    - ep\n" in (out / "one" / "recipe.yaml").read_text()
    capsys.readouterr()
    assert main(["reproduce", tiny, "--out", str(out), "--jobs", "1"]) == 0
    assert "[1 of 5]" not in capsys.readouterr().err
