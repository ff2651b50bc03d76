"""Writing of LeRobot's layout, so that weights trained here run in LeRobot.

LeRobot supports the published sizes only, and continues with random weights if it cannot load a
file, so other sizes are refused here. The folder also gets our norm_stats.json and the tokenizer,
which LeRobot ignores: with them it can be converted back without options.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pi05_ros.checkpoints.layouts.contents import Contents
from pi05_ros.checkpoints.layouts.lerobot import (
    ACTION,
    CAMERA,
    PREFIX,
    PREPROCESSOR,
    STATE,
    relative_flags,
)
from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.checkpoints.layouts.public_sizes import GEMMA, VISION
from pi05_ros.checkpoints.layouts.public_weights import EMBEDDING, EXPERT_HEAD, HEAD
from pi05_ros.checkpoints.storage.files import CheckpointError, write_json
from pi05_ros.checkpoints.storage.safetensors_file import DTYPES, StoredTensor, write_safetensors
from pi05_ros.checkpoints.storage.weights import WEIGHTS
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.normalization import NormStats

POSTPROCESSOR = "policy_postprocessor.json"
_METHODS = {"VISUAL": "IDENTITY", "STATE": "QUANTILES", "ACTION": "QUANTILES"}
_TOKENIZER = "google/paligemma-3b-pt-224"  # Repository from which LeRobot downloads it.


def lerobot_tensors(
    contents: Contents, dtype: torch.dtype | None
) -> dict[str, Tensor | StoredTensor]:
    """Return the weights under LeRobot's names, with the two heads that its strict loading needs.

    Raises:
        CheckpointError: LeRobot does not support the model's sizes.
    """
    _size_names(contents)
    tensors: dict[str, Tensor | StoredTensor] = {
        "model." + public_name(name): tensor for name, tensor in contents.tensors.items()
    }
    tensors["model." + HEAD] = tensors["model." + EMBEDDING]
    config = contents.config
    # LeRobot never uses this one. In memory it is a single expanded zero.
    unused = torch.zeros((), dtype=dtype or torch.bfloat16)
    shape = (config.language.vocabulary, config.required_expert().width)
    tensors["model." + EXPERT_HEAD] = unused.expand(shape)
    return tensors


def write_lerobot(
    folder: Path,
    contents: Contents,
    stats: NormStats | None,
    dtype: torch.dtype | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write LeRobot's files into a new folder.

    Args:
        folder: From `new_folder`.
        contents: Of the checkpoint.
        stats: Of the target robot; None: without normalisation.
        dtype: Of the weights in the file; None: unchanged.
        progress: Called with the number of bytes just written.

    Raises:
        CheckpointError: The checkpoint cannot be expressed in LeRobot's layout.
    """
    tensors = lerobot_tensors(contents, dtype)
    if not contents.policy_cameras:
        raise CheckpointError(
            contents.folder,
            "does not say its cameras, which LeRobot needs; convert it with "
            "--platform, whose cameras it then takes",
        )
    excluded = _excluded(contents.folder, stats) if stats else []
    config = _config(contents, stats, excluded, dtype)
    write_json(folder / "config.json", config)
    if stats:
        _write_processors(folder, config, stats)
    write_safetensors(folder / WEIGHTS, tensors, dtype, {"format": "pt"}, progress)


def _size_names(contents: Contents) -> tuple[str, str]:
    """Return LeRobot's names for the sizes of language model and expert."""
    config = contents.config
    refused = f"LeRobot builds no model '{config.name}'"
    if config.compact_vision is not None:
        raise CheckpointError(
            contents.folder, f"{refused}: it has a compact picture tower, and LeRobot has SigLIP"
        )
    if config.expert is None:
        raise CheckpointError(
            contents.folder, f"{refused}: it has no expert yet; train a stage with flow loss first"
        )
    public = ModelConfig()
    pairs: list[tuple[str, Any, Any]] = [
        ("variant", public.variant, config.variant),
        ("vision", VISION, config.vision),
        ("tokenizer", public.tokenizer, config.tokenizer),
    ]
    language = next((name for name, size in GEMMA.items() if size == config.language), None)
    if language is None:
        pairs.append(("language", "one of " + ", ".join(GEMMA), config.language))
    widths = {name: (size.width, size.mlp_width) for name, size in GEMMA.items()}
    own = (config.expert.width, config.expert.mlp_width)
    expert = next((name for name, size in widths.items() if size == own), None)
    if expert is None:
        pairs.append(("expert", f"one of {widths}", own))
    for name, wanted, found in pairs:
        if wanted != found:
            raise CheckpointError(
                contents.folder,
                f"{refused}: {name}: wanted {wanted}, found {found}",
            )
    assert language is not None and expert is not None
    return language, expert


