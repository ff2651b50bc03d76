"""Rubric of the task to make the bed."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.geometry import FloorPose, quaternion_yaw, rotate, wrap_angle
from pi05_ros.sim.homes.room import Bedroom, Room
from pi05_ros.sim.tasks.resting import ItemWatch
from pi05_ros.sim.tasks.score import Score

# Largest distance [m] along x and y, and angle [rad], of the blanket from where it covers the bed.
COVERS = (0.10, 0.15)
NEAT = (0.04, 0.06)
HEAD_ZONE = 0.50  # Length of the bed's end that counts as its head [m].
# Largest distance [m] and angle [rad] of a pillow from its place for a neat bed.
PILLOW_NEAT = (0.07, 0.20)
_FLAT = math.cos(0.3)  # Cosine of the largest tilt of a pillow that lies, on either face.
_ON_BED = (-0.02, 0.2)  # Height of a pillow's frame above the mattress [m].


class MadeBed:
    """Rubric of "make the bed", 5 points.

    One while the blanket covers the bed (`COVERS`), one for each pillow that rests at the head
    (its middle is on the last `HEAD_ZONE` of the mattress), one while the blanket lies neatly
    (`NEAT`), and one while both pillows lie neatly side by side, each at a place of its own
    (`PILLOW_NEAT`). Points are lost again when the bed is undone. The order does not matter.

    Args:
        room: A bedroom.

    Raises:
        Pi05Error: It is no bedroom.
    """

    def __init__(self, room: Room) -> None:
        if not isinstance(room, Bedroom):
            raise Pi05Error(f"bed: wanted a bedroom, found the {room.kind} of home {room.seed}")
        self._room = room
        self._blanket = room.fixture("blanket")
        self._watch = ItemWatch(room.pillows)
        self._points: tuple[float, ...] = (0.0,) * 5

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """See `Rubric`."""
        held = set(held)
        self._watch.update(scene, held, time)
        x, y, yaw = self._blanket.displacement(scene.objects["blanket"])
        free = "blanket" not in held

        def within(limits: tuple[float, float]) -> bool:
            return free and max(abs(x), abs(y)) <= limits[0] and abs(yaw) <= limits[1]

        at_head = [self._is_at_head(scene, pillow.name) for pillow in self._room.pillows]
        self._points = (
            float(within(COVERS)),
            *(float(is_there) for is_there in at_head),
            float(within(NEAT)),
            float(all(at_head) and self._are_neat(scene)),
        )
        return self.score()

    def score(self) -> Score:
        """See `Rubric`."""
        criteria = (
            "the blanket covers the bed",
            *(f"{pillow.phrase} at the head of the bed" for pillow in self._room.pillows),
            "the blanket lies neatly",
            "the pillows lie neatly side by side",
        )
        return Score(sum(self._points), 5.0, criteria, self._points, (1.0,) * 5)

    def _is_at_head(self, scene: SceneState, name: str) -> bool:
        bed, position = self._room.bed, scene.objects[name].position
        x, y, _ = bed.pose.local(position)
        end = bed.length / 2
        on_bed = _ON_BED[0] < position[2] - bed.height < _ON_BED[1] and 0.0 < x < bed.depth
        in_zone = end - HEAD_ZONE < self._room.head * y < end
        return bool(self._watch.rests(name) and on_bed and in_zone)

    def _are_neat(self, scene: SceneState) -> bool:
        """Check whether each pillow is near a place of its own."""
        near, far = self._room.pillow_places
        a, b = (scene.objects[pillow.name] for pillow in self._room.pillows)
        return any(
            all(_is_near(pose, place) for pose, place in zip((a, b), places, strict=True))
            for places in ((near, far), (far, near))
        )


def _is_near(pose: Pose, place: FloorPose) -> bool:
    x, y, _ = place.local(pose.position)
    turned = abs(wrap_angle(quaternion_yaw(pose.quaternion) - place.yaw))
    turned = min(turned, abs(turned - math.pi))  # A pillow has no front.
    upright = rotate(pose.quaternion, np.array([[0.0, 0.0, 1.0]]))[0, 2]
    return bool(
        abs(upright) >= _FLAT
        and max(abs(x), abs(y)) <= PILLOW_NEAT[0]
        and turned <= PILLOW_NEAT[1]
    )
