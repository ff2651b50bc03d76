"""LoRA adapters, as peft's `save_pretrained` writes them (LeRobot's training with `use_peft` too).

    adapter_config.json          rank, alpha and variants of the adapter
    adapter_model.safetensors    low-rank matrices, and whole tensors of `modules_to_save`

LeRobot puts config.json and the preprocessor of its layout beside them. An adapter is not a
checkpoint: it is merged into the weights that it was trained on (`checkpoints.merging`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pi05_ros.checkpoints.layouts.public_weights import split_prefix
from pi05_ros.checkpoints.storage.files import CheckpointError, existing_file, read_mapping
from pi05_ros.checkpoints.storage.safetensors_file import StoredTensor, read_header
from pi05_ros.checkpoints.storage.weights import FLOATS, INDEX, WEIGHTS

CONFIG, MATRICES = "adapter_config.json", "adapter_model.safetensors"
# peft's values for keys that a config lacks.
_RANK, _ALPHA = 8, 8
# Variants whose product is not B·A, or that change more than one weight by it.
_OTHER_MATHS = (
    "use_dora",
    "use_qalora",
    "lora_bias",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
    "arrow_config",
)
# Initial values that leave the base's weights as they are; pissa, olora, corda and others do not.
_PLAIN_INITS = (True, False, None, "gaussian", "eva", "orthogonal")
_WITH_PEFT = "merge it with merge_and_unload of peft, and convert the result"


@dataclass(frozen=True)
class LowRank:
    """The two matrices of one weight."""

    a: StoredTensor  # (rank, inputs, …); of an embedding (rank, entries).
    b: StoredTensor  # (outputs, rank, …).
    scale: float  # Factor of B·A.
    transposed: bool  # Whether the weight is changed by (B·A)ᵀ.


@dataclass(frozen=True)
class Adapter:
    """An adapter without the values of its matrices; names are the public code's."""

    folder: Path
    low_rank: Mapping[str, LowRank]  # Module -> matrices.
    whole: Mapping[str, StoredTensor]  # Tensor that replaces the base's.
    modules_to_save: tuple[str, ...] = ()  # Endings of modules that must be among `whole`.


@dataclass
class _Parts:
    """The tensors of one module while they are collected."""

    path: str  # Of the module in the model that peft wrapped, for patterns of the config.
    found: dict[str, StoredTensor] = field(default_factory=dict)  # "lora_A" -> tensor.


def is_adapter(folder: Path) -> bool:
    """Check whether a folder holds an adapter, alone or beside weights."""
    return (folder / CONFIG).exists() or (folder / MATRICES).exists()


