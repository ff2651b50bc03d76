"""The rubric of "put the items in the drawer", on scenes made by hand."""

import dataclasses

import numpy as np
import pytest

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.geometry import yaw_quaternion
from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.drawer import ItemsInDrawer, one_item

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
TICK = 0.02  # s


class Story:
    """Moves the drawer and its item by hand and keeps time."""

    def __init__(self, room: Room | None = None) -> None:
        self.room = room or draw_kitchen(7)
        self.rubric = ItemsInDrawer(self.room)
        self.items = self.room.belonging_in("drawer_1")
        self.name = self.items[0].name
        self.positions = {item.name: np.array(item.position) for item in self.room.items}
        self.open, self.time = 0.0, 0.0
        self.held: set[str] = set()

    def scene(self) -> SceneState:
        drawer = self.room.fixture("drawer_1")
        place = np.array([*drawer.pose.point((-self.open, 0.0)), drawer.height])
        objects = {name: Pose(p.copy(), UPRIGHT) for name, p in self.positions.items()}
        objects["drawer_1"] = Pose(place, yaw_quaternion(drawer.pose.yaw))
        return SceneState(7, Pose(np.zeros(3), UPRIGHT), objects)

    def tick(self, times: int = 3) -> tuple[float, ...]:
        """Points of picking, opening, placing and closing."""
        for _ in range(times):
            self.time += TICK
            score = self.rubric.update(self.scene(), self.held, self.time)
        assert score.points == sum(score.criterion_points)
        return score.criterion_points

    def inside(self, x: float = 0.0, y: float = 0.0, above: float = 0.0) -> np.ndarray:
        """A point in the drawer as it stands now."""
        box = self.room.container("drawer_1", self.scene().objects)
        return box.pose.point((x, y, box.floor + above))

    def slide(self, by: float, speed: float = 0.2) -> tuple[float, ...]:
        """Move the drawer to an opening, with what is in it."""
        points = ()
        while abs(self.open - by) > 1e-9:
            step = np.clip(by - self.open, -speed * TICK, speed * TICK)
            moved = self.room.fixture("drawer_1").pose
            shift = moved.point((-step, 0.0)) - moved.point((0.0, 0.0))
            box = self.room.container("drawer_1", self.scene().objects)
            for position in self.positions.values():
                if box.contains(position):
                    position[:2] += shift
            self.open += step
            points = self.tick(1)
        return points

    def lift(self) -> None:
        self.tick()
        self.held = {self.name}
        self.positions[self.name][2] += 0.1
        self.tick()

    def put(self, **place: float) -> tuple[float, ...]:
        self.held = set()
        self.positions[self.name] = self.inside(**place)
        return self.tick()


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_rubric_names_four_points(story):
    phrase = story.items[0].phrase
    story.tick()
    score = story.rubric.score()
    assert score.criteria == (
        f"pick up {phrase}", "open the drawer", f"place {phrase} in the drawer",
        "close the drawer",
    )  # fmt: skip
    assert (score.points, score.max_points) == (0.0, 4.0)
    assert score.criterion_max == (1.0,) * 4


def test_open_pick_place_close_give_one_after_another(story):
    story.tick()
    assert story.slide(0.2) == (0, 1, 0, 0)
    story.lift()
    assert story.tick() == (1, 1, 0, 0)
    assert story.put() == (1, 1, 1, 0)
    assert story.slide(0.0) == (1, 1, 1, 1)
    assert story.tick(100) == (1, 1, 1, 1)


@pytest.mark.parametrize(("opening", "earned"), [(0.149, 0.0), (0.151, 1.0)])
def test_opened_from_fifteen_centimetres_on_and_kept(story, opening, earned):
    story.tick()
    story.slide(opening)
    assert story.tick()[1] == earned
    assert story.slide(0.0)[1] == earned


@pytest.mark.parametrize(("lift", "earned"), [(0.029, 0.0), (0.031, 1.0)])
def test_picking_needs_a_hold_and_three_centimetres(story, lift, earned):
    story.tick()
    story.held = {story.name}
    story.tick()
    story.positions[story.name][2] += lift
    assert story.tick()[0] == earned


