"""LoRA adapters merged into a base: hand-computed sums, every variant, refusals."""

import json
import math

import pytest
import safetensors.torch
import torch
from fakes import public_checkpoint as public
from fakes.adapters import Q_PROJ, counting, write_adapter

from pi05_ros.checkpoints import merging
from pi05_ros.checkpoints.checkpoint import CheckpointError, load_checkpoint, read_contents
from pi05_ros.checkpoints.conversion import convert
from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.checkpoints.merging import merge_adapter
from pi05_ros.checkpoints.storage import safetensors_file
from pi05_ros.cli.main import main as pi05

PATCHES = "paligemma_with_expert.paligemma.model.vision_tower.vision_model.embeddings"


@pytest.fixture(autouse=True)
def tiny_sizes(monkeypatch):
    public.shrink(monkeypatch)


@pytest.fixture
def base(tmp_path):
    folder = public.write_lerobot(tmp_path / "base", public.public_tensors())
    public.write_tokenizer(folder)
    return folder


def shape_of(module):
    return public.public_tensors()[f"{module}.weight"].shape


def merged(folder, base, out):
    """The tensors after conversion, by public names, and those of the base."""
    convert(merge_adapter(folder, read_contents(base)), out)
    found = load_checkpoint(out).model.state_dict()
    return {public_name(n): t for n, t in found.items()}, public.public_tensors()


def assert_only(found, base, changed):
    for name, tensor in found.items():
        assert name in changed or torch.equal(tensor, base[name]), name


def test_the_sum_of_a_window_by_hand():
    change = merging._Sum(torch.tensor([[1.0], [2.0]]), torch.tensor([[10.0, 20.0, 30.0]]))
    assert change(0, torch.zeros(6)).tolist() == [10, 20, 30, 20, 40, 60]
    assert change(1, torch.ones(4)).tolist() == [21, 31, 21, 41]
    assert change(5, torch.ones(1).bfloat16()).tolist() == [61]


@pytest.mark.parametrize("window", [64 << 20, 40])  # Whole tensors, and ten values at a time.
def test_a_linear_layer(tmp_path, base, monkeypatch, window):
    rows, columns = shape_of(Q_PROJ)
    a, b = counting(2, columns), counting(rows, 2, start=4)
    folder = write_adapter(
        tmp_path / "lora", {f"{Q_PROJ}.lora_A.weight": a, f"{Q_PROJ}.lora_B.weight": b}
    )
    monkeypatch.setattr(safetensors_file, "WINDOW", window)
    found, before = merged(folder, base, tmp_path / "out")
    name = f"{Q_PROJ}.weight"
    for row, column in ((0, 0), (1, 3), (rows - 1, columns - 1)):
        added = 3 * (b[row, 0] * a[0, column] + b[row, 1] * a[1, column])  # alpha / r = 6 / 2.
        assert found[name][row, column] == pytest.approx(float(before[name][row, column] + added))
    torch.testing.assert_close(found[name], before[name] + 3 * (b @ a))
    assert_only(found, before, {name})


SCALES = {
    "alpha / r": ({}, 3.0),
    "alpha / sqrt(r)": ({"use_rslora": True}, 6 / math.sqrt(2)),
    "an alpha of its own": ({"alpha_pattern": {"self_attn.q_proj": 1}}, 0.5),
    "of another layer": ({"alpha_pattern": {"layers.1.self_attn.q_proj": 1}}, 3.0),
    "a rank of its own": ({"r": 16, "rank_pattern": {r".*\.q_proj": 2}}, 3.0),
    "both": ({"r": 9, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 5}}, 2.5),
}


@pytest.mark.parametrize("name", SCALES)
def test_the_scale(tmp_path, base, name):
    config, scale = SCALES[name]
    rows, columns = shape_of(Q_PROJ)
    a, b = counting(2, columns), counting(rows, 2)
    tensors = {f"{Q_PROJ}.lora_A.default.weight": a, f"{Q_PROJ}.lora_B.default.weight": b}
    found, before = merged(write_adapter(tmp_path / "l", tensors, **config), base, tmp_path / "o")
    name = f"{Q_PROJ}.weight"
    torch.testing.assert_close(found[name], before[name] + scale * (b @ a))


def test_fan_in_fan_out_adds_the_transposed_product(tmp_path, base):
    module = "action_in_proj"
    rows, columns = shape_of(module)
    a, b = counting(2, rows), counting(columns, 2)
    tensors = {f"{module}.lora_A.weight": a, f"{module}.lora_B.weight": b}
    folder = write_adapter(tmp_path / "lora", tensors, fan_in_fan_out=True)
    found, before = merged(folder, base, tmp_path / "out")
    name = f"{module}.weight"
    torch.testing.assert_close(found[name], before[name] + 3 * (b @ a).T)
    assert_only(found, before, {name})


