"""Planar poses of the base: x, y [m] and yaw [rad] in the odom frame."""

from __future__ import annotations

import bisect
from collections import deque

import numpy as np

_MEMORY_NS = 30_000_000_000  # Of a PoseHistory; chunks are far younger.


def drive(start: np.ndarray, velocities: np.ndarray, period: float) -> np.ndarray:
    """Integrate piecewise constant base velocities along arcs.

    Args:
        start: (3,) pose at the first row.
        velocities: (N, 3) vx, vy [m/s] and wz [rad/s] in the base frame.
        period: Duration of each row [s].

    Returns:
        (N, 3): the pose at the beginning of each row; the last row's velocity is not used.
    """
    poses = np.empty((len(velocities), 3))
    x, y, yaw = start
    for n, (vx, vy, wz) in enumerate(velocities):
        poses[n] = x, y, yaw
        # The chord of an arc points along the heading at its middle.
        middle = yaw + wz * period / 2
        chord = np.sinc(wz * period / 2 / np.pi)
        x += chord * (vx * np.cos(middle) - vy * np.sin(middle)) * period
        y += chord * (vx * np.sin(middle) + vy * np.cos(middle)) * period
        yaw += wz * period
    return poses


def place(poses: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Transform points from the base frame into the odom frame.

    Args:
        poses: (N, 3) poses of the base, or (3,) for all points.
        points: (N, ..., 3) in the base frame [m].

    Returns:
        Points in odom [m], with the shape of `points`.
    """
    poses = np.broadcast_to(poses, (len(points), 3))
    shape = (len(points),) + (1,) * (points.ndim - 2)
    cos, sin = np.cos(poses[:, 2]).reshape(shape), np.sin(poses[:, 2]).reshape(shape)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return np.stack(
        [
            poses[:, 0].reshape(shape) + cos * x - sin * y,
            poses[:, 1].reshape(shape) + sin * x + cos * y,
            np.broadcast_to(z, x.shape),
        ],
        axis=-1,
    )


class PoseHistory:
    """Poses of the base over the last 30 s."""

    def __init__(self) -> None:
        self._stamps: deque[int] = deque()
        self._poses: deque[np.ndarray] = deque()

    def __len__(self) -> int:
        return len(self._stamps)

    def add(self, stamp_ns: int, pose: tuple[float, float, float]) -> None:
        """Add a pose; one that is not newer than the last is ignored."""
        if self._stamps and stamp_ns <= self._stamps[-1]:
            return
        self._stamps.append(stamp_ns)
        self._poses.append(np.array(pose))
        while self._stamps[0] < stamp_ns - _MEMORY_NS:
            self._stamps.popleft()
            self._poses.popleft()

    def at(self, stamp_ns: int) -> np.ndarray | None:
        """Return the pose (3,) at a time, interpolated between two poses; None: none is known.

        Before the first pose and after the last one, that pose is returned.
        """
        if not self._stamps:
            return None
        after = bisect.bisect_left(self._stamps, stamp_ns)
        if after == 0:
            return self._poses[0]
        if after == len(self._stamps):
            return self._poses[-1]
        earlier, last = self._stamps[after - 1], self._stamps[after]
        share = (stamp_ns - earlier) / (last - earlier)
        start, end = self._poses[after - 1], self._poses[after]
        pose = start + share * (end - start)
        turn = np.remainder(end[2] - start[2] + np.pi, 2 * np.pi) - np.pi  # The short way round.
        pose[2] = start[2] + share * turn
        return np.asarray(pose)
