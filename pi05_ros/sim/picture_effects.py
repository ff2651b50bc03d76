"""What a camera does to a rendered picture: exposure and noise, the same wherever it is made."""

from __future__ import annotations

import cv2
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.homes.difficulty import NOISE, PICTURES, Difficulty, cut_normal, random_of

_SPARE = 1 << 16  # Values that the pool of noise has beyond those of one picture.
_PERIODS = (7.0, 23.0)  # Shortest and longest period of the exposure's drift [s].


class PictureEffects:
    """Exposure and noise of a robot's cameras in one home.

    A picture depends on home, camera and time only, not on those that were made before.

    Args:
        platform: The robot.
        seed: Of the home.
        difficulty: Size of the effects.
    """

    def __init__(self, platform: Platform, seed: int, difficulty: Difficulty) -> None:
        self._seed, self._difficulty = seed, difficulty
        self._index = {camera.name: i for i, camera in enumerate(platform.cameras)}
        self._pools: dict[int, np.ndarray] = {}  # By number of values of a picture.
        self._exposure = difficulty.gain or difficulty.gamma or difficulty.gain_drift

    def apply(self, camera: str, time: float, picture: np.ndarray) -> np.ndarray:
        """Return the picture that the camera delivers.

        Args:
            camera: Its name.
            time: Since the start of the episode [s].
            picture: (height, width, 3) uint8 rgb.

        Returns:
            A new picture of the same shape, or `picture` itself where there is no effect.
        """
        index = self._index[camera]
        if self._exposure:
            picture = cv2.LUT(picture, self._curve(index, time))
        if self._difficulty.image_noise:
            picture = cv2.add(picture, self._noise(index, time, picture.shape), dtype=cv2.CV_8U)
        return picture

    def _curve(self, index: int, time: float) -> np.ndarray:
        """Return the output of a camera for each input, (256,) uint8."""
        settings, random = self._difficulty, random_of(self._seed, PICTURES, index)
        gain, gamma = cut_normal(random, 2)
        period, phase = random.uniform(*_PERIODS), random.uniform(0.0, 2.0 * np.pi)
        drift = settings.gain_drift * np.sin(2.0 * np.pi * time / period + phase)
        level = np.linspace(0.0, 1.0, 256) ** (1.0 + settings.gamma * gamma)
        level *= 1.0 + settings.gain * gain + drift
        return np.rint(255.0 * np.clip(level, 0.0, 1.0)).astype(np.uint8)

    def _noise(self, index: int, time: float, shape: tuple[int, ...]) -> np.ndarray:
        """Return the noise of a picture, int16: a section of a pool, from a random value on."""
        count = int(np.prod(shape))
        if count not in self._pools:
            random = random_of(self._seed, NOISE)
            values = random.standard_normal(count + _SPARE, dtype=np.float32)
            values *= np.float32(255.0 * self._difficulty.image_noise)
            self._pools[count] = np.rint(values).astype(np.int16)
        # Microseconds, so that times that differ by rounding alone have the same noise.
        instant = round(time * 1e6)
        random = random_of(self._seed, NOISE, 1 + instant * len(self._index) + index)
        first = int(random.integers(_SPARE))
        return self._pools[count][first : first + count].reshape(shape)
