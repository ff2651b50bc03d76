"""LoRA adapters as peft writes them, at tiny sizes."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors.torch
import torch

ROOT = "base_model.model.model."
Q_PROJ = "paligemma_with_expert.paligemma.model.language_model.layers.0.self_attn.q_proj"


def write_adapter(folder: Path, tensors: dict[str, torch.Tensor], **config: object) -> Path:
    """Write an adapter of rank 2 and alpha 6; `config` changes or adds keys.

    Args:
        folder: New folder.
        tensors: By their names after `base_model.model.model.`.
        config: Keys of adapter_config.json.
    """
    folder.mkdir()
    content = {
        "peft_type": "LORA",
        "r": 2,
        "lora_alpha": 6,
        "base_model_name_or_path": "lerobot/pi05_base",
        "bias": "none",
        "fan_in_fan_out": False,
        "use_rslora": False,
        "use_dora": False,
        "rank_pattern": {},
        "alpha_pattern": {},
        "modules_to_save": None,
        "init_lora_weights": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(content | config))
    named = {ROOT + name: tensor.contiguous() for name, tensor in tensors.items()}
    safetensors.torch.save_file(named, folder / "adapter_model.safetensors")
    return folder


def counting(*shape: int, start: int = 1) -> torch.Tensor:
    """Small whole numbers in float32, different in every place of a row."""
    size = torch.Size(shape).numel()
    return ((torch.arange(size) + start) % 7 - 3).float().reshape(shape)
