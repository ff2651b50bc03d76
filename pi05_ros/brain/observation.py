"""Observation of a brain: state and images of one time, as plain arrays. No ROS, no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Pose:
    """A rigid pose in some frame."""

    position: np.ndarray  # (3,) float64 [m]
    quaternion: np.ndarray  # (4,) float64, w x y z, unit length


@dataclass(frozen=True)
class SceneState:
    """Ground truth of a mock home. Available in simulation only."""

    home: int  # Seed of the mock home.
    base: Pose  # base_link in the odom frame.
    # Name of an item or of a piece of moving furniture -> pose in the odom frame.
    objects: Mapping[str, Pose]
    room: str = "kitchen"  # Kind of the home's room.


@dataclass(frozen=True)
class Observation:
    """Robot state and camera images of one time."""

    stamp_ns: int  # Acquisition time of the oldest part [ns].
    names: tuple[str, ...]  # Layout of the vectors: the platform's names.
    state: np.ndarray  # (D,) float64, measured, platform units.
    commanded: np.ndarray  # (D,) float64, last sent command; NaN: nothing sent yet.
    images: Mapping[str, np.ndarray] = field(default_factory=dict)
    # Camera name -> (H, W, 3) uint8 rgb at the model's size. A camera without a picture is absent.
    scene: SceneState | None = None  # Only for brains that ask for it (BrainInfo.needs_scene).
