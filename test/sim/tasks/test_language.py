"""The rubric of the language following test, on scenes made by hand."""

from collections import Counter

import numpy as np
import pytest

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.language import LanguageFollowing, language_text, named_thing
from pi05_ros.sim.tasks.registry import scorer

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
ROOM = draw_room("kitchen_language", 10007)
NAMED = named_thing(ROOM)
OTHER = next(item for item in ROOM.dishes if item is not NAMED)


class Story:
    """Moves things by hand and keeps time."""

    def __init__(self) -> None:
        self.rubric = LanguageFollowing(ROOM)
        self.positions = {item.name: np.array(item.position) for item in ROOM.items}
        self.time = 0.0
        self.held: set[str] = set()
        self.tick()

    def tick(self):
        for _ in range(3):
            self.time += 0.02
            objects = {name: Pose(p.copy(), UPRIGHT) for name, p in self.positions.items()}
            scene = SceneState(7, Pose(np.zeros(3), UPRIGHT), objects, ROOM.kind)
            score = self.rubric.update(scene, self.held, self.time)
        return score.criterion_points

    def lift(self, item, by=0.1):
        self.held = {item.name}
        self.tick()
        self.positions[item.name][2] += by
        return self.tick()

    def put(self, item, where="sink"):
        self.held = set()
        sink = ROOM.sink
        inside = sink.pose.point((0.0, 0.0, sink.floor))
        self.positions[item.name] = inside if where == "sink" else np.array(item.position)
        return self.tick()


def test_the_named_thing_picked_first_and_placed_gives_both_points():
    story = Story()
    assert story.tick() == (0.0, 0.0)
    assert story.lift(NAMED) == (1.0, 0.0)
    assert story.put(NAMED) == (1.0, 1.0)
    assert story.lift(NAMED) == (1.0, 0.0), "taken out again"


@pytest.mark.parametrize(("by", "chosen"), [(0.029, 1.0), (0.031, 0.0)])
def test_another_thing_lifted_first_decides_for_good(by, chosen):
    story = Story()
    story.lift(OTHER, by)
    story.put(OTHER, "counter")
    assert story.lift(NAMED)[0] == chosen
    assert story.put(NAMED) == (chosen, 1.0), "it still gets where it belongs"


def test_another_thing_in_the_sink_first_refuses_the_placing_for_good():
    story = Story()
    story.lift(OTHER)
    assert story.put(OTHER) == (0.0, 0.0)
    story.put(OTHER, "counter")
    assert story.put(NAMED) == (0.0, 0.0)


def test_another_thing_that_follows_takes_the_point_while_it_is_there():
    story = Story()
    story.lift(NAMED)
    assert story.put(NAMED) == (1.0, 1.0)
    story.lift(OTHER)
    assert story.put(OTHER) == (1.0, 0.0)
    assert story.put(OTHER, "counter") == (1.0, 1.0)


def test_what_lies_in_the_sink_without_a_pick_is_not_chosen():
    assert Story().put(NAMED) == (0.0, 1.0)


def test_the_text_names_one_thing_of_the_room_by_its_seed():
    text = language_text(ROOM)
    assert text == f"put {NAMED.phrase} in the sink"
    assert scorer(text, ROOM).score().criteria == (
        f"pick up {NAMED.phrase} first",
        f"place {NAMED.phrase} in the sink, alone",
    )
    spoken = scorer(f"put {OTHER.phrase} in the sink", ROOM).score().criteria[0]
    assert spoken == f"pick up {OTHER.phrase} first", "a person may name another thing"
    kinds = Counter(
        named_thing(draw_room("kitchen_language", seed)).design.kind
        for seed in range(10000, 10040)
    )
    assert len(kinds) >= 6 and max(kinds.values()) < 15
