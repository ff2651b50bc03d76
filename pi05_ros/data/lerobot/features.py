"""Meaning of a dataset's features: colour cameras, depth, and names of vector entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from pi05_ros.data.lerobot import layout as names

Features = Mapping[str, Mapping[str, Any]]

_PICTURES = ("video", "image")
_DEPTH_MARK = "is_depth_map"
_TRUE = (True, "true", "True", "1")  # JSON writers that keep texts only.
# Grey pixels of more than 8 bits hold distances; a grey camera sends 8.
_DEEP_GREY = re.compile(r"^gray(9|1\d|32|f)")


def camera_keys(features: Features) -> dict[str, str]:
    """Map the names of colour cameras to their features; the others are in `not_colour`."""
    left_out = not_colour(features)
    return {
        key.removeprefix(names.IMAGE_PREFIX): key
        for key, feature in features.items()
        if feature["dtype"] in _PICTURES and key not in left_out
    }


def not_colour(features: Features) -> dict[str, str]:
    """Map each picture feature that is no colour camera to the reason, a short noun phrase."""
    found = {}
    for key, feature in features.items():
        if feature["dtype"] not in _PICTURES:
            continue
        shape = feature.get("shape") or (0, 0, 3)
        if is_depth(feature):
            found[key] = "depth"
        elif 3 not in (shape[0], shape[-1]):
            found[key] = f"shape {'x'.join(map(str, shape))}, not 3 channels"
    return found


def is_depth(feature: Mapping[str, Any]) -> bool:
    """Check whether a feature is marked as depth.

    LeRobot's mark was `video.is_depth_map` in `video_info`, then in `info`, and is `is_depth_map`
    in `info` today; converters also copy it beside `dtype`. One mark that is set suffices, as does
    a pixel format of deep grey.
    """
    for level in (feature, feature.get("info"), feature.get("video_info")):
        if not isinstance(level, Mapping):
            continue
        for key, value in level.items():
            last = str(key).rpartition(".")[2]
            if last == _DEPTH_MARK and value in _TRUE:
                return True
            if last == "pix_fmt" and is_deep_grey(str(value)):
                return True
    return False


def is_deep_grey(pixel_format: str) -> bool:
    """Check whether a pixel format of FFmpeg is grey of more than 8 bits, as depth is stored."""
    return _DEEP_GREY.match(pixel_format) is not None


def farthest_frame_s(feature: Mapping[str, Any], fps: float) -> float:
    """Greatest distance of a row to its nearest frame, by the rate that a video's feature states.

    Args:
        feature: The feature.
        fps: Rows per second, at even times.

    Returns:
        The distance [s]; 0.0: every row has its frame, or no rate is stated.
    """
    if feature["dtype"] != "video":
        return 0.0
    for level in (feature.get("info"), feature.get("video_info")):
        stated = level.get("video.fps") if isinstance(level, Mapping) else None
        if isinstance(stated, (int, float)) and stated > 0:
            rows = np.arange(1000) / fps
            return float(np.abs(rows - np.round(rows * stated) / stated).max())
    return 0.0


def entry_names(feature: Mapping[str, Any], stem: str) -> tuple[str, ...]:
    """Names of a vector's entries: those of the dataset, or numbered ones."""
    count = int((feature.get("shape") or [1])[0])
    return stated_names(feature) or tuple(f"{stem}_{index}" for index in range(count))


def stated_names(feature: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of a vector's entries; (): the dataset states none, or not one for each."""
    given = feature.get("names")
    if isinstance(given, dict):  # {"motors": [...]}
        given = next(iter(given.values()), None)
    count = int((feature.get("shape") or [1])[0])
    if isinstance(given, list) and len(given) == count:
        return tuple(str(name) for name in given)
    return ()


def action_names(features: Features) -> tuple[str, ...]:
    """Names of the action's entries where they differ from the state's; (): they are the state's.

    An action without names that has as many entries as the state is taken for the same entries.
    """
    state, action = features[names.STATE], features[names.ACTION]
    own = stated_names(action)
    ours, theirs = entry_names(state, "state"), entry_names(action, "action")
    if len(ours) == len(theirs) and (not own or not stated_names(state) or ours == theirs):
        return ()
    return theirs
