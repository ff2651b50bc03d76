"""Merging of a LoRA adapter into the checkpoint that it was trained on.

W + s·B·A with s = alpha / rank, or alpha / √rank (`use_rslora`), as peft's `merge` computes it
(`tuners/lora/layer.py`); here in float32 and window by window, as the weights are written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from pi05_ros.checkpoints.layouts.adapter import CONFIG, Adapter, LowRank, is_adapter, read_adapter
from pi05_ros.checkpoints.layouts.contents import Contents
from pi05_ros.checkpoints.layouts.lerobot import is_lerobot, lerobot_settings
from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.checkpoints.layouts.public_weights import HEAD, UNUSED, canonical_name
from pi05_ros.checkpoints.storage.files import CheckpointError, read_mapping, readable
from pi05_ros.checkpoints.storage.safetensors_file import (
    StoredTensor,
    check_finite,
    read_into,
)
from pi05_ros.checkpoints.storage.tokenizer_files import tokenizer_file
from pi05_ros.model.config import ModelConfig


@dataclass(frozen=True, eq=False)
class _Sum:
    """The values of a weight with scale · left @ right added."""

    left: Tensor  # (rows, rank) float32.
    right: Tensor  # (rank, columns) float32.

    def __call__(self, first: int, values: Tensor) -> Tensor:
        """Add the product's values from index `first` on; float32."""
        columns = self.right.shape[1]
        begin, end = first // columns, math.ceil((first + len(values)) / columns)
        product = (self.left[begin:end] @ self.right).view(-1)
        skipped = first - begin * columns
        return values.float() + product[skipped : skipped + len(values)]


def merge_adapter(
    folder: Path, base: Contents, model_config: ModelConfig | None = None
) -> Contents:
    """Merge an adapter into a checkpoint; values are added when they are read.

    Cameras, horizon, statistics and tokenizer are the adapter's where its folder has them, since
    it was trained with them, else the base's.

    Args:
        folder: Of the adapter.
        base: The checkpoint that it was trained on.
        model_config: Sizes, if they are not those named in config.json.

    Raises:
        CheckpointError: It is no LoRA that can be merged, or not one of this base.
    """
    if not folder.is_dir() or not is_adapter(folder):
        raise CheckpointError(
            folder, f"is no adapter (it has no {CONFIG}), and --base is for adapters; leave it out"
        )
    with readable(folder):
        adapter = read_adapter(folder)
        merged = replace(
            base,
            tensors=_merged(adapter, base),
            description=f"{base.description}, with the LoRA adapter {folder.name}",
            training=replace(
                base.training,
                step=None,
                origin=f"{base.training.origin}; LoRA adapter {folder.name}",
            ),
            tokenizer=tokenizer_file(folder) or base.tokenizer,
        )
        path = folder / "config.json"
        content = read_mapping(path) if path.exists() else {}
        return _trained_with(merged, folder, model_config) if is_lerobot(content) else merged


def _trained_with(merged: Contents, folder: Path, model_config: ModelConfig | None) -> Contents:
    """Take over what LeRobot wrote beside the adapter."""
    settings = lerobot_settings(folder, model_config)
    own, base = settings.config, merged.config
    for part in ("variant", "vision", "compact_vision", "language", "expert", "action_dim"):
        wanted, found = getattr(base, part), getattr(own, part)
        if wanted != found:
            raise CheckpointError(
                folder / "config.json",
                f"is of another model than the base {merged.folder}: {part}: wanted {wanted}, "
                f"found {found}; name the checkpoint that it was trained on with --base",
            )
    has_stats = bool(settings.norm_stats or settings.unnamed_stats)
    return replace(
        merged,
        config=replace(
            base,
            horizon=own.horizon,
            flow_steps=own.flow_steps,
            max_prompt_tokens=own.max_prompt_tokens,
        ),
        training=replace(merged.training, max_prefix=settings.max_prefix),
        policy_cameras=settings.policy_cameras or merged.policy_cameras,
        norm_stats=settings.norm_stats if has_stats else merged.norm_stats,
        unnamed_stats=settings.unnamed_stats if has_stats else merged.unnamed_stats,
    )


def _merged(adapter: Adapter, base: Contents) -> dict[str, StoredTensor]:
    """The base's tensors by our names, those of the adapter changed or replaced."""
    ours = {public_name(name): name for name in base.tensors}
    tensors = dict(base.tensors)
    changed = 0
    for module, low_rank in adapter.low_rank.items():
        if canonical_name(f"{module}.weight") in UNUSED:
            continue
        name = _of_base(f"{module}.weight", low_rank.a, ours, base)
        tensors[name] = _with(low_rank, tensors[name])
        changed += 1
    for theirs, tensor in adapter.whole.items():
        if canonical_name(theirs) in UNUSED:
            continue
        name = _of_base(theirs, tensor, ours, base)
        if tensor.shape != base.tensors[name].shape:
            raise CheckpointError(
                tensor.path,
                f"'{tensor.name}': wanted shape {base.tensors[name].shape} as the base's, found "
                f"{tensor.shape}",
            )
        if tensors[name].change is not None:
            raise CheckpointError(
                tensor.path, f"'{tensor.name}' is given whole and as a LoRA; wanted one of them"
            )
        tensors[name] = tensor
        changed += 1
    if not changed:
        raise CheckpointError(
            adapter.folder, "changes no weight of the model; wanted a trained one"
        )
    _check_saved(adapter, base)
    return tensors


def _of_base(theirs: str, tensor: StoredTensor, ours: dict[str, str], base: Contents) -> str:
    """Our name for the base's tensor of a public name."""
    name = canonical_name(theirs)
    if name == HEAD:
        raise CheckpointError(
            tensor.path,
            f"'{tensor.name}' changes the language model's head, which Gemma ties to the "
            "embedding: the two would differ; train the adapter without lm_head",
        )
    if name not in ours:
        raise CheckpointError(
            tensor.path,
            f"'{tensor.name}' belongs to no part of the base {base.folder}; name the checkpoint "
            "that the adapter was trained on with --base",
        )
    return ours[name]


def _with(low_rank: LowRank, weight: StoredTensor) -> StoredTensor:
    """A weight that is changed as it is read."""
    a, b = (_matrix(tensor) for tensor in (low_rank.a, low_rank.b))
    left, right = b.flatten(1), a.flatten(1)
    if low_rank.transposed:
        left, right = right.T.contiguous(), left.T.contiguous()
    found = (left.shape[0], right.shape[1])
    if found != (wanted := (weight.shape[0], math.prod(weight.shape[1:]))):
        raise CheckpointError(
            low_rank.a.path,
            f"'{low_rank.a.name}': wanted a change of {wanted} values for '{weight.name}' of the "
            f"base, found {found}",
        )
    return replace(weight, change=_Sum(left * low_rank.scale, right))


def _matrix(tensor: StoredTensor) -> Tensor:
    values = torch.empty(tensor.shape, dtype=torch.float32)
    read_into(tensor, values)
    check_finite(tensor.path, tensor.name, values)
    return values


def _check_saved(adapter: Adapter, base: Contents) -> None:
    """Raise when the config says that a module was trained whole, and its tensors are missing."""
    whole = [canonical_name(name) for name in adapter.whole]
    for module in adapter.modules_to_save:
        ending = tuple(f".{module}.{parameter}" for parameter in ("weight", "bias"))
        for name in base.tensors:
            theirs = public_name(name)
            if f".{theirs}".endswith(ending) and theirs not in whole:
                raise CheckpointError(
                    adapter.folder,
                    f"says modules_to_save '{module}', and '{theirs}' is missing in its file",
                )
