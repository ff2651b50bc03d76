"""What is shipped: compact weights that open, a card made from facts, and no path of a machine."""

import dataclasses
import json

import pytest
import yaml
from fakes.compact_model import CAMERAS, compact_checkpoint
from fakes.torch_threads import one_torch_thread  # noqa: F401

from pi05_ros.checkpoints.checkpoint import (
    CheckpointError,
    Training,
    load_checkpoint,
    read_contents,
    save_checkpoint,
)
from pi05_ros.cli.main import main
from pi05_ros.evaluation.shipping import ship as module
from pi05_ros.evaluation.shipping.ship import ship
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.platform import load_platform

FACTS = Training(text=True, flow=True, step=40, origin="recipe second (bbb), from /data/run")
GATES = {
    "gates": [
        {
            "name": "gripper",
            "value": 0.985,
            "interval": [0.98, 0.99],
            "reached": True,
            "cases": 300,
            "homes": 2,
            "reason": "",
        }
    ],
    "homes": ["10000", "10001"],
    "platforms": ["mobile_18dof"],
}
POINTS = {
    "settings": {"platform": "/data/mobile_18dof.yaml", "difficulty": "normal", "ros": False},
    "method": "95% percentile bootstrap over homes, 10 resamples",
    "results": [
        {
            "task": "dishes",
            "mode": "full",
            "points_share": 0.625,
            "interval": [0.5, 0.75],
            "homes": 20,
            "episodes": 20,
            "faults": 1,
        }
    ],
}


def stats_of(name):
    robot = load_platform(name)
    units = tuple(str(d.unit) for d in robot.dimensions)
    return NormStats.from_limits(robot.names, units, robot.lower, robot.upper)


def trained(**facts):
    stats = {name: stats_of(name) for name in ("mobile_18dof", "mobile_19dof")}
    given = {
        "norm_stats": stats,
        "training": FACTS,
        "policy_cameras": CAMERAS,
        "planner_cameras": CAMERAS,
        **facts,
    }
    return compact_checkpoint(**given)


def write_run(folder, name, digest, init="", step=40):
    """A run's folder as training leaves it, with one checkpoint."""
    checkpoint = trained(training=dataclasses.replace(FACTS, step=step))
    path = folder / "checkpoints" / f"step_{step:09d}"
    save_checkpoint(path, checkpoint)
    (folder / "best").symlink_to(path.relative_to(folder))
    data = {"MM": {"samples": 7, "fingerprint": "f00d"}, "WD": {"samples": 5, "fingerprint": "a"}}
    (folder / "run.json").write_text(json.dumps({"recipe_hash": digest, "data": data}))
    recipe = {
        "name": name,
        "steps": 50,
        "model": {"init": init},
        "batch": {"size": 16},
        "sources": {"MM": {"weight": 0.5}, "WD": {"weight": 0.0}},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder


def test_a_run_is_shipped_with_its_stages_and_figures(tmp_path, capsys):
    first = write_run(tmp_path / "first", "first", "aaa", step=30)
    second = write_run(tmp_path / "second", "second", "bbb", str(first / "best"))
    (tmp_path / "gates.json").write_text(json.dumps(GATES))
    (tmp_path / "summary.json").write_text(json.dumps(POINTS))
    out = tmp_path / "shipped" / "small"
    figures = ("--card", str(tmp_path / "gates.json"), str(tmp_path / "summary.json"))
    assert main(["checkpoint", "ship", str(second), "--out", str(out), *figures]) == 0
    assert "wrote" in capsys.readouterr().out
    contents = read_contents(out)
    assert {tensor.dtype for tensor in contents.tensors.values()} == {"F16"}
    assert contents.training.origin == "recipe second (bbb), from recipe first (aaa)"
    assert contents.description == "compact, trained by recipe second (bbb), step 40"
    assert set(load_checkpoint(out).norm_stats) == {"mobile_18dof", "mobile_19dof"}
    card = (out / "README.md").read_text()
    assert "| 1 | first | `aaa` | 30 of 50 | 16 | MM 0.5, 7, `f00d` |" in card
    assert "| 2 | second | `bbb` | 40 of 50 | 16 | MM 0.5, 7, `f00d` |" in card
    assert "Points in mobile_18dof, difficulty `normal`, in process" in card
    assert "| dishes | full | 62.5% | 50.0% to 75.0% | 20 | 20 | 1 |" in card
    assert "98.5%" in card and "must not drive a real robot" in card
    for file in out.glob("*.*"):
        assert str(tmp_path).encode() not in file.read_bytes(), file
    # People may edit the card: it is not in the manifest, whose hash names the weights.
    (out / "README.md").write_text("edited")
    load_checkpoint(out)


def test_what_is_not_shipped(tmp_path, monkeypatch):
    def refused(name, checkpoint, match):
        save_checkpoint(tmp_path / name, checkpoint)
        with pytest.raises(CheckpointError, match=match):
            ship(str(tmp_path / name), tmp_path / "out")

    refused("untrained", trained(training=Training()), "random weights are not shipped")
    refused("bare", trained(norm_stats={}), "has no statistics of any platform")
    with pytest.raises(CheckpointError, match="drawn at random"):
        ship("random:nano", tmp_path / "out")
    with pytest.raises(CheckpointError, match="is no folder; wanted"):
        ship(str(tmp_path / "none"), tmp_path / "out")
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    refused("large", trained(), "wanted at most 0 MB of weights")
    assert not (tmp_path / "out").exists()


def test_a_file_without_figures_is_named(tmp_path):
    save_checkpoint(tmp_path / "good", trained())
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"other.json: wanted gates.json of"):
        ship(str(tmp_path / "good"), tmp_path / "out", figures=[tmp_path / "other.json"])