def test_an_embedding(tmp_path, base):
    module = public.EMBEDDING.removesuffix(".weight")
    entries, width = shape_of(module)
    a, b = counting(2, entries), counting(width, 2)
    tensors = {f"{module}.lora_embedding_A": a, f"{module}.lora_embedding_B": b}
    found, before = merged(write_adapter(tmp_path / "l", tensors), base, tmp_path / "out")
    torch.testing.assert_close(found[public.EMBEDDING], before[public.EMBEDDING] + 3 * (b @ a).T)


def test_a_convolution(tmp_path, base):
    module = f"{PATCHES}.patch_embedding"
    out, channels, height, width = shape_of(module)
    a, b = counting(2, channels, height, width), counting(out, 2, 1, 1)
    tensors = {f"{module}.lora_A.weight": a, f"{module}.lora_B.weight": b}
    found, before = merged(write_adapter(tmp_path / "l", tensors), base, tmp_path / "out")
    added = torch.einsum("or,rchw->ochw", b[:, :, 0, 0], a)
    torch.testing.assert_close(found[f"{module}.weight"], before[f"{module}.weight"] + 3 * added)


@pytest.mark.parametrize("middle", ["", "modules_to_save.", "modules_to_save.default."])
def test_modules_that_were_trained_whole_and_biases_replace_the_bases(tmp_path, base, middle):
    weight = counting(*shape_of("action_out_proj"))
    bias, other = counting(weight.shape[0]), counting(*shape_of("action_in_proj")[:1])
    tensors = {
        f"action_out_proj.{middle}weight": weight,
        f"action_out_proj.{middle}bias": bias,
        "action_out_proj.original_module.weight": weight + 1,
        "action_in_proj.base_layer.bias": other,
    }
    folder = write_adapter(
        tmp_path / "lora", tensors, modules_to_save=["action_out_proj"], bias="all"
    )
    found, before = merged(folder, base, tmp_path / "out")
    assert torch.equal(found["action_out_proj.weight"], weight)
    assert torch.equal(found["action_out_proj.bias"], bias)
    assert torch.equal(found["action_in_proj.bias"], other)
    changed = {"action_out_proj.weight", "action_out_proj.bias", "action_in_proj.bias"}
    assert_only(found, before, changed)


def linear(module="action_in_proj", rank=2):
    rows, columns = shape_of(module)
    return {
        f"{module}.lora_A.weight": counting(rank, columns),
        f"{module}.lora_B.weight": counting(rows, rank),
    }


def test_a_base_of_our_layout_in_bfloat16(tmp_path, base):
    convert(read_contents(base), tmp_path / "ours", dtype=torch.bfloat16)
    folder = write_adapter(tmp_path / "lora", linear())
    convert(merge_adapter(folder, read_contents(tmp_path / "ours")), tmp_path / "out")
    found = safetensors.torch.load_file(tmp_path / "out/model.safetensors")
    before = public.public_tensors()["action_in_proj.weight"].bfloat16().float()
    a, b = linear().values()
    # Summed in float32, rounded once.
    assert torch.equal(found["expert.action_in.weight"], (before + 3 * b @ a).bfloat16())


def test_what_lerobot_wrote_beside_the_adapter_is_taken_over(tmp_path, base):
    folder = write_adapter(tmp_path / "lora", linear())
    config = json.loads((base / "config.json").read_text())
    changed = {"use_peft": True, "chunk_size": 30, "rtc_training_max_delay": 4}
    changed["input_features"] = {"observation.images.top": {"type": "VISUAL"}}
    (folder / "config.json").write_text(json.dumps(config | changed))
    names = ("observation.state.q01", "observation.state.q99", "action.q01", "action.q99")
    vectors = {name: [-1.0 if "q01" in name else 1.0] * 6 for name in names}
    public.write_processor(folder, {"STATE": "QUANTILES", "ACTION": "QUANTILES"}, vectors)
    contents = merge_adapter(folder, read_contents(base))
    assert contents.config.horizon == 30
    assert contents.policy_cameras == ("top",)
    assert contents.training.max_prefix == 4
    assert contents.training.origin == "LeRobot, type pi05; LoRA adapter lora"
    assert len(contents.unnamed_stats[0].state_low) == 6


def test_an_adapter_for_other_sizes_is_refused(tmp_path, base):
    folder = write_adapter(tmp_path / "lora", linear())
    config = json.loads((base / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"type": "pi0"}))
    with pytest.raises(
        CheckpointError, match="another model than the base .*: variant: wanted pi"
    ):
        merge_adapter(folder, read_contents(base))


