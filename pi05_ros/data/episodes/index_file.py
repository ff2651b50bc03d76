"""Serialization of a bag's index, so that the bag is read once and not at every start."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import numpy as np

from pi05_ros.data.episodes.bag_index import BagIndex, Frames
from pi05_ros.data.episodes.episode import DeviceSpan, PictureBox, Plan, SubtaskLabel

_ARRAYS = ("times_ns", "states", "actions", "modes", "control_sources")


def index_to_bytes(index: BagIndex) -> bytes:
    """Serialize an index as an .npz file."""
    header = {
        "labels": [dataclasses.asdict(label) for label in index.labels],
        "plans": [dataclasses.asdict(plan) for plan in index.plans],
        "devices": [dataclasses.asdict(span) for span in index.devices],
        "left_out": {name: frames.left_out for name, frames in index.frames.items()},
    }
    arrays = {name: getattr(index, name) for name in _ARRAYS}
    for name, frames in index.frames.items():
        arrays[f"frames.{name}"] = np.stack([frames.times_ns, frames.log_ns])
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array(json.dumps(header)), **arrays)
    return buffer.getvalue()


def index_from_bytes(data: bytes) -> BagIndex:
    """The inverse of `index_to_bytes`.

    Raises:
        ValueError: The bytes are damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = dict(file)  # Reads the whole file, which checks the CRC of each array.
        header = json.loads(str(arrays["header"]))
        return BagIndex(
            **{name: arrays[name] for name in _ARRAYS},
            plans=tuple(Plan(**_with_boxes(plan)) for plan in header["plans"]),
            devices=tuple(DeviceSpan(**span) for span in header["devices"]),
            labels=tuple(SubtaskLabel(**_with_boxes(label)) for label in header["labels"]),
            frames={
                name: _frames(arrays[f"frames.{name}"], left_out)
                for name, left_out in header["left_out"].items()
            },
        )
    except (OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"no index of a bag: {error}") from error


def _with_boxes(item: dict) -> dict:
    return {**item, "boxes": tuple(PictureBox(**box) for box in item["boxes"])}


def _frames(rows: np.ndarray, left_out: int) -> Frames:
    times_ns, log_ns = rows
    return Frames(times_ns, log_ns, left_out)
