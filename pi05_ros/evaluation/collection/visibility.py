"""Which things a camera sees, and where, by a rendered segmentation: hidden parts do not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from pi05_ros.cameras.rotation import upright
from pi05_ros.evaluation.collection.furniture import furniture_labels, furniture_of_geoms
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.home_spec import fixture_body, item_body
from pi05_ros.sim.projection import CameraGeometry, FractionBox
from pi05_ros.sim.world import Snapshot

_LEAST_PIXELS = 20  # Below that nobody could name the item.
_LEAST_FIXTURE_SHARE = 0.1  # A shut drawer shows its front only, a quarter of its box.
_LEAST_OF_FURNITURE = 200  # The same of a piece of furniture.
_LEAST_SHARE = 0.35  # Of the area that the item's box would have if nothing hid it.


@dataclass(frozen=True)
class ItemView:
    """What a camera sees of an item, or of a piece of furniture."""

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
    """Views of items and furniture through a platform's cameras.

    Args:
        platform: The platform.
        renderer: Renders its cameras.
    """

    def __init__(self, platform: Platform, renderer: CameraRenderer) -> None:
        self._platform, self._renderer = platform, renderer
        self._geometry = CameraGeometry(platform)
        self._model: mujoco.MjModel | None = None
        self._seen: dict[str, tuple[Snapshot, np.ndarray]] = {}  # Last segmentation by camera.

    def item(self, name: str, camera: str, snapshot: Snapshot) -> ItemView | None:
        """Return the view of an item or fixture; None: nothing is seen, or its middle is outside.

        Nothing is rendered for a camera that cannot see it.
        """
        whole = self._geometry.object_boxes(snapshot, camera, only=name)
        if name not in whole:
            return None
        geoms = self._segment(camera, snapshot)
        return self._things(geoms, snapshot, whole, name).get(name)

    def items(self, camera: str, snapshot: Snapshot) -> dict[str, ItemView]:
        """Return the items of which anything is seen, by name, in the order of the room."""
        return self.scene(camera, snapshot)[0]

    def scene(
        self, camera: str, snapshot: Snapshot
    ) -> tuple[dict[str, ItemView], dict[str, ItemView]]:
        """Return the items of which anything is seen by name, and the furniture by label.

        Furniture is often larger than the picture: its share is 1 from 200 pixels on, else 0.
        """
        whole = self._geometry.object_boxes(snapshot, camera)
        geoms = self._segment(camera, snapshot)
        furniture = {}
        for number, label in enumerate(furniture_labels(snapshot.room)):
            view = _view(label, self._furniture[geoms] == number)
            if view is not None:
                share = float(view.pixels >= _LEAST_OF_FURNITURE)
                furniture[label] = replace(view, share=share)
        views = self._things(geoms, snapshot, whole)
        items = {i.name: views[i.name] for i in snapshot.room.items if i.name in views}
        return items, furniture

    def _things(
        self,
        geoms: np.ndarray,
        snapshot: Snapshot,
        whole: Mapping[str, FractionBox],
        only: str = "",
    ) -> dict[str, ItemView]:
        """Return what is seen of items and fixtures, or of the one called `only`."""
        owners, found = self._owner[geoms], {}
        for number, name in enumerate(self._names):
            if only not in ("", name):
                continue
            view = _view(name, owners == number)
            if view is not None:
                share = _area(view.box) / _area(whole[name]) if name in whole else 0.0
                is_item = number < len(snapshot.room.items)
                least = _LEAST_SHARE if is_item else _LEAST_FIXTURE_SHARE
                found[name] = replace(view, share=share, least_share=least)
        return found

    def _segment(self, camera: str, snapshot: Snapshot) -> np.ndarray:
        """Return the id of the geom in each pixel of the upright picture, (height, width) int.

        Where there is none it is -1, the last element of `_owner` and `_furniture`.
        """
        model = snapshot.model
        if model is not self._model:
            room, owner = snapshot.room, np.full(model.nbody, -1)
            bodies = {item.name: item_body(item.name) for item in room.items}
            bodies |= {fixture.name: fixture_body(fixture.name) for fixture in room.fixtures}
            for number, body in enumerate(bodies.values()):
                owner[model.body(body).id] = number
            self._names = tuple(bodies)
            self._owner = np.append(owner[model.geom_bodyid], -1)
            self._furniture = np.append(furniture_of_geoms(room, model), -1)
            self._model = model
        last = self._seen.get(camera)
        if last is None or last[0] is not snapshot:
            turned = self._renderer.segment(camera, snapshot)[..., None]
            geoms = upright(turned, self._platform.camera(camera).rotate)[..., 0]
            last = self._seen[camera] = snapshot, geoms
        return last[1]


def _view(name: str, seen: np.ndarray) -> ItemView | None:
    """Return the view of what is seen in the pixels of a mask (height, width); None: nothing."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return None
    height, width = seen.shape
    box = (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )
    return ItemView(name, box, int(np.count_nonzero(seen)), 0.0)


def _area(box: FractionBox) -> float:
    x, y, right, bottom = box
    return max((right - x) * (bottom - y), 1e-9)
