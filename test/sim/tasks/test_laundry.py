"""The rubric of the laundry, on scenes made by hand."""

import numpy as np
import pytest

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.laundry import LaundryInBasket, bounds_of_contacts

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])


class Story:
    """Moves the garment of a bedroom by hand and keeps time."""

    def __init__(self, kind: str = "bedroom") -> None:
        self.room = draw_room(kind, 10004)
        self.rubric = LaundryInBasket(self.room)
        (self.garment,) = self.room.laundry
        self.basket = self.room.container("basket")
        self.position = np.array(self.garment.position)
        self.quaternion = UPRIGHT
        self.held: set[str] = set()
        self.time = 0.0

    def points(self, times: int = 3) -> tuple[float, ...]:
        for _ in range(times):
            self.time += 0.1
            pose = Pose(self.position.copy(), self.quaternion)
            scene = SceneState(
                10004, Pose(np.zeros(3), UPRIGHT), {self.garment.name: pose}, "bedroom"
            )
            score = self.rubric.update(scene, self.held, self.time)
        assert score.points == sum(score.criterion_points) and score.max_points == 3
        return score.criterion_points

    def pick_up(self) -> None:
        self.held = {self.garment.name}
        self.position = self.position + [0, 0, 0.3]
        self.points()

    def put(self, along: float, height: float) -> None:
        """Put it down `along` [m] from the basket's middle, across it."""
        x, y = self.basket.pose.point((along, 0.0))
        self.position, self.held = np.array([x, y, height]), set()


@pytest.fixture(params=["bedroom", "bedroom_unseen"])
def story(request):
    return Story(request.param)


def test_a_garment_on_the_floor_has_no_points(story):
    assert story.points() == (0, 0, 0)
    story.position = story.position + [0, 0, 0.3]  # Lifted by nobody.
    assert story.points() == (0, 0, 0)
    story.held = {story.garment.name}
    story.position[2] = story.position[2] + 0.02  # 2 cm are not picked up.
    assert story.points() == (0, 0, 0)


def test_it_is_picked_up_once_and_for_all(story):
    story.pick_up()
    assert story.points() == (1, 0, 0)
    story.position[2], story.held = 0.0, set()
    assert story.points() == (1, 0, 0)


def test_in_the_basket_it_has_all_points_when_it_rests_and_is_released(story):
    story.pick_up()
    story.put(0.0, story.basket.floor)
    story.held = {story.garment.name}
    assert story.points() == (1, 0, 0)
    story.held = set()
    assert story.points() == (1, 1, 1)
    story.position = story.position + [0, 0, 0.05]  # It moves.
    assert story.points(1) == (1, 0, 0)
    assert story.points(1) == (1, 1, 1)


def test_on_the_rim_it_is_on_the_basket_but_not_inside(story):
    story.pick_up()
    story.put(0.0, story.basket.top - 0.01)
    assert story.points() == (1, 1, 0)
    story.put(story.basket.size[0] / 2, story.basket.top)
    assert story.points() == (1, 1, 0)


def test_a_sleeve_over_the_edge_is_not_inside(story):
    low, high = bounds_of_contacts(story.garment)
    story.pick_up()
    story.put(story.basket.size[0] / 2 - float(max(high[:2].max(), -low[:2].min())) / 2, 0.1)
    assert story.points() == (1, 1, 0)


def test_beside_the_basket_and_below_it_do_not_count(story):
    story.pick_up()
    story.put(story.basket.size[0], 0.0)
    assert story.points() == (1, 0, 0)
    story.put(0.0, 0.0)  # Through its floor.
    assert story.points() == (1, 0, 0)


def test_taken_out_again_it_loses_the_points_of_its_place(story):
    story.pick_up()
    story.put(0.0, story.basket.floor)
    assert story.points() == (1, 1, 1)
    story.held = {story.garment.name}
    assert story.points() == (1, 0, 0)


def test_a_kitchen_has_no_laundry():
    with pytest.raises(Pi05Error, match="wanted a bedroom, found the kitchen"):
        LaundryInBasket(draw_room("kitchen", 3))
