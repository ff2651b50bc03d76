"""Leaders: mapping by name, alignment, jumps, and what is refused."""

import dataclasses
import math

import numpy as np
import pytest
from fakes.teleop import PERIOD_NS, START_NS, Bench, joints, joy, leader_pose

from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.platforms.platform import load_platform
from pi05_ros.platforms.teleop import Leader
from pi05_ros.teleop.leader import LeaderDevice
from pi05_ros.teleop.robot_view import RobotView
from pi05_ros.teleop.session import TeleopState

PLATFORM = load_platform("mobile_18dof")
LEADER = PLATFORM.teleop.leaders[0]
LEFT, RIGHT = (topic.topic for topic in LEADER.topics)
CLUTCH = LEADER.clutch.bool_topic
HOME = np.array(PLATFORM.home)


def device(leader=LEADER):
    return LeaderDevice(PLATFORM, leader)


def arms(leader, vector, held, left=None, right=None):
    """Samples of both arms and the clutch that match a vector, with some joints changed."""
    return (
        (LEFT, joints(leader_pose(LEADER, vector, PLATFORM, 0, **(left or {})))),
        (RIGHT, joints(leader_pose(LEADER, vector, PLATFORM, 1, **(right or {})))),
        (CLUTCH, held),
    )


def sends(target, *samples):
    return [(target, topic, sample) for topic, sample in samples]


def engaged(leader=LEADER, **state):
    """A bench whose leader has engaged at the home pose."""
    target = device(leader)
    bench = Bench(PLATFORM, [target], **state)
    bench.tick(*sends(target, *arms(leader, HOME, False)), count=8)
    bench.tick(*sends(target, *arms(leader, HOME, True)))
    assert bench.output.state is TeleopState.ENGAGED, bench.output.reason
    return bench, target


ALOHA = """
waist shoulder elbow forearm_roll wrist_angle wrist_rotate
""".split()


def aloha_leader():
    """The two leaders of an ALOHA: their own names, one topic each, a gripper in rad."""
    topics = []
    for side in ("left", "right"):
        mapped = [
            {"entry": f"{side}_arm_joint_{k}", "joint": name, "sign": -1 if name == "elbow" else 1}
            for k, name in enumerate(ALOHA, 1)
        ]
        mapped.append(
            {"entry": f"{side}_gripper", "joint": "gripper", "closed": -0.62, "open": 1.5}
        )
        topics.append({"topic": f"/master_{side}/joint_states", "joints": mapped})
    clutch = {"joint": "gripper", "above": 1.0}
    return from_mapping(Leader, {"topics": topics, "clutch": clutch}, "test")


def test_an_aloha_is_mapped_by_name_with_signs_and_its_gripper_range():
    target = device(aloha_leader())
    positions = {"waist": 0.1, "shoulder": -0.96, "elbow": 1.16, "forearm_roll": 0.2}
    positions |= {"wrist_angle": -0.3, "wrist_rotate": 0.4, "gripper": 0.44}
    shuffled = dict(reversed(list(positions.items())))
    for side in ("left", "right"):
        target.add(f"/master_{side}/joint_states", joints(shuffled), START_NS)
    view = RobotView(START_NS, HOME, HOME, 1, 1, True, False, False)
    row = target.targets(HOME, view)
    # The elbow is turned round, and (0.44 - -0.62) / (1.5 - -0.62) = 0.5; -1.16 is outside
    # joint 3's limits and comes to -0.2.
    expected = [0.1, -0.96, -0.2, 0.2, -0.3, 0.4, 0.5]
    np.testing.assert_allclose(row[0:7], expected)
    np.testing.assert_allclose(row[7:14], expected)
    np.testing.assert_array_equal(row[14:], HOME[14:])