def test_what_is_lifted_without_a_hold_is_not_picked(story):
    story.tick()
    story.positions[story.name][2] += 0.3
    assert story.tick() == (0, 0, 0, 0)


def test_held_in_the_drawer_is_not_placed(story):
    story.slide(0.2)
    story.lift()
    story.positions[story.name] = story.inside(above=0.02)
    assert story.tick() == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "place", [{"x": 0.17}, {"y": 0.22}, {"above": 0.12}], ids=["behind", "beside", "above"]
)
def test_out_of_the_box_is_not_in_it(story, place):
    story.slide(0.2)
    assert story.put(**place) == (0, 1, 0, 0)


def test_what_flies_through_the_box_is_not_placed(story):
    story.slide(0.2)
    for k in range(5):
        story.positions[story.name] = story.inside(x=-0.1 + 0.04 * k, above=0.05)
        assert story.tick(1)[2] == 0.0
    assert story.tick(2)[2] == 1.0


def test_what_rides_along_stays_placed(story):
    story.slide(0.25)
    story.put()
    while story.open > 0.021:
        assert story.slide(max(0.021, story.open - 0.004))[2:] == (1, 0)


def test_taken_out_again_loses_its_point(story):
    home = story.positions[story.name].copy()
    story.slide(0.2)
    assert story.put()[2] == 1.0
    story.positions[story.name] = home
    assert story.tick()[2] == 0.0


@pytest.mark.parametrize(("gap", "earned"), [(0.021, 0.0), (0.019, 1.0)])
def test_closed_to_two_centimetres(story, gap, earned):
    story.slide(0.2)
    story.put()
    story.slide(gap)
    assert story.tick()[3] == earned


def test_an_empty_drawer_that_is_closed_gives_nothing_and_later_counts(story):
    story.slide(0.2)
    assert story.slide(0.0) == (0, 1, 0, 0)
    story.slide(0.2)
    story.put()
    assert story.slide(0.0) == (0, 1, 1, 1)


def test_a_drawer_opened_again_loses_the_point_of_closing(story):
    story.slide(0.2)
    story.put()
    assert story.slide(0.0)[3] == 1.0
    assert story.slide(0.1)[2:] == (1, 0)
    assert story.slide(0.0)[3] == 1.0


def test_an_item_in_a_drawer_that_was_never_opened_does_not_count_as_closed(story):
    assert story.put() == (0, 0, 1, 0)
    story.slide(0.1)
    assert story.slide(0.0) == (0, 0, 1, 0)


def test_other_things_in_the_drawer_give_nothing(story):
    story.slide(0.2)
    dish = story.room.dishes[0].name
    story.positions[dish] = story.inside()
    story.tick()
    assert story.slide(0.0) == (0, 1, 0, 0)


def test_two_items_share_the_points_of_items():
    kitchen = draw_kitchen(7)
    (item,) = kitchen.belonging_in("drawer_1")
    twin = dataclasses.replace(item, name="twin", phrase="the twin")
    story = Story(dataclasses.replace(kitchen, items=(*kitchen.items, twin)))
    story.slide(0.2)
    assert story.put() == (0, 0, 1, 0.5, 0, 0)
    assert story.slide(0.0)[-1] == 0.0, "the twin is missing"
    story.slide(0.2)
    story.positions["twin"] = story.inside(y=0.1)
    story.tick()
    assert story.slide(0.0) == (0, 0, 1, 0.5, 0.5, 1)
    assert story.rubric.score().max_points == 4.0


def test_a_room_without_a_drawer_is_refused_by_name():
    kitchen = draw_kitchen(7)
    bare = dataclasses.replace(kitchen, containers=(kitchen.sink,), fixtures=())
    with pytest.raises(Pi05Error, match="has no container 'drawer_1' \\(valid: sink\\)"):
        ItemsInDrawer(bare)
    assert one_item(kitchen.belonging_in("drawer_1")[0]).startswith("put the ")


def test_a_kitchen_with_nothing_for_the_drawer_is_refused():
    with pytest.raises(Pi05Error, match="nothing in the kitchen_language of home 10003 belongs"):
        ItemsInDrawer(draw_room("kitchen_language", 10003))
