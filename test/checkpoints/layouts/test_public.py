"""Public checkpoints: every form of their names is found, invalid ones are refused."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from fakes import public_checkpoint as public

from pi05_ros.checkpoints.checkpoint import CheckpointError, load_checkpoint, read_contents
from pi05_ros.checkpoints.layouts.public_weights import canonical_name
from pi05_ros.checkpoints.layouts.unnamed_stats import UnnamedStats
from pi05_ros.checkpoints.storage.weights import INDEX
from pi05_ros.model.config import load_preset

SHARED, KEYS = Path(__file__).parents[4] / "shared", "lerobot_pi05_base_keys.txt"
PREFIX = "paligemma_with_expert.paligemma."


@pytest.fixture(autouse=True)
def tiny_sizes(monkeypatch):
    public.shrink(monkeypatch)


def assert_same(model, want):
    found = model.state_dict()
    assert found.keys() == want.keys()
    assert all(torch.equal(found[name], want[name]) for name in want)


@pytest.mark.parametrize("kind", ["pi05", "pi0", "pi0_fast"])
def test_lerobot_loads(tmp_path, kind):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors(kind), kind)
    public.write_tokenizer(folder)
    loaded = load_checkpoint(folder)
    assert_same(loaded.model, public.our_tensors(kind))
    prompt = 48 if kind == "pi0" else 200
    want = replace(public.CONFIG, name=kind, variant=kind, max_prompt_tokens=prompt)
    assert loaded.model.config == want
    assert loaded.policy_cameras == ("base_0_rgb", "left_wrist_0_rgb")
    assert (loaded.training.text, loaded.training.flow) == (False, kind != "pi0_fast")
    assert loaded.training.fast == (kind == "pi0_fast")
    assert loaded.training.max_prefix == 0
    assert loaded.tokenizer.size == public.LANGUAGE.vocabulary


@pytest.mark.parametrize("most", [0, 6])
def test_lerobot_states_its_longest_prefix(tmp_path, most):
    tensors = public.public_tensors()
    folder = public.write_lerobot(tmp_path / "c", tensors, rtc_training_max_delay=most)
    assert read_contents(folder).training.max_prefix == most


@pytest.mark.parametrize("kind", ["pi05", "pi0"])
def test_openpi_loads_and_the_variant_follows_from_the_tensors(tmp_path, kind):
    folder = public.write_openpi(tmp_path / "c", public.public_tensors(kind))
    public.write_tokenizer(folder)
    loaded = load_checkpoint(folder)
    assert_same(loaded.model, public.our_tensors(kind))
    assert loaded.model.config.variant == kind
    assert loaded.model.config.horizon == 10


def test_shards_in_mixed_dtypes(tmp_path):
    """LeRobot and openpi store norms in float32, the rest in bfloat16."""
    tensors = {
        name: t if "norm" in name else t.bfloat16() for name, t in public.public_tensors().items()
    }
    folder = public.write_lerobot(tmp_path / "c", tensors)
    public.write_tokenizer(folder)
    names = sorted("model." + name for name in tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, inside in shards.items():
        content = {name: tensors[name.removeprefix("model.")] for name in inside}
        safetensors.torch.save_file(content, folder / file)
    index = {name: file for file, inside in shards.items() for name in inside}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": index}))
    (folder / "model.safetensors").unlink()
    loaded = load_checkpoint(folder, torch.bfloat16)
    assert_same(loaded.model, {n: t.bfloat16() for n, t in public.our_tensors().items()})


@pytest.mark.parametrize(
    "form",
    [
        "model.paligemma_with_expert.paligemma.model.language_model.norm.weight",
        PREFIX + "language_model.norm.weight",
        PREFIX + "language_model.model.norm.weight",
    ],
)
def test_forms_of_a_name(form):
    assert canonical_name(form) == PREFIX + "model.language_model.norm.weight"


def test_more_forms_of_names():
    tower = PREFIX + "model.vision_tower.vision_model.post_layernorm.bias"
    assert canonical_name(PREFIX + "vision_tower.vision_model.post_layernorm.bias") == tower
    assert canonical_name(PREFIX + "model.vision_tower.post_layernorm.bias") == tower
    assert canonical_name(PREFIX + "language_model.lm_head.weight") == public.HEAD
    assert canonical_name("model.action_in_proj.bias") == "action_in_proj.bias"
    assert canonical_name("model.state_proj.bias") == "state_proj.bias"
    linear = "multi_modal_projector.linear.bias"
    assert canonical_name(PREFIX + linear) == PREFIX + "model." + linear
    expert = "paligemma_with_expert.gemma_expert.model.norm.dense.bias"
    assert canonical_name(expert) == expert


def test_every_listed_name_of_the_public_weights_is_known():
    listed = Path(os.environ.get("PI05_REFERENCE", SHARED / "reference")).parent / KEYS
    if not listed.is_file():
        pytest.skip(f"no {listed}")
    names = [line.split()[0] for line in listed.read_text().splitlines() if line[0] != "#"]
    assert all(canonical_name("model." + name) == name for name in names)


@pytest.mark.parametrize("kept", ["embedding", "head", "both"])
def test_the_tied_tensor_may_stand_once_or_twice(tmp_path, kept):
    tensors = public.public_tensors()
    if kept == "embedding":
        del tensors[public.HEAD]
    if kept == "head":
        del tensors[public.EMBEDDING]
    folder = public.write_lerobot(tmp_path / "c", tensors)
    public.write_tokenizer(folder)
    assert_same(load_checkpoint(folder).model, public.our_tensors())


def test_a_head_that_is_not_tied(tmp_path, caplog):
    tensors = public.public_tensors()
    tensors[public.HEAD][-1, -1] += 1.0
    folder = public.write_lerobot(tmp_path / "c", tensors)
    public.write_tokenizer(folder)
    assert_same(load_checkpoint(folder).model, public.our_tensors())  # The embedding acts.
    assert "lm_head.weight' differs from" in caplog.text
    tensors = public.public_tensors("pi0_fast")
    tensors[public.HEAD][0, 0] += 1.0
    folder = public.write_lerobot(tmp_path / "d", tensors, "pi0_fast")
    public.write_tokenizer(folder)
    with pytest.raises(CheckpointError, match="lm_head.weight' differs.* wanted the same values"):
        load_checkpoint(folder)


def test_a_head_of_another_shape(tmp_path):
    tensors = public.public_tensors()
    tensors[public.HEAD] = tensors[public.HEAD][:-1].clone()
    folder = public.write_lerobot(tmp_path / "c", tensors)
    with pytest.raises(CheckpointError, match="lm_head.weight': wanted shape"):
        read_contents(folder)


def test_the_same_tensor_under_two_names(tmp_path):
    tensors = public.public_tensors()
    tensors[PREFIX + "language_model.norm.weight"] = torch.zeros(32)
    folder = public.write_lerobot(tmp_path / "c", tensors)
    with pytest.raises(CheckpointError, match="norm.weight' are the same tensor"):
        read_contents(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"type": "act"},
            "wanted a policy of type pi05, pi0, pi0_fast, pi052, pi05_subtask, found 'act'",
        ),
        ({"paligemma_variant": "gemma_2"}, "found 'gemma_2'; did you mean 'gemma_2b'"),
        ({"paligemma_variant": "gemma_2b_lora"}, "merge the LoRA weights"),
        ({"paligemma_variant": "gemma_300m"}, "'model.*linear.weight': wanted shape .16, 16., f"),
        ({"action_expert_variant": "dummy"}, "wanted an expert of depth 1 .* found 4"),
        ({"rtc_training_max_delay": 50}, "rtc_training_max_delay below the horizon 50, found 50"),
        ({"rtc_training_max_delay": "6"}, "a whole number from 1 up, found '6'"),
        ({"chunk_size": "50"}, "wanted 'chunk_size', a whole number from 1 up, found '50'"),
        ({"max_action_dim": 16}, "'model.action_in_proj.weight': wanted shape .*, found"),
        ({"use_visual_memory": True}, "wanted use_visual_memory false"),
        ({"image_resolution": [448, 448]}, r"wanted image_resolution \[28, 28\]"),
        ({"input_features": [1]}, "wanted 'input_features'"),
        ({"type": "pi0"}, "config.json: wanted weights of pi0, found pi05's"),
        ({"type": "pi0_fast"}, "config.json: wanted weights of pi0_fast, found pi05's"),
    ],
)
def test_a_config_that_does_not_fit(tmp_path, changes, message):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors(), **changes)
    with pytest.raises(CheckpointError, match=message):
        read_contents(folder)


def test_tensors_are_named_as_the_file_names_them(tmp_path):
    tensors = public.public_tensors()
    tensors["time_mlp_in.bias"] = torch.zeros(17)
    folder = public.write_lerobot(tmp_path / "c", tensors)
    message = r"model.safetensors: 'model.time_mlp_in.bias': wanted shape \(16,\), found \(17,\)"
    with pytest.raises(CheckpointError, match=message):
        read_contents(folder)
    del tensors["time_mlp_in.bias"]
    folder = public.write_lerobot(tmp_path / "d", tensors)
    with pytest.raises(CheckpointError, match="the tensor 'time_mlp_in.bias' is missing"):
        read_contents(folder)
    tensors = public.public_tensors() | {"proprio_history_proj.bias": torch.zeros(1)}
    folder = public.write_lerobot(tmp_path / "e", tensors)
    with pytest.raises(CheckpointError, match="'model.proprio_history_proj.bias' belongs to no"):
        read_contents(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "config.json is missing"),
        ("{}", "config.json is missing|is of no known layout"),
        ('{"model_type": "llama"}', "is of no known layout: .* found the keys model_type"),
    ],
)
def test_no_layout(tmp_path, content, message):
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    if content:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=message):
        read_contents(tmp_path)


def test_openpi_without_config_needs_the_sizes(tmp_path):
    folder = public.write_openpi(tmp_path / "c", public.public_tensors())
    public.write_tokenizer(folder)
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match="config.json: is missing .* with --model"):
        load_checkpoint(folder)
    loaded = load_checkpoint(folder, model_config=public.CONFIG)
    assert_same(loaded.model, public.our_tensors())
    with pytest.raises(CheckpointError, match="wanted shape"):
        read_contents(folder, load_preset("tiny"))
    with pytest.raises(CheckpointError, match="'nano' has a compact one"):
        read_contents(folder, load_preset("nano"))


def test_openpi_must_be_one_of_two(tmp_path):
    tensors = {name: t for name, t in public.public_tensors().items() if "time_mlp" not in name}
    folder = public.write_openpi(tmp_path / "c", tensors)
    with pytest.raises(CheckpointError, match="wanted either 'time_mlp_in.*found neither or both"):
        read_contents(folder)


def test_a_folder_without_tokenizer(tmp_path):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors())
    with pytest.raises(CheckpointError, match="holds no tokenizer: put PaliGemma's"):
        load_checkpoint(folder)
    tokenizer = public.write_tokenizer(tmp_path)
    assert load_checkpoint(folder, tokenizer=tokenizer).tokenizer.size == 2052


def test_files_may_be_links(tmp_path):
    """Hugging Face's cache is made of links; links are followed here."""
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors())
    public.write_tokenizer(folder)
    (tmp_path / "blobs").mkdir()
    for path in list(folder.iterdir()):
        path.rename(tmp_path / "blobs" / path.name)
        path.symlink_to(tmp_path / "blobs" / path.name)
    assert_same(load_checkpoint(folder).model, public.our_tensors())