def test_an_so100_in_degrees_with_offsets_is_mapped_in_yaml_alone():
    names = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll"]
    entries = [1, 2, 3, 5, 6]  # This leader has five joints: the robot's fourth holds.
    mapped = [
        {"entry": f"left_arm_joint_{k}", "joint": name, "scale": math.radians(1), "offset": 0.5}
        for k, name in zip(entries, names, strict=True)
    ]
    mapped.append({"entry": "left_gripper", "joint": "gripper", "closed": 0, "open": 100})
    leader = from_mapping(
        Leader,
        {
            "topics": [{"topic": "/so100/joint_states", "joints": mapped}],
            "clutch": {"joy_topic": "/joy", "button": 0},
        },
        "test",
    )
    target = device(leader)
    target.add("/so100/joint_states", joints({**dict.fromkeys(names, 90.0), "gripper": 25.0}), 1)
    view = RobotView(START_NS, HOME, HOME, 1, 1, True, False, False)
    row = target.targets(HOME, view)
    bent = math.pi / 2 + 0.5  # 2.0708; joint 2 ends at 1.6.
    np.testing.assert_allclose(row[:7], [bent, 1.6, bent, HOME[3], bent, bent, 0.25])


def test_an_aligned_leader_engages_and_its_pose_is_the_target_of_all_rows():
    bench, target = engaged()
    moved = HOME.copy()
    moved[0] += 0.05
    output = bench.tick(*sends(target, *arms(LEADER, moved, True)))
    assert output.rows.shape == (10, 18)
    np.testing.assert_allclose(output.rows, np.tile(moved, (10, 1)))
    assert output.stamp_ns == bench.now_ns - PERIOD_NS
    assert output.reason == ""


def test_a_leader_that_is_elsewhere_aligns_and_says_which_joint_by_how_much():
    target = device()
    bench = Bench(PLATFORM, [target])
    for held in (False, True):
        far = arms(LEADER, HOME, held, {"left_leader_joint_2": -1.0}, {"right_leader_joint_3": 2})
        output = bench.tick(*sends(target, *far), count=8)
    assert output.state is TeleopState.ALIGNING
    assert output.reason == (
        "left_leader_joint_2 is 0.50 rad from left_arm_joint_2 (tolerance 0.15): move it to -1.50"
    )
    assert output.error == pytest.approx(0.5)
    assert output.rows is None
    near = arms(LEADER, HOME, True, {"left_leader_joint_2": -1.4})
    bench.tick(*sends(target, *near), count=8)
    assert bench.output.state is TeleopState.ENGAGED


def test_a_gripper_that_differs_is_named_but_is_no_distance_of_a_joint():
    target = device()
    bench = Bench(PLATFORM, [target])
    for held in (False, True):
        shut = arms(LEADER, HOME, held, {"left_leader_gripper": 0.2})
        output = bench.tick(*sends(target, *shut), count=8)
    assert output.reason == (
        "left_leader_gripper is 0.80 from left_gripper (tolerance 0.30): move it to 1.00"
    )
    assert output.error == pytest.approx(0.0)


def test_a_relative_leader_engages_anywhere_and_the_robot_follows_its_changes():
    relative = dataclasses.replace(LEADER, alignment="relative")
    target = device(relative)
    bench = Bench(PLATFORM, [target])
    for held in (False, True):
        far = arms(LEADER, HOME, held, {"left_leader_joint_2": 0.2})
        bench.tick(*sends(target, *far), count=8)
    assert bench.output.state is TeleopState.ENGAGED
    np.testing.assert_allclose(bench.output.rows[0], HOME)
    moved = arms(LEADER, HOME, True, {"left_leader_joint_2": 0.3})
    row = bench.tick(*sends(target, *moved)).rows[0]
    assert row[1] == pytest.approx(HOME[1] + 0.1)


