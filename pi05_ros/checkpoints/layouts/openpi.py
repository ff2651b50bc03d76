"""openpi's PyTorch layout, as written by its JAX conversion and PyTorch training (15a9616).

    model.safetensors                    PI0Pytorch's state dict
    config.json                          sizes by name, horizon; not written by training
    assets/<asset_id>/norm_stats.json    statistics of a data set, entry by entry

No file states whether it is π0.5 or π0: it follows from the names of the expert's tensors.
Relative actions, cameras and the prompt's length are stated only in openpi's source.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pi05_ros.checkpoints.layouts.contents import Contents, Training
from pi05_ros.checkpoints.layouts.public_sizes import public_config, whole_number
from pi05_ros.checkpoints.layouts.public_weights import public_weights, variant_of
from pi05_ros.checkpoints.layouts.unnamed_stats import UnnamedStats, low_and_high
from pi05_ros.checkpoints.storage.files import CheckpointError, read_mapping
from pi05_ros.checkpoints.storage.tokenizer_files import tokenizer_file
from pi05_ros.model.config import ModelConfig, Variant

CAMERAS = ("base_0_rgb", "left_wrist_0_rgb", "right_wrist_0_rgb")  # openpi, `models/model.py`.


def is_openpi(config: dict[str, Any]) -> bool:
    """Check whether a config.json is openpi's."""
    return "paligemma_variant" in config and "type" not in config


def read_openpi(folder: Path, model_config: ModelConfig | None = None) -> Contents:
    """Read a folder without the values of its weights.

    Args:
        folder: The checkpoint.
        model_config: Sizes, if config.json is missing or names others.

    Raises:
        CheckpointError: The parts do not fit.
    """
    variant = variant_of(folder)
    if variant is None:
        raise CheckpointError(
            folder,
            "wanted either 'time_mlp_in.weight' (π0.5) or 'action_time_mlp_in.weight' (π0), "
            "found neither or both",
        )
    config = model_config or _config(folder / "config.json", variant)
    weights = public_weights(folder, config)
    method = "QUANTILES" if config.variant == "pi05" else "MEAN_STD"
    stats = sorted((folder / "assets").rglob("norm_stats.json"))
    return Contents(
        layout="openpi",
        folder=folder,
        config=config,
        tensors=weights.tensors,
        tied=weights.tied,
        training=Training(flow=True, origin=f"openpi, {config.variant}"),
        description=f"openpi's {config.variant} from {folder.name}",
        policy_cameras=CAMERAS,
        unnamed_stats=tuple(_statistics(folder, path, method) for path in stats),
        tokenizer=tokenizer_file(folder),
    )


def _config(path: Path, variant: Variant) -> ModelConfig:
    if not path.exists():
        raise CheckpointError(
            path,
            "is missing (openpi's training writes none): say the sizes with --model, or write it "
            'as {"action_dim": 32, "action_horizon": 50, "paligemma_variant": "gemma_2b", '
            '"action_expert_variant": "gemma_300m"} with the numbers that were trained',
        )
    content = read_mapping(path)
    return public_config(
        path,
        content,
        variant=variant,
        action_dim=whole_number(path, content, "action_dim"),
        horizon=whole_number(path, content, "action_horizon"),
        max_prompt_tokens=200 if variant == "pi05" else 48,  # openpi, `Pi0Config`.
    )


def _statistics(folder: Path, path: Path, method: str) -> UnnamedStats:
    content = read_mapping(path).get("norm_stats")
    if not isinstance(content, dict) or not {"state", "actions"} <= content.keys():
        raise CheckpointError(path, "wanted 'norm_stats' with 'state' and 'actions'")
    name = path.parent.relative_to(folder).as_posix()
    state = low_and_high(path, content["state"], method)
    return UnnamedStats(name, path, *state, *low_and_high(path, content["actions"], method))
