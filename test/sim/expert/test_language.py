"""The expert parses its own texts, and rejects unknown ones."""

import pytest
from fakes.scene import kitchen_with

from pi05_ros.sim.expert.language import (
    UnknownText,
    parse_subtask,
    pick_text,
    place_text,
    sentences,
)
from pi05_ros.sim.expert.tasks import parse_put
from pi05_ros.sim.homes.bedroom import draw_bedroom
from pi05_ros.sim.homes.kitchen import draw_kitchen


@pytest.mark.parametrize("home", range(12))
def test_own_sentences_are_understood(home):
    kitchen = draw_kitchen(home)
    for item in kitchen.dishes:
        pick = parse_subtask(pick_text(item), kitchen)
        place = parse_subtask(place_text(item), kitchen)
        assert (pick.verb, pick.item) == ("pick", item)
        assert (place.verb, place.item) == ("place", item)


def test_sentences_read_as_the_paper_has_them():
    item = kitchen_with("plate").item("plate_1")
    assert item.phrase == "the plate"
    assert pick_text(item) == "pick up the plate"
    assert place_text(item) == "put the plate in the sink"


@pytest.mark.parametrize("text", ["", "go home", "Stop.", "  wait "])
def test_some_texts_mean_to_hold_still(text):
    assert parse_subtask(text, draw_kitchen(0)).verb == "hold"


def test_case_spaces_and_other_words_for_it():
    kitchen = kitchen_with("plate")
    plate = kitchen.item("plate_1")
    assert parse_subtask("Pick up  the Plate.", kitchen).item == plate
    assert parse_subtask("place the plate into the sink", kitchen).item == plate
    assert parse_subtask("grab plate", kitchen).item == plate


def test_unknown_things_and_sentences_are_named():
    kitchen = kitchen_with("plate")
    with pytest.raises(UnknownText, match="no 'the elephant' here .*pick up the plate"):
        parse_subtask("pick up the elephant", kitchen)
    with pytest.raises(UnknownText, match="no sentence that it knows"):
        parse_subtask("dance", kitchen)


def test_two_of_a_kind_need_their_colour():
    home = next(h for h in range(200) if any(" cup" in i.phrase[4:] for i in two_of_a_kind(h)))
    kitchen = draw_kitchen(home)
    cup = next(item for item in kitchen.dishes if item.label == "cup")
    assert parse_subtask(f"pick up {cup.phrase}", kitchen).item == cup
    with pytest.raises(UnknownText, match="could be any of 2 things"):
        parse_subtask("pick up the cup", kitchen)


def two_of_a_kind(home):
    """Dishes whose label another dish has too."""
    dishes = draw_kitchen(home).dishes
    return [d for d in dishes if sum(o.label == d.label for o in dishes) > 1]


def test_things_that_cannot_be_grasped_are_no_subtask():
    kitchen = next(
        k for k in map(draw_kitchen, range(50)) if any(i.design.kind == "apple" for i in k.items)
    )
    with pytest.raises(UnknownText, match="no 'the apple' here"):
        parse_subtask("pick up the apple", kitchen)


def test_tasks():
    kitchen = kitchen_with("plate")
    sink = kitchen.sink
    assert parse_put("put the dishes in the sink", kitchen) == (kitchen.dishes, sink)
    assert parse_put("Put all the dirty dishes in the sink.", kitchen) == (kitchen.dishes, sink)
    assert parse_put("put the plate in the sink", kitchen) == ((kitchen.item("plate_1"),), sink)
    with pytest.raises(UnknownText, match="make the bed.*valid: put the dishes in the sink"):
        parse_put("make the bed", kitchen)


def test_sentences_of_a_bedroom():
    room = draw_bedroom(0)
    (garment,), pillow = room.laundry, room.pillows[0]
    place = parse_subtask(place_text(garment, "the basket"), room)
    assert (place.verb, place.item, place.container) == (
        "place",
        garment,
        room.container("basket"),
    )
    lay = parse_subtask(f"Put {pillow.phrase} at the head of the bed.", room)
    assert (lay.verb, lay.item) == ("lay", pillow)
    move = parse_subtask("straighten the blanket", room)
    assert (move.verb, move.fixture) == ("straighten", room.fixture("blanket"))
    for text in sentences(room):
        assert parse_subtask(text, room).thing is not None


def test_what_a_room_lacks_is_refused_with_what_it_has():
    room, kitchen = draw_bedroom(0), kitchen_with("plate")
    with pytest.raises(UnknownText, match="no 'the sink' here .*straighten the blanket"):
        parse_subtask(place_text(room.laundry[0]), room)
    with pytest.raises(UnknownText, match="nothing can open the blanket"):
        parse_subtask("open the blanket", room)
    with pytest.raises(UnknownText, match="no sentence that it knows"):
        parse_subtask("put the plate at the head of the bed", kitchen)


def test_tasks_of_a_bedroom():
    room = draw_bedroom(0)
    basket = room.container("basket")
    assert parse_put("put the laundry in the basket", room) == (room.laundry, basket)
    single = place_text(room.laundry[0], "the basket")
    assert parse_put(single, room) == (room.laundry, basket)
    with pytest.raises(UnknownText, match="valid: put the laundry in the basket; make the bed"):
        parse_put("dance", room)
