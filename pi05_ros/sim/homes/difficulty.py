"""Difficulty of a mock home: by how much light, cameras and sensors differ from ideal ones.

A `Difficulty` holds spreads. What a home draws from them depends on its seed alone: the same home
at the same difficulty is the same in training, evaluation and in the graph. Each kind of deviation
has a generator of its own, and scales numbers that do not depend on the difficulty.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np

from pi05_ros.errors import ConfigError, did_you_mean

_STREAM = 0x646966666963756C  # "difficul"


# Largest value of each field.
_LIMITS = {
    "distractors": 12,
    "light": 0.5,
    "light_turn": 0.8,
    "light_color": 0.5,
    "shadows": 1,
    "camera_shift": 0.05,
    "camera_turn": 0.2,
    "image_noise": 0.2,
    "gain": 0.45,
    "gamma": 0.45,
    "gain_drift": 0.5,
    "odometry_drift": 0.2,
    "twist_noise": 0.2,
    "angle_noise": 0.05,
    "slide_noise": 0.02,
}


@dataclass(frozen=True)
class Difficulty:
    """Deviations from an ideal home. The defaults are those of the preset `ideal`: none.

    Where nothing else is stated, a field is the standard deviation of a normal distribution that
    is cut at twice its value.
    """

    # Items more on the counters, along the walls, that no task is about [number].
    distractors: int = 0
    light: float = 0.0  # Of the strength of lamp and ambient light [share].
    light_turn: float = 0.0  # Of the lamp's direction, about two axes [rad].
    light_color: float = 0.0  # Of each colour of the lamp [share].
    shadows: bool = False  # Whether the lamp casts shadows; a picture takes 7 times as long.
    camera_shift: float = 0.0  # Of a camera's mounting along each axis, drawn per home [m].
    camera_turn: float = 0.0  # Of a camera's mounting about each axis, drawn per home [rad].
    image_noise: float = 0.0  # Of each value of each picture, not cut [share of white].
    gain: float = 0.0  # Of each camera's brightness, drawn per home [share].
    gamma: float = 0.0  # Of each camera's gamma, drawn per home [1].
    gain_drift: float = 0.0  # Amplitude of a slow change of the gain in an episode [share].
    odometry_drift: float = 0.0  # Error of a metre driven or a radian turned, per home [share].
    twist_noise: float = 0.0  # Of the measured velocity, not cut [m/s]; twice that in rad/s.
    angle_noise: float = 0.0  # Of each measured angle of a joint, not cut [rad].
    slide_noise: float = 0.0  # Of each measured position of a sliding joint, not cut [m].

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            limit = _LIMITS[field.name]
            if not (math.isfinite(value) and 0 <= value <= limit):
                raise ValueError(
                    f"{field.name}: wanted a number from 0 to {limit:g}, found {value!r}"
                )

    @classmethod
    def parse(cls, text: str) -> Difficulty:
        """Parse a preset, alone or with changes: "normal", "normal,image_noise=0.02,shadows=1".

        Raises:
            ConfigError: There is no such preset or field, or a value is not valid.
        """
        where = f"difficulty '{text}'"
        preset, *changes = (part.strip() for part in text.split(","))
        if preset not in PRESETS:
            raise ConfigError(
                where,
                f"there is no preset '{preset}'{did_you_mean(preset, PRESETS)} "
                f"(valid: {', '.join(PRESETS)}; then FIELD=NUMBER, separated by commas)",
            )
        kinds, values = get_type_hints(cls), dict[str, Any]()
        for change in changes:
            name, equals, number = change.partition("=")
            if name not in kinds or not equals:
                raise ConfigError(
                    where,
                    f"'{change}' is no FIELD=NUMBER{did_you_mean(name, kinds)} "
                    f"(fields: {', '.join(kinds)})",
                )
            values[name] = _number(where, name, kinds[name], number)
        try:
            return dataclasses.replace(PRESETS[preset], **values)
        except ValueError as error:
            raise ConfigError(where, str(error)) from error


IDEAL = Difficulty()

# Uses of random numbers.
DISTRACTORS, LIGHT, CAMERAS, PICTURES, NOISE, ODOMETRY, JOINTS = range(7)

PRESETS: dict[str, Difficulty] = {
    "ideal": IDEAL,
    "normal": Difficulty(
        distractors=2,
        light=0.12,
        light_turn=0.2,
        light_color=0.04,
        camera_shift=0.003,
        camera_turn=math.radians(0.5),
        image_noise=0.008,
        gain=0.06,
        gamma=0.06,
        gain_drift=0.03,
        odometry_drift=0.01,
        twist_noise=0.003,
        angle_noise=0.0005,
        slide_noise=0.0002,
    ),
    "hard": Difficulty(
        distractors=5,
        light=0.25,
        light_turn=0.4,
        light_color=0.1,
        shadows=True,
        camera_shift=0.008,
        camera_turn=math.radians(1.5),
        image_noise=0.025,
        gain=0.15,
        gamma=0.15,
        gain_drift=0.08,
        odometry_drift=0.03,
        twist_noise=0.01,
        angle_noise=0.002,
        slide_noise=0.0005,
    ),
}


def random_of(seed: int, use: int, index: int = 0) -> np.random.Generator:
    """Return the random numbers of one use in one home, the same at every difficulty.

    Args:
        seed: Of the home.
        use: One of the constants of this module.
        index: Of a camera, a picture, or another thing with numbers of its own.
    """
    return np.random.Generator(np.random.PCG64([seed, _STREAM, use, index]))


def cut_normal(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw `count` numbers of the standard normal distribution, cut at 2 standard deviations."""
    return np.clip(random.standard_normal(count), -2.0, 2.0)


def _number(where: str, name: str, kind: type, text: str) -> float | int | bool:
    """Parse the value of a field."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (kind is not float and value != int(value)):
        wanted = {bool: "0 or 1", int: "a whole number", float: "a number"}[kind]
        raise ConfigError(where, f"{name}: wanted {wanted}, found '{text}'")
    return kind(value) if kind is not bool or value in (0, 1) else value
