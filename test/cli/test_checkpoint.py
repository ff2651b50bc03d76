"""`pi05 checkpoint` as it is typed."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml
from fakes import public_checkpoint as public

from pi05_ros.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointError,
    Training,
    load_checkpoint,
    random_checkpoint,
    save_checkpoint,
)
from pi05_ros.cli.main import main
from pi05_ros.evaluation.probe import scenes
from pi05_ros.inference.compatibility import cameras_for, stats_for
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.platform import load_platform, platform_names

PLATFORM = load_platform("mobile_18dof")
UNITS = [str(dimension.unit) for dimension in PLATFORM.dimensions]
STATS = NormStats.from_limits(PLATFORM.names, UNITS, PLATFORM.lower, PLATFORM.upper)


@pytest.fixture
def ours(tmp_path):
    fresh = random_checkpoint("tiny", seed=1)
    checkpoint = Checkpoint(
        fresh.model,
        fresh.tokenizer,
        {PLATFORM.name: STATS},
        "tiny, for a test",
        training=Training(text=True, flow=True, max_prefix=6, step=1234, origin="nowhere"),
        policy_cameras=PLATFORM.policy_cameras,
        planner_cameras=PLATFORM.planner_cameras,
    )
    save_checkpoint(tmp_path / "ours", checkpoint)
    return tmp_path / "ours"


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """A LeRobot checkpoint for a robot of 18 entries."""
    public.shrink(monkeypatch)
    folder = public.write_lerobot(tmp_path / "theirs", public.public_tensors())
    public.write_processor(
        folder,
        {"STATE": "QUANTILES", "ACTION": "QUANTILES"},
        {
            f"{vector}.{quantile}": [value] * PLATFORM.size
            for vector in ("observation.state", "action")
            for quantile, value in (("q01", -0.5), ("q99", 0.5))
        },
    )
    public.write_tokenizer(tmp_path)
    return folder


def run(capsys, *words):
    status = main(["checkpoint", *map(str, words)])
    return status, *capsys.readouterr()


def test_inspect(ours, capsys):
    status, shown, _ = run(capsys, "inspect", ours)
    assert status == 0
    for said in (
        "tiny, for a test",
        "layout       ours",
        "variant      pi05",
        "trained for  actions (flow), boxes and subtasks; not for FAST tokens",
        "goes on      from chunks by rtc, trained_rtc up to 6 committed rows",
        "steps        1,234",
        "policy sees  front, left_wrist, right_wrist",
        "planner sees front, back, left_wrist, right_wrist",
        "tokenizer    tokenizer.json",
        "platform     mobile_18dof: fits",
        "platform     mobile_19dof: no statistics",
        "left_arm_joint_1",
        "absolute",
    ):
        assert said in shown, said
    digest = json.loads((ours / "manifest.json").read_text())["files"]["config.json"]["sha256"]
    assert f"{digest}  config.json" in shown


def test_inspect_as_data(ours, capsys):
    status, shown, _ = run(capsys, "inspect", ours, "--json")
    facts = json.loads(shown)
    parameters = sum(p.numel() for p in random_checkpoint("tiny").model.parameters())
    assert status == 0
    assert facts["parameters"]["total"] == parameters
    assert set(facts["parameters"]) == {"vision", "language", "expert", "total"}
    assert facts["dtypes"] == {"F32": parameters}
    assert facts["platforms"] == {
        name: "fits" if name == "mobile_18dof" else "no statistics" for name in platform_names()
    }
    assert facts["statistics"]["mobile_18dof"][6]["unit"] == "fraction"
    assert facts["training"]["step"] == 1234
    assert facts["training"]["max_prefix"] == 6
    assert facts["lacks"] == []


def test_inspect_compares_hashes_when_asked(ours, capsys):
    weights = ours / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-2] ^= 1
    weights.write_bytes(content)
    assert run(capsys, "inspect", ours)[0] == 0
    status, _, error = run(capsys, "inspect", ours, "--hashes")
    assert status == 1
    assert "model.safetensors: was changed after it was written" in error


def test_inspect_says_what_is_missing(theirs, capsys):
    status, shown, _ = run(capsys, "inspect", theirs)
    assert status == 0
    assert "layout       LeRobot's" in shown
    assert "not for boxes and subtasks, FAST tokens" in shown
    assert "goes on      from chunks by rtc; not trained for trained_rtc" in shown
    assert "policy_preprocessor.json: 18 state and 18 action entries" in shown
    assert "It has no tokenizer: convert it with --tokenizer FILE" in shown
    assert "Its statistics do not say which robot they are of" in shown


def test_public_weights_become_a_robots(theirs, tmp_path, capsys):
    target = tmp_path / "new"
    status, shown, error = run(
        capsys, "convert", theirs, target, "--dtype", "bfloat16",
        "--tokenizer", tmp_path / "tokenizer.model", "--platform", PLATFORM.name,
    )  # fmt: skip
    assert (status, f"wrote {target}" in shown) == (0, True), error
    loaded = load_checkpoint(target)
    stats = stats_for(loaded, PLATFORM)
    assert {d.state_q01 for d in stats.dimensions} == {-0.5}
    assert not stats.relative.any()
    assert stats.units == tuple(UNITS)
    assert json.loads(run(capsys, "inspect", target, "--json")[1])["dtypes"].keys() == {"BF16"}


def test_a_mapping_says_what_the_entries_are(theirs, tmp_path, capsys):
    mapping = {
        "statistics": "policy_preprocessor.json",
        "dimensions": [
            {"name": name, "unit": unit} for name, unit in zip(PLATFORM.names, UNITS, strict=True)
        ],
    }
    path = tmp_path / "map.yaml"
    words = (
        "convert", theirs, tmp_path / "new", "--tokenizer", tmp_path / "tokenizer.model",
        "--platform", PLATFORM.name, "--norm-stats", path,
    )  # fmt: skip
    path.write_text(yaml.safe_dump(mapping))
    assert run(capsys, *words)[0] == 0
    mapping["dimensions"][3], mapping["dimensions"][4] = (
        mapping["dimensions"][4],
        mapping["dimensions"][3],
    )
    path.write_text(yaml.safe_dump(mapping))
    status, _, error = run(capsys, *words)
    assert status == 1
    assert "map.yaml: mobile_18dof: wanted left_arm_joint_4 [rad] as entry 3" in error


def test_statistics_from_a_file_of_ours(ours, theirs, tmp_path, capsys):
    words = ["--tokenizer", tmp_path / "tokenizer.model", "--norm-stats", ours / "norm_stats.json"]
    status, _, error = run(
        capsys, "convert", theirs, tmp_path / "a", *words, "--platform", PLATFORM.name
    )
    assert status == 0, error
    assert load_checkpoint(tmp_path / "a").norm_stats == {PLATFORM.name: STATS}
    status, _, error = run(
        capsys, "convert", theirs, tmp_path / "b", *words, "--platform", "mobile_19dof"
    )
    assert status == 1
    assert "wanted statistics of 'mobile_19dof', found those of: mobile_18dof" in error


def test_another_robots_statistics(theirs, tmp_path, capsys):
    words = ("--tokenizer", tmp_path / "tokenizer.model", "--platform", "mobile_19dof")
    status, _, error = run(capsys, "convert", theirs, tmp_path / "a", *words)
    assert status == 1
    assert "a name for each of the 18 state entries" in error
    assert not (tmp_path / "a").exists()


def test_convert_without_statistics_says_so(theirs, tmp_path, capsys):
    words = ("--tokenizer", tmp_path / "tokenizer.model")
    status, shown, _ = run(capsys, "convert", theirs, tmp_path / "a", *words)
    assert status == 0
    assert "note: It has no statistics: convert it with --norm-stats FILE." in shown


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["inspect", "/no/such"], 1),
        (["probe", "random:nani"], 1),
        (["probe", "random:tiny", "--platform", "mobile_17dof"], 1),
        (["probe", "random:tiny", "--device", "toaster"], 1),
    ],
)
def test_refusals(words, status, capsys):
    found, _, error = run(capsys, *words)
    assert found == status
    assert error.splitlines()[-1].startswith(f"pi05 checkpoint {words[0]}: ")


@pytest.mark.parametrize(
    "words", [[], ["inspct"], ["convert", "a"], ["probe", "x", "--dtype", "int8"]]
)
def test_a_wrong_command_line(words):
    with pytest.raises(SystemExit) as stopped:
        main(["checkpoint", *words])
    assert stopped.value.code == 2


def test_public_weights_see_through_the_robots_cameras(theirs, tmp_path, capsys):
    """They know a base_0_rgb, which no platform here has."""
    words = ["--platform", PLATFORM.name, "--tokenizer", tmp_path / "tokenizer.model"]
    assert run(capsys, "convert", theirs, tmp_path / "a", *words)[0] == 0
    with pytest.raises(CheckpointError, match="was trained on the camera 'base_0_rgb'"):
        cameras_for(load_checkpoint(tmp_path / "a"), PLATFORM)
    for wrong in ("front", "front,front", "front,back,left_wrist"):
        status, _, told = run(
            capsys, "convert", theirs, tmp_path / "b", *words, "--cameras", wrong
        )
        assert status == 1
        assert "wanted a camera of its own for each of base_0_rgb, left_wrist_0_rgb" in told
    named = ["--cameras", "front, left_wrist"]
    assert run(capsys, "convert", theirs, tmp_path / "b", *words, *named)[0] == 0
    assert cameras_for(load_checkpoint(tmp_path / "b"), PLATFORM)[1] == ("front", "left_wrist")


def test_probe(ours, capsys, monkeypatch):
    drawn = scenes.drawn_scenes(PLATFORM, (28, 28))
    monkeypatch.setattr(scenes, "mock_home_scenes", lambda *_: drawn[:1])
    status, shown, told = run(capsys, "probe", ours)
    assert status == 0
    assert "This checkpoint neither acts nor speaks." in shown
    assert "speaks (subtasks)  no: wrote 0 of 4 sentences" in shown
    assert "loading" in told
    status, shown, _ = run(capsys, "probe", ours, "--json", "--dtype", "bfloat16")
    assert json.loads(shown)["text"]["can"] is False


def test_probe_without_a_mock_home(ours, capsys, monkeypatch):
    def missing(*_):
        raise ImportError("no MuJoCo")

    monkeypatch.setattr(scenes, "mock_home_scenes", missing)
    status, _, told = run(capsys, "probe", ours)
    assert status == 0
    assert "no mock home here (no MuJoCo): coloured squares instead" in told


def test_scenes_of_the_mock_home():
    pytest.importorskip("mujoco")
    first, second = scenes.mock_home_scenes(PLATFORM, (28, 42))
    assert list(first.images) == list(PLATFORM.camera_names)
    assert all(image.shape == (28, 42, 3) for image in first.images.values())
    assert not np.array_equal(first.images["front"], second.images["front"])
    assert min(scenes.HOMES) >= 20_000  # Judging only.


def test_ctrl_c_leaves_no_target(tmp_path):
    """A real process, stopped while it writes."""
    save_checkpoint(tmp_path / "ours", random_checkpoint("nano"))
    code = (
        "import sys, time; from pi05_ros.cli.common.progress import Progress;"
        "Progress.advance = lambda self, size: (print('on', flush=True), time.sleep(1));"
        "from pi05_ros.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["checkpoint", "convert", str(tmp_path / "ours"), str(tmp_path / "new")]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert process.stdout.readline() == "on\n"
    time.sleep(0.1)
    assert list(tmp_path.glob(".new.*.unfinished"))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours"]
