"""Checkpoints are loaded as saved; broken ones are refused with the file's name."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from pi05_ros.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointError,
    Training,
    load_checkpoint,
    make_tokenizer,
    open_checkpoint,
    random_checkpoint,
    save_checkpoint,
)
from pi05_ros.checkpoints.storage.manifest import write_manifest
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import ByteTokenizer


def stats() -> NormStats:
    return NormStats.from_limits(["a", "b"], ["rad", "m"], np.zeros(2), np.array([1.0, 0.1]))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    fresh = random_checkpoint("tiny", seed=5)
    tokenizer = ByteTokenizer(pieces=(" plate", "盘子"))
    checkpoint = Checkpoint(
        fresh.model,
        tokenizer,
        {"robot": stats()},
        "tiny, for a test",
        training=Training(text=True, flow=True, max_prefix=6, step=7, origin="a test"),
        policy_cameras=("front", "left_wrist"),
        planner_cameras=("front", "back"),
    )
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


def test_a_checkpoint_round_trip(saved):
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
    assert loaded.training == Training(text=True, flow=True, max_prefix=6, step=7, origin="a test")
    assert loaded.policy_cameras == ("front", "left_wrist")
    assert loaded.planner_cameras == ("front", "back")


def test_the_option_history_is_written_only_where_it_is_used(saved, tmp_path):
    def with_history(number: int) -> Path:
        loaded = load_checkpoint(saved)
        training = dataclasses.replace(loaded.training, history=number)
        save_checkpoint(tmp_path / f"{number}", dataclasses.replace(loaded, training=training))
        return tmp_path / f"{number}"

    # A release that does not know the option reads what does not use it.
    plain = with_history(0)
    assert "history" not in json.loads((plain / "config.json").read_text())["training"]
    assert load_checkpoint(plain).training.history == 0
    assert load_checkpoint(with_history(4)).training.history == 4


@pytest.mark.parametrize("values", [{"history": 4}, {"history": -1, "text": True}])
def test_a_history_needs_text_and_a_number(values):
    with pytest.raises(ValueError, match="wanted history 0 or, with text, up to 32; found"):
        Training(**values)


def test_the_library_reads_the_weights(saved):
    tensors = safetensors.torch.load_file(saved / "model.safetensors")
    want = random_checkpoint("tiny", seed=5).model.state_dict()
    assert tensors.keys() == want.keys()
    assert all(torch.equal(tensors[name], want[name]) for name in want)


def test_loading_into_another_dtype(saved):
    loaded = load_checkpoint(saved, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.bfloat16}


def test_saving_twice_is_refused(saved):
    before = (saved / "model.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match=r"checkpoint: is not empty \(config.json\)"):
        save_checkpoint(saved, random_checkpoint("tiny"))
    assert (saved / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "norm_stats.json", "tokenizer.json"]
)
def test_a_missing_file(saved, name):
    (saved / name).unlink()
    (saved / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(CheckpointError, match=f"checkpoint: {name} is missing"):
        load_checkpoint(saved)


def test_a_pickle_instead_of_the_weights(saved):
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="pytorch_model.bin may be pickles, which can run"):
        load_checkpoint(saved)


def test_a_missing_folder(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere: is no folder"):
        load_checkpoint(tmp_path / "nowhere")


def test_errors_of_the_system(saved, tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match=r"aaa: cannot be read \(File name too long"):
        load_checkpoint(tmp_path / ("a" * 300))
    with pytest.raises(ConfigError, match="checkpoint '~nobody-here/c': there is no such home"):
        open_checkpoint("~nobody-here/c")

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("pi05_ros.checkpoints.storage.manifest.sha256_of", refuse)
        with pytest.raises(
            CheckpointError, match=r"config.json: cannot be read \(Permission denied"
        ):
            load_checkpoint(saved)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(CheckpointError, match=r"json: cannot be read \(Permission denied"):
        load_checkpoint(saved)


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
    with pytest.raises(
        CheckpointError, match=r"model.safetensors: is cut: wanted \d+ bytes, found \d+"
    ):
        load_checkpoint(saved)


def test_a_pickle_under_the_right_name(saved):
    torch.save({"a": torch.zeros(1)}, saved / "model.safetensors")
    message = r"model.safetensors: is no safetensors file: it is a zip archive \(torch.save\)"
    with pytest.raises(CheckpointError, match=message):
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


@pytest.mark.parametrize(
    ("name", "near"),
    [("config.json", b"for a test"), ("tokenizer.json", b"plate"), ("model.safetensors", b"")],
)
def test_a_changed_byte(saved, name, near):
    """A changed bit that leaves the file valid: in a word, or in the last weight."""
    content = bytearray((saved / name).read_bytes())
    content[content.index(near) if near else -2] ^= 1
    (saved / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name}: was changed after it was written"):
        load_checkpoint(saved)
    load_checkpoint(saved, check_hashes=False)  # A caller may ask for that.


def test_another_size_is_seen_without_hashes(saved):
    edit_json(saved / "config.json", lambda content: content.update(description="longer than it"))
    with pytest.raises(CheckpointError, match=r"config.json: wanted \d+ bytes .manifest.json"):
        load_checkpoint(saved, check_hashes=False)


def test_without_manifest_it_is_incomplete(saved):
    (saved / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match="manifest.json: is missing: .* never finished"):
        load_checkpoint(saved)


def test_a_file_that_is_not_in_the_manifest(saved):
    edit_json(saved / "manifest.json", lambda content: content["files"].pop("norm_stats.json"))
    with pytest.raises(CheckpointError, match="norm_stats.json: is not in manifest.json"):
        load_checkpoint(saved)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "..", "a/b", "", "a\\b"])
def test_a_manifest_with_a_path_outside_the_folder(saved, name):
    record = {"size": 1, "sha256": "0" * 64}
    edit_json(saved / "manifest.json", lambda content: content["files"].update({name: record}))
    with pytest.raises(CheckpointError, match="manifest.json: names the file .*same folder"):
        load_checkpoint(saved)


def test_a_link_out_of_the_folder(saved, tmp_path):
    (saved / "norm_stats.json").rename(tmp_path / "elsewhere.json")
    (saved / "norm_stats.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(CheckpointError, match="norm_stats.json: is a link out of the folder"):
        load_checkpoint(saved)


def test_a_link_to_nothing(saved):
    (saved / "config.json").unlink()
    (saved / "config.json").symlink_to(saved / "gone")
    with pytest.raises(CheckpointError, match="config.json: is a link to .*gone, which is not"):
        load_checkpoint(saved)


def test_values_that_are_not_finite(saved):
    def edit(tensors):
        tensors["language.layers.0.mlp.up.weight"][3, 5] = float("nan")

    edit_tensors(saved, edit)
    write_manifest(saved)
    message = (
        r"model.safetensors: 'language.layers.0.mlp.up.weight': "
        r"wanted finite numbers in torch.float32, found nan"
    )
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(saved)


def test_values_that_the_dtype_cannot_hold(saved):
    edit_tensors(saved, lambda t: t["expert.action_out.bias"].fill_(-1e6))
    write_manifest(saved)
    load_checkpoint(saved, dtype=torch.bfloat16)
    with pytest.raises(CheckpointError, match=r"expert.action_out.bias.*float16, found -inf"):
        load_checkpoint(saved, dtype=torch.float16)


def test_whole_numbers_are_no_weights(saved):
    def edit(tensors):
        tensors["expert.action_out.bias"] = tensors["expert.action_out.bias"].long()

    edit_tensors(saved, edit)
    message = "'expert.action_out.bias': wanted F32 or BF16 or F16, found I64"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(saved)


def test_weights_that_diverged_are_not_saved(tmp_path):
    checkpoint = random_checkpoint("tiny")
    with torch.no_grad():
        checkpoint.model.expert.action_out.bias[2] = float("inf")
    with pytest.raises(CheckpointError, match="'expert.action_out.bias': wanted finite numbers"):
        save_checkpoint(tmp_path / "new", checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pi05_ros.checkpoints.checkpoint.write_manifest", fail)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path / "new", random_checkpoint("tiny"))
    assert list(tmp_path.iterdir()) == []


def test_loading_makes_no_second_copy(tmp_path):
    """Peak memory is the weights and one window of the file, also with another dtype."""
    code = """
