"""What the suite expects of tf2_ros.Buffer. Runs unchanged against the public package."""

import math

import pytest

pytest.importorskip("rclpy")

from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from rclpy.duration import Duration
from rclpy.time import Time
from tf2_ros import (
    Buffer,
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)

LATEST = Time()


def placed(parent, child, seconds, xyz=(0.0, 0.0, 0.0), yaw=0.0, angle=None):
    """`child` in `parent`, turned about z by `yaw`."""
    result = TransformStamped(child_frame_id=child)
    result.header.frame_id = parent
    result.header.stamp = Time(nanoseconds=round(seconds * 1e9)).to_msg()
    result.transform.translation = Vector3(x=xyz[0], y=xyz[1], z=xyz[2])
    result.transform.rotation = Quaternion(z=math.sin(yaw / 2), w=math.cos(yaw / 2))
    return result


def at(seconds):
    return Time(nanoseconds=round(seconds * 1e9))


def xyz(found):
    t = found.transform.translation
    return (t.x, t.y, t.z)


def yaw(found):
    q = found.transform.rotation
    assert (q.x, q.y) == pytest.approx((0.0, 0.0), abs=1e-12)
    return 2 * math.atan2(q.z, q.w)


@pytest.fixture
def buffer():
    """odom -> base, moving from x 1 to 3 m and turning by 90° over 2 s; base -> camera fixed."""
    made = Buffer()
    made.set_transform(placed("odom", "base", 10.0, (1.0, 0.0, 0.0), 0.0), "test")
    made.set_transform(placed("odom", "base", 12.0, (3.0, 0.0, 0.0), math.pi / 2), "test")
    made.set_transform_static(placed("base", "camera", 0.0, (0.5, 0.0, 1.0)), "test")
    return made


def test_a_placement_comes_back_as_it_was_given(buffer):
    found = buffer.lookup_transform("odom", "base", at(10.0))
    assert (found.header.frame_id, found.child_frame_id) == ("odom", "base")
    assert found.header.stamp == at(10.0).to_msg()
    assert xyz(found) == pytest.approx((1.0, 0.0, 0.0))
    assert yaw(found) == pytest.approx(0.0)


def test_between_two_placements_it_is_interpolated(buffer):
    found = buffer.lookup_transform("odom", "base", at(11.0))
    assert xyz(found) == pytest.approx((2.0, 0.0, 0.0))
    assert yaw(found) == pytest.approx(math.pi / 4)
    found = buffer.lookup_transform("odom", "base", at(10.5))
    assert xyz(found) == pytest.approx((1.5, 0.0, 0.0))
    assert yaw(found) == pytest.approx(math.pi / 8)


def test_rotations_are_interpolated_on_the_shortest_arc():
    buffer = Buffer()
    buffer.set_transform(placed("a", "b", 1.0, yaw=math.radians(170)), "test")
    buffer.set_transform(placed("a", "b", 2.0, yaw=math.radians(-170)), "test")
    assert abs(yaw(buffer.lookup_transform("a", "b", at(1.5)))) == pytest.approx(math.pi)


def test_a_chain_is_multiplied(buffer):
    """At 12 s the base stands at (3, 0) and looks along +y, so the camera is 0.5 m along +y."""
    found = buffer.lookup_transform("odom", "camera", at(12.0))
    assert xyz(found) == pytest.approx((3.0, 0.5, 1.0))
    assert yaw(found) == pytest.approx(math.pi / 2)


def test_the_other_direction_is_the_inverse(buffer):
    found = buffer.lookup_transform("camera", "odom", at(12.0))
    assert (found.header.frame_id, found.child_frame_id) == ("camera", "odom")
    # odom's origin, from a camera at (3, 0.5, 1) that looks along +y.
    assert xyz(found) == pytest.approx((-0.5, 3.0, -1.0))
    assert yaw(found) == pytest.approx(-math.pi / 2)


def test_frames_are_joined_over_their_common_ancestor(buffer):
    buffer.set_transform_static(placed("base", "arm", 0.0, (0.0, 0.25, 0.0)), "test")
    found = buffer.lookup_transform("arm", "camera", at(11.3))
    assert xyz(found) == pytest.approx((0.5, -0.25, 1.0))
    # Nothing of that chain moves, so it is known at any time.
    assert buffer.can_transform("arm", "camera", at(99.0))


def test_time_zero_is_the_latest_time_that_all_is_known_at(buffer):
    buffer.set_transform(placed("camera", "lens", 11.0), "test")
    buffer.set_transform(placed("camera", "lens", 11.5), "test")
    assert buffer.lookup_transform("odom", "base", LATEST).header.stamp == at(12.0).to_msg()
    found = buffer.lookup_transform("odom", "lens", LATEST)
    assert found.header.stamp == at(11.5).to_msg()
    assert found.transform.translation.z == pytest.approx(1.0)
    assert buffer.lookup_transform("base", "camera", LATEST).header.stamp == LATEST.to_msg()


def test_a_frame_is_at_its_own_origin(buffer):
    found = buffer.lookup_transform("base", "base", at(11.0))
    assert xyz(found) == (0.0, 0.0, 0.0)
    assert found.transform.rotation.w == 1.0


@pytest.mark.parametrize("seconds", [9.999, 12.001])
def test_outside_of_what_is_known_nothing_is_guessed(buffer, seconds):
    with pytest.raises(ExtrapolationException):
        buffer.lookup_transform("odom", "camera", at(seconds))
    assert not buffer.can_transform("odom", "camera", at(seconds))


