"""The rubric of "put the dishes in the sink", on scenes made by hand."""

import numpy as np
import pytest

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.tasks.dishes import DishesInSink, one_dish
from pi05_ros.sim.tasks.registry import scorer

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])


class Story:
    """Moves dishes by hand and keeps time."""

    def __init__(self, home: int = 7) -> None:
        self.kitchen = draw_kitchen(home)
        self.rubric = DishesInSink(self.kitchen)
        self.positions = {item.name: np.array(item.position) for item in self.kitchen.items}
        self.time = 0.0
        self.held: set[str] = set()

    def tick(self, times: int = 3):
        for _ in range(times):
            self.time += 0.02
            objects = {name: Pose(p.copy(), UPRIGHT) for name, p in self.positions.items()}
            scene = SceneState(7, Pose(np.zeros(3), UPRIGHT), objects)
            score = self.rubric.update(scene, self.held, self.time)
        return score

    def in_sink(self, x: float = 0.0, y: float = 0.0, above: float = 0.0) -> np.ndarray:
        sink = self.kitchen.sink
        return sink.pose.point((x, y, sink.floor + above))


@pytest.fixture
def story() -> Story:
    return Story()


def points(score, what: str) -> float:
    return score.criterion_points[score.criteria.index(what)]


def test_the_rubric_names_two_points_for_each_of_four_dishes(story):
    score = story.tick()
    assert score.criteria == (
        "pick up the knife", "place the knife in the sink",
        "pick up the glass", "place the glass in the sink",
        "pick up the bowl", "place the bowl in the sink",
        "pick up the spoon", "place the spoon in the sink",
    )  # fmt: skip
    assert (score.points, score.max_points) == (0.0, 8.0)
    assert score.criterion_max == (1.0,) * 8


def test_all_dishes_one_after_another_give_eight(story):
    expected = 0
    for dish in story.kitchen.dishes:
        story.held = {dish.name}
        story.tick()
        story.positions[dish.name][2] += 0.1
        expected += 1
        assert story.tick().points == expected
        story.positions[dish.name] = story.in_sink(above=0.05)
        assert story.tick().points == expected, "held in the sink is not placed"
        story.held = set()
        expected += 1
        assert story.tick().points == expected
    assert story.tick(100).points == 8.0


@pytest.mark.parametrize(("lift", "earned"), [(0.029, 0.0), (0.031, 1.0)])
def test_picking_needs_a_hold_and_three_centimetres(story, lift, earned):
    story.tick()
    story.held = {"bowl_1"}
    story.tick()
    story.positions["bowl_1"][2] += lift
    assert points(story.tick(), "pick up the bowl") == earned


def test_what_is_thrown_up_without_a_hold_is_not_picked(story):
    story.positions["bowl_1"][2] += 0.5
    assert story.tick().points == 0.0


def test_the_height_counts_from_where_it_was_taken(story):
    story.positions["spoon_1"] = story.in_sink()
    story.tick()
    story.held = {"spoon_1"}
    story.positions["spoon_1"][2] += 0.05
    assert points(story.tick(), "pick up the spoon") == 1.0


def test_a_picked_dish_stays_picked_when_it_falls(story):
    story.tick()
    story.held = {"bowl_1"}
    story.positions["bowl_1"][2] += 0.1
    story.tick()
    story.held = set()
    story.positions["bowl_1"][2] = 0.0
    score = story.tick()
    assert points(score, "pick up the bowl") == 1.0
    assert points(score, "place the bowl in the sink") == 0.0


def test_a_dish_that_leaves_the_sink_loses_its_point(story):
    home = story.positions["glass_1"].copy()
    story.positions["glass_1"] = story.in_sink()
    assert points(story.tick(), "place the glass in the sink") == 1.0
    story.positions["glass_1"] = home
    assert points(story.tick(), "place the glass in the sink") == 0.0


def test_a_dish_in_flight_over_the_basin_is_not_placed(story):
    for k in range(5):
        story.positions["bowl_1"] = story.in_sink(x=-0.1 + 0.04 * k, above=0.05)
        assert points(story.tick(1), "place the bowl in the sink") == 0.0
    assert points(story.tick(2), "place the bowl in the sink") == 1.0


@pytest.mark.parametrize("where", [(0.2, 0.0, 0.0), (0.0, 0.24, 0.0), (0.0, 0.0, 0.18)])
def test_beside_or_above_the_basin_is_not_in_it(story, where):
    story.positions["bowl_1"] = story.in_sink(*where)
    assert story.tick().points == 0.0


def test_things_that_are_no_dishes_give_nothing(story):
    for item in story.kitchen.items:
        if not item.is_dish:
            story.held = {item.name}
            story.positions[item.name] = story.in_sink(above=0.1)
    assert story.tick().points == 0.0


def test_a_task_of_one_dish_counts_that_dish_alone():
    kitchen = draw_kitchen(3)
    dish = kitchen.dishes[1]
    score = scorer(one_dish(dish), kitchen).score()
    assert score.criteria == (f"pick up {dish.phrase}", f"place {dish.phrase} in the sink")
    assert (score.points, score.max_points) == (0.0, 2.0)
    with pytest.raises(Pi05Error, match="did you mean"):
        scorer(one_dish(dish) + "s", kitchen)
