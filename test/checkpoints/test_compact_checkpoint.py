"""Checkpoints of the small model that is shipped: compact dtypes, older folders, refusals."""

import dataclasses
import json

import pytest
import torch

from pi05_ros.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    random_checkpoint,
    read_contents,
    save_checkpoint,
)
from pi05_ros.checkpoints.conversion import convert
from pi05_ros.checkpoints.storage.manifest import write_manifest
from pi05_ros.cli.main import main
from pi05_ros.errors import ConfigError
from pi05_ros.model.compact_vision import Pictures
from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights

CAMERAS = ("front", "left_wrist", "right_wrist")


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    """nano in float32, as training writes it."""
    folder = tmp_path_factory.mktemp("nano") / "float32"
    made = dataclasses.replace(random_checkpoint("nano", 3), policy_cameras=CAMERAS)
    save_checkpoint(folder, made)
    return folder


@pytest.fixture(scope="module")
def half(nano):
    """The same, converted as it is typed."""
    target = nano.parent / "bfloat16"
    assert main(["checkpoint", "convert", str(nano), str(target), "--dtype", "bfloat16"]) == 0
    return target


def chunk_and_logits(checkpoint: Checkpoint) -> tuple[torch.Tensor, torch.Tensor]:
    """Actions and the next token's logits for noise as pictures, in float32."""
    model, encode = checkpoint.model, checkpoint.tokenizer.encode
    generator = torch.Generator().manual_seed(0)
    shape = (len(CAMERAS), 3, *model.config.picture_size)
    images = torch.randint(0, 256, shape, generator=generator).byte()
    noise = torch.randn(1, model.config.horizon, model.config.action_dim, generator=generator)
    query = torch.tensor([encode("pick up the plate")] * len(CAMERAS))
    prompt = torch.tensor([encode("Task: pick up the plate, State: 12 200 77;\nAction: ")])
    with torch.no_grad():
        views = torch.tensor([model.config.view_of(camera) for camera in CAMERAS])
        pictures: Pictures = model.embed_pictures(images, views)
        pictures = model.with_points(pictures, query, torch.ones_like(query, dtype=torch.bool))
        tokens = [row[valid] for row, valid in zip(pictures.tokens, pictures.valid, strict=True)]
        sequence = torch.cat([torch.cat(tokens)[None], model.language.embed(prompt)], dim=1)
        hidden, context = model.prefill(sequence)
        return model.sample_actions(context, noise, 10), model.language.logits(hidden[:, -1])


def test_a_round_trip(nano):
    loaded, made = load_checkpoint(nano), random_checkpoint("nano", 3)
    assert loaded.model.config == load_preset("nano")
    # The order of the cameras is that of the tower's views.
    assert loaded.model.config.compact_vision.views == (
        "front",
        "back",
        "left_wrist",
        "right_wrist",
    )
    assert loaded.tokenizer == made.tokenizer
    want = made.model.state_dict()
    assert all(torch.equal(found, want[n]) for n, found in loaded.model.state_dict().items())


def test_the_first_stage_has_no_expert(tmp_path):
    config = dataclasses.replace(load_preset("nano"), expert=None)
    model = Pi05(config)
    draw_weights(model, 0)
    save_checkpoint(tmp_path / "c", Checkpoint(model, random_checkpoint("nano").tokenizer))
    assert load_checkpoint(tmp_path / "c").model.config == config
    with pytest.raises(CheckpointError, match="builds no model 'nano': it has a compact picture"):
        convert(read_contents(tmp_path / "c"), tmp_path / "theirs", to="lerobot")


def test_weights_of_half_the_size(nano, half):
    """Below 6 MB with everything; 16 bits a weight."""
    assert sum(path.stat().st_size for path in half.iterdir()) < 6_000_000
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (nano, half)]
    assert sizes[1] < 0.51 * sizes[0]
    assert {tensor.dtype for tensor in read_contents(half).tensors.values()} == {"BF16"}
    before, after = load_checkpoint(nano).model, load_checkpoint(half).model
    assert after.dtype == torch.float32  # What is asked for when it is loaded.
    for name, weight in after.state_dict().items():
        assert torch.equal(weight, before.state_dict()[name].bfloat16().float()), name


def test_a_chunk_of_half_the_weights(nano, half):
    """Rounding to 8 bits changes the result by little: random weights keep no margin."""
    whole, rounded = (chunk_and_logits(load_checkpoint(folder)) for folder in (nano, half))
    for found, wanted in zip(rounded, whole, strict=True):
        assert 0.0 < (found - wanted).abs().max() < 0.05 * wanted.std()


def test_float16_is_nearer(nano, tmp_path):
    convert(read_contents(nano), tmp_path / "c", dtype=torch.float16)
    found, _ = chunk_and_logits(load_checkpoint(tmp_path / "c"))
    wanted, _ = chunk_and_logits(load_checkpoint(nano))
    assert 0.0 < (found - wanted).abs().max() < 0.005 * wanted.std()


def test_inspect(half, capsys):
    assert main(["checkpoint", "inspect", str(half), "--hashes"]) == 0
    shown = capsys.readouterr().out
    for said in (
        "variant      pi05 (sizes 'nano')",
        "MB in 1 file(s), BF16",
        ", grounding ",
        "pictures     192 x 144, reduced to front 192 x 144, back 96 x 72, left_wrist 96 x 72, "
        "right_wrist 96 x 72; with heat maps of what a text names",
        "policy sees  front, left_wrist, right_wrist",
    ):
        assert said in shown, said


def test_other_models_are_written_as_before(tmp_path):
    """A release that does not know compact towers reads what has none, and the other way round."""
    save_checkpoint(tmp_path / "c", random_checkpoint("tiny"))
    written = json.loads((tmp_path / "c" / "config.json").read_text())["model"]
    assert not {"compact_vision", "grounding", "noise_scale"} & written.keys()
    assert load_checkpoint(tmp_path / "c").model.config == load_preset("tiny")


def test_sizes_that_do_not_fit_each_other(nano, tmp_path):
    (tmp_path / "c").mkdir()
    for path in nano.iterdir():
        (tmp_path / "c" / path.name).write_bytes(path.read_bytes())
    content = json.loads((nano / "config.json").read_text())
    del content["model"]["compact_vision"]
    (tmp_path / "c" / "config.json").write_text(json.dumps(content))
    write_manifest(tmp_path / "c")
    with pytest.raises(ConfigError, match="model: grounding needs a compact tower"):
        load_checkpoint(tmp_path / "c")


def test_lerobot_builds_no_compact_tower(nano, tmp_path, capsys):
    words = ["checkpoint", "convert", str(nano), str(tmp_path / "theirs"), "--to", "lerobot"]
    assert main(words) == 1
    error = capsys.readouterr().err.strip()
    assert error.endswith(
        "LeRobot builds no model 'nano': it has a compact picture tower, and LeRobot has SigLIP"
    )
    assert "\n" not in error
    assert not (tmp_path / "theirs").exists()