def test_a_moving_leader_does_not_engage_until_it_is_still():
    target = device()
    bench = Bench(PLATFORM, [target])
    bench.tick(*sends(target, *arms(LEADER, HOME, False)), count=8)
    for k in range(12):  # 0.5 rad/s, inside the tolerance.
        moved = arms(LEADER, HOME, k > 5, {"left_leader_joint_1": 0.01 * k})
        output = bench.tick(*sends(target, *moved))
    assert output.state is TeleopState.ALIGNING
    assert "left_leader_joint_1 moves at 0.50/s" in output.reason
    output = bench.tick(*sends(target, *moved), count=8)
    assert output.state is TeleopState.ENGAGED


def test_a_leader_that_moves_along_with_the_robot_takes_over_in_motion():
    target = device()
    bench = Bench(PLATFORM, [target])
    bench.follows = False
    pose = HOME.copy()
    for k in range(20):  # The policy moves joint 1 by 0.5 rad/s, and so does the leader.
        pose[0] = 0.01 * k
        bench.robot.update(measured=pose.copy(), commanded=pose.copy())
        bench.tick(*sends(target, *arms(LEADER, pose, k > 12)))
        bench.robot["is_running"] = True
        if k == 14:
            break
    assert bench.output.state is TeleopState.ENGAGED


def test_a_jump_keeps_the_old_stamp_until_the_switch_is_let_go_and_pressed_again():
    bench, target = engaged()
    good = bench.output
    jumped = arms(LEADER, HOME, True, right={"right_leader_joint_1": 1.0})
    output = bench.tick(*sends(target, *jumped))
    assert output.state is TeleopState.ENGAGED
    assert output.reason == "right_leader_joint_1 jumped by 1.00 in 0.02 s"
    assert output.stamp_ns == good.stamp_ns and not output.is_fresh
    np.testing.assert_array_equal(output.rows, good.rows)
    # Back where it was, still held: it does not go on.
    output = bench.tick(*sends(target, *arms(LEADER, HOME, True)), count=20)
    assert output.stamp_ns == good.stamp_ns
    output = bench.tick(*sends(target, *arms(LEADER, HOME, False)))
    assert output.state is TeleopState.RELEASED
    output = bench.tick(*sends(target, *arms(LEADER, HOME, True)))
    assert output.state is TeleopState.ENGAGED and output.is_fresh


def test_a_silent_arm_keeps_the_old_stamp_and_does_not_go_on_when_heard_again():
    bench, target = engaged()
    right_only = sends(target, *arms(LEADER, HOME, True)[1:])
    output = bench.tick(*right_only, count=10)
    assert output.is_fresh  # 0.2 s: not silent yet, but the stamp stands still.
    output = bench.tick(*right_only, count=2)
    assert output.state is TeleopState.ENGAGED and not output.is_fresh
    assert output.reason == f"nothing usable from {LEFT} for 0.2 s"
    output = bench.tick(*sends(target, *arms(LEADER, HOME, True)), count=5)
    assert not output.is_fresh
    assert bench.tick(*sends(target, *arms(LEADER, HOME, False))).state is TeleopState.RELEASED


def test_the_stamp_is_that_of_the_oldest_arm():
    bench, target = engaged()
    stamp = bench.output.stamp_ns
    output = bench.tick(*sends(target, *arms(LEADER, HOME, True)[1:]), count=3)
    assert output.stamp_ns == stamp


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"left_leader_joint_4": math.nan}, "the position of left_leader_joint_4 is nan"),
        ({"left_leader_joint_4": math.inf}, "the position of left_leader_joint_4 is inf"),
        (None, "left_leader_joint_6 is missing"),
    ],
)
def test_a_sample_that_cannot_be_used_is_refused_with_its_reason(change, reason):
    bench, target = engaged()
    values = leader_pose(LEADER, HOME, PLATFORM, 0)
    if change is None:
        del values["left_leader_joint_6"]
    else:
        values.update(change)
    stamp = bench.output.stamp_ns
    bad = [(target, LEFT, joints(values)), *sends(target, *arms(LEADER, HOME, True)[1:])]
    output = bench.tick(*bad, count=3)
    assert target.status(bench.now_ns).problem == f"{LEFT}: {reason}"
    assert output.stamp_ns == stamp
    assert np.isfinite(output.rows).all()
    assert not bench.tick(*bad, count=10).is_fresh  # Silent by now: the bridge holds.


