"""LeRobot's layout, as written by `save_pretrained` of PI05Policy and similar ones (7427f318).

    config.json                 "type": one of TYPES; sizes by name, cameras, horizon
    model.safetensors           the policy's state dict, `model.` before each name; or shards
    policy_preprocessor.json    the steps before the model, normalisation among them
    policy_preprocessor_step_*_normalizer_processor.safetensors    statistics of that step

It contains no tokenizer: LeRobot downloads PaliGemma's at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pi05_ros.checkpoints.layouts.contents import Contents, Training
from pi05_ros.checkpoints.layouts.native import STATS, read_norm_stats
from pi05_ros.checkpoints.layouts.public_sizes import public_config, whole_number
from pi05_ros.checkpoints.layouts.public_weights import public_weights, variant_of
from pi05_ros.checkpoints.layouts.unnamed_stats import UnnamedStats, low_and_high
from pi05_ros.checkpoints.storage.files import CheckpointError, existing_file, read_mapping
from pi05_ros.checkpoints.storage.manifest import check_name
from pi05_ros.checkpoints.storage.safetensors_file import DTYPES, read_header, read_into
from pi05_ros.checkpoints.storage.tokenizer_files import tokenizer_file
from pi05_ros.model.config import ModelConfig, Variant
from pi05_ros.model.normalization import NormStats

# Policy type → variant. pi052 and pi05_subtask train π0.5's weights with prompts of their own for
# subtasks; their tensors are compared with π0.5's like any.
TYPES: dict[str, Variant] = {
    "pi05": "pi05",
    "pi0": "pi0",
    "pi0_fast": "pi0_fast",
    "pi052": "pi05",
    "pi05_subtask": "pi05",
}
PREPROCESSOR = "policy_preprocessor.json"
STATE, ACTION = "observation.state", "action"
CAMERA = "observation.images."
PREFIX = "rtc_training_max_delay"  # Of pi05: the prefix in training is 0 to this, inclusive.
_PROMPT_TOKENS = {"pi05": 200, "pi0": 48, "pi0_fast": 200}  # LeRobot's defaults.
# Switches that change the architecture, and are off in the public weights.
_FOREIGN = ("use_visual_memory", "use_proprioceptive_memory")


def is_lerobot(config: dict[str, Any]) -> bool:
    """Check whether a config.json is LeRobot's."""
    return isinstance(config.get("type"), str)


@dataclass(frozen=True)
class LerobotSettings:
    """What a folder says beside its weights."""

    kind: str  # Policy type, one of TYPES.
    config: ModelConfig
    max_prefix: int
    policy_cameras: tuple[str, ...]
    norm_stats: Mapping[str, NormStats]
    unnamed_stats: tuple[UnnamedStats, ...]


def read_lerobot(folder: Path, model_config: ModelConfig | None = None) -> Contents:
    """Read a folder without the values of its weights.

    Args:
        folder: The checkpoint.
        model_config: Sizes, if they are not those named in config.json.

    Raises:
        CheckpointError: It is of another model, or its parts do not fit.
    """
    path = folder / "config.json"
    if read_mapping(path).get("use_peft"):
        raise CheckpointError(
            path,
            "says use_peft true, and there is no adapter_config.json beside it: put the adapter's "
            "files here and merge it with `./pi05 checkpoint convert ADAPTER NEW --base "
            "CHECKPOINT`, or write use_peft false if the weights contain it already",
        )
    settings = lerobot_settings(folder, model_config)
    kind, config = settings.kind, settings.config
    if (variant := variant_of(folder)) not in (None, config.variant):
        raise CheckpointError(path, f"wanted weights of {config.variant}, found {variant}'s")
    weights = public_weights(folder, config)
    own_prompts = "" if kind == config.variant else f", {config.variant}'s weights, own prompts"
    return Contents(
        layout="lerobot",
        folder=folder,
        config=config,
        tensors=weights.tensors,
        tied=weights.tied,
        training=Training(
            fast=config.variant == "pi0_fast",
            flow=config.variant != "pi0_fast",
            max_prefix=settings.max_prefix,
            origin=f"LeRobot, type {kind}{own_prompts}",
        ),
        description=f"LeRobot's {kind} from {folder.name}",
        policy_cameras=settings.policy_cameras,
        norm_stats=settings.norm_stats,
        unnamed_stats=settings.unnamed_stats,
        tokenizer=tokenizer_file(folder),
    )


