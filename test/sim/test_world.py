"""A robot in a home: servos that follow, items that rest, odometry, tf, reset."""

import math

import mujoco
import numpy as np
import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.homes.geometry import quaternion_multiply, rotate
from pi05_ros.sim.robot import home_positions
from pi05_ros.sim.world import World

TICK = 0.02


@pytest.fixture(scope="module", params=["mobile_10dof", "mobile_18dof", "mobile_19dof"])
def any_world(request) -> World:
    return World(load_platform(request.param), 0)


@pytest.fixture(scope="module")
def shared() -> World:
    return World(load_platform("mobile_18dof"), 0)


@pytest.fixture
def world(shared) -> World:
    shared.reset(0, "kitchen")
    return shared


def tools_of(world: World) -> list[str]:
    """The links at the tool centre points."""
    names = [world.model.body(i).name for i in range(world.model.nbody)]
    return [name for name in names if name.endswith("tcp")]


def run(world: World, seconds: float) -> None:
    for _ in range(round(seconds / TICK)):
        world.step(TICK)


def place(world: World, item: str, position, quaternion=(1.0, 0.0, 0.0, 0.0)) -> None:
    """Put an item at a position, at rest."""
    joint = world.data.joint(item_joint(item))
    joint.qpos[:3], joint.qpos[3:], joint.qvel[:] = position, quaternion, 0.0
    mujoco.mj_forward(world.model, world.data)


def test_joints_follow_a_ramp_closely_and_stop_without_ringing(any_world):
    """Each joint alone: 1 rad/s (or its own limit), then a dead stop."""
    world = any_world
    home = home_positions(world.platform)
    for group in world.platform.groups_of("joint_trajectory"):
        for dimension in group.dimensions:
            world.reset()
            joint = dimension.joint_name
            speed = min(1.0, dimension.max_velocity)
            up = dimension.upper - home[joint] > home[joint] - dimension.lower
            command, lag = home[joint], 0.0
            for tick in range(20):
                ramp = min(1.0, (tick + 1) / 8)  # Within the joint's acceleration limit.
                command += (1 if up else -1) * ramp * speed * TICK
                world.set_joint_command(joint, command)
                world.step(TICK)
                lag = max(lag, abs(world.joint_positions()[joint] - command))
            errors = []
            for _ in range(15):
                world.step(TICK)
                errors.append(world.joint_positions()[joint] - command)
            assert lag < 0.02, joint
            assert max(map(abs, errors)) < 0.01, f"{joint} overshoots"
            assert abs(errors[4]) < 1e-3, f"{joint} rings"
            assert abs(errors[-1]) < 1e-4, f"{joint} does not arrive"


def test_a_wild_command_stays_finite_and_arrives(world):
    for joint in ("left_arm_joint_1", "left_arm_joint_3"):
        world.set_joint_command(joint, 0.8)
    run(world, 1.5)
    assert world.joint_positions()["left_arm_joint_1"] == pytest.approx(0.8, abs=1e-3)
    assert world.joint_positions()["left_arm_joint_3"] == pytest.approx(0.8, abs=1e-3)
    assert max(map(abs, world.base_pose())) < 0.01, "the base hardly feels it"


def test_the_base_drives_in_its_own_frame_and_stops_on_command(any_world):
    world = any_world
    world.reset()
    world.set_base_command(0.0, 0.0, 0.8)
    run(world, 1.0)
    world.set_base_command(0.0, 0.0, 0.0)
    run(world, 0.5)
    yaw = world.base_pose()[2]
    assert yaw == pytest.approx(0.8, abs=0.02)
    before = np.array(world.base_pose()[:2])
    world.set_base_command(0.3, -0.1, 0.0)
    run(world, 0.5)
    assert world.base_velocity() == pytest.approx((0.3, -0.1, 0.0), abs=5e-3)
    run(world, 0.5)
    world.set_base_command(0.0, 0.0, 0.0)
    run(world, 0.5)
    forward = np.array([math.cos(yaw), math.sin(yaw)])
    left = np.array([-math.sin(yaw), math.cos(yaw)])
    moved = np.array(world.base_pose()[:2]) - before
    assert moved @ forward == pytest.approx(0.3, abs=0.01)
    assert moved @ left == pytest.approx(-0.1, abs=0.01)
    still = np.array(world.base_pose())
    run(world, 1.0)
    assert np.abs(np.array(world.base_pose()) - still).max() < 1e-4


