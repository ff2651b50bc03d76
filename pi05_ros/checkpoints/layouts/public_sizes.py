"""Sizes of the public code, by its names for them (openpi, `models/gemma.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pi05_ros.checkpoints.storage.files import CheckpointError
from pi05_ros.errors import did_you_mean
from pi05_ros.model.config import (
    ExpertConfig,
    LanguageConfig,
    ModelConfig,
    Variant,
    VisionConfig,
)

# Gemma's sizes with PaliGemma's vocabulary. An expert shares depth and heads.
GEMMA: dict[str, LanguageConfig] = {
    "gemma_2b": LanguageConfig(),
    "gemma_300m": LanguageConfig(width=1024, mlp_width=4096),
    "dummy": LanguageConfig(width=64, depth=4, mlp_width=128, head_dim=16),
}
VISION = VisionConfig()  # Fixed in the public code.


def public_config(
    where: Path,
    content: Mapping[str, Any],
    *,
    variant: Variant,
    action_dim: int,
    horizon: int,
    max_prompt_tokens: int,
    flow_steps: int = 10,
) -> ModelConfig:
    """Make the config of a public checkpoint.

    Args:
        where: Path of config.json, for error messages.
        content: Contents of config.json; `paligemma_variant` and `action_expert_variant` are used.
        variant: Of the model.
        action_dim: See ModelConfig.
        horizon: Actions in a chunk.
        max_prompt_tokens: Longest prompt.
        flow_steps: Euler steps.

    Raises:
        CheckpointError: A size is unknown, or expert and language model do not fit.
    """
    language = _size(where, content, "paligemma_variant")
    expert = _size(where, content, "action_expert_variant")
    for name in ("depth", "heads", "kv_heads", "head_dim"):
        if getattr(language, name) != getattr(expert, name):
            raise CheckpointError(
                where,
                f"wanted an expert of {name} {getattr(language, name)} as the language model's, "
                f"found {getattr(expert, name)}",
            )
    try:
        return ModelConfig(
            name=variant,
            variant=variant,
            vision=VISION,
            language=language,
            expert=ExpertConfig(expert.width, expert.mlp_width),
            tokenizer="paligemma",
            action_dim=action_dim,
            horizon=horizon,
            flow_steps=flow_steps,
            max_prompt_tokens=max_prompt_tokens,
        )
    except (TypeError, ValueError) as error:
        raise CheckpointError(where, str(error)) from error


def _size(where: Path, content: Mapping[str, Any], key: str) -> LanguageConfig:
    name = content.get(key)
    if not isinstance(name, str) or name not in GEMMA:
        hint = did_you_mean(str(name), GEMMA)
        if isinstance(name, str) and name.endswith("_lora"):
            hint = "; merge the LoRA weights into the model first"
        raise CheckpointError(where, f"wanted {key} of {', '.join(GEMMA)}, found {name!r}{hint}")
    return GEMMA[name]


def whole_number(
    where: Path, content: Mapping[str, Any], key: str, default: int | None = None
) -> int:
    """Read a positive integer of a config.json.

    Raises:
        CheckpointError: It is missing and there is no default, or it is no positive integer.
    """
    value = content.get(key, default)
    if type(value) is not int or value < 1:
        raise CheckpointError(where, f"wanted '{key}', a whole number from 1 up, found {value!r}")
    return value
