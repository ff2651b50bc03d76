"""LeRobot's layout: what `PI05Policy.save_pretrained` and its relatives write (7427f318).

    config.json                 "type": pi05, pi0 or pi0_fast; sizes by name, cameras, horizon
    model.safetensors           the policy's state dict, `model.` before each name; or shards
    policy_preprocessor.json    the steps before the model; one of them normalises
    policy_preprocessor_step_*_normalizer_processor.safetensors    its statistics

There is no tokenizer in it: LeRobot fetches PaliGemma's when it runs.
"""

from __future__ import annotations

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
from pi05_ros.model.config import ModelConfig

TYPES = ("pi05", "pi0", "pi0_fast")
PREPROCESSOR = "policy_preprocessor.json"
STATE, ACTION = "observation.state", "action"
CAMERA = "observation.images."
PREFIX = "rtc_training_max_delay"  # Of pi05: the prefix is drawn from 0 to it, both included.
_PROMPT_TOKENS = {"pi05": 200, "pi0": 48, "pi0_fast": 200}  # LeRobot's defaults.
# Switches that change the architecture, and are off in the public weights.
_FOREIGN = ("use_visual_memory", "use_proprioceptive_memory", "use_peft")


def is_lerobot(config: dict[str, Any]) -> bool:
    """Whether a config.json is LeRobot's."""
    return isinstance(config.get("type"), str)


def read_lerobot(folder: Path, model_config: ModelConfig | None = None) -> Contents:
    """Reads all but the weights' values.

    Args:
        folder: The checkpoint.
        model_config: Sizes, where they are not those that config.json names.

    Raises:
        CheckpointError: It is another model's, or its parts do not fit.
    """
    path = folder / "config.json"
    said = read_mapping(path)
    kind = said.get("type")
    if kind not in TYPES:
        raise CheckpointError(path, f"wanted a policy of type {', '.join(TYPES)}, found {kind!r}")
    for switch in _FOREIGN:
        if said.get(switch):
            raise CheckpointError(
                path,
                f"wanted {switch} false, found {said[switch]!r}: another architecture",
            )
    config = model_config or public_config(
        path,
        said,
        variant=kind,
        action_dim=whole_number(path, said, "max_action_dim", 32),
        horizon=whole_number(path, said, "chunk_size", 50),
        flow_steps=whole_number(path, said, "num_inference_steps", 10),
        max_prompt_tokens=whole_number(path, said, "tokenizer_max_length", _PROMPT_TOKENS[kind]),
    )
    pixels = [config.vision.image_size] * 2
    if said.get("image_resolution", pixels) != pixels:
        raise CheckpointError(
            path, f"wanted image_resolution {pixels}, found {said['image_resolution']!r}"
        )
    if (variant := variant_of(folder)) not in (None, config.variant):
        raise CheckpointError(path, f"wanted weights of {config.variant}, found {variant}'s")
    weights = public_weights(folder, config)
    stats = folder / STATS  # `lerobot_writing` leaves them here, with names and units.
    return Contents(
        layout="lerobot",
        folder=folder,
        config=config,
        tensors=weights.tensors,
        tied=weights.tied,
        training=Training(
            fast=kind == "pi0_fast",
            flow=kind != "pi0_fast",
            max_prefix=_max_prefix(path, said, config),
            origin=f"LeRobot, type {kind}",
        ),
        description=f"LeRobot's {kind} from {folder.name}",
        policy_cameras=_cameras(path, said),
        norm_stats=read_norm_stats(stats) if stats.exists() else {},
        unnamed_stats=() if stats.exists() else _statistics(folder, said),
        tokenizer=tokenizer_file(folder),
    )


def _max_prefix(path: Path, said: dict[str, Any], config: ModelConfig) -> int:
    """How many rows its training showed at most; 0 in the public weights."""
    if config.variant != "pi05" or not said.get(PREFIX):
        return 0
    most = whole_number(path, said, PREFIX)
    if most >= config.horizon:
        raise CheckpointError(
            path, f"wanted {PREFIX} below the horizon {config.horizon}, found {most}"
        )
    return most


def _cameras(path: Path, said: dict[str, Any]) -> tuple[str, ...]:
    """Names of the pictures, in the order in which the policy takes them."""
    features = said.get("input_features") or {}
    if not isinstance(features, dict) or not all(isinstance(f, dict) for f in features.values()):
        raise CheckpointError(path, "wanted 'input_features', a mapping from names to features")
    names = [name for name, feature in features.items() if feature.get("type") == "VISUAL"]
    return tuple(name.removeprefix(CAMERA) for name in names)


def _statistics(folder: Path, said: dict[str, Any]) -> tuple[UnnamedStats, ...]:
    """What the preprocessor normalises with; older checkpoints have none."""
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
                return ()  # Nothing is normalised then.
            return (_unnamed(path, said, (step.get("config") or {}).get("norm_map"), vectors),)
    return ()


def _unnamed(
    path: Path, said: dict[str, Any], methods: Any, vectors: dict[str, dict[str, torch.Tensor]]
) -> UnnamedStats:
    methods = methods if isinstance(methods, dict) else {}
    state = low_and_high(path, vectors[STATE], str(methods.get("STATE")))
    action = low_and_high(path, vectors[ACTION], str(methods.get("ACTION")))
    return UnnamedStats(PREPROCESSOR, path, *state, *action, _relative(said, len(action[0])))


def _vectors(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Vector → statistic → values, of a step's state file."""
    vectors: dict[str, dict[str, torch.Tensor]] = {}
    for name, stored in read_header(path)[0].items():
        vector, _, statistic = name.rpartition(".")
        values = torch.empty(stored.shape, dtype=DTYPES[stored.dtype])
        read_into(stored, values)
        vectors.setdefault(vector, {})[statistic] = values
    return vectors


def _relative(said: dict[str, Any], count: int) -> tuple[bool, ...] | None:
    """Which actions are differences to the state; None: not to be told from the config."""
    if not said.get("use_relative_actions"):
        return (False,) * count
    names, excluded = said.get("action_feature_names"), said.get("relative_exclude_joints")
    if not excluded:
        return (True,) * count
    if not isinstance(names, list) or len(names) < count:
        return None
    return relative_flags([str(name) for name in names[:count]], [str(e) for e in excluded])


def relative_flags(names: list[str], excluded: list[str]) -> tuple[bool, ...]:
    """LeRobot's rule: an action is relative unless its name holds one of the excluded texts."""
    return tuple(
        not any(text.lower() in name.lower() for text in excluded if text) for name in names
    )
