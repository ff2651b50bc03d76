"""Miniatures of public checkpoints: the layouts as their authors write them, at tiny sizes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from fakes import vocabulary
from pi05_ros.checkpoints.layouts import lerobot_writing, public_sizes
from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.model.config import ExpertConfig, ModelConfig, load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights

TINY = load_preset("tiny")
LANGUAGE = replace(TINY.language, vocabulary=vocabulary.PIECES + 1024 + 128)
EXPERT_SIZE = replace(LANGUAGE, width=TINY.expert.width, mlp_width=TINY.expert.mlp_width)
CONFIG = replace(
    TINY,
    name="pi05",
    language=LANGUAGE,
    expert=ExpertConfig(EXPERT_SIZE.width, EXPERT_SIZE.mlp_width),
    tokenizer="paligemma",
    max_text_tokens=ModelConfig().max_text_tokens,
)
HEAD = "paligemma_with_expert.paligemma.lm_head.weight"
EMBEDDING = "paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight"
EXPERT_HEAD = "paligemma_with_expert.gemma_expert.lm_head.weight"


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the public names of sizes mean tiny ones."""
    monkeypatch.setitem(public_sizes.GEMMA, "gemma_2b", LANGUAGE)
    monkeypatch.setitem(public_sizes.GEMMA, "gemma_300m", EXPERT_SIZE)
    for module in (public_sizes, lerobot_writing):
        monkeypatch.setattr(module, "VISION", TINY.vision)


def public_tensors(variant: str = "pi05", seed: int = 0) -> dict[str, torch.Tensor]:
    """A drawn model under LeRobot's names without `model.`, the two heads included."""
    model = Pi05(replace(CONFIG, variant=variant))
    draw_weights(model, seed, adaptive_scale=1.0)
    tensors = {public_name(name): p.detach() for name, p in model.named_parameters()}
    tensors[HEAD] = tensors[EMBEDDING].clone()
    if variant != "pi0_fast":
        tensors[EXPERT_HEAD] = torch.ones(LANGUAGE.vocabulary, EXPERT_SIZE.width)
    return tensors


def our_tensors(variant: str = "pi05", seed: int = 0) -> dict[str, torch.Tensor]:
    """The same model under our names."""
    model = Pi05(replace(CONFIG, variant=variant))
    draw_weights(model, seed, adaptive_scale=1.0)
    return model.state_dict()


def write_tokenizer(folder: Path) -> Path:
    """PaliGemma's tokenizer in miniature."""
    path = folder / "tokenizer.model"
    path.write_bytes(vocabulary.train())
    return path


def write_lerobot(
    folder: Path, tensors: dict[str, torch.Tensor], kind: str = "pi05", **changes: object
) -> Path:
    """LeRobot's layout, as `save_pretrained` writes it."""
    folder.mkdir()
    config = {
        "type": kind,
        "n_obs_steps": 1,
        "input_features": {
            "observation.images.base_0_rgb": {"type": "VISUAL", "shape": [3, 28, 28]},
            "observation.images.left_wrist_0_rgb": {"type": "VISUAL", "shape": [3, 28, 28]},
            "observation.state": {"type": "STATE", "shape": [32]},
        },
        "output_features": {"action": {"type": "ACTION", "shape": [32]}},
        "paligemma_variant": "gemma_2b",
        "action_expert_variant": "gemma_300m",
        "dtype": "float32",
        "chunk_size": 50,
        "max_state_dim": 32,
        "max_action_dim": 32,
        "image_resolution": [28, 28],
        "use_relative_actions": False,
    }
    (folder / "config.json").write_text(json.dumps(config | changes))
    named = {"model." + name: tensor for name, tensor in tensors.items()}
    safetensors.torch.save_file(named, folder / "model.safetensors")
    return folder


def write_processor(
    folder: Path, methods: dict[str, str], vectors: dict[str, list[float]]
) -> None:
    """LeRobot's preprocessor with its statistics."""
    state = "policy_preprocessor_step_3_normalizer_processor.safetensors"
    steps = [
        {"registry_name": "to_batch_processor", "config": {}},
        {
            "registry_name": "normalizer_processor",
            "config": {"eps": 1e-8, "features": {}, "norm_map": methods},
            "state_file": state,
        },
    ]
    content = {"name": "policy_preprocessor", "steps": steps}
    (folder / "policy_preprocessor.json").write_text(json.dumps(content))
    tensors = {name: torch.tensor(values) for name, values in vectors.items()}
    safetensors.torch.save_file(tensors, folder / state)


def write_openpi(folder: Path, tensors: dict[str, torch.Tensor]) -> Path:
    """openpi's layout, as its conversion from JAX writes it: tied tensors once."""
    folder.mkdir()
    config = {
        "action_dim": 32,
        "action_horizon": 10,
        "paligemma_variant": "gemma_2b",
        "action_expert_variant": "gemma_300m",
        "precision": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config))
    kept = {name: tensor for name, tensor in tensors.items() if name != EMBEDDING}
    safetensors.torch.save_file(kept, folder / "model.safetensors")
    return folder


def write_assets(folder: Path, asset: str, state: dict, actions: dict) -> None:
    """openpi's statistics of one data set."""
    path = folder / "assets" / asset
    path.mkdir(parents=True)
    content = {"norm_stats": {"state": state, "actions": actions}}
    (path / "norm_stats.json").write_text(json.dumps(content))
