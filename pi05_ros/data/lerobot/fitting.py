"""One layout for all episodes of a dataset: an episode of another one never slips in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.encoding import DEFAULT_CRF
from pi05_ros.data.lerobot.layout import CameraFormat, DatasetLayout
from pi05_ros.errors import Pi05Error


@dataclass(frozen=True)
class LayoutWish:
    """What was asked for; what is None or empty is as it was, or as the first episode has it."""

    cameras: tuple[str, ...] = ()
    fps: float | None = None
    crf: int | None = None


def common_layout(
    chosen: Mapping[str, Episode], fixed: DatasetLayout | None, owner: str, wish: LayoutWish
) -> tuple[DatasetLayout, dict[str, str]]:
    """The layout of a dataset to which episodes are added.

    Args:
        chosen: The episodes by name; at least one.
        fixed: The layout that the dataset has already; None: the first episode's.
        owner: Whose layout `fixed` is, for the sentence.
        wish: What was asked for.

    Returns:
        The layout, and by name why an episode cannot be in: it lacks a camera, or its first
        picture cannot be decoded.

    Raises:
        DatasetError: An episode, or the wish, has another layout.
    """
    first = next(iter(chosen.values()))
    cameras = wish.cameras or first.cameras
    if fixed is not None and not wish.cameras:
        cameras = tuple(camera.name for camera in fixed.cameras)
    layout, misfits = fixed, {}
    for name, episode in chosen.items():
        missing = [camera for camera in cameras if not _has_pictures(episode, camera)]
        if missing:
            misfits[name] = f"no picture of camera {', '.join(missing)}"
            continue
        try:
            formats = _formats(episode, cameras)
        except Pi05Error as error:
            misfits[name] = f"not readable ({error})"
            continue
        own = layout_of(episode, formats, fixed, wish)
        if layout is None:
            layout, owner = own, name
        elif different := layout.differences(own):
            raise DatasetError(
                episode.source,
                f"has {'; '.join(different)} as in {owner}, and a dataset has one layout; "
                f"export it into a folder of its own",
            )
        extra = [camera for camera in episode.cameras if camera not in cameras]
        if extra and not wish.cameras:
            raise DatasetError(
                episode.source,
                f"has pictures of camera {', '.join(extra)}, which {owner} has not; say with "
                f"--cameras which ones the dataset shall have",
            )
    if layout is None:
        named = "; ".join(f"{name}: {why}" for name, why in list(misfits.items())[:3])
        raise DatasetError(
            first.source, f"no episode has pictures of {', '.join(cameras)} ({named})"
        )
    return layout, misfits


def _has_pictures(episode: Episode, camera: str) -> bool:
    return camera in episode.cameras and len(episode.frame_times_ns(camera)) > 0


def _formats(episode: Episode, cameras: Sequence[str]) -> tuple[CameraFormat, ...]:
    return tuple(CameraFormat(camera, *episode.picture(camera, 0).shape[:2]) for camera in cameras)


def layout_of(
    episode: Episode,
    formats: tuple[CameraFormat, ...],
    fixed: DatasetLayout | None,
    wish: LayoutWish,
) -> DatasetLayout:
    """The layout that an episode would give a dataset by itself.

    Raises:
        DatasetError: Its rate is no whole number, or no multiple of the wanted one.
    """
    rate, facts = episode.rate_hz, episode.facts
    fps = wish.fps or (fixed.fps if fixed else rate)
    step = round(rate / fps)
    if step < 1 or abs(step * fps - rate) > 1e-6 * rate or fps != round(fps):
        whole = [f"{rate / n:g}" for n in range(1, 11) if rate / n == round(rate / n)]
        raise DatasetError(
            episode.source,
            f"has {rate:g} rows a second, of which {fps:g} cannot be taken evenly (LeRobot wants "
            f"a whole number of rows a second); --fps may be {' or '.join(whole) or 'none'}",
        )
    crf = wish.crf if wish.crf is not None else fixed.crf if fixed else DEFAULT_CRF
    return DatasetLayout(facts.platform, facts.names, facts.units, rate, step, formats, crf)