def lerobot_settings(folder: Path, model_config: ModelConfig | None = None) -> LerobotSettings:
    """Read config.json and the preprocessor, of a checkpoint or beside an adapter.

    Raises:
        CheckpointError: They are of another model, or broken.
    """
    path = folder / "config.json"
    content = read_mapping(path)
    kind = content.get("type")
    if kind not in TYPES:
        known = ", ".join(TYPES)
        hint = _hint_of_weights(folder)
        raise CheckpointError(path, f"wanted a policy of type {known}, found {kind!r}{hint}")
    for switch in _FOREIGN:
        if content.get(switch):
            raise CheckpointError(
                path,
                f"wanted {switch} false, found {content[switch]!r}: another architecture",
            )
    variant = TYPES[kind]
    config = model_config or public_config(
        path,
        content,
        variant=variant,
        action_dim=whole_number(path, content, "max_action_dim", 32),
        horizon=whole_number(path, content, "chunk_size", 50),
        flow_steps=whole_number(path, content, "num_inference_steps", 10),
        max_prompt_tokens=whole_number(
            path, content, "tokenizer_max_length", _PROMPT_TOKENS[variant]
        ),
    )
    pixels = [config.vision.image_size] * 2
    if content.get("image_resolution", pixels) != pixels:
        raise CheckpointError(
            path, f"wanted image_resolution {pixels}, found {content['image_resolution']!r}"
        )
    stats = folder / STATS  # Written by `lerobot_writing`, with names and units.
    return LerobotSettings(
        kind,
        config,
        _max_prefix(path, content, config),
        _cameras(path, content),
        read_norm_stats(stats) if stats.exists() else {},
        () if stats.exists() else _statistics(folder, content),
    )


def _hint_of_weights(folder: Path) -> str:
    """What the tensors' names say about a folder of an unknown type, as a clause."""
    try:
        variant = variant_of(folder)
    except CheckpointError:
        return ""
    if variant is None:
        return ""
    return (
        f"; its tensors are named as {variant}'s: if it is the same architecture, write "
        f'"type": "{variant}" into config.json'
    )


def _max_prefix(path: Path, content: dict[str, Any], config: ModelConfig) -> int:
    """Largest number of prefix actions in training; 0 in the public weights."""
    if config.variant != "pi05" or not content.get(PREFIX):
        return 0
    most = whole_number(path, content, PREFIX)
    if most >= config.horizon:
        raise CheckpointError(
            path, f"wanted {PREFIX} below the horizon {config.horizon}, found {most}"
        )
    return most


def _cameras(path: Path, content: dict[str, Any]) -> tuple[str, ...]:
    """Names of the cameras, in the order of the policy's inputs."""
    features = content.get("input_features") or {}
    if not isinstance(features, dict) or not all(isinstance(f, dict) for f in features.values()):
        raise CheckpointError(path, "wanted 'input_features', a mapping from names to features")
    names = [name for name, feature in features.items() if feature.get("type") == "VISUAL"]
    return tuple(name.removeprefix(CAMERA) for name in names)


def _statistics(folder: Path, content: dict[str, Any]) -> tuple[UnnamedStats, ...]:
    """Statistics of the preprocessor; older checkpoints have none."""
    path = folder / PREPROCESSOR
    if not path.exists():
        return ()
    steps = read_mapping(path).get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise CheckpointError(path, "wanted 'steps', a list of objects")
    for step in steps:
        if step.get("registry_name") == "normalizer_processor" and step.get("state_file"):
            check_name(str(step["state_file"]), path)
            vectors = _vectors(existing_file(folder / step["state_file"]))
            if STATE not in vectors or ACTION not in vectors:
                return ()  # Nothing is normalised.
            return (_unnamed(path, content, (step.get("config") or {}).get("norm_map"), vectors),)
    return ()


def _unnamed(
    path: Path, content: dict[str, Any], methods: Any, vectors: dict[str, dict[str, torch.Tensor]]
) -> UnnamedStats:
    methods = methods if isinstance(methods, dict) else {}
    state = low_and_high(path, vectors[STATE], str(methods.get("STATE")))
    action = low_and_high(path, vectors[ACTION], str(methods.get("ACTION")))
    return UnnamedStats(PREPROCESSOR, path, *state, *action, _relative(content, len(action[0])))


def _vectors(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Read a step's state file: vector → statistic → values."""
    vectors: dict[str, dict[str, torch.Tensor]] = {}
    for name, stored in read_header(path)[0].items():
        vector, _, statistic = name.rpartition(".")
        values = torch.empty(stored.shape, dtype=DTYPES[stored.dtype])
        read_into(stored, values)
        vectors.setdefault(vector, {})[statistic] = values
    return vectors


def _relative(content: dict[str, Any], count: int) -> tuple[bool, ...] | None:
    """Flags of the actions that are differences to the state; None: not in the config."""
    if not content.get("use_relative_actions"):
        return (False,) * count
    names, excluded = content.get("action_feature_names"), content.get("relative_exclude_joints")
    if not excluded:
        return (True,) * count
    if not isinstance(names, list) or len(names) < count:
        return None
    return relative_flags([str(name) for name in names[:count]], [str(e) for e in excluded])


def relative_flags(names: list[str], excluded: list[str]) -> tuple[bool, ...]:
    """Apply LeRobot's rule: relative unless the name contains one of the excluded texts."""
    return tuple(
        not any(text.lower() in name.lower() for text in excluded if text) for name in names
    )
