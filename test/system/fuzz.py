"""Malformed and violent chunks, from a seed."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable

import numpy as np

from pi05_msgs.msg import ActionChunk
from pi05_ros.nodes.common.conversions import float_array
from pi05_ros.platforms.platform import Platform


def malformed(noise: random.Random, good: ActionChunk) -> tuple[str, ActionChunk]:
    """Return a copy of a valid chunk with one defect, for which it must be rejected whole.

    Returns:
        Name of the defect, and the message.
    """
    name = noise.choice(list(_DEFECTS))
    message = copy.copy(good)
    message.names = list(good.names)
    message.data = good.data[:]
    _DEFECTS[name](noise, message)
    return name, message


def _value(value: float) -> Callable[[random.Random, ActionChunk], None]:
    def change(noise: random.Random, message: ActionChunk) -> None:
        for _ in range(noise.randint(1, 5)):
            message.data[noise.randrange(len(message.data))] = value

    return change


def _set(field: str, *values: object) -> Callable[[random.Random, ActionChunk], None]:
    def change(noise: random.Random, message: ActionChunk) -> None:
        setattr(message, field, noise.choice(values))

    return change


def _cut(noise: random.Random, message: ActionChunk) -> None:
    message.data = message.data[: noise.randrange(len(message.data))]


def _lengthen(noise: random.Random, message: ActionChunk) -> None:
    message.data.extend([0.0] * noise.randint(1, 40))


def _swap_names(noise: random.Random, message: ActionChunk) -> None:
    first, second = noise.sample(range(len(message.names)), 2)
    names = message.names
    names[first], names[second] = names[second], names[first]


def _double_name(noise: random.Random, message: ActionChunk) -> None:
    first, second = noise.sample(range(len(message.names)), 2)
    message.names[first] = message.names[second]


def _drop_name(noise: random.Random, message: ActionChunk) -> None:
    del message.names[noise.randrange(len(message.names))]


def _foreign_name(noise: random.Random, message: ActionChunk) -> None:
    message.names[noise.randrange(len(message.names))] = noise.choice(["head_pan", "", "\n"])


_DEFECTS: dict[str, Callable[[random.Random, ActionChunk], None]] = {
    "NaN": _value(math.nan),
    "infinity": _value(math.inf),
    "minus infinity": _value(-math.inf),
    "huge value": _value(3.0e38),
    "cut data": _cut,
    "long data": _lengthen,
    "no data": lambda noise, message: _clear(message),
    "wrong horizon": _set("horizon", 0, 1, 49, 51, 100, 2**31, 2**32 - 1),
    "wrong period": _set("period", 0.0, -0.02, math.nan, math.inf, 0.1, 1e-9),
    "swapped names": _swap_names,
    "doubled name": _double_name,
    "missing name": _drop_name,
    "foreign name": _foreign_name,
    "no names": _set("names", []),
}


def _clear(message: ActionChunk) -> None:
    message.data = message.data[:0]


def violent_actions(noise: np.random.Generator, platform: Platform, rows: int) -> np.ndarray:
    """Return targets inside the position limits that no robot could follow, (rows, D) float64.

    Steps, white noise, an oscillation from row to row (25 Hz at 50 rows a second), spikes, and
    ramps far above the greatest velocity.
    """
    lower, upper = platform.lower, platform.upper
    kind = noise.integers(5)
    start = noise.uniform(lower, upper)
    actions = np.tile(start, (rows, 1))
    if kind == 0:
        actions[noise.integers(1, rows) :] = noise.uniform(lower, upper)
    elif kind == 1:
        actions = noise.uniform(lower, upper, (rows, platform.size))
    elif kind == 2:
        swing = noise.uniform(0, 1, platform.size) * np.minimum(upper - start, start - lower)
        actions[::2] += np.clip(swing, 0, 1)
        actions[1::2] -= np.clip(swing, 0, 1)
    elif kind == 3:
        actions[noise.integers(rows)] = noise.uniform(lower, upper)
    else:
        speed = noise.uniform(-10, 10, platform.size) * platform.max_velocity
        actions += np.arange(rows)[:, None] * platform.period * speed
    return np.clip(actions, lower, upper)


def with_actions(good: ActionChunk, actions: np.ndarray) -> ActionChunk:
    """Return a copy of a valid chunk with other targets, (H, D) float64."""
    message = copy.copy(good)
    message.horizon = len(actions)
    message.data = float_array(actions, "f")
    return message