def refuse_adapter(folder: Path) -> None:
    """Raise the CheckpointError of an adapter where whole weights are wanted."""
    if (folder / WEIGHTS).exists() or (folder / INDEX).exists():
        raise CheckpointError(
            folder,
            f"holds whole weights and an adapter ({CONFIG}), and which of them should act is not "
            "said: move the adapter's files into a folder of their own and merge it with "
            "`./pi05 checkpoint convert ADAPTER NEW --base CHECKPOINT`, or remove them if the "
            "weights contain it already",
        )
    content = read_mapping(folder / CONFIG) if (folder / CONFIG).exists() else {}
    base = content.get("base_model_name_or_path") or "a base that it does not name"
    raise CheckpointError(
        folder,
        f"is an adapter ({content.get('peft_type', 'LORA')}) of {base}, not a whole checkpoint: "
        f"merge it with `./pi05 checkpoint convert {folder} NEW --base CHECKPOINT`, where "
        "CHECKPOINT is the folder of the weights that it was trained on",
    )


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter without the values of its matrices.

    Raises:
        CheckpointError: It is no LoRA that can be merged, or it is broken.
    """
    path = existing_file(folder / CONFIG)
    content = read_mapping(path)
    _check_variant(path, content)
    modules: dict[str, _Parts] = {}
    whole: dict[str, StoredTensor] = {}
    for name, tensor in read_header(existing_file(folder / MATRICES))[0].items():
        if tensor.dtype not in FLOATS:
            raise CheckpointError(
                tensor.path, f"'{name}': wanted {' or '.join(FLOATS)}, found {tensor.dtype}"
            )
        module, kind = _place(tensor)
        if not kind:
            if module in whole:
                raise CheckpointError(
                    tensor.path, f"'{name}' and '{whole[module].name}' are the same tensor"
                )
            whole[module] = tensor
        elif kind != "original_module":  # The base's own values, which are not used.
            path_in_model = re.sub(r"^base_model\.model\.", "", name.partition(".lora_")[0])
            parts = modules.setdefault(module, _Parts(path_in_model))
            if kind in parts.found:
                raise CheckpointError(
                    tensor.path, f"'{name}' and '{parts.found[kind].name}' are the same matrix"
                )
            parts.found[kind] = tensor
    saved = content.get("modules_to_save") or []
    return Adapter(
        folder,
        {module: _low_rank(path, content, parts) for module, parts in modules.items()},
        whole,
        tuple(str(module) for module in saved),
    )


def _check_variant(path: Path, content: dict[str, Any]) -> None:
    kind = content.get("peft_type")
    if str(kind).upper() != "LORA":
        raise CheckpointError(path, f"wanted peft_type LORA, found {kind!r}: {_WITH_PEFT}")
    for key in _OTHER_MATHS:
        if content.get(key):
            raise CheckpointError(path, f"wanted no {key}, found {content[key]!r}: {_WITH_PEFT}")
    if (init := content.get("init_lora_weights", True)) not in _PLAIN_INITS:
        raise CheckpointError(
            path,
            f"init_lora_weights is {init!r}, which may have changed the base's own weights: "
            f"{_WITH_PEFT}",
        )


def _place(tensor: StoredTensor) -> tuple[str, str]:
    """Name of the module and kind of matrix ("lora_A"); of a whole tensor its name and ""."""
    name = split_prefix(tensor.name)[1]
    parts = [part for part in name.split(".") if part != "base_layer"]
    at = next((i for i, part in enumerate(parts) if part.startswith("lora_")), None)
    if at is not None:
        kind, rest = parts[at], parts[at + 1 :]
        known = ("lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B")
        # After the kind: the adapter's name, which newer files leave out, and `weight`.
        if kind not in known or len(rest) > 2 or rest[-1:] == ["bias"]:
            raise CheckpointError(
                tensor.path, f"'{tensor.name}' is no matrix of a plain LoRA: {_WITH_PEFT}"
            )
        return ".".join(parts[:at]), kind
    if "original_module" in parts:
        return name, "original_module"
    if "modules_to_save" in parts:
        at = parts.index("modules_to_save")
        # Between it and the parameter may be the adapter's name.
        after = parts[at + 1 :]
        parts = parts[:at] + (after[1:] if len(after) > 1 and after[0] == "default" else after)
    return ".".join(parts), ""


def _low_rank(path: Path, content: dict[str, Any], parts: _Parts) -> LowRank:
    """Pair the matrices of a module, with the factor that its rank and alpha give."""
    embeds = any("embedding" in kind for kind in parts.found)
    middle = "embedding_" if embeds else ""
    a, b = (parts.found.get(f"lora_{middle}{side}") for side in "AB")
    if a is None or b is None or len(parts.found) != 2:
        raise CheckpointError(
            next(iter(parts.found.values())).path,
            f"'{parts.path}': wanted lora_A and lora_B, found {', '.join(sorted(parts.found))}",
        )
    rank = _number(path, content, "rank_pattern", "r", _RANK, parts.path)
    alpha = _number(path, content, "alpha_pattern", "lora_alpha", _ALPHA, parts.path)
    if a.shape[:1] != (rank,) or b.shape[1:2] != (rank,):
        raise CheckpointError(
            a.path,
            f"'{a.name}': wanted matrices of rank {rank:g} as {path.name} says, found shapes "
            f"{a.shape} and {b.shape}",
        )
    scale = alpha / (math.sqrt(rank) if content.get("use_rslora") else rank)
    return LowRank(a, b, scale, transposed=embeds or bool(content.get("fan_in_fan_out")))


def _number(
    path: Path, content: dict[str, Any], patterns: str, key: str, default: float, module: str
) -> float:
    """Value of a module: that of the first pattern which ends its path, else the common one."""
    value = content.get(key, default)
    by_pattern = content.get(patterns) or {}
    if not isinstance(by_pattern, dict):
        raise CheckpointError(path, f"wanted {patterns}, a mapping, found {by_pattern!r:.60}")
    for pattern, own in by_pattern.items():
        try:
            fits = re.match(rf"(.*\.)?({pattern})$", module)
        except re.error as error:
            raise CheckpointError(
                path, f"{patterns}: '{pattern}' is no pattern ({error})"
            ) from error
        if fits:
            value = own
            break
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise CheckpointError(path, f"wanted {key} above 0 for {module}, found {value!r}")
    return float(value)
