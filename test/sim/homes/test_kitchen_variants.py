"""Kitchens with held-out kinds and with more things: the seed's kitchen but for its dishes."""

import hashlib
import itertools
import math

import pytest

from pi05_ros.sim.homes.clutter import CLUTTER
from pi05_ros.sim.homes.dishes import DISHES
from pi05_ros.sim.homes.held_out import HELD_OUT, HELD_OUT_PAINTED
from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.homes.small_items import SMALL_ITEMS, UNSEEN_SMALL_ITEMS

KINDS = {
    "kitchen_unseen": (HELD_OUT, {4}),
    "kitchen_language": (DISHES, {5, 6}),
    "kitchen_language_unseen": (HELD_OUT, {5, 6}),
}
SEEDS = (*range(10000, 10012), 0, 20000)


def test_no_kitchen_for_training_has_a_held_out_kind():
    assert not set(HELD_OUT) & (set(DISHES) | set(CLUTTER))
    assert not set(UNSEEN_SMALL_ITEMS) & set(SMALL_ITEMS)
    assert len(HELD_OUT) >= 6 and set(HELD_OUT_PAINTED) < set(HELD_OUT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_where_they_can_be_reached_and_are_named_alone(kind, seed):
    makers, counts = KINDS[kind]
    room, plain = draw_room(kind, seed), draw_kitchen(seed)
    assert (room.kind, room.seed) == (kind, seed)
    for name in ("walls", "surfaces", "containers", "fixtures", "furniture"):
        assert getattr(room, name) == getattr(plain, name)
    kept = [item for item in plain.items if not item.belongs_in]
    assert [item for item in room.items if not item.belongs_in] == kept
    small = [item.design.kind for item in room.belonging_in("drawer_1")]
    assert len(small) == (kind == "kitchen_unseen") and set(small) <= set(UNSEEN_SMALL_ITEMS)
    assert len(room.dishes) in counts
    assert {dish.design.kind for dish in room.dishes} <= set(makers)
    assert len({item.name for item in room.items}) == len(room.items)
    assert len({dish.phrase for dish in room.dishes}) == len(room.dishes)
    counter = room.surfaces[0]
    for dish in room.dishes:
        x, y, z = counter.pose.local(dish.position)
        assert 0.12 - 1e-6 <= x <= 0.32 + 1e-6 and z == counter.height
        assert abs(y) <= counter.length / 2 - 0.25 + 1e-6
        aside = abs(room.sink.pose.local(dish.position)[1])
        assert aside > room.sink.size[1] / 2 + dish.design.footprint
    for a, b in itertools.combinations(room.items, 2):
        if a.belongs_in or b.belongs_in:
            apart = math.dist(a.position, b.position)
            assert apart > a.design.footprint + b.design.footprint + 0.07
            assert apart >= 0.2 - 1e-6 or not (a.belongs_in and b.belongs_in)


@pytest.mark.parametrize(
    ("kind", "fingerprint"),
    [
        ("kitchen_unseen", "cbddf4b96e96b1a2"),
        ("kitchen_language", "5fc996dd24cc9764"),
        ("kitchen_language_unseen", "5738a94820c50155"),
    ],
)
def test_a_seed_gives_the_same_things_for_ever(kind, fingerprint):
    lines = [
        f"{d.name} {d.phrase} {d.position[0]:.3f} {d.position[1]:.3f} {d.yaw:.3f}"
        for d in draw_room(kind, 7).dishes
    ]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == fingerprint