def test_one_placement_holds_at_its_own_time_only():
    buffer = Buffer()
    buffer.set_transform(placed("a", "b", 5.0, (1.0, 2.0, 3.0)), "test")
    assert xyz(buffer.lookup_transform("a", "b", at(5.0))) == (1.0, 2.0, 3.0)
    with pytest.raises(ExtrapolationException):
        buffer.lookup_transform("a", "b", at(5.1))


def test_an_unknown_frame_is_a_lookup_error(buffer):
    for pair in (("odom", "nowhere"), ("nowhere", "odom")):
        with pytest.raises(LookupException):
            buffer.lookup_transform(*pair, LATEST)
        assert not buffer.can_transform(*pair, LATEST)


@pytest.mark.parametrize("time", [LATEST, at(11.0)])
def test_two_trees_are_a_connectivity_error(buffer, time):
    buffer.set_transform_static(placed("map", "table", 0.0), "test")
    with pytest.raises(ConnectivityException):
        buffer.lookup_transform("camera", "table", time)
    assert not buffer.can_transform("camera", "table", time)


@pytest.mark.parametrize("name", ["", "/base"])
def test_a_malformed_name_is_an_argument_error(buffer, name):
    with pytest.raises(InvalidArgumentException):
        buffer.lookup_transform("odom", name, LATEST)
    assert not buffer.can_transform("odom", name, LATEST)


def test_all_reasons_are_transform_exceptions():
    for reason in (
        ConnectivityException,
        ExtrapolationException,
        InvalidArgumentException,
        LookupException,
    ):
        assert issubclass(reason, TransformException)


@pytest.mark.parametrize(
    "broken",
    [
        placed("", "x", 1.0),
        placed("base", "", 1.0),
        placed("base", "base", 1.0),
        placed("base", "x", 1.0, (math.nan, 0.0, 0.0)),
    ],
    ids=["no parent", "no child", "its own parent", "nan"],
)
def test_a_malformed_placement_is_ignored(buffer, broken):
    buffer.set_transform(broken, "test")
    assert not buffer.can_transform("odom", "x", LATEST)
    assert xyz(buffer.lookup_transform("odom", "base", at(10.0))) == (1.0, 0.0, 0.0)


def test_a_quaternion_that_is_no_rotation_is_ignored(buffer):
    broken = placed("base", "x", 1.0)
    broken.transform.rotation = Quaternion(x=0.0, y=0.0, z=0.0, w=0.0)
    buffer.set_transform(broken, "test")
    with pytest.raises(LookupException):
        buffer.lookup_transform("base", "x", at(1.0))


def test_placements_are_forgotten_after_the_cache_time():
    buffer = Buffer(cache_time=Duration(seconds=2))
    # tf2 forgets on the next placement, so look one placement later.
    for seconds in (1.0, 2.0, 3.0, 4.0, 5.0):
        buffer.set_transform(placed("a", "b", seconds, (seconds, 0.0, 0.0)), "test")
    assert xyz(buffer.lookup_transform("a", "b", at(3.5))) == pytest.approx((3.5, 0.0, 0.0))
    with pytest.raises(ExtrapolationException):
        buffer.lookup_transform("a", "b", at(1.0))
    buffer.set_transform(placed("a", "b", 1.0), "test")
    with pytest.raises(ExtrapolationException):
        buffer.lookup_transform("a", "b", at(1.0))


def test_placements_may_come_out_of_order():
    buffer = Buffer()
    for seconds in (3.0, 1.0, 2.0):
        buffer.set_transform(placed("a", "b", seconds, (seconds**2, 0.0, 0.0)), "test")
    assert xyz(buffer.lookup_transform("a", "b", at(1.5))) == pytest.approx((2.5, 0.0, 0.0))


def test_of_two_placements_at_one_time_the_last_counts():
    buffer = Buffer()
    buffer.set_transform(placed("a", "b", 1.0, (1.0, 0.0, 0.0)), "test")
    buffer.set_transform(placed("a", "b", 1.0, (2.0, 0.0, 0.0)), "test")
    assert xyz(buffer.lookup_transform("a", "b", at(1.0))) == (2.0, 0.0, 0.0)


def test_a_frame_may_get_another_parent(buffer):
    """What was picked up hangs on the hand from then on."""
    buffer.set_transform(placed("odom", "cup", 10.0, (5.0, 0.0, 0.0)), "test")
    buffer.set_transform(placed("camera", "cup", 12.0, (0.0, 0.0, 0.25)), "test")
    found = buffer.lookup_transform("camera", "cup", LATEST)
    assert xyz(found) == pytest.approx((0.0, 0.0, 0.25))
    # Before, it lies where it was: nothing is mixed between two parents.
    assert xyz(buffer.lookup_transform("odom", "cup", at(11.0))) == pytest.approx((5.0, 0.0, 0.0))


def test_clearing_forgets_what_moves_and_keeps_what_does_not(buffer):
    buffer.clear()
    assert not buffer.can_transform("odom", "base", LATEST)
    assert buffer.can_transform("base", "camera", LATEST)


def test_a_wait_ends_at_its_limit(buffer):
    assert not buffer.can_transform("odom", "base", at(50.0), timeout=Duration(seconds=0.1))
    with pytest.raises(ExtrapolationException):
        buffer.lookup_transform("odom", "base", at(50.0), timeout=Duration(seconds=0.1))