def test_a_blocked_base_neither_tunnels_nor_winds_up(world):
    world.set_base_command(0.5, 0.0, 0.0)
    run(world, 6.0)  # Into the counter, at most 1.6 m ahead.
    counter = world.room.counters[0]
    assert counter.pose.local(world.base_pose()[:2])[0] < -0.15
    world.set_base_command(-0.3, 0.0, 0.0)
    run(world, 0.4)
    assert world.base_velocity()[0] < -0.2, "it comes free at once"


@pytest.mark.parametrize("twist", [(0.2, 0.0, 0.0), (0.0, 0.2, 0.0), (0.1, -0.1, 0.5)])
def test_wheels_roll_without_sliding(world, twist):
    """The contact point of a wheel moves along the wheel's axis only, as rollers allow."""
    world.set_base_command(*twist)
    run(world, 0.8)
    data, velocity, speeds = world.data, np.zeros(6), []
    mujoco.mj_forward(world.model, data)
    for wheel in ("wheel_front", "wheel_left", "wheel_right"):
        body = world.model.body(wheel).id
        kind = mujoco.mjtObj.mjOBJ_XBODY
        mujoco.mj_objectVelocity(world.model, data, kind, body, velocity, 0)
        contact = velocity[3:] + np.cross(velocity[:3], [0.0, 0.0, -data.xpos[body][2]])
        axis = data.joint(f"{wheel}_joint").xaxis
        assert contact - (contact @ axis) * axis == pytest.approx(np.zeros(3), abs=2e-3), wheel
        speeds.append(abs(world.joint_velocities()[f"{wheel}_joint"]))
    assert max(speeds) > 2.0


@pytest.mark.parametrize(
    ("room", "home"),
    [*(("kitchen", home) for home in (0, 1, 2, 4, 17)), ("bedroom", 0), ("bedroom", 3),
     ("bedroom_unseen", 5)],
)  # fmt: skip
def test_items_rest_where_they_stand(shared, room, home):
    shared.reset(home, room)
    run(shared, 0.3)
    before = shared.scene_state()
    run(shared, 2.0)
    after = shared.scene_state()
    for item in shared.room.items:
        start = np.array(item.position)
        assert np.linalg.norm(before.objects[item.name].position - start) < 5e-3, item.name
        moved = after.objects[item.name].position - before.objects[item.name].position
        assert np.linalg.norm(moved) < 1e-4, item.name
        upright = rotate(after.objects[item.name].quaternion, np.array([0.0, 0.0, 1.0]))
        assert upright[2] > 0.999, item.name


@pytest.mark.parametrize("home", [1, 3, 9])
def test_dropped_dishes_stay_in_the_sink(shared, home):
    """One after another from 20 cm above the basin's rim: none goes through, none creeps."""
    shared.reset(home, "kitchen")
    sink = shared.room.sink
    for dish in shared.room.dishes:
        x, y = sink.pose.point((0.0, 0.0))
        turned = (math.cos((sink.pose.yaw + math.pi / 2) / 2), 0, 0,
                  math.sin((sink.pose.yaw + math.pi / 2) / 2))  # fmt: skip
        place(shared, dish.name, (x, y, sink.top + 0.2), turned)
        run(shared, 1.5)
    before = shared.scene_state()
    run(shared, 2.0)
    after = shared.scene_state()
    for dish in shared.room.dishes:
        position = after.objects[dish.name].position
        assert sink.contains(position), dish.name
        assert np.linalg.norm(position - before.objects[dish.name].position) < 0.01, dish.name


def test_items_do_not_creep_down_a_slope(world):
    """Gravity turned by 15°, well inside the friction cone. Soft friction crept 2 mm in 2 s."""
    gravity = world.model.opt.gravity.copy()
    slope = math.radians(15)
    try:
        world.model.opt.gravity[:] = 9.81 * np.array([math.sin(slope), 0.0, -math.cos(slope)])
        run(world, 0.3)
        before = world.scene_state()
        run(world, 2.0)
        after = world.scene_state()
    finally:
        world.model.opt.gravity[:] = gravity
    for item in world.room.items:
        moved = after.objects[item.name].position - before.objects[item.name].position
        assert np.linalg.norm(moved) < 5e-4, item.name


def test_reset_equals_a_fresh_world(world):
    world.set_joint_command("left_arm_joint_1", 0.5)
    world.set_base_command(0.3, 0.1, 0.2)
    run(world, 0.5)
    world.reset()
    fresh = World(world.platform, 0)
    for _ in range(2):  # At once, and after moving on.
        assert world.time == fresh.time
        assert np.array_equal(world.data.qpos, fresh.data.qpos)
        assert np.array_equal(world.data.qvel, fresh.data.qvel)
        assert np.array_equal(world.data.act, fresh.data.act)
        for each in (world, fresh):
            each.set_base_command(0.1, 0.0, 0.0)
            run(each, 0.2)


