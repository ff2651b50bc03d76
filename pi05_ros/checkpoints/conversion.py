"""Conversion between layouts, tensor by tensor: no model is built, and little memory is used."""

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
SMALL_FILES = 64 << 20  # Free bytes required in addition to weights and tokenizer.


def bytes_to_write(contents: Contents, to: Target, dtype: torch.dtype | None) -> int:
    """Size of the weights in the new checkpoint [byte].

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
    documents: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> str:
    """Write a checkpoint in another layout, dtype or with other parts.

    Args:
        contents: Of the source.
        target: New folder, which appears only when it is complete on the disk.
        to: Layout of the target.
        dtype: Of the weights; None: unchanged.
        tokenizer: File that replaces the source's tokenizer; None: the source's.
        fast_tokenizer: File or public folder that replaces the source's; None: the source's.
        norm_stats: Statistics by platform name, added to the source's.
        platform: Name of the platform whose statistics a LeRobot checkpoint gets.
        policy_cameras: Cameras, if the source does not state them.
        cameras: The platform's names for the source's cameras, one each, in the order of the
            weights; public weights name the cameras of the robots that they were trained on.
        documents: Texts for people by file name, such as README.md. They are not in the
            manifest, so that they may be edited. For our layout only.
        progress: Called with the number of bytes just written.

    Returns:
        A note on the weights for the user; empty: none.

    Raises:
        CheckpointError: The source is broken, the target exists, or the disk is too full.
    """
    statistics = {**contents.norm_stats, **(norm_stats or {})}
    source_cameras = contents.policy_cameras
    if (
        cameras
        and source_cameras
        and (len(cameras) != len(source_cameras) or len(set(cameras)) < len(cameras))
    ):
        raise CheckpointError(
            contents.folder,
            f"wanted a camera of its own for each of {', '.join(source_cameras)}, "
            f"found {', '.join(cameras)}",
        )
    contents = replace(contents, policy_cameras=cameras or source_cameras or policy_cameras)
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
                stats = _lerobot_stats(contents, statistics, platform)
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
                for name, text in (documents or {}).items():
                    (folder / name).write_text(text, encoding="utf-8")
            check.finish()
    finally:
        check.close()
    return note


def _lerobot_stats(
    contents: Contents, statistics: Mapping[str, NormStats], platform: str
) -> NormStats | None:
    """Choose the statistics of a LeRobot checkpoint, which holds those of one robot."""
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
    """Raise CheckpointError unless the disk has `size` bytes and those of the small files free."""
    parent = target.absolute().parent
    with readable(parent):
        while not parent.exists():
            parent = parent.parent
        free = shutil.disk_usage(parent).free
    if free < (wanted := size + SMALL_FILES):
        raise CheckpointError(
            target, f"wanted {wanted / 1e9:.2f} GB free on its disk, found {free / 1e9:.2f} GB"
        )
