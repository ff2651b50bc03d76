"""Bedrooms with a robot: hands reach everything, and what is laid down stays and counts."""

from collections.abc import Iterator

import mujoco
import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.grasps import hand_poses
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import Transform, hand_down, on_floor
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.homes.garments import GARMENTS, UNSEEN_GARMENTS
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import Grasp
from pi05_ros.sim.homes.room import Bedroom
from pi05_ros.sim.tasks.bed import MadeBed
from pi05_ros.sim.tasks.laundry import LaundryInBasket
from pi05_ros.sim.world import World

HOMES = [10000, 10003, 10008]
BEFORE_BED = 0.34  # Of base_link from the bed's front edge [m].
ON_FLOOR = (0.36, 0.40)  # Of a hand ahead of base_link [m].
OVER_BASKET = (0.46, 0.52, 0.58, 0.64)
RISE = 0.3  # Of the shoulders above what the hands work on [m].


class Reach:
    """Stances and inverse kinematics of a robot in bedrooms."""

    def __init__(self, name: str) -> None:
        platform = load_platform(name)
        self.kinematics = ArmKinematics(platform)
        self.world = World(platform, HOMES[0], "bedroom")

    def reaches(self, T_odom_thing: Transform, grasp: Grasp, top: float, ahead=()) -> bool:
        """Whether a hand reaches a grasp and `top` [m] above it, facing as the bed does.

        Args:
            T_odom_thing: Pose of what is grasped.
            grasp: Its graspable points.
            top: Height above the grasp that the hand comes from [m].
            ahead: Distances of the hand ahead of base_link [m]; none: the base is before the bed.
        """
        kinematics, bed = self.kinematics, self.world.room.bed
        for hand in hand_poses(grasp, T_odom_thing, bed.pose.yaw):
            posture = self._posture(T_odom_thing.position[2] + RISE)
            x, y, _ = bed.pose.local(hand.position)
            for side in ("left", "right"):
                shoulder = kinematics.shoulder(posture, side)[1]
                for back in [x - distance for distance in ahead] or [-BEFORE_BED]:
                    stance = bed.pose.compose(FloorPose(back, y - shoulder, 0.0))
                    if self.is_free(stance) and self._solves(side, stance, hand, top, posture):
                        return True
        return False

    def _solves(self, side, stance, hand, top, seed) -> bool:
        T_base_odom = on_floor(stance).inverse()
        for height in (top, 0.0):
            place = hand_down(hand.position + [0.0, 0.0, height], hand.yaw)
            solution = self.kinematics.solve(side, T_base_odom @ place, seed)
            if not solution.reaches():
                return False
            seed = solution.vector
        return True

    def _posture(self, height: float) -> np.ndarray:
        """Return the home vector with the shoulders at a height [m], as near as they come."""
        platform, kinematics = self.kinematics.platform, self.kinematics
        best = posture = np.array(platform.home)
        for joint in kinematics.layout.torso:
            for value in np.linspace(platform.lower[joint], platform.upper[joint], 21):
                other = posture.copy()
                other[joint] = value
                off = [abs(kinematics.shoulder(v, "left")[2] - height) for v in (other, best)]
                best = other if off[0] < off[1] - 1e-6 else best
        return best

    def is_free(self, stance: FloorPose) -> bool:
        """Whether the robot with its arms at home touches nothing at a stance."""
        world = self.world
        for name, value in zip(("x", "y", "yaw"), (stance.x, stance.y, stance.yaw), strict=True):
            world.data.joint(f"base_{name}").qpos[0] = value
        mujoco.mj_kinematics(world.model, world.data)
        mujoco.mj_comPos(world.model, world.data)
        mujoco.mj_collision(world.model, world.data)
        return not any(self._is_robot(c.geom1) != self._is_robot(c.geom2)
                       for c in world.data.contact)  # fmt: skip

    def _is_robot(self, geom: int) -> bool:
        body = self.world.model.body(self.world.model.geom_bodyid[geom]).name
        return not body.startswith(("world", "room", "item/", "fixture/"))


@pytest.fixture(scope="module", params=["mobile_18dof", "mobile_19dof"])
def reach(request) -> Reach:
    return Reach(request.param)


def at(pose: FloorPose, height: float) -> Transform:
    """The pose in odom of an upright thing."""
    c, s = np.cos(pose.yaw), np.sin(pose.yaw)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return Transform(rotation, np.array([pose.x, pose.y, height]))


