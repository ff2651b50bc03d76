"""Tracked hands: motion from the clutch on, turned into the robot's axes."""

import math

import numpy as np
import pytest
from fakes.teleop import Bench, joy

from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.platforms.platform import load_platform
from pi05_ros.platforms.teleop import HandPose
from pi05_ros.teleop.device import PoseSample
from pi05_ros.teleop.hand_pose import HandPoseDevice
from pi05_ros.teleop.hands import Hands
from pi05_ros.teleop.session import TeleopState

PLATFORM = load_platform("mobile_18dof")
HANDS = Hands(PLATFORM)
POSE, JOY = "/vr/right", "/vr/joy"
UPRIGHT = (0.0, 0.0, 0.0, 1.0)


def pose(position=(1.0, 2.0, 3.0), quaternion=UPRIGHT, frame="vr"):
    return PoseSample(frame, tuple(position), tuple(quaternion))


class VrBench(Bench):
    """A bench with a tracked right hand, whose button is held with `hold`."""

    def __init__(self, **config):
        gripper = {"joy_topic": JOY, "axis": 2, "closed": -1.0, "open": 1.0}
        section = {
            "hands": [{"topic": POSE, "hand": "right_gripper", "gripper": gripper}],
            "clutch": {"joy_topic": JOY, "button": 0},
            "frame": "vr",
            **config,
        }
        self.device = HandPoseDevice(PLATFORM, from_mapping(HandPose, section, "test"), HANDS)
        super().__init__(PLATFORM, [self.device])
        self.hold(pose(), held=False, count=5)

    def hold(self, sample, held=True, trigger=1.0, count=1):
        button = joy({2: trigger}, pressed=(0,) if held else ())
        return self.tick((self.device, POSE, sample), (self.device, JOY, button), count=count)


def moved(output):
    """Offset [m] and turn [rad] of the right hand from the home pose to the first row."""
    motion = HANDS.motion("right_gripper")
    start, end = motion.pose(np.array(PLATFORM.home)), motion.pose(output.rows[0])
    turn = (end.rotation() @ start.rotation().inverse()).log()
    return end.translation() - start.translation(), turn


def test_the_hand_follows_the_change_of_the_pose_and_the_other_arm_holds():
    bench = VrBench()
    output = bench.hold(pose())
    assert output.state is TeleopState.ENGAGED
    for k in range(1, 21):  # 0.1 m along x in 0.4 s.
        output = bench.hold(pose((1.0 + 0.005 * k, 2.0, 3.0)))
    output = bench.hold(pose((1.1, 2.0, 3.0)), count=20)
    offset, turn = moved(output)
    np.testing.assert_allclose(offset, [0.1, 0.0, 0.0], atol=2e-3)
    np.testing.assert_allclose(turn, 0.0, atol=5e-3)
    np.testing.assert_array_equal(output.rows[0][:7], PLATFORM.home[:7])


def test_scale_and_rotation_map_the_operators_space_onto_the_robots():
    # The operator faces the robot: his x is the robot's -x, his y its -y.
    bench = VrBench(scale=0.5, rotation_deg=[0.0, 0.0, 180.0])
    bench.hold(pose())
    for k in range(1, 21):
        bench.hold(pose((1.0, 2.0 + 0.005 * k, 3.0)))
    offset, _ = moved(bench.hold(pose((1.0, 2.1, 3.0)), count=20))
    np.testing.assert_allclose(offset, [0.0, -0.05, 0.0], atol=2e-3)


def test_the_hand_turns_with_the_pose_about_the_same_axis():
    bench = VrBench()
    bench.hold(pose())
    for k in range(1, 21):
        half = 0.01 * k / 2
        output = bench.hold(pose(quaternion=(0.0, 0.0, math.sin(half), math.cos(half))))
    output = bench.hold(pose(quaternion=(0.0, 0.0, math.sin(0.1), math.cos(0.1))), count=30)
    _, turn = moved(output)
    np.testing.assert_allclose(turn, [0.0, 0.0, 0.2], atol=6e-3)


def test_the_hand_is_not_faster_than_its_limit():
    bench = VrBench(max_linear=0.1, max_speed=100.0)
    bench.hold(pose())
    before, _ = moved(bench.hold(pose((1.2, 2.0, 3.0))))
    after, _ = moved(bench.hold(pose((1.2, 2.0, 3.0)), count=10))
    speed = np.linalg.norm(after - before) / 0.2
    assert speed == pytest.approx(0.1, rel=0.1)


def test_the_gripper_follows_its_axis():
    bench = VrBench()
    row = bench.hold(pose(), trigger=0.0).rows[0]
    assert row[13] == pytest.approx(0.5)
    assert bench.hold(pose(), trigger=-1.0).rows[0][13] == 0.0


def test_a_jump_of_the_pose_stops_the_robot_until_the_button_is_let_go():
    bench = VrBench()
    bench.hold(pose())
    output = bench.hold(pose((1.2, 2.0, 3.0)))
    assert output.reason == "/vr/right jumped: 10.00 m/s and 0.00 rad/s"
    assert not output.is_fresh
    bench.hold(pose((1.2, 2.0, 3.0)), held=False)
    output = bench.hold(pose((1.2, 2.0, 3.0)))
    np.testing.assert_allclose(moved(output)[0], 0.0, atol=2e-3)


def test_a_moving_hand_does_not_engage():
    bench = VrBench()
    bench.hold(pose((1.01, 2.0, 3.0)), held=False)
    output = bench.hold(pose((1.02, 2.0, 3.0)))
    assert output.state is TeleopState.ALIGNING
    assert output.reason == "/vr/right moves at 0.50 m/s and 0.00 rad/s: hold it still"
    assert bench.hold(pose((1.02, 2.0, 3.0))).state is TeleopState.ENGAGED


@pytest.mark.parametrize(
    "sample, problem",
    [
        (pose(frame="head"), "its frame is 'head', wanted 'vr'"),
        (pose((math.nan, 0.0, 0.0)), "the pose is not finite"),
        (pose(quaternion=(0.0, 0.0, 0.0, 0.0)), "its quaternion has the length 0.00, wanted 1"),
    ],
)
def test_a_pose_that_cannot_be_used_is_refused(sample, problem):
    bench = VrBench()
    bench.hold(pose())
    output = bench.hold(sample, count=15)
    assert bench.device.status(bench.now_ns).problem == f"{POSE}: {problem}"
    assert not output.is_fresh and output.state is TeleopState.ENGAGED
