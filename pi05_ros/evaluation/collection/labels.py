"""Common names of the things that rooms of a kind may hold."""

from __future__ import annotations

import functools
from collections.abc import Collection

import numpy as np

from pi05_ros.evaluation.collection.settings import CollectError
from pi05_ros.sim.homes.bedding import make_pillow
from pi05_ros.sim.homes.bedroom_things import make_book, make_clock, make_lamp, make_shoe
from pi05_ros.sim.homes.clutter import CLUTTER
from pi05_ros.sim.homes.dishes import DISHES, Maker
from pi05_ros.sim.homes.garments import GARMENTS, UNSEEN_GARMENTS
from pi05_ros.sim.homes.held_out import HELD_OUT
from pi05_ros.sim.homes.lab_objects import OTHERS, make_block
from pi05_ros.sim.homes.small_items import SMALL_ITEMS, UNSEEN_SMALL_ITEMS

_KITCHEN: tuple[Maker, ...] = (*CLUTTER.values(),)
_BEDROOM: tuple[Maker, ...] = (make_pillow, make_book, make_clock, make_lamp, make_shoe)
_MAKERS: dict[str, tuple[Maker, ...]] = {
    "kitchen": (*DISHES.values(), *SMALL_ITEMS.values(), *_KITCHEN),
    "kitchen_unseen": (*HELD_OUT.values(), *UNSEEN_SMALL_ITEMS.values(), *_KITCHEN),
    "kitchen_language": (*DISHES.values(), *_KITCHEN),
    "kitchen_language_unseen": (*HELD_OUT.values(), *_KITCHEN),
    "lab": (make_block, *OTHERS.values()),
    "bedroom": (*GARMENTS.values(), *_BEDROOM),
    "bedroom_unseen": (*UNSEEN_GARMENTS.values(), *_BEDROOM),
}
_FURNITURE = (
    "sink", "drawer", "counter", "side counter", "bed", "blanket", "basket", "nightstand", "table",
    "tray", "bin",
)  # fmt: skip


@functools.cache
def labels_in(kind: str) -> tuple[str, ...]:
    """Return the labels that items in a kind of room have, in alphabetical order.

    Raises:
        CollectError: Nothing is known of such rooms.
    """
    if kind not in _MAKERS:
        raise CollectError(
            f"scenes of a room '{kind}' cannot be described (valid: {', '.join(_MAKERS)})"
        )
    makers = _MAKERS[kind]
    random = np.random.Generator(np.random.PCG64(0))
    return tuple(sorted({make(random, "red").label for make in makers}))


def absent_furniture(kind: str, seen: Collection[str]) -> tuple[str, ...]:
    """Return the furniture that may be asked for because nothing of it is seen.

    A kitchen's counters are left out: a side counter is one too.
    """
    counters = ("counter", "side counter") if kind.startswith("kitchen") else ()
    return tuple(label for label in _FURNITURE if label not in (*seen, *counters))
