"""The observations of the live path: its rule for which pictures and which state go together.

On the robot a brain is called when a camera set is complete, with the state nearest to the oldest
picture of the set. Samples of both levels have these observations.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.observation_buffer import LEAVE_OUT_AFTER, MAX_STATE_SKEW
from pi05_ros.cameras.consumers import ConsumerSets, SetChoice
from pi05_ros.cameras.sets import MAX_SKEW, PARTIAL_AFTER
from pi05_ros.data.episodes.episode import Episode


@dataclass(frozen=True, eq=False)
class LiveMoments:
    """M observations in the order of time."""

    times_ns: np.ndarray  # (M,) int64, time of the oldest picture of the brain's cameras [ns].
    rows: np.ndarray  # (M,) int64, row whose state goes with the set.
    frames: Mapping[str, np.ndarray]  # Camera -> (M,) int64, index of its picture; -1: none.


def live_moments(
    episode: Episode,
    max_skew_s: float = MAX_SKEW,
    partial_after_s: float = PARTIAL_AFTER,
    needed: Sequence[str] = (),
    optional: Collection[str] = (),
) -> LiveMoments:
    """Reconstruct the sets that a brain gets of an episode, with their states.

    They are matched and chosen as in camera_ingestion and the brain's node: among the brain's own
    cameras. Each picture is taken to arrive at its acquisition time. A camera that the episode
    lacks counts as silent.

    Args:
        episode: The episode.
        max_skew_s: Parameter of camera_ingestion [s].
        partial_after_s: Parameter of camera_ingestion [s].
        needed: Cameras of the brain; a set that lacks one is left out. (): all of the episode, of
            which some may be missing.
        optional: Those of `needed` that a set may lack when they have had no picture for a second.
    """
    cameras = episode.cameras
    own = [camera for camera in needed if camera in cameras]
    consumers = {"brain": own} if own else {}
    sets: ConsumerSets[int] = ConsumerSets(cameras, consumers, max_skew_s, partial_after_s)
    choice = SetChoice(needed or cameras)
    stamps = [episode.frame_times_ns(camera) for camera in cameras]
    lengths = np.array([len(times) for times in stamps], dtype=np.int64)
    which = np.repeat(np.arange(len(cameras)), lengths)
    index = np.concatenate([np.arange(len(times)) for times in stamps] or [np.zeros(0, int)])
    times = np.concatenate(stamps or [np.zeros(0, np.int64)])
    found, rows = [], []
    for at in np.argsort(times, kind="stable"):
        for made in sets.add(cameras[which[at]], int(times[at]), int(index[at])):
            items = dict(zip(cameras, made.matched.items, strict=True))
            stamps_ns = {
                name: stamp
                for name, stamp in zip(cameras, made.matched.stamps_ns, strict=True)
                if stamp is not None
            }
            missing = [name for name in needed if name not in stamps_ns]
            if len(missing) == len(needed) > 0 or not set(missing) <= set(optional):
                continue
            stamp = choice.stamp(stamps_ns, 0)
            if not choice.take(stamp, has_all=not missing):
                continue
            if not all(_is_silent(episode, name, stamp) for name in missing):
                continue
            row = _nearest(episode.times_ns, stamp)
            if row is not None:
                found.append((stamp, [-1 if item is None else item for item in items.values()]))
                rows.append(row)
    frames = np.array([chosen for _, chosen in found], dtype=np.int64).reshape(
        len(found), len(cameras)
    )
    return LiveMoments(
        np.array([stamp for stamp, _ in found], dtype=np.int64),
        np.array(rows, dtype=np.int64),
        {camera: frames[:, column] for column, camera in enumerate(cameras)},
    )


def pictures_of_rows(
    episode: Episode, moments: LiveMoments, cameras: Sequence[str]
) -> dict[str, np.ndarray]:
    """Find the pictures that a brain gets together with the state of each row.

    Of several observations with the same state the one nearest to it counts. Rows between two
    observations have none: no chunk ever begins there.

    Args:
        episode: The episode.
        moments: Its observations.
        cameras: Cameras of the result.

    Returns:
        Camera -> (T,) int64, index of the picture; -1: none, in all cameras alike.
    """
    away = np.abs(episode.times_ns[moments.rows] - moments.times_ns)
    order = np.argsort(-away, kind="stable")  # The nearest is assigned last.
    found = {camera: np.full(len(episode), -1, np.int64) for camera in cameras}
    for camera, frames in found.items():
        frames[moments.rows[order]] = moments.frames[camera][order]
    return found


def _is_silent(episode: Episode, camera: str, stamp_ns: int) -> bool:
    """Check whether a camera has had no picture for so long that a brain goes on without it."""
    if camera not in episode.cameras:
        return True
    times = episode.frame_times_ns(camera)
    newest = int(np.searchsorted(times, stamp_ns, side="right")) - 1
    return newest < 0 or (stamp_ns - int(times[newest])) * 1e-9 > LEAVE_OUT_AFTER


def _nearest(times_ns: np.ndarray, stamp_ns: int) -> int | None:
    """Row nearest to a time, the earlier of two equally near; None: none within MAX_STATE_SKEW."""
    if not len(times_ns):
        return None
    after = int(np.searchsorted(times_ns, stamp_ns))
    near = [row for row in (after - 1, after) if 0 <= row < len(times_ns)]
    row = min(near, key=lambda row: abs(int(times_ns[row]) - stamp_ns))
    return row if abs(int(times_ns[row]) - stamp_ns) * 1e-9 <= MAX_STATE_SKEW else None