def test_base_velocities_come_from_the_velocity_field_or_from_a_stick():
    whole = PLATFORM.teleop.leaders[1]
    target = device(whole)
    names = [joint.joint for joint in whole.joints]
    values = leader_pose(whole, HOME, PLATFORM, 0, clutch=1.0)
    speeds = [0.0] * len(values)
    speeds[names.index("leader_base_vx")] = 0.2
    topic = whole.topics[0].topic
    target.add(topic, joints(values, speeds), START_NS)
    view = RobotView(START_NS, HOME, HOME, 1, 1, True, False, False)
    assert target.status(START_NS).held
    assert target.targets(HOME, view)[PLATFORM.index("base_vx")] == pytest.approx(0.2)
    stick = {"entry": "base_wz", "joint": "axis_3", "scale": 0.8, "dead_zone": 0.05}
    leader = from_mapping(
        Leader,
        {
            "topics": [{"topic": "/joy", "kind": "joy", "joints": [stick]}],
            "clutch": {"joint": "button_4", "above": 0.5},
        },
        "test",
    )
    target = device(leader)
    target.add("/joy", joy({3: -0.5}, pressed=(4,)), START_NS)
    assert target.status(START_NS).held
    assert target.targets(HOME, view)[PLATFORM.index("base_wz")] == pytest.approx(-0.4)
    target.add("/joy", joy({3: 0.05}, pressed=(4,)), START_NS)
    assert target.targets(HOME, view)[PLATFORM.index("base_wz")] == 0.0


def test_a_clutch_joint_that_disappears_makes_the_leader_silent():
    whole = PLATFORM.teleop.leaders[1]
    target = device(whole)
    values = leader_pose(whole, HOME, PLATFORM, 0)
    target.add(whole.topics[0].topic, joints(values, [0.0] * len(values)), START_NS)
    assert target.status(START_NS).silent == "nothing usable from clutch yet"


def test_a_burst_of_delayed_samples_is_no_jump_by_the_stamps_of_their_sender():
    target = device()
    for k, at in enumerate((0, 20, 220, 221)):  # The third was 0.2 s late.
        sample = joints(leader_pose(LEADER, HOME, PLATFORM, 0, left_leader_joint_1=0.3 * k))
        stamp = START_NS + 200_000_000 * k  # 1.5 rad/s
        target.add(LEFT, dataclasses.replace(sample, stamp_ns=stamp), START_NS + at * 10**6)
    assert target.status(START_NS).jump == ""
    later = dataclasses.replace(sample, stamp_ns=stamp + 10**6)
    moved = dataclasses.replace(later, positions=(0.7, *later.positions[1:]))
    target.add(LEFT, moved, START_NS + 10**9)
    assert target.status(START_NS).jump == "left_leader_joint_1 jumped by 0.20 in 0.02 s"


def test_two_leaders_on_one_topic_are_a_leader_that_jumps():
    bench, target = engaged()
    other = HOME.copy()
    other[0] += 0.5
    for pose in (HOME, other):
        output = bench.tick(*sends(target, *arms(LEADER, pose, True)))
    assert output.reason == "left_leader_joint_1 jumped by 0.50 in 0.02 s"


def test_a_clock_that_goes_back_makes_a_leader_silent_until_it_is_heard_again():
    target = device()
    for topic, sample in arms(LEADER, HOME, True):
        target.add(topic, sample, START_NS)
    assert target.status(START_NS).silent == ""
    before_ns = START_NS - 10**9
    assert target.status(before_ns).silent == (
        f"nothing usable from {LEFT} since the clock went back"
    )
    for topic, sample in arms(LEADER, HOME, True):
        target.add(topic, sample, before_ns)
    assert target.status(before_ns).silent == ""
