"""The common layout of a dataset's episodes; an episode with another layout is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.encoding import DEFAULT_CRF
from pi05_ros.data.lerobot.layout import CameraFormat, DatasetLayout
from pi05_ros.errors import Pi05Error


@dataclass(frozen=True)
class LayoutRequest:
    """The requested layout; None or empty: that of the dataset, or of the first episode."""

    cameras: tuple[str, ...] = ()
    fps: float | None = None
    crf: int | None = None


def common_layout(
    chosen: Mapping[str, Episode], fixed: DatasetLayout | None, owner: str, request: LayoutRequest
) -> tuple[DatasetLayout, dict[str, str]]:
    """Determine the layout of a dataset to which episodes are added.

    Args:
        chosen: The episodes by name; at least one.
        fixed: The layout of the existing dataset; None: the first episode sets it.
        owner: Name of the owner of `fixed`, for the error.
        request: The requested layout.

    Returns:
        The layout, and by name the reason why an episode is rejected: it lacks a camera, or its
        first picture cannot be decoded.

    Raises:
        DatasetError: An episode, or the request, has another layout.
    """
    first = next(iter(chosen.values()))
    cameras = request.cameras or first.cameras
    if fixed is not None and not request.cameras:
        cameras = tuple(camera.name for camera in fixed.cameras)
    layout, rejected = fixed, {}
    for name, episode in chosen.items():
        missing = [camera for camera in cameras if not _has_pictures(episode, camera)]
        if missing:
            rejected[name] = f"no picture of camera {', '.join(missing)}"
            continue
        try:
            formats = _formats(episode, cameras)
        except Pi05Error as error:
            rejected[name] = f"not readable ({error})"
            continue
        own = layout_of(episode, formats, fixed, request)
        if layout is None:
            layout, owner = own, name
        elif different := layout.differences(own):
            raise DatasetError(
                episode.source,
                f"has {'; '.join(different)} as in {owner}, and a dataset has one layout; "
                f"export it into a folder of its own",
            )
        extra = [camera for camera in episode.cameras if camera not in cameras]
        if extra and not request.cameras:
            raise DatasetError(
                episode.source,
                f"has pictures of camera {', '.join(extra)}, which {owner} has not; choose the "
                f"dataset's cameras with --cameras",
            )
    if layout is None:
        named = "; ".join(f"{name}: {why}" for name, why in list(rejected.items())[:3])
        raise DatasetError(
            first.source, f"no episode has pictures of {', '.join(cameras)} ({named})"
        )
    return layout, rejected


def _has_pictures(episode: Episode, camera: str) -> bool:
    return camera in episode.cameras and len(episode.frame_times_ns(camera)) > 0


def _formats(episode: Episode, cameras: Sequence[str]) -> tuple[CameraFormat, ...]:
    return tuple(CameraFormat(camera, *episode.picture(camera, 0).shape[:2]) for camera in cameras)


def layout_of(
    episode: Episode,
    formats: tuple[CameraFormat, ...],
    fixed: DatasetLayout | None,
    request: LayoutRequest,
) -> DatasetLayout:
    """Determine the layout of one episode.

    Raises:
        DatasetError: Its rate is no whole number, or no multiple of the requested one.
    """
    rate, facts = episode.rate_hz, episode.facts
    fps = request.fps or (fixed.fps if fixed else rate)
    step = round(rate / fps)
    if step < 1 or abs(step * fps - rate) > 1e-6 * rate or fps != round(fps):
        whole = [f"{rate / n:g}" for n in range(1, 11) if rate / n == round(rate / n)]
        raise DatasetError(
            episode.source,
            f"has {rate:g} rows a second, of which {fps:g} cannot be taken evenly (LeRobot needs "
            f"a whole number of rows a second); --fps may be {' or '.join(whole) or 'none'}",
        )
    crf = request.crf if request.crf is not None else fixed.crf if fixed else DEFAULT_CRF
    return DatasetLayout(
        facts.platform, facts.names, facts.units, rate, step, formats, crf, facts.action_names
    )