import sys, torch
from pathlib import Path
from pi05_ros.checkpoints import checkpoint
from pi05_ros.checkpoints.storage import safetensors_file, weights
torch.set_num_threads(1)
safetensors_file.WINDOW = 1 << 20
checkpoint.load_checkpoint(Path(sys.argv[1]))  # Libraries and allocators settle.
def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
peak = before = anonymous()
read = weights.read_into
def watched(*arguments):
    global peak
    read(*arguments)
    peak = max(peak, anonymous())
weights.read_into = watched
loaded = checkpoint.load_checkpoint(Path(sys.argv[2]), torch.bfloat16)
size = sum(p.nbytes for p in loaded.model.parameters()) // 1024
print(size, peak - before)
"""
    small, large = tmp_path / "small", tmp_path / "large"
    save_checkpoint(small, random_checkpoint("tiny"))
    fresh = random_checkpoint("tiny")
    sizes = dataclasses.replace(fresh.model.config.language, depth=12, mlp_width=8_000)
    model = Pi05(dataclasses.replace(fresh.model.config, language=sizes))
    save_checkpoint(large, dataclasses.replace(fresh, model=model))
    command = [sys.executable, "-c", code, str(small), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    weights, grown = map(int, done.stdout.split())  # [KiB]
    assert weights > 15_000
    # A second copy would be all of `weights` more; a float32 one twice that.
    assert grown < 1.4 * weights, done.stdout


def test_random_weights_are_described_as_such():
    checkpoint = random_checkpoint("tiny", seed=3)
    assert checkpoint.is_random
    assert "weights drawn at random (seed 3): it has learned nothing" in checkpoint.description
    assert checkpoint.source == "random:tiny?seed=3"


def test_a_tokenizer_that_does_not_ship():
    config = dataclasses.replace(load_preset("tiny"), tokenizer="paligemma")
    with pytest.raises(ConfigError, match="'paligemma' does not ship"):
        make_tokenizer(config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_prefix": 50}, "wanted training.max_prefix below the horizon 50, found 50"),
        ({"max_prefix": -1}, "wanted max_prefix 0 or, with flow, more; found -1"),
        ({"flow": False}, "found 6 with flow False"),
    ],
)
def test_invalid_prefixes(saved, changes, message):
    edit_json(saved / "config.json", lambda content: content["training"].update(changes))
    (saved / "manifest.json").unlink()
    write_manifest(saved)
    with pytest.raises(ConfigError, match=message):
        load_checkpoint(saved)
