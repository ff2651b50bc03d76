"""From one layout into another, tensor by tensor: no model is built, and little memory is used."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from pi05_ros.checkpoints.layouts.contents import Contents
from pi05_ros.checkpoints.layouts.lerobot_writing import lerobot_tensors, write_lerobot
from pi05_ros.checkpoints.layouts.native import (
    FORMAT,
    STATS,
    ConfigFile,
    bytes_of,
    norm_stats_json,
    write_native,
)
from pi05_ros.checkpoints.layouts.public_weights import check_tied
from pi05_ros.checkpoints.storage.files import CheckpointError, new_folder, readable, write_json
from pi05_ros.checkpoints.storage.manifest import ManifestCheck, write_manifest
from pi05_ros.checkpoints.storage.tokenizer_files import read_fast, read_tokenizer, write_tokenizer
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.text.fast import FAST_FILE

Target = Literal["pi05_ros", "lerobot"]
SMALL_FILES = 64 << 20  # Bytes that a disk shall have beside weights and tokenizer.


def bytes_to_write(contents: Contents, to: Target, dtype: torch.dtype | None) -> int:
    """Bytes of the weights in the new checkpoint.

    Raises:
        CheckpointError: The layout cannot hold the model.
    """
    tensors = contents.tensors if to == "pi05_ros" else lerobot_tensors(contents, dtype)
    return sum(bytes_of(tensor, dtype) for tensor in tensors.values())


def convert(
    contents: Contents,
    target: Path,
    *,
    to: Target = "pi05_ros",
    dtype: torch.dtype | None = None,
    tokenizer: Path | None = None,
    fast_tokenizer: Path | None = None,
    norm_stats: Mapping[str, NormStats] | None = None,
    platform: str = "",
    policy_cameras: tuple[str, ...] = (),
    cameras: tuple[str, ...] = (),
    progress: Callable[[int], None] | None = None,
) -> str:
    """Writes a checkpoint anew.

    Args:
        contents: Of the source.
        target: New folder, which appears once all of it is on the disk.
        to: Its layout.
        dtype: Of its weights; None: as they are.
        tokenizer: A file that takes the place of the source's, or of none.
        fast_tokenizer: Likewise, a file or a public folder.
        norm_stats: Statistics by platform name, added to the source's.
        platform: Whose statistics a LeRobot checkpoint shall hold.
        policy_cameras: Where the source does not say them.
        cameras: The robot's names for the source's, one each, in the order of the weights:
            public weights name the cameras of the robots that they were trained on.
        progress: Called with the number of bytes that were just written.

    Returns:
        What a user should know of the weights; empty: nothing.

    Raises:
        CheckpointError: The source is broken, the target is there, or the disk is too full.
    """
    statistics = {**contents.norm_stats, **(norm_stats or {})}
    theirs = contents.policy_cameras
    if cameras and theirs and (len(cameras) != len(theirs) or len(set(cameras)) < len(cameras)):
        raise CheckpointError(
            contents.folder,
            f"wanted a camera of its own for each of {', '.join(theirs)}, "
            f"found {', '.join(cameras)}",
        )
    contents = replace(contents, policy_cameras=cameras or theirs or policy_cameras)
    path = tokenizer or contents.tokenizer
    if path is None:
        raise CheckpointError(
            contents.folder,
            "holds no tokenizer; give PaliGemma's tokenizer.json or tokenizer.model with "
            "--tokenizer (it lies beside the weights of google/paligemma-3b-pt-224)",
        )
    vocabulary = read_tokenizer(path, contents.config)
    fast_path = fast_tokenizer or contents.fast
    fast = read_fast(fast_path, vocabulary) if fast_path else None
    _check_disk(target, bytes_to_write(contents, to, dtype) + path.stat().st_size)
    check = ManifestCheck(contents.folder, contents.records, hashes=True)
    try:
        note = check_tied(contents.tied, contents.config)
        with new_folder(target) as folder:
            if to == "lerobot":
                stats = _chosen(contents, statistics, platform)
                write_lerobot(folder, contents, stats, dtype, progress)
                if statistics:
                    write_json(folder / STATS, norm_stats_json(statistics))
                write_tokenizer(folder, vocabulary)
            else:
                config = ConfigFile(
                    FORMAT,
                    contents.description,
                    contents.config,
                    contents.training,
                    contents.policy_cameras,
                    contents.planner_cameras,
                )
                write_native(folder, config, contents.tensors, statistics, dtype, progress)
                write_tokenizer(folder, vocabulary)
                if fast:
                    fast.save(folder / FAST_FILE)
                write_manifest(folder)
            check.finish()
    finally:
        check.close()
    return note


def _chosen(
    contents: Contents, statistics: Mapping[str, NormStats], platform: str
) -> NormStats | None:
    """The statistics that go into a LeRobot checkpoint, which knows one robot."""
    if platform and platform in statistics:
        return statistics[platform]
    if platform or len(statistics) > 1:
        raise CheckpointError(
            contents.folder,
            f"wanted --platform, one of {', '.join(statistics) or 'none'}, found "
            f"{platform or 'nothing'}: a LeRobot checkpoint is for one robot",
        )
    return next(iter(statistics.values()), None)


def _check_disk(target: Path, size: int) -> None:
    """Raises CheckpointError unless the disk has room for `size` bytes and the small files."""
    parent = target.absolute().parent
    with readable(parent):
        while not parent.exists():
            parent = parent.parent
        free = shutil.disk_usage(parent).free
    if free < (wanted := size + SMALL_FILES):
        raise CheckpointError(
            target, f"wanted {wanted / 1e9:.2f} GB free on its disk, found {free / 1e9:.2f} GB"
        )
