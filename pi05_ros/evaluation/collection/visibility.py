"""Which items a camera sees, and where, by a rendered segmentation: hidden parts do not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from pi05_ros.cameras.rotation import upright
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.home_spec import item_body
from pi05_ros.sim.projection import CameraGeometry, FractionBox
from pi05_ros.sim.world import Snapshot

_LEAST_PIXELS = 20  # Below that nobody could name the item.
_LEAST_SHARE = 0.35  # Of the area that the item's box would have if nothing hid it.


@dataclass(frozen=True)
class ItemView:
    """What a camera sees of an item."""

    name: str
    box: FractionBox  # Around the visible part, fractions of the upright picture.
    pixels: int  # Of the item.
    share: float  # Area of the box / area of the item's projection, 0 to about 1.

    @property
    def is_clear(self) -> bool:
        """True if enough is seen to name the item."""
        return self.pixels >= _LEAST_PIXELS and self.share >= _LEAST_SHARE


class Visibility:
    """Views of the items through a platform's cameras.

    Args:
        platform: The platform.
        renderer: Renders its cameras.
    """

    def __init__(self, platform: Platform, renderer: CameraRenderer) -> None:
        self._platform, self._renderer = platform, renderer
        self._geometry = CameraGeometry(platform)
        self._model: mujoco.MjModel | None = None

    def item(self, name: str, camera: str, snapshot: Snapshot) -> ItemView | None:
        """Return the view of one item; None: nothing is seen of it, or its middle is outside.

        Nothing is rendered for a camera that cannot see it.
        """
        whole = self._geometry.object_boxes(snapshot, camera)
        return self._views(camera, snapshot, whole).get(name) if name in whole else None

    def items(self, camera: str, snapshot: Snapshot) -> dict[str, ItemView]:
        """Return the items of which anything is seen, by name, in the order of the kitchen."""
        whole = self._geometry.object_boxes(snapshot, camera)
        return self._views(camera, snapshot, whole)

    def _views(
        self, camera: str, snapshot: Snapshot, whole: Mapping[str, FractionBox]
    ) -> dict[str, ItemView]:
        items = snapshot.room.items
        geoms = self._renderer.segment(camera, snapshot)
        owners = np.where(geoms >= 0, self._item_of_geom(snapshot)[geoms], -1)
        owners = upright(owners[..., None], self._platform.camera(camera).rotate)[..., 0]
        height, width = owners.shape
        found = {}
        for number, item in enumerate(items):
            rows, columns = np.nonzero(owners == number)
            if not len(rows):
                continue
            x, y = columns.min() / width, rows.min() / height
            right, bottom = (columns.max() + 1) / width, (rows.max() + 1) / height
            area = (right - x) * (bottom - y)
            box = (float(x), float(y), float(right), float(bottom))
            share = float(area / _area(whole[item.name])) if item.name in whole else 0.0
            found[item.name] = ItemView(item.name, box, len(rows), share)
        return found

    def _item_of_geom(self, snapshot: Snapshot) -> np.ndarray:
        """Return the index of each geom's item, (ngeom,) int; -1: none."""
        model = snapshot.model
        if model is not self._model:
            owner = np.full(model.nbody, -1)
            for number, item in enumerate(snapshot.room.items):
                owner[model.body(item_body(item.name)).id] = number
            self._model, self._owner = model, owner[model.geom_bodyid]
        return self._owner


def _area(box: FractionBox) -> float:
    x, y, right, bottom = box
    return max((right - x) * (bottom - y), 1e-9)