def test_statistics_of_lerobot(tmp_path):
    names = ["left_arm_joint_1", "left_gripper"]
    folder = public.write_lerobot(
        tmp_path / "c",
        public.public_tensors(),
        use_relative_actions=True,
        relative_exclude_joints=["Gripper"],
        action_feature_names=names,
    )
    public.write_processor(
        folder,
        {"STATE": "QUANTILES", "ACTION": "MEAN_STD"},
        {
            "observation.state.q01": [-1.0, 0.0],
            "observation.state.q99": [1.0, 0.5],
            "action.mean": [0.5, 1.0],
            "action.std": [0.25, 0.5],
        },
    )
    (found,) = read_contents(folder).unnamed_stats
    assert found == UnnamedStats(
        "policy_preprocessor.json",
        folder / "policy_preprocessor.json",
        (-1.0, 0.0),
        (1.0, 0.5),
        (0.25, 0.5),  # mean - std becomes -1,
        (0.75, 1.5),  # mean + std becomes 1.
        (True, False),
    )


def test_statistics_whose_method_is_unknown(tmp_path):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors())
    vectors = {"observation.state.q01": [0.0], "action.q01": [0.0]}
    public.write_processor(folder, {"STATE": "MAGIC"}, vectors)
    with pytest.raises(CheckpointError, match="wanted a normalisation of .* found 'MAGIC'"):
        read_contents(folder)
    public.write_processor(folder, {"STATE": "QUANTILES"}, vectors)
    with pytest.raises(CheckpointError, match="wanted 'q99', a list of numbers, found None"):
        read_contents(folder)


