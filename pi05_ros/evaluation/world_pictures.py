"""Pictures of a mock home for a brain, as its nodes see them, rendered when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np

from pi05_ros.cameras.model_input import fit_driver_picture
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.world import Snapshot

_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]  # As the mock home's drivers send them.


class DriverPictures:
    """Pictures of one moment, as the drivers send them. A brain may read a few of them only.

    Args:
        platform: The robot.
        renderer: Of its world; used in the thread that looks.
        snapshot: The moment.
    """

    def __init__(self, platform: Platform, renderer: CameraRenderer, snapshot: Snapshot) -> None:
        self._platform, self._renderer, self._snapshot = platform, renderer, snapshot
        self._rendered: dict[str, np.ndarray] = {}
        self._pictures: dict[str, np.ndarray] = {}

    def rendered(self, camera: str) -> np.ndarray:
        """Return the picture of a camera before a driver compresses it, (h, w, 3) uint8 rgb."""
        if camera not in self._rendered:
            self._rendered[camera] = self._renderer.render(camera, self._snapshot)
        return self._rendered[camera]

    def picture(self, camera: str) -> np.ndarray:
        """Return the picture of a camera, (h, w, 3) uint8 rgb, not turned."""
        if camera not in self._pictures:
            picture = self.rendered(camera)
            if self._platform.camera(camera).transport == "compressed":
                picture = _sent(picture)
            self._pictures[camera] = picture
        return self._pictures[camera]

    def at(self, size: tuple[int, int]) -> ModelPictures:
        """Return the pictures at a (height, width) of a model."""
        return ModelPictures(self._platform, self, size)


class ModelPictures(Mapping[str, np.ndarray]):
    """Pictures at a model's size by camera, (H, W, 3) uint8 rgb each, as camera_ingestion fits.

    Args:
        platform: The robot.
        driver: Pictures of the drivers.
        size: (height, width) [pixel].
    """

    def __init__(self, platform: Platform, driver: DriverPictures, size: tuple[int, int]) -> None:
        self._platform, self._driver, self._size = platform, driver, size
        self._fitted: dict[str, np.ndarray] = {}

    def __getitem__(self, camera: str) -> np.ndarray:
        if camera not in self._platform.camera_names:
            raise KeyError(camera)
        if camera not in self._fitted:
            canvas = np.empty((*self._size, 3), dtype=np.uint8)
            picture = self._driver.picture(camera)
            fit_driver_picture(picture, self._platform.camera(camera).rotate, canvas)
            self._fitted[camera] = canvas
        return self._fitted[camera]

    def __contains__(self, camera: object) -> bool:  # Without rendering.
        return camera in self._platform.camera_names

    def __iter__(self) -> Iterator[str]:
        return iter(self._platform.camera_names)

    def __len__(self) -> int:
        return len(self._platform.camera_names)

    def at(self, size: tuple[int, int] | None) -> ModelPictures:
        """Return the same moment at another size; None: at this one."""
        return self if size in (None, self._size) else self._driver.at(size)


def camera_period(platform: Platform) -> float:
    """Return the time between two sets of pictures [s]: of the slowest camera, in whole rows."""
    rate = min(camera.rate_hz for camera in platform.cameras)
    return max(1, round(1.0 / (rate * platform.period))) * platform.period


def _sent(picture: np.ndarray) -> np.ndarray:
    """Compress and decode a picture."""
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _QUALITY)
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert decoded is not None
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
