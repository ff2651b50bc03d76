"""Loading of weights into a model: files are found, compared by name and shape, then read.

Loading is strict: the first tensor that is missing, unexpected, of a wrong shape or dtype, or not
finite is an error with its file and name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pi05_ros.checkpoints.storage.files import CheckpointError, existing_file, read_mapping
from pi05_ros.checkpoints.storage.manifest import check_name
from pi05_ros.checkpoints.storage.safetensors_file import (
    StoredTensor,
    check_finite,
    read_header,
    read_into,
)
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.pi05 import Pi05

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
FLOATS = ("F32", "BF16", "F16")  # Accepted dtypes of weights in files.
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


def weight_files(folder: Path) -> list[Path]:
    """Find the files of a folder's weights: one file, or the shards of its index.

    Raises:
        CheckpointError: There are none, both forms exist, or the index is not valid.
    """
    single, index = folder / WEIGHTS, folder / INDEX
    if single.exists() and index.exists():
        raise CheckpointError(folder, f"holds both {WEIGHTS} and {INDEX}; wanted one of them")
    if index.exists():
        return [existing_file(folder / name) for name in sorted(set(_shards(index).values()))]
    if not single.exists() and not single.is_symlink():
        pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        note = f"; {', '.join(pickles)} may be pickles, which can run code and are not read"
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise CheckpointError(
            folder, f"{WEIGHTS} is missing (found: {found}{note if pickles else ''})"
        )
    return [existing_file(single)]


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Return all tensors of a folder by the names in its files; values are not read.

    Raises:
        CheckpointError: See `weight_files`; or a file is broken, or contradicts the index.
    """
    found: dict[str, StoredTensor] = {}
    for path in weight_files(folder):
        for name, tensor in read_header(path)[0].items():
            if name in found:
                raise CheckpointError(path, f"'{name}' is also in {found[name].path.name}")
            found[name] = tensor
    index = folder / INDEX
    if index.exists():
        listed = _shards(index)
        for name, shard in listed.items():
            if name not in found or found[name].path.name != shard:
                where = f"in {found[name].path.name}" if name in found else "in no shard"
                raise CheckpointError(index, f"'{name}': wanted in {shard}, found {where}")
        if unlisted := sorted(found.keys() - listed.keys()):
            tensor = found[unlisted[0]]
            raise CheckpointError(tensor.path, f"'{tensor.name}' is not listed in {INDEX}")
    return found


def wanted_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a model, without allocating it."""
    with torch.device("meta"):
        model = Pi05(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def compare(
    where: Path,
    wanted: Mapping[str, tuple[int, ...]],
    found: Mapping[str, StoredTensor],
    theirs: Mapping[str, str] | None = None,
) -> None:
    """Check that names, shapes and dtypes are those of the model.

    Args:
        where: File or folder of the weights.
        wanted: Shapes by our names.
        found: Tensors by our names.
        theirs: Our name → the layout's name, if it differs.

    Raises:
        CheckpointError: For the first tensor that is missing, of a wrong shape or dtype, or
            unexpected.
    """
    for name, shape in wanted.items():
        if name not in found:
            missing = len(wanted.keys() - found.keys())
            called = (theirs or {}).get(name, name)
            raise CheckpointError(
                where,
                f"the tensor '{called}' is missing (wanted {shape}; {missing} missing in all)",
            )
        tensor = found[name]
        label = f"'{tensor.name}'"
        if tensor.shape != shape:
            raise CheckpointError(
                tensor.path, f"{label}: wanted shape {shape}, found {tensor.shape}"
            )
        if tensor.dtype not in FLOATS:
            raise CheckpointError(
                tensor.path, f"{label}: wanted {' or '.join(FLOATS)}, found {tensor.dtype}"
            )
    if extra := sorted(found.keys() - wanted.keys()):
        tensor = found[extra[0]]
        raise CheckpointError(
            tensor.path,
            f"the tensor '{tensor.name}' belongs to no part of the model ({len(extra)} extra)",
        )


def load_model(
    config: ModelConfig,
    tensors: Mapping[str, StoredTensor],
    dtype: torch.dtype,
    device: torch.device | str,
    progress: Callable[[int], None] | None = None,
) -> Pi05:
    """Load a model from tensors that `compare` has checked.

    The model is created without memory, and each tensor is read directly into its final dtype and
    device. In addition to the weights only one window of a file is in memory.

    Args:
        config: Of the model.
        tensors: By our names.
        dtype: Of the weights in memory.
        device: Of the weights.
        progress: Called with the number of bytes just read.

    Raises:
        CheckpointError: A value is not finite, in the file's or in the final dtype.
    """
    with torch.device("meta"):
        model = Pi05(config)
    state: dict[str, Tensor] = {}
    # In the order of the bytes, which is fastest for a disk.
    for name, stored in sorted(tensors.items(), key=lambda item: (item[1].path, item[1].begin)):
        values = torch.empty(stored.shape, dtype=dtype, device=device)
        read_into(stored, values)
        check_finite(stored.path, stored.name, values)
        state[name] = values
        if progress is not None:
            progress(stored.end - stored.begin)
    model.load_state_dict(state, assign=True)
    return model.eval()


def _shards(index: Path) -> dict[str, str]:
    """Read an index: tensor name → file name."""
    shards: Any = read_mapping(index).get("weight_map")
    if not isinstance(shards, dict) or not all(isinstance(s, str) for s in shards.values()):
        raise CheckpointError(index, "wanted 'weight_map', a mapping from tensors to file names")
    if not shards:
        raise CheckpointError(index, "lists no tensor")
    for name in set(shards.values()):
        check_name(name, index)
    return shards
