"""The base on the floor: poses are x, y [m] and yaw [rad] in the odom frame."""

from __future__ import annotations

import bisect
from collections import deque

import numpy as np

_MEMORY_NS = 30_000_000_000  # Of a PoseHistory; chunks are far younger.


def drive(start: np.ndarray, velocities: np.ndarray, period: float) -> np.ndarray:
    """Where constant velocities lead, one after the other.

    Args:
        start: (3,) pose at the first row.
        velocities: (N, 3) vx, vy [m/s] and wz [rad/s] in the base frame.
        period: How long each lasts [s].

    Returns:
        (N, 3): the pose at the beginning of each row; the last row's velocity is not needed.
    """
    poses = np.empty((len(velocities), 3))
    x, y, yaw = start
    for n, (vx, vy, wz) in enumerate(velocities):
        poses[n] = x, y, yaw
        # Along an arc the base looks, on average, where it looks in the middle.
        middle = yaw + wz * period / 2
        chord = np.sinc(wz * period / 2 / np.pi)
        x += chord * (vx * np.cos(middle) - vy * np.sin(middle)) * period
        y += chord * (vx * np.sin(middle) + vy * np.cos(middle)) * period
        yaw += wz * period
    return poses


def place(poses: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points of the base frame in the odom frame.

    Args:
        poses: (N, 3), or (3,) for all points.
        points: (N, ..., 3) [m]

    Returns:
        The same shape as `points`.
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
    """Poses of the base over the last half minute."""

    def __init__(self) -> None:
        self._stamps: deque[int] = deque()
        self._poses: deque[np.ndarray] = deque()

    def __len__(self) -> int:
        return len(self._stamps)

    def add(self, stamp_ns: int, pose: tuple[float, float, float]) -> None:
        """Takes a pose; one that is not newer than the last is left out."""
        if self._stamps and stamp_ns <= self._stamps[-1]:
            return
        self._stamps.append(stamp_ns)
        self._poses.append(np.array(pose))
        while self._stamps[0] < stamp_ns - _MEMORY_NS:
            self._stamps.popleft()
            self._poses.popleft()

    def at(self, stamp_ns: int) -> np.ndarray | None:
        """The pose (3,) at a time, between two poses in between; None: none is known.

        Before the first pose it is the first, after the last the last.
        """
        if not self._stamps:
            return None
        after = bisect.bisect_left(self._stamps, stamp_ns)
        if after == 0:
            return self._poses[0]
        if after == len(self._stamps):
            return self._poses[-1]
        then, last = self._stamps[after - 1], self._stamps[after]
        share = (stamp_ns - then) / (last - then)
        start, end = self._poses[after - 1], self._poses[after]
        pose = start + share * (end - start)
        turn = np.remainder(end[2] - start[2] + np.pi, 2 * np.pi) - np.pi  # The short way round.
        pose[2] = start[2] + share * turn
        return np.asarray(pose)
