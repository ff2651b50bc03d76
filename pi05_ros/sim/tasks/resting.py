"""Which items are picked up, and which rest: what all rubrics ask of items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.room import Item
from pi05_ros.sim.tasks.score import LIFT, STILL

_ODOM = FloorPose(0.0, 0.0, 0.0)


class ItemWatch:
    """Follows items: whether each was ever picked up, and whether it rests now.

    Args:
        items: The items.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = tuple(items)
        self._support = {item.name: item.position[2] for item in items}
        self._picked = {item.name: False for item in items}
        self._rests = {item.name: False for item in items}
        self._last: dict[str, np.ndarray] = {}
        self._last_time: float | None = None

    def update(
        self, scene: SceneState, held: Iterable[str], time: float, frame: FloorPose = _ODOM
    ) -> None:
        """Update with the state at `time` [s], which must not decrease between calls.

        Args:
            scene: Poses of the items in odom.
            held: Names of the things held by a gripper.
            time: Simulated time [s].
            frame: Pose in odom of the frame in which items rest: of a drawer that moves.
        """
        held = set(held)
        elapsed = None if self._last_time is None else time - self._last_time
        for name in self._picked:
            position = scene.objects[name].position
            place = frame.local(position)
            if name in held:
                self._rests[name] = False
                if position[2] - self._support[name] >= LIFT:
                    self._picked[name] = True
            else:
                self._support[name] = float(position[2])
                if elapsed is not None and elapsed > 0:
                    speed = np.linalg.norm(place - self._last[name]) / elapsed
                    self._rests[name] = bool(speed < STILL)
            self._last[name] = place
        self._last_time = time

    def was_picked(self, name: str) -> bool:
        """Check whether an item was ever held 3 cm above its support."""
        return self._picked[name]

    def rests(self, name: str) -> bool:
        """Check whether an item is neither held nor moving."""
        return self._rests[name]
