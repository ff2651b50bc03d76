"""Compatibility of a checkpoint and a platform: cameras and statistics."""

from __future__ import annotations

from pi05_ros.checkpoints.checkpoint import Checkpoint, CheckpointError
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.platform import Platform


def cameras_for(
    checkpoint: Checkpoint, platform: Platform
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cameras of the high and of the low level, in the order of the weights' inputs.

    If the checkpoint does not list them, those of the platform are returned.

    Raises:
        CheckpointError: The weights were trained on a camera that the platform does not have.
    """
    planner = checkpoint.planner_cameras or platform.planner_cameras
    policy = checkpoint.policy_cameras or platform.policy_cameras
    for camera in (*planner, *policy):
        if camera not in platform.camera_names:
            raise CheckpointError(
                checkpoint.source,
                f"was trained on the camera '{camera}', wanted one of {platform.name}: "
                f"{', '.join(platform.camera_names)}",
            )
    return planner, policy


def stats_for(checkpoint: Checkpoint, platform: Platform) -> NormStats:
    """Return the checkpoint's statistics of a platform, or for random weights its limits.

    Raises:
        CheckpointError: There are none, they are of a robot with another layout, or the robot has
            more entries than the weights.
    """
    config = checkpoint.model.config
    if config.has_expert and platform.size > config.action_dim:
        raise CheckpointError(
            checkpoint.source,
            f"has actions of {config.action_dim} entries, wanted the {platform.size} of "
            f"{platform.name}",
        )
    names = platform.names
    units = tuple(str(dimension.unit) for dimension in platform.dimensions)
    if checkpoint.is_random:
        return NormStats.from_limits(names, units, *platform.usual_range)
    where = f"{checkpoint.source}/norm_stats.json"
    if platform.name not in checkpoint.norm_stats:
        known = ", ".join(sorted(checkpoint.norm_stats)) or "none"
        raise CheckpointError(
            where, f"wanted statistics of platform '{platform.name}', found those of: {known}"
        )
    stats = checkpoint.norm_stats[platform.name]
    if difference := stats.difference(names, units):
        raise CheckpointError(
            where, f"{platform.name}: {difference}; these statistics are of another robot"
        )
    return stats