REFUSALS = {
    "DoRA": ({"use_dora": True}, None, "wanted no use_dora, found True: merge it with merge_and"),
    "another method": ({"peft_type": "IA3"}, None, "wanted peft_type LORA, found 'IA3'"),
    "PiSSA": ({"init_lora_weights": "pissa"}, None, "may have changed the base's own weights"),
    "another rank": ({"r": 4}, None, "wanted matrices of rank 4 as adapter_config.json says, fou"),
    "no alpha": ({"lora_alpha": 0}, None, "wanted lora_alpha above 0 for model.action_in_proj"),
    "a bad pattern": ({"alpha_pattern": {"(": 1}}, None, "alpha_pattern: '\\(' is no pattern"),
    "patterns as a list": ({"rank_pattern": ["q"]}, None, "wanted rank_pattern, a mapping"),
    "a half": (
        {},
        {"action_in_proj.lora_A.weight": counting(2, 32)},
        "lora_A and lora_B, found lo",
    ),
    "a bias": (
        {},
        {"action_in_proj.lora_B.bias": counting(3)},
        "lora_B.bias' is no matrix of a plain LoRA",
    ),
    "a magnitude": (
        {},
        {"action_in_proj.lora_magnitude_vector.weight": counting(3)},
        "is no matrix of a plain LoRA",
    ),
    "another model": (
        {},
        {
            "action_in_proj.lora_A.weight": counting(2, 5),
            "action_in_proj.lora_B.weight": counting(4, 2),
        },
        "wanted a change of .* values for 'model.action_in_proj.weight' of the base",
    ),
    "an unknown module": (
        {},
        {"vision_head.lora_A.weight": counting(2, 5), "vision_head.lora_B.weight": counting(4, 2)},
        "vision_head.lora_A.weight' belongs to no part of the base",
    ),
    "an unknown tensor": ({}, {"value.weight": counting(4, 2)}, "belongs to no part of the base"),
    "a whole of another shape": (
        {},
        {"action_out_proj.weight": counting(2, 2)},
        "action_out_proj.weight': wanted shape",
    ),
    "the head": ({}, {public.HEAD: counting(2, 2)}, "head, which Gemma ties to the embedding"),
    "nothing": ({}, {public.EXPERT_HEAD: counting(2, 2)}, "changes no weight of the model"),
    "not saved": (
        {"modules_to_save": ["action_out_proj"]},
        None,
        "modules_to_save 'action_out_proj', and 'action_out_proj.(weight|bias)' is missing",
    ),
    "NaN": (
        {},
        {"action_in_proj.lora_A.weight": counting(2, 32) * math.nan}
        | {"action_in_proj.lora_B.weight": counting(32, 2)},
        "lora_A.weight': wanted finite numbers",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_merged_is_refused(tmp_path, base, name):
    config, tensors, message = REFUSALS[name]
    folder = write_adapter(tmp_path / "lora", linear() if tensors is None else tensors, **config)
    with pytest.raises(CheckpointError, match=message):
        merge_adapter(folder, read_contents(base))


def test_base_is_for_adapters(tmp_path, base):
    with pytest.raises(CheckpointError, match="is no adapter .* and --base is for adapters"):
        merge_adapter(base, read_contents(base))


def test_the_command(tmp_path, base, capsys):
    folder = write_adapter(tmp_path / "lora", linear())
    words = ["checkpoint", "convert", str(folder), str(tmp_path / "out")]
    assert pi05(words) == 1
    said = capsys.readouterr().err
    assert "is an adapter (LORA) of lerobot/pi05_base, not a whole checkpoint: merge it" in said
    assert pi05([*words, "--base", str(base)]) == 0
    found = safetensors.torch.load_file(tmp_path / "out/model.safetensors")
    a, b = linear().values()
    before = public.public_tensors()["action_in_proj.weight"]
    torch.testing.assert_close(found["expert.action_in.weight"], before + 3 * (b @ a))
    assert pi05(["checkpoint", "inspect", str(tmp_path / "out")]) == 0
    assert "with the LoRA adapter lora" in capsys.readouterr().out
    assert (
        pi05(["checkpoint", "convert", str(base), str(tmp_path / "o"), "--base", str(folder)]) == 1
    )
    assert "is an adapter (LORA)" in capsys.readouterr().err


def test_an_adapter_is_refused_as_one_wherever_weights_are_wanted(tmp_path, base):
    folder = write_adapter(tmp_path / "lora", linear())
    for load in (read_contents, load_checkpoint):
        with pytest.raises(CheckpointError, match=r"is an adapter .* convert .*lora NEW --base"):
            load(folder)
    (folder / "config.json").write_text((base / "config.json").read_text())
    with pytest.raises(CheckpointError, match="is an adapter"):
        load_checkpoint(folder)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (base / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(
        CheckpointError, match="holds whole weights and an adapter .* folder of th"
    ):
        load_checkpoint(base)


def test_weights_that_hold_an_adapter_unmerged_are_refused(tmp_path, base):
    path = base / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    tensors |= {f"model.{name}": tensor for name, tensor in linear().items()}
    tensors["model.action_in_proj.base_layer.weight"] = tensors.pop("model.action_in_proj.weight")
    safetensors.torch.save_file(tensors, path)
    with pytest.raises(CheckpointError, match="is of a LoRA that is not merged: save the model"):
        read_contents(base)
