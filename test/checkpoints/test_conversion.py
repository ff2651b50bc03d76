"""Conversion between layouts: the weights are unchanged, bit by bit."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from fakes import public_checkpoint as public

from pi05_ros.checkpoints.checkpoint import CheckpointError, load_checkpoint, read_contents
from pi05_ros.checkpoints.conversion import bytes_to_write, convert
from pi05_ros.checkpoints.layouts.contents import Contents, Training
from pi05_ros.checkpoints.layouts.lerobot_writing import lerobot_tensors
from pi05_ros.checkpoints.layouts.unnamed_stats import (
    EntryMeaning,
    StatsMapping,
    UnnamedStats,
    name_entries,
    select_stats,
)
from pi05_ros.checkpoints.storage.manifest import write_manifest
from pi05_ros.checkpoints.storage.weights import wanted_shapes
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import DimensionStats, NormStats

SHARED, KEYS = Path(__file__).parents[3] / "shared", "lerobot_pi05_base_keys.txt"
DIMENSIONS = (
    DimensionStats("arm_joint", "rad", -1.0, 1.5, -0.25, 0.25, relative=True),
    DimensionStats("gripper", "fraction", 0.0, 1.0, 0.0, 1.0),
)
STATS = NormStats(DIMENSIONS)


@pytest.fixture(autouse=True)
def tiny_sizes(monkeypatch):
    public.shrink(monkeypatch)


@pytest.fixture
def source(tmp_path):
    tensors = public.public_tensors()
    folder = public.write_lerobot(tmp_path / "lerobot", tensors, rtc_training_max_delay=6)
    public.write_tokenizer(folder)
    return folder


def tensors_of(folder):
    return safetensors.torch.load_file(folder / "model.safetensors")


def test_round_trip_through_lerobot(source, tmp_path):
    convert(read_contents(source), tmp_path / "ours", norm_stats={"robot": STATS})
    ours = load_checkpoint(tmp_path / "ours")
    want = public.our_tensors()
    assert all(torch.equal(t, want[n]) for n, t in ours.model.state_dict().items())
    assert ours.norm_stats == {"robot": STATS}
    assert ours.training.flow and not ours.training.text
    assert ours.training.max_prefix == 6
    assert ours.policy_cameras == ("base_0_rgb", "left_wrist_0_rgb")

    convert(read_contents(tmp_path / "ours"), tmp_path / "theirs", to="lerobot")
    before, after = tensors_of(source), tensors_of(tmp_path / "theirs")
    assert after.keys() == before.keys()
    unused = "model." + public.EXPERT_HEAD
    assert after[unused].shape == before[unused].shape
    assert all(torch.equal(after[name], before[name]) for name in before if name != unused)

    convert(read_contents(tmp_path / "theirs"), tmp_path / "again")
    first, last = (tmp_path / name / "model.safetensors" for name in ("ours", "again"))
    assert first.read_bytes() == last.read_bytes()
    assert load_checkpoint(tmp_path / "again").norm_stats == {"robot": STATS}


def test_files_for_lerobot(source, tmp_path):
    """config.json and the steps, as PI05Config and the pipelines of LeRobot 7427f318 expect."""
    convert(read_contents(source), tmp_path / "ours", norm_stats={"robot": STATS})
    theirs = tmp_path / "theirs"
    convert(read_contents(tmp_path / "ours"), theirs, to="lerobot", dtype=torch.bfloat16)
    config = json.loads((theirs / "config.json").read_text())
    assert config["type"] == "pi05"
    assert config["dtype"] == "bfloat16"
    assert (config["paligemma_variant"], config["action_expert_variant"]) == (
        "gemma_2b",
        "gemma_300m",
    )
    assert list(config["input_features"]) == [
        "observation.images.base_0_rgb",
        "observation.images.left_wrist_0_rgb",
        "observation.state",
    ]
    assert config["output_features"] == {"action": {"type": "ACTION", "shape": [2]}}
    assert config["rtc_training_max_delay"] == 6
    assert config["use_relative_actions"]
    assert config["relative_exclude_joints"] == ["gripper"]
    assert config["action_feature_names"] == ["arm_joint", "gripper"]

    before = json.loads((theirs / "policy_preprocessor.json").read_text())["steps"]
    after = json.loads((theirs / "policy_postprocessor.json").read_text())["steps"]
    assert [step["registry_name"] for step in before] == [
        "rename_observations_processor",
        "to_batch_processor",
        "relative_actions_processor",
        "normalizer_processor",
        "pi05_prepare_state_tokenizer_processor_step",
        "tokenizer_processor",
        "device_processor",
    ]
    assert [step["registry_name"] for step in after] == [
        "unnormalizer_processor",
        "absolute_actions_processor",
        "device_processor",
    ]
    for step in (before[3], after[0]):
        vectors = safetensors.torch.load_file(theirs / step["state_file"])
        assert vectors["action.q01"].tolist() == [-0.25, 0.0]
        assert vectors["observation.state.q99"].tolist() == [1.5, 1.0]
    # Our own reader finds the same statistics in LeRobot's files.
    (theirs / "norm_stats.json").unlink()
    (found,) = read_contents(theirs).unnamed_stats
    meanings = [EntryMeaning(d.name, d.unit) for d in DIMENSIONS]
    assert name_entries(found, meanings, "test") == STATS


def test_every_tensor_that_lerobot_expects(monkeypatch):
    """Its strict loading expects 813 names at the published sizes."""
    monkeypatch.undo()
    listed = Path(os.environ.get("PI05_REFERENCE", SHARED / "reference")).parent / KEYS
    if not listed.is_file():
        pytest.skip(f"no {listed}")
    lines = [line.split() for line in listed.read_text().splitlines() if line[0] != "#"]
    want = {"model." + name: tuple(map(int, shape.split(","))) for name, shape, _ in lines}
    config = load_preset("base")
    tensors = {n: torch.empty(s, device="meta") for n, s in wanted_shapes(config).items()}
    contents = Contents("pi05_ros", Path(), config, tensors, Training())
    found = lerobot_tensors(contents, torch.bfloat16)
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == want


def test_another_dtype(source, tmp_path):
    contents = read_contents(source)
    written = []
    convert(contents, tmp_path / "c", dtype=torch.bfloat16, progress=written.append)
    want = public.our_tensors()
    found = load_checkpoint(tmp_path / "c", torch.bfloat16).model.state_dict()
    assert all(torch.equal(t, want[n].bfloat16()) for n, t in found.items())
    assert sum(written) == bytes_to_write(contents, "pi05_ros", torch.bfloat16)
    assert sum(written) == 2 * sum(tensor.numel() for tensor in want.values())


def test_other_sizes_do_not_run_in_lerobot(source, tmp_path, monkeypatch):
    convert(read_contents(source), tmp_path / "ours")
    monkeypatch.undo()
    message = "LeRobot builds no model 'pi05': vision: wanted .*1152.*, found .*width=16"
    with pytest.raises(CheckpointError, match=message):
        convert(read_contents(tmp_path / "ours"), tmp_path / "theirs", to="lerobot")
    assert not (tmp_path / "theirs").exists()


def test_names_that_lerobot_cannot_tell_apart(source, tmp_path):
    stats = NormStats((DIMENSIONS[0], replace(DIMENSIONS[1], name="arm")))
    convert(read_contents(source), tmp_path / "ours", norm_stats={"robot": stats})
    with pytest.raises(CheckpointError, match="arm is part of a relative one's; rename it"):
        convert(read_contents(tmp_path / "ours"), tmp_path / "theirs", to="lerobot")


def test_one_robot_for_lerobot(source, tmp_path):
    convert(read_contents(source), tmp_path / "ours", norm_stats={"a": STATS, "b": STATS})
    contents = read_contents(tmp_path / "ours")
    with pytest.raises(CheckpointError, match="wanted --platform, one of a, b, found nothing"):
        convert(contents, tmp_path / "theirs", to="lerobot")
    convert(contents, tmp_path / "theirs", to="lerobot", platform="b")
    assert (tmp_path / "theirs" / "policy_preprocessor.json").exists()


def test_an_interrupted_conversion_leaves_nothing(source, tmp_path):
    def stop(_):
        raise KeyboardInterrupt

    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(KeyboardInterrupt):
        convert(read_contents(source), tmp_path / "new" / "c", progress=stop)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "new"])


def test_a_source_that_is_broken_leaves_nothing(source, tmp_path):
    convert(read_contents(source), tmp_path / "ours")
    weights = tmp_path / "ours" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CheckpointError, match="was changed after it was written"):
        convert(read_contents(tmp_path / "ours"), tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_values_that_are_not_finite(source, tmp_path):
    tensors = tensors_of(source)
    tensors["model.action_in_proj.bias"][1] = float("nan")
    safetensors.torch.save_file(tensors, source / "model.safetensors")
    with pytest.raises(CheckpointError, match="'expert.action_in.bias': wanted finite numbers"):
        convert(read_contents(source), tmp_path / "c")


def test_a_full_disk(source, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(CheckpointError, match="c: wanted 0.07 GB free on its disk, found 0.00"):
        convert(read_contents(source), tmp_path / "no" / "c")
    assert not (tmp_path / "no").exists()


def test_a_disk_that_fills_up_during_writing(source, tmp_path):
    def fail(_):
        raise OSError(28, "No space left on device")

    with pytest.raises(CheckpointError, match=r"c: cannot be written \(.*No space left on device"):
        convert(read_contents(source), tmp_path / "no" / "c", progress=fail)
    assert list((tmp_path / "no").iterdir()) == []


def test_a_target_that_exists(source, tmp_path):
    with pytest.raises(CheckpointError, match="lerobot: is not empty"):
        convert(read_contents(source), source)


def test_a_tokenizer_is_needed(source, tmp_path):
    tokenizer = (source / "tokenizer.model").rename(tmp_path / "spiece.model")
    with pytest.raises(CheckpointError, match="give PaliGemma's .* with --tokenizer"):
        convert(read_contents(source), tmp_path / "c")
    convert(read_contents(source), tmp_path / "c", tokenizer=tokenizer)
    assert (tmp_path / "c" / "tokenizer.model").read_bytes() == tokenizer.read_bytes()


def test_our_own_gets_a_new_manifest(source, tmp_path):
    convert(read_contents(source), tmp_path / "c")
    write_manifest(tmp_path / "c")
    load_checkpoint(tmp_path / "c")


def unnamed(**changes):
    path = Path("norm_stats.json")
    stats = UnnamedStats("assets/x", path, (-1.0, 0.0), (1.0, 0.0), (-2.0, 0.0), (2.0, 0.0))
    return replace(stats, **changes)


def test_entries_get_names():
    stats = name_entries(unnamed(), [EntryMeaning("j", "rad", True)], "map.yaml")  # Padded.
    assert stats.dimensions == (DimensionStats("j", "rad", -1.0, 1.0, -2.0, 2.0, True),)
    np.testing.assert_allclose(stats.normalize_state(np.array([0.0])), [0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("stats", "meanings", "message"),
    [
        (unnamed(), [EntryMeaning("j", "rad")], "j: assets/x does not say whether"),
        (unnamed(), [], "a name for each of the 1 state entries of assets/x, found 0"),
        (unnamed(), [EntryMeaning("j", "rad", True)] * 3, "1 state entries of assets/x, found 3"),
        (
            unnamed(relative=(False, False)),
            [EntryMeaning("j", "rad", True)],
            "j: wanted relative false as the checkpoint says, found true",
        ),
        (unnamed(), [EntryMeaning("j", "rad", True)] * 2, "'j' stands twice"),
        (unnamed(state_low=(2.0, 0.0)), [EntryMeaning("j", "rad", True)], "are no quantiles"),
    ],
)
def test_meanings_that_do_not_fit(stats, meanings, message):
    with pytest.raises(ConfigError, match=message):
        name_entries(stats, meanings, "map.yaml")


def test_selection_of_statistics():
    one, other = unnamed(), unnamed(name="assets/y")
    assert select_stats([one], "", "map.yaml") is one
    assert select_stats([one, other], "assets/y", "map.yaml") is other
    with pytest.raises(ConfigError, match="one of 'assets/x', 'assets/y', found ''"):
        select_stats([one, other], "", "map.yaml")
    with pytest.raises(ConfigError, match="one of none, found"):
        select_stats([], "z", "map.yaml")
    assert StatsMapping(()).statistics == ""
