"""Checkpoints come back as they were saved, and a broken one is refused by name."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from pi05_ros.errors import ConfigError
from pi05_ros.model.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    make_tokenizer,
    random_checkpoint,
    save_checkpoint,
)
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.tokenizer import ByteTokenizer


def stats() -> NormStats:
    return NormStats.from_limits(["a", "b"], ["rad", "m"], np.zeros(2), np.array([1.0, 0.1]))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    fresh = random_checkpoint("tiny", seed=5)
    tokenizer = ByteTokenizer(pieces=(" plate", "盘子"))
    checkpoint = Checkpoint(fresh.model, tokenizer, {"robot": stats()}, "tiny, for a test")
    save_checkpoint(tmp_path / "checkpoint", checkpoint)
    return tmp_path / "checkpoint"


def edit_tensors(folder: Path, edit) -> None:
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    edit(tensors)
    safetensors.torch.save_file(tensors, folder / "model.safetensors")


def edit_json(path: Path, edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_checkpoint_comes_back(saved):
    loaded = load_checkpoint(saved)
    want = random_checkpoint("tiny", seed=5).model
    for name, parameter in want.named_parameters():
        assert torch.equal(loaded.model.get_parameter(name), parameter), name
    assert loaded.model.config == load_preset("tiny")
    assert loaded.tokenizer == ByteTokenizer(pieces=(" plate", "盘子"))
    assert loaded.norm_stats == {"robot": stats()}
    assert loaded.description == "tiny, for a test"
    assert loaded.source == str(saved)
    assert not loaded.is_random
    assert not loaded.model.training


def test_loading_into_another_dtype(saved):
    loaded = load_checkpoint(saved, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.bfloat16}


def test_saving_twice_is_refused(saved):
    with pytest.raises(CheckpointError, match="model.safetensors: is already there"):
        save_checkpoint(saved, random_checkpoint("tiny"))


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "norm_stats.json", "tokenizer.json"]
)
def test_a_missing_file(saved, name):
    (saved / name).unlink()
    (saved / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(CheckpointError, match=f"{name} is missing .*pytorch_model.bin.*pickles"):
        load_checkpoint(saved)


def test_a_missing_folder(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere: is no folder"):
        load_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda tensors: tensors.pop("language.norm.weight"),
            r"model.safetensors: the tensor 'language.norm.weight' is missing \(wanted \(32,\)",
        ),
        (
            lambda tensors: tensors.update({"expert.spare": torch.zeros(1)}),
            "the tensor 'expert.spare' belongs to no part of the model",
        ),
        (
            lambda tensors: tensors.update({"expert.action_in.bias": torch.zeros(17)}),
            r"'expert.action_in.bias': wanted shape \(16,\), found \(17,\)",
        ),
    ],
)
def test_wrong_tensors(saved, edit, message):
    edit_tensors(saved, edit)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(saved)


def test_cut_weights(saved):
    weights = saved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="model.safetensors: is cut, or is no safetensors"):
        load_checkpoint(saved)


def test_a_pickle_under_the_right_name(saved):
    torch.save({"a": torch.zeros(1)}, saved / "model.safetensors")
    with pytest.raises(CheckpointError, match="is no safetensors file"):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("config.json", lambda c: c.update(format="x"), "wanted format 'pi05_ros-1', found 'x'"),
        ("config.json", lambda c: c["model"].update(horzon=5), "did you mean 'horizon'"),
        ("norm_stats.json", lambda c: c["robot"].pop("dimensions"), "'dimensions' is missing"),
        (
            "norm_stats.json",
            lambda c: c["robot"]["dimensions"][1].update(state_q01=7.0),
            "robot.*b: state_q01 7.0 and state_q99 0.1 are no quantiles",
        ),
        ("tokenizer.json", lambda c: c.update(kind="other"), "wanted kind 'bytes', found 'other'"),
    ],
)
def test_wrong_json(saved, name, edit, message):
    edit_json(saved / name, edit)
    with pytest.raises(ConfigError, match=message):
        load_checkpoint(saved)


def test_a_tokenizer_of_another_size(saved):
    edit_json(saved / "tokenizer.json", lambda content: content.update(size=4000))
    with pytest.raises(CheckpointError, match="wanted a vocabulary of 3072, found 4000"):
        load_checkpoint(saved)


def test_broken_json(saved):
    (saved / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="config.json: is no JSON"):
        load_checkpoint(saved)


def test_random_weights_say_so():
    checkpoint = random_checkpoint("tiny", seed=3)
    assert checkpoint.is_random
    assert "weights drawn at random (seed 3): it has learned nothing" in checkpoint.description
    assert checkpoint.source == "random:tiny?seed=3"


def test_a_tokenizer_that_does_not_ship():
    config = dataclasses.replace(load_preset("tiny"), tokenizer="paligemma")
    with pytest.raises(ConfigError, match="'paligemma' does not ship"):
        make_tokenizer(config)
