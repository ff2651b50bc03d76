"""The rubric of the bed, on scenes made by hand."""

import numpy as np
import pytest

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.geometry import FloorPose, quaternion_multiply, yaw_quaternion
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.bed import COVERS, NEAT, MadeBed

# Blanket covers, pillow 1 at the head, pillow 2 at the head, blanket neat, pillows neat.
NOTHING = (0, 0, 0, 0, 0)


class Story:
    """Moves blanket and pillows of a bedroom by hand and keeps time."""

    def __init__(self, home: int = 10002) -> None:
        self.room = draw_room("bedroom", home)
        self.rubric = MadeBed(self.room)
        blanket = self.room.fixture("blanket")
        self.poses = {pillow.name: pillow.pose for pillow in self.room.pillows}
        self.blanket(*(joint.start for joint in blanket.joints))
        self.held: set[str] = set()
        self.time = 0.0

    def blanket(self, x: float, y: float, yaw: float) -> None:
        """Displace the blanket from where it covers the bed."""
        fixture = self.room.fixture("blanket")
        pose = fixture.pose.compose(FloorPose(x, y, yaw))
        self.poses["blanket"] = Pose(
            np.array([pose.x, pose.y, fixture.height]), yaw_quaternion(pose.yaw)
        )

    def pillow(self, number: int, place: int, x: float = 0.0, y: float = 0.0, yaw: float = 0.0):
        """Lay a pillow at an offset from one of the two places."""
        pose = self.room.pillow_places[place].compose(FloorPose(x, y, yaw))
        position = np.array([pose.x, pose.y, self.room.bed.height])
        self.poses[self.room.pillows[number].name] = Pose(position, yaw_quaternion(pose.yaw))

    def points(self) -> tuple[float, ...]:
        for _ in range(3):
            self.time += 0.1
            scene = SceneState(
                10002, Pose(np.zeros(3), yaw_quaternion(0.0)), dict(self.poses), "bedroom"
            )
            score = self.rubric.update(scene, self.held, self.time)
        assert score.points == sum(score.criterion_points) and score.max_points == 5
        return score.criterion_points


@pytest.mark.parametrize("home", range(10000, 10010))
def test_no_bed_is_made_at_the_start(home):
    assert Story(home).points() == NOTHING


def test_the_blanket_covers_within_one_tolerance_and_is_neat_within_another():
    story = Story()
    story.blanket(0.0, 0.0, 0.0)
    assert story.points() == (1, 0, 0, 1, 0)
    for index in range(3):
        limit, neat = (COVERS[index == 2], NEAT[index == 2])
        for sign in (-1, 1):
            off = [0.0, 0.0, 0.0]
            for distance, covers, is_neat in (
                (0.9 * neat, 1, 1), (1.1 * neat, 1, 0), (0.9 * limit, 1, 0), (1.1 * limit, 0, 0),
            ):  # fmt: skip
                off[index] = sign * distance
                story.blanket(*off)
                assert story.points() == (covers, 0, 0, is_neat, 0), (index, sign, distance)


def test_a_blanket_in_a_hand_does_not_count_yet():
    story = Story()
    story.blanket(0.0, 0.0, 0.0)
    story.held = {"blanket"}
    assert story.points() == NOTHING


def test_each_pillow_counts_at_the_head_and_both_when_they_lie_side_by_side():
    story = Story()
    story.pillow(0, 1)
    assert story.points() == (0, 1, 0, 0, 0)
    story.pillow(1, 0, yaw=np.pi)  # A pillow has no front.
    assert story.points() == (0, 1, 1, 0, 1)
    story.pillow(1, 0, x=0.1)
    assert story.points() == (0, 1, 1, 0, 0)
    story.pillow(1, 0, yaw=0.3)
    assert story.points() == (0, 1, 1, 0, 0)
    story.pillow(1, 1)  # On top of the other one.
    assert story.points() == (0, 1, 1, 0, 0)


def test_a_pillow_must_rest_on_the_mattress_at_the_head():
    story = Story()
    name = story.room.pillows[0].name
    story.pillow(0, 0)
    story.held = {name}
    assert story.points() == NOTHING
    story.held = set()
    assert story.points() == (0, 1, 0, 0, 0)
    story.pillow(0, 0, y=-story.room.head * 0.5)  # In the middle of the bed.
    assert story.points() == NOTHING
    story.pillow(0, 0, x=-0.5)  # Before the bed.
    assert story.points() == NOTHING
    story.pillow(0, 0)
    story.poses[name].position[2] = 0.0  # On the floor.
    assert story.points() == NOTHING


def test_the_order_does_not_matter_and_an_undone_bed_loses_points():
    story = Story()
    story.pillow(0, 0)
    story.pillow(1, 1)
    assert story.points() == (0, 1, 1, 0, 1)
    story.blanket(0.01, -0.02, 0.01)
    assert story.points() == (1, 1, 1, 1, 1)
    story.blanket(0.0, 0.3, 0.0)
    assert story.points() == (0, 1, 1, 0, 1)


def test_a_kitchen_has_no_bed():
    with pytest.raises(Pi05Error, match="wanted a bedroom, found the kitchen"):
        MadeBed(draw_room("kitchen", 3))


@pytest.mark.parametrize(("tilt", "neat"), [(0.29, 1), (0.31, 0), (np.pi / 2, 0), (np.pi, 1)])
def test_a_pillow_that_stands_on_its_edge_is_not_neat(tilt, neat):
    story = Story()
    story.pillow(0, 0)
    story.pillow(1, 1)
    name = story.room.pillows[0].name
    lies = story.poses[name]
    over = np.array([np.cos(tilt / 2), np.sin(tilt / 2), 0.0, 0.0])  # About its own x axis.
    story.poses[name] = Pose(lies.position, quaternion_multiply(lies.quaternion, over))
    assert story.points() == (0, 1, 1, 0, neat)


def test_poses_that_are_no_numbers_give_nothing():
    story = Story()
    story.pillow(0, 0)
    story.pillow(1, 1)
    story.blanket(0.0, 0.0, 0.0)
    assert story.points() == (1, 1, 1, 1, 1)
    unknown = Pose(np.full(3, np.nan), np.full(4, np.nan))
    story.poses[story.room.pillows[0].name] = unknown
    assert story.points() == (1, 0, 1, 1, 0)
    story.poses["blanket"] = unknown
    assert story.points() == (0, 0, 1, 0, 0)
