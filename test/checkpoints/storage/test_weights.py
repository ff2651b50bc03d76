"""Weights in shards: the index, the files and the model must agree."""

import json

import pytest
import torch

from pi05_ros.checkpoints.checkpoint import (
    CheckpointError,
    load_checkpoint,
    random_checkpoint,
    save_checkpoint,
)
from pi05_ros.checkpoints.storage.manifest import write_manifest
from pi05_ros.checkpoints.storage.weights import INDEX, stored_tensors

SHARD = "model-00002-of-00003.safetensors"


@pytest.fixture
def sharded(tmp_path, monkeypatch):
    monkeypatch.setattr("pi05_ros.checkpoints.checkpoint.SHARD_BYTES", 200_000)
    save_checkpoint(tmp_path / "c", random_checkpoint("tiny", seed=2))
    assert len(list((tmp_path / "c").glob("model-*-of-00003.safetensors"))) == 3
    return tmp_path / "c"


def edit_index(folder, edit):
    content = json.loads((folder / INDEX).read_text())
    edit(content["weight_map"])
    (folder / INDEX).write_text(json.dumps(content))


def test_shards_come_back(sharded):
    want = random_checkpoint("tiny", seed=2).model.state_dict()
    found = load_checkpoint(sharded).model.state_dict()
    assert all(torch.equal(found[name], want[name]) for name in want)


def test_a_missing_shard(sharded):
    (sharded / SHARD).unlink()
    with pytest.raises(CheckpointError, match=f"{SHARD} is missing"):
        load_checkpoint(sharded)


def test_one_file_and_shards_at_once(sharded):
    (sharded / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="holds both model.safetensors and"):
        load_checkpoint(sharded)


def test_a_tensor_in_two_shards(sharded):
    content = (sharded / SHARD).read_bytes()
    (sharded / "model-00003-of-00003.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"00003.safetensors: '.*' is also in {SHARD}"):
        load_checkpoint(sharded)


def test_a_tensor_that_its_shard_lacks(sharded):
    name = "expert.action_in.bias"
    edit_index(sharded, lambda index: index.update({name: SHARD}))
    where = "found in model-00003-of-00003.safetensors"
    with pytest.raises(CheckpointError, match=f"'{name}': wanted in {SHARD}, {where}"):
        stored_tensors(sharded)
    edit_index(sharded, lambda index: index.update({"new": SHARD}))
    edit_index(sharded, lambda index: index.update({name: "model-00003-of-00003.safetensors"}))
    with pytest.raises(CheckpointError, match=f"'new': wanted in {SHARD}, found in no shard"):
        stored_tensors(sharded)


def test_a_tensor_that_the_index_lacks(sharded):
    edit_index(sharded, lambda index: index.pop("expert.action_in.bias"))
    with pytest.raises(CheckpointError, match="'expert.action_in.bias' is not listed in"):
        stored_tensors(sharded)


@pytest.mark.parametrize("name", ["../c/" + SHARD, "/tmp/x.safetensors", ""])
def test_an_index_with_a_path_outside_the_folder(sharded, name):
    edit_index(sharded, lambda index: index.update({"expert.action_in.bias": name}))
    write_manifest(sharded)
    with pytest.raises(CheckpointError, match=f"{INDEX}: names the file .*in the same folder"):
        load_checkpoint(sharded)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "wanted a JSON object, found a list"),
        ("{}", "wanted 'weight_map'"),
        ('{"weight_map": {"a": 1}}', "wanted 'weight_map'"),
        ('{"weight_map": {}}', "lists no tensor"),
    ],
)
def test_an_invalid_index(sharded, content, message):
    (sharded / INDEX).write_text(content)
    with pytest.raises(CheckpointError, match=f"{INDEX}: {message}"):
        load_checkpoint(sharded)