def targets(room: Bedroom) -> Iterator[tuple[str, Transform, Grasp, float, tuple[float, ...]]]:
    """What hands must reach for both tasks: name, pose, grasp, height above, distances ahead."""
    (garment,) = room.laundry
    pose = FloorPose(*garment.position[:2], garment.yaw)
    yield "garment", at(pose, 0.0), garment.grasp, 0.12, ON_FLOOR
    basket = room.container("basket")
    drop = Grasp((0.0, 0.0, 0.12), 0.01, along=0.0)
    yield "basket", at(basket.pose, basket.top), drop, 0.08, OVER_BASKET
    for pillow in room.pillows:
        pose = FloorPose(*pillow.position[:2], pillow.yaw)
        yield pillow.name, at(pose, room.bed.height), pillow.grasp, 0.15, ()
    for number, place in enumerate(room.pillow_places):
        grasp = room.pillows[0].grasp
        yield f"place {number} of a pillow", at(place, room.bed.height), grasp, 0.15, ()
    blanket = room.fixture("blanket")
    start = blanket.pose.compose(FloorPose(*(joint.start for joint in blanket.joints)))
    for name, pose in (("displaced", start), ("straight", blanket.pose)):
        yield f"{name} blanket", at(pose, blanket.height), blanket.grasp, 0.1, ()


@pytest.mark.parametrize("home", HOMES)
def test_hands_reach_everything_from_where_the_base_is_free(reach, home):
    reach.world.reset(home, "bedroom")
    for name, pose, grasp, top, ahead in targets(reach.world.room):
        assert reach.reaches(pose, grasp, top, ahead), name


def test_what_is_out_of_reach_is_found(reach):
    """The middle of the bed's far edge, and a garment under the basket."""
    reach.world.reset(HOMES[0], "bedroom")
    room, grasp = reach.world.room, Grasp((0.0, 0.0, 0.06), 0.01, along=0.0)
    far = room.bed.pose.compose(FloorPose(0.78, 0.0, 0.0))
    assert not reach.reaches(at(far, room.bed.height), grasp, 0.15)
    basket = room.container("basket").pose
    assert not reach.reaches(at(basket, 0.0), grasp, 0.12, ON_FLOOR)
    assert reach.reaches(at(basket, 0.4), grasp, 0.12, OVER_BASKET)
    assert not reach.is_free(room.bed.pose), "the base would be in the bed"
    assert not reach.is_free(basket), "the base would be in the basket"


@pytest.fixture(scope="module")
def world() -> World:
    return World(load_platform("mobile_18dof"), HOMES[0], "bedroom")


def lay(world: World, name: str, pose: FloorPose, height: float) -> None:
    """Put an item down at a pose [m, m, rad] and height [m], at rest."""
    joint = world.data.joint(item_joint(name))
    turn = (np.cos(pose.yaw / 2), 0.0, 0.0, np.sin(pose.yaw / 2))
    joint.qpos[:], joint.qvel[:] = (pose.x, pose.y, height, *turn), 0.0
    mujoco.mj_forward(world.model, world.data)


def score(world: World, rubric, seconds: float) -> tuple[float, ...]:
    for _ in range(round(seconds / 0.1)):
        world.step(0.1)
        points = rubric.update(world.scene_state(), world.held(), world.time)
    return points.criterion_points


@pytest.mark.parametrize("kind", ["bedroom", "bedroom_unseen"])
def test_each_garment_dropped_over_the_basket_ends_fully_inside(world, kind):
    wanted = set(GARMENTS if kind == "bedroom" else UNSEEN_GARMENTS)
    for home in range(10000, 10040):
        if not wanted:
            break
        world.reset(home, kind)
        (garment,) = world.room.laundry
        if garment.design.kind not in wanted:
            continue
        wanted.discard(garment.design.kind)
        basket = world.room.container("basket")
        rubric = LaundryInBasket(world.room)
        # As a hand lets it go: 5 cm above the rim, 3 cm beside the middle, turned.
        place = basket.pose.compose(FloorPose(0.03, -0.03, 0.5))
        lay(world, garment.name, place, basket.top + 0.05)
        assert score(world, rubric, 1.5) == (0, 1, 1), garment.name
    assert not wanted


def test_pillows_laid_down_at_the_head_stay_there_and_count(world):
    world.reset(HOMES[0], "bedroom")
    room = world.room
    rubric = MadeBed(room)
    for pillow, place in zip(room.pillows, room.pillow_places, strict=True):
        lay(world, pillow.name, place.compose(FloorPose(0.0, 0.0, 0.1)), room.bed.height + 0.03)
    assert score(world, rubric, 1.5) == (0, 1, 1, 0, 1)
