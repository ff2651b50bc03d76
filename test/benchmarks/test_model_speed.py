"""The script as a whole, on the miniature: it compares first, and reports the times."""

import json
import sys

import model_speed
import pytest
from PIL import Image, ImageColor
from speed.chart import COLOURS
from speed.eager_baseline import EagerBaseline
from speed.implementations import ChunkRun

ARGUMENTS = (
    "model_speed --preset tiny --rounds 2 --tokens 3 --prompt 6 --no-lerobot --execution eager"
).split()


@pytest.fixture(autouse=True)
def quick_ceilings(monkeypatch):
    monkeypatch.setattr("speed.floor.Ceilings._measure_operations", lambda self: 1e9)
    monkeypatch.setattr("speed.floor.Ceilings._measure_bandwidth", lambda self, size: 1e9)


def test_it_compares_measures_and_writes(monkeypatch, capsys, tmp_path):
    path = tmp_path / "out.json"
    monkeypatch.setattr(
        sys, "argv", [*ARGUMENTS, "--slots", "4", "--profile", "--json", str(path)]
    )
    sys.argv += ["--plot", str(tmp_path / "out.png")]
    assert model_speed.main() == 0
    out, progress = capsys.readouterr()
    assert "a prompt of 6 tokens (padded: 200, 4 pictures)" in out
    assert "* ours, eager and baseline, not padded: actions within" in out
    assert "* LeRobot does not take part: --no-lerobot" in out
    assert "| times as long as ours, eager | baseline, padded | baseline, not padded |" in out
    assert "aim" not in out  # Those are for the published size on a GPU.
    assert "| [ms] | total | matrices | attention | everything else |" in out
    assert "round 2 of 2" in progress
    with Image.open(tmp_path / "out.png") as picture:
        colours = {colour[:3] for _, colour in picture.getcolors(100_000)}
    assert {ImageColor.getrgb(colour) for colour in COLOURS[:3]} <= colours
    content = json.loads(path.read_text())
    assert list(content["times_s"]) == ["ours, eager", "baseline, padded", "baseline, not padded"]
    assert all(len(row) == 2 for row in content["times_s"]["ours, eager"].values())
    assert content["floors_s"]["chunk"] > 0


def test_it_reports_no_time_for_other_results(monkeypatch, capsys):
    chunk = EagerBaseline.chunk

    def wrong(self, pictures):
        run = chunk(self, pictures)
        return ChunkRun(run.actions + 0.01, run.laps)

    monkeypatch.setattr(EagerBaseline, "chunk", wrong)
    monkeypatch.setattr(sys, "argv", ARGUMENTS)
    assert model_speed.main() == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert "model_speed: ours, eager: its chunk is 1.0e-02 off (at most 1e-04)" in error


def test_invalid_arguments_give_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [*ARGUMENTS, "--prompt", "999"])
    assert model_speed.main() == 1
    assert "model_speed: wanted 2 to 200 prompt tokens, found 999" in capsys.readouterr().err