def test_a_processor_with_a_path_outside_the_folder(tmp_path):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors())
    public.write_processor(folder, {}, {"a.q01": [0.0]})
    path = folder / "policy_preprocessor.json"
    path.write_text(path.read_text().replace("policy_preprocessor_step_3", "../../x"))
    with pytest.raises(CheckpointError, match="names the file '../../x.*in the same folder"):
        read_contents(folder)


def test_statistics_of_openpi(tmp_path):
    folder = public.write_openpi(tmp_path / "c", public.public_tensors())
    state = {"mean": [0.0, 1.0], "std": [1.0, 1.0], "q01": [-2.0, -3.0], "q99": [2.0, 3.0]}
    actions = {"mean": [0.0, 0.0], "std": [1.0, 2.0], "q01": [-4.0, 0.0], "q99": [4.0, 5.0]}
    public.write_assets(folder, "lab/robot", state, actions)
    (found,) = read_contents(folder).unnamed_stats
    assert found.name == "assets/lab/robot"
    assert (found.state_low, found.action_high, found.relative) == ((-2.0, -3.0), (4.0, 5.0), None)
    # π0 was normalised by mean and standard deviation.
    folder = public.write_openpi(tmp_path / "d", public.public_tensors("pi0"))
    public.write_assets(folder, "robot", state, actions)
    (found,) = read_contents(folder).unnamed_stats
    assert (found.action_low, found.action_high) == ((-1.0, -2.0), (1.0, 2.0))