def _config(
    contents: Contents, stats: NormStats | None, excluded: list[str], dtype: torch.dtype | None
) -> dict[str, Any]:
    """Make LeRobot's config.json; other keys keep LeRobot's defaults."""
    config = contents.config
    language, expert = _size_names(contents)
    pixels = config.vision.image_size
    entries = len(stats.dimensions) if stats else config.action_dim
    inputs = {
        CAMERA + name: {"type": "VISUAL", "shape": [3, pixels, pixels]}
        for name in contents.policy_cameras
    }
    inputs[STATE] = {"type": "STATE", "shape": [entries]}
    kinds = {DTYPES[t.dtype] for t in contents.tensors.values()} if dtype is None else {dtype}
    prefix = contents.training.max_prefix
    return {
        "type": config.variant,
        # LeRobot has prefix training for π0.5 only.
        **({PREFIX: prefix} if prefix and config.variant == "pi05" else {}),
        "input_features": inputs,
        "output_features": {ACTION: {"type": "ACTION", "shape": [entries]}},
        "normalization_mapping": _METHODS,
        "paligemma_variant": language,
        "action_expert_variant": expert,
        "dtype": "float32" if kinds == {torch.float32} else "bfloat16",
        "chunk_size": config.horizon,
        "n_action_steps": config.horizon,
        "max_state_dim": config.action_dim,
        "max_action_dim": config.action_dim,
        "num_inference_steps": config.flow_steps,
        "image_resolution": [pixels, pixels],
        "tokenizer_max_length": config.max_prompt_tokens,
        "use_relative_actions": bool(stats and stats.relative.any()),
        "relative_exclude_joints": excluded,
        "action_feature_names": list(stats.names) if stats else None,
        "push_to_hub": False,
    }


def _excluded(folder: Path, stats: NormStats) -> list[str]:
    """Return the texts that mark absolute actions in LeRobot, by their names.

    Raises:
        CheckpointError: The name of an absolute action is part of a relative one's.
    """
    absolute = [d.name for d in stats.dimensions if not d.relative]
    if stats.relative.any() and relative_flags(list(stats.names), absolute) != tuple(
        stats.relative.tolist()
    ):
        raise CheckpointError(
            folder,
            "LeRobot tells absolute actions by a part of their names, and one of "
            f"{', '.join(absolute)} is part of a relative one's; rename it",
        )
    return absolute


def _write_processors(folder: Path, config: dict[str, Any], stats: NormStats) -> None:
    """Write the steps before and after the model, and their statistics."""
    vectors = {
        f"{vector}.{quantile}": torch.tensor(
            [getattr(dimension, f"{kind}_{quantile}") for dimension in stats.dimensions],
            dtype=torch.float32,
        )
        for vector, kind in ((STATE, "state"), (ACTION, "action"))
        for quantile in ("q01", "q99")
    }
    outputs = config["output_features"]
    relative = {
        "enabled": config["use_relative_actions"],
        "exclude_joints": config["relative_exclude_joints"],
        "action_names": config["action_feature_names"],
    }
    tokenizer = {
        "max_length": config["tokenizer_max_length"],
        "task_key": "task",
        "padding_side": "right",
        "padding": "max_length",
        "truncation": True,
        "tokenizer_name": _TOKENIZER,
    }
    cpu = {"device": "cpu", "float_dtype": None}
    before = [
        ("rename_observations_processor", {"rename_map": {}}),
        ("to_batch_processor", {}),
        ("relative_actions_processor", relative),
        ("normalizer_processor", _normalizer({**config["input_features"], **outputs})),
        ("pi05_prepare_state_tokenizer_processor_step", {}),
        ("tokenizer_processor", tokenizer),
        ("device_processor", cpu),
    ]
    after = [
        ("unnormalizer_processor", _normalizer(outputs)),
        ("absolute_actions_processor", {"enabled": relative["enabled"]}),
        ("device_processor", cpu),
    ]
    for file, steps in ((PREPROCESSOR, before), (POSTPROCESSOR, after)):
        name = file.removesuffix(".json")
        entries = []
        for index, (step, options) in enumerate(steps):
            entry: dict[str, Any] = {"registry_name": step, "config": options}
            if step.endswith("normalizer_processor"):
                entry["state_file"] = f"{name}_step_{index}_{step}.safetensors"
                write_safetensors(folder / entry["state_file"], vectors)
            entries.append(entry)
        write_json(folder / file, {"name": name, "steps": entries})


def _normalizer(features: dict[str, Any]) -> dict[str, Any]:
    return {"eps": 1e-8, "features": features, "norm_map": _METHODS}