def test_reset_to_another_home_brings_that_home(world):
    world.reset(5)
    assert (world.home, world.time) == (5, 0.0)
    names = [*(item.name for item in world.room.items), "drawer_1"]
    assert list(world.scene_state().objects) == names
    assert world.room == World(world.platform, 5).room


def test_scene_state_is_in_odom_which_stays_where_the_robot_started(world):
    scene = world.scene_state()
    assert scene.home == 0
    assert scene.base.position == pytest.approx([0, 0, 0])
    item = world.room.items[0]
    assert scene.objects[item.name].position == pytest.approx(item.position, abs=1e-6)
    world.set_base_command(0.0, 0.3, 0.0)
    run(world, 1.0)
    moved = world.scene_state()
    assert moved.base.position[1] > 0.25
    assert moved.objects[item.name].position == pytest.approx(item.position, abs=1e-3)


def test_link_transforms_chain_to_where_mujoco_has_each_link(any_world):
    world = any_world
    world.reset()
    world.set_base_command(0.2, 0.1, 0.5)
    arm = world.platform.groups_of("joint_trajectory")[0]
    world.set_joint_command(arm.dimensions[-2].joint_name, 0.9)
    run(world, 0.5)
    poses = {"odom": (np.zeros(3), np.array([1.0, 0, 0, 0]))}
    moving, fixed = world.link_transforms(), world.static_link_transforms()
    edges = {}
    for links in (moving, fixed):
        rows = zip(links.parents, links.children, links.positions, links.quaternions, strict=True)
        edges.update({child: (parent, p, q) for parent, child, p, q in rows})

    def pose(frame):
        if frame not in poses:
            parent, p, q = edges[frame]
            above_p, above_q = pose(parent)
            poses[frame] = above_p + rotate(above_q, p), quaternion_multiply(above_q, q)
        return poses[frame]

    assert (moving.parents[0], moving.children[0]) == ("odom", "base_link")
    now = world.base_pose()  # Not a time step behind the joints.
    assert moving.positions[0] == pytest.approx([now[0], now[1], 0.0], abs=1e-12)
    frames = [*tools_of(world), *(camera.frame for camera in world.platform.cameras)]
    for frame in frames:
        position, quaternion = pose(frame)
        body = world.data.body(frame)
        assert position == pytest.approx(body.xpos, abs=1e-9), frame
        assert abs(quaternion @ body.xquat) == pytest.approx(1.0, abs=1e-9), frame


def test_joint_names_are_the_urdfs(world):
    positions = world.joint_positions()
    assert {"wheel_front_joint", "left_gripper_joint", "left_gripper_mirror_joint"} <= set(
        positions
    )
    assert not any("base" in name for name in positions)
    assert set(world.joint_velocities()) == set(positions)
    for name, value in home_positions(world.platform).items():
        assert positions[name] == pytest.approx(value)


def test_invalid_commands_are_refused_by_name(world):
    with pytest.raises(Pi05Error, match="a joint 'left_arm_joint_7'; did you mean"):
        world.set_joint_command("left_arm_joint_7", 0.0)
    with pytest.raises(Pi05Error, match="no servo moves a joint 'wheel_front_joint'"):
        world.set_joint_command("wheel_front_joint", 0.0)
    with pytest.raises(Pi05Error, match="nan for joint 'torso_lift' is not finite"):
        world.set_joint_commands({"torso_lift": math.nan})
    with pytest.raises(Pi05Error, match="is not finite"):
        world.set_base_command(math.inf, 0.0, 0.0)
    before = world.data.qpos.copy()
    world.step(TICK)
    assert np.abs(world.data.qpos - before).max() < 1e-3, "nothing of it was taken over"


def test_a_snapshot_does_not_move_on(world):
    snapshot = world.snapshot()
    kept = snapshot.qpos.copy()
    world.set_base_command(0.4, 0.0, 0.0)
    run(world, 0.3)
    assert np.array_equal(snapshot.qpos, kept)
    assert snapshot.time == 0.0 and world.snapshot().time == pytest.approx(0.3)


def test_a_description_that_is_given_is_not_expanded_again(monkeypatch):
    platform = load_platform("mobile_18dof")
    description, plain = description_xml(platform), World(platform, 2)

    def fail(*_):
        raise AssertionError("xacro ran")

    monkeypatch.setattr("pi05_ros.sim.world.description_xml", fail)
    monkeypatch.setattr("pi05_ros.sim.robot.description_xml", fail)
    world = World(platform, 1, description=description)
    world.reset(2)
    plain.step(0.1)
    world.step(0.1)
    assert np.array_equal(world.snapshot().qpos, plain.snapshot().qpos)
