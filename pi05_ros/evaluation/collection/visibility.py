"""Which things a camera sees, and where, by a rendered segmentation: hidden parts do not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from pi05_ros.cameras.rotation import upright
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.home_spec import fixture_body, item_body
from pi05_ros.sim.projection import CameraGeometry, FractionBox
from pi05_ros.sim.world import Snapshot

_LEAST_PIXELS = 20  # Below that nobody could name the item.
_LEAST_SHARE = 0.35  # Of the area that the item's box would have if nothing hid it.
_LEAST_FIXTURE_SHARE = 0.1  # A shut drawer shows its front only, a quarter of its box.


@dataclass(frozen=True)
class ItemView:
    """What a camera sees of an item or a fixture."""

    name: str
    box: FractionBox  # Around the visible part, fractions of the upright picture.
    pixels: int  # Of the thing.
    share: float  # Area of the box / area of the thing's projection, 0 to about 1.
    least_share: float = _LEAST_SHARE  # Share from which it can be named.

    @property
    def is_clear(self) -> bool:
        """True if enough is seen to name it."""
        return self.pixels >= _LEAST_PIXELS and self.share >= self.least_share


class Visibility:
    """Views of items and fixtures through a platform's cameras.

    Args:
        platform: The platform.
        renderer: Renders its cameras.
    """

    def __init__(self, platform: Platform, renderer: CameraRenderer) -> None:
        self._platform, self._renderer = platform, renderer
        self._geometry = CameraGeometry(platform)
        self._model: mujoco.MjModel | None = None

    def item(self, name: str, camera: str, snapshot: Snapshot) -> ItemView | None:
        """Return the view of an item or fixture; None: nothing is seen, or its middle is outside.

        Nothing is rendered for a camera that cannot see it.
        """
        whole = self._geometry.object_boxes(snapshot, camera, only=name)
        return self._views(camera, snapshot, whole, name).get(name) if name in whole else None

    def items(self, camera: str, snapshot: Snapshot) -> dict[str, ItemView]:
        """Return the items of which anything is seen, by name, in the order of the room."""
        whole = self._geometry.object_boxes(snapshot, camera)
        views = self._views(camera, snapshot, whole)
        return {item.name: views[item.name] for item in snapshot.room.items if item.name in views}

    def _views(
        self, camera: str, snapshot: Snapshot, whole: Mapping[str, FractionBox], only: str = ""
    ) -> dict[str, ItemView]:
        """Return what is seen of items and fixtures, or of the one called `only`."""
        geoms = self._renderer.segment(camera, snapshot)
        owners = np.where(geoms >= 0, self._owner_of_geom(snapshot)[geoms], -1)
        owners = upright(owners[..., None], self._platform.camera(camera).rotate)[..., 0]
        height, width = owners.shape
        found = {}
        for number, name in enumerate(self._names):
            if only not in ("", name):
                continue
            seen = owners == number
            rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
            if not len(rows):
                continue
            x, y = columns[0] / width, rows[0] / height
            right, bottom = (columns[-1] + 1) / width, (rows[-1] + 1) / height
            area = (right - x) * (bottom - y)
            box = (float(x), float(y), float(right), float(bottom))
            share = float(area / _area(whole[name])) if name in whole else 0.0
            is_item = number < len(snapshot.room.items)
            least = _LEAST_SHARE if is_item else _LEAST_FIXTURE_SHARE
            found[name] = ItemView(name, box, int(np.count_nonzero(seen)), share, least)
        return found

    def _owner_of_geom(self, snapshot: Snapshot) -> np.ndarray:
        """Return the index in `_names` of each geom's item or fixture, (ngeom,) int; -1: none."""
        model, room = snapshot.model, snapshot.room
        if model is not self._model:
            owner = np.full(model.nbody, -1)
            bodies = {item.name: item_body(item.name) for item in room.items}
            bodies |= {fixture.name: fixture_body(fixture.name) for fixture in room.fixtures}
            for number, body in enumerate(bodies.values()):
                owner[model.body(body).id] = number
            self._names = tuple(bodies)
            self._model, self._owner = model, owner[model.geom_bodyid]
        return self._owner


def _area(box: FractionBox) -> float:
    x, y, right, bottom = box
    return max((right - x) * (bottom - y), 1e-9)