PREFIXES = {
    "torch.compile": "_orig_mod.",
    "DDP": "module.",
    "both": "module._orig_mod.",
    "a trainer's": "policy.model.",
    "peft's": "base_model.model.",
    "FSDP's": "_fsdp_wrapped_module.",
}


@pytest.mark.parametrize("layout", ["lerobot", "openpi"])
@pytest.mark.parametrize("name", PREFIXES)
def test_a_prefix_of_all_names_is_taken_off(tmp_path, name, layout):
    write = public.write_lerobot if layout == "lerobot" else public.write_openpi
    folder = write(tmp_path / "c", public.public_tensors())
    public.write_tokenizer(folder)
    path = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    renamed = {PREFIXES[name] + key: tensor.clone() for key, tensor in tensors.items()}
    safetensors.torch.save_file(renamed, path)
    assert_same(load_checkpoint(folder).model, public.our_tensors())


def test_parts_of_wrappers_within_a_name_are_taken_off():
    name = "paligemma_with_expert._orig_mod.gemma_expert.model.layers.0._checkpoint_wrapped_module"
    want = "paligemma_with_expert.gemma_expert.model.layers.0.mlp.up_proj.weight"
    assert canonical_name("model." + name + ".mlp.up_proj.weight") == want
    assert canonical_name("model.somewhere.module.weight") == "model.somewhere.module.weight"


def test_two_sets_of_weights_in_one_file_are_refused(tmp_path):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors())
    path = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    tensors |= {f"ema.{name}": tensor.clone() for name, tensor in tensors.items()}
    safetensors.torch.save_file(tensors, path)
    with pytest.raises(CheckpointError, match="are the same tensor; wanted one of them, so save"):
        read_contents(folder)


@pytest.mark.parametrize("kind", ["pi052", "pi05_subtask"])
def test_types_whose_weights_are_those_of_pi05(tmp_path, kind):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors(), kind)
    public.write_tokenizer(folder)
    loaded = load_checkpoint(folder)
    assert_same(loaded.model, public.our_tensors())
    assert (loaded.model.config.variant, loaded.model.config.max_prompt_tokens) == ("pi05", 200)
    assert (loaded.training.text, loaded.training.flow) == (False, True)
    assert loaded.training.origin == f"LeRobot, type {kind}, pi05's weights, own prompts"


def test_such_types_with_other_weights_are_refused(tmp_path):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors("pi0"), "pi052")
    with pytest.raises(CheckpointError, match="wanted weights of pi05, found pi0's"):
        read_contents(folder)
    tensors = public.public_tensors() | {"subtask_head.weight": torch.zeros(2, 2)}
    folder = public.write_lerobot(tmp_path / "d", tensors, "pi05_subtask")
    with pytest.raises(CheckpointError, match="subtask_head.weight' belongs to no part of the m"):
        read_contents(folder)


def test_an_unknown_type_with_known_weights_says_what_to_write(tmp_path):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors(), "pi05_mine")
    with pytest.raises(
        CheckpointError, match="found 'pi05_mine'; its tensors are named as pi05's"
    ):
        read_contents(folder)


def test_use_peft_without_an_adapter_is_refused(tmp_path):
    folder = public.write_lerobot(tmp_path / "c", public.public_tensors(), use_peft=True)
    with pytest.raises(
        CheckpointError, match="use_peft true, and there is no adapter_config.json"
    ):
        read_contents(folder)
