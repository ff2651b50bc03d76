"""Between messages and arrays."""

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from pi05_msgs.msg import CameraSet, RobotState
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.errors import MessageError
from pi05_ros.nodes.common import conversions, driver_pictures

RNG = np.random.default_rng(0)


def image(picture: np.ndarray, encoding: str = "rgb8", padding: int = 0) -> Image:
    rows = picture.reshape(picture.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    return Image(
        height=picture.shape[0],
        width=picture.shape[1],
        encoding=encoding,
        step=rows.shape[1],
        data=rows.tobytes(),
    )


def test_rgb_and_bgr_come_out_alike_with_and_without_row_padding():
    picture = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    for message in (
        image(picture),
        image(picture, padding=7),
        image(picture[..., ::-1].copy(), "bgr8"),
    ):
        np.testing.assert_array_equal(driver_pictures.image_to_rgb(message), picture)


def test_grey_becomes_rgb():
    grey = RNG.integers(0, 256, (4, 5), dtype=np.uint8)
    np.testing.assert_array_equal(
        driver_pictures.image_to_rgb(image(grey, "mono8")), np.repeat(grey[..., None], 3, axis=2)
    )


def test_a_compressed_picture_keeps_its_colours():
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[..., 0] = 200
    data = cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
    message = CompressedImage(format="png", data=data)
    np.testing.assert_array_equal(driver_pictures.image_to_rgb(message), picture)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoding": "rgb7"}, "unknown encoding 'rgb7'"),
        ({"encoding": "rgb16"}, "cannot fit into 24 bytes"),
        ({"width": 0}, "0x6 pixels"),
        ({"height": 7}, "wanted 7 rows of 24 bytes, found 144"),
    ],
)
def test_what_contradicts_itself_is_told_before_decoding(changes, said):
    good = {"height": 6, "width": 8, "encoding": "rgb8", "step": 24, "data": bytes(144)}
    driver_pictures.check_picture(Image(**good))
    with pytest.raises(MessageError, match=said):
        driver_pictures.check_picture(Image(**{**good, **changes}))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe0 cut", b"no picture"])
def test_a_cut_compressed_picture_is_refused(data):
    with pytest.raises(MessageError):
        driver_pictures.image_to_rgb(CompressedImage(format="jpeg", data=data))


def test_a_thousand_broken_pictures_are_refused_or_right_never_a_crash():
    encodings = ["rgb8", "bgr8", "mono8", "16UC1", "32FC1", "yuv422", "bayer_rggb8", "", "x"]
    refused = 0
    for _ in range(1000):
        message = Image(
            height=int(RNG.choice([0, 1, 3, 8, 2**31])),
            width=int(RNG.choice([0, 1, 3, 8, 10**9])),
            step=int(RNG.choice([0, 1, 3, 9, 24, 2**31])),
            encoding=str(RNG.choice(encodings)),
            is_bigendian=int(RNG.integers(2)),
            data=bytes(int(RNG.integers(0, 200))),
        )
        try:
            picture = driver_pictures.image_to_rgb(message)
        except MessageError:
            refused += 1
        else:
            assert picture.shape == (message.height, message.width, 3)
    assert refused > 900


@pytest.mark.parametrize(
    ("stamp", "said"),
    [(Time(), "stamp is zero"), (Time(sec=1, nanosec=1_000_000_000), "nanosec is 1000000000")],
)
def test_stamps_that_say_nothing_are_refused(stamp, said):
    with pytest.raises(MessageError, match=said):
        conversions.time_to_ns(stamp)
    with pytest.raises(MessageError, match="/odom: the stamp"):
        conversions.time_to_ns(stamp, "/odom")


def test_times_round_trip():
    nanoseconds = 1_700_000_000_123_456_789
    assert conversions.time_to_ns(conversions.ns_to_time(nanoseconds)) == nanoseconds


def test_a_camera_set_round_trips_and_leaves_out_blind_cameras():
    canvas = RNG.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    box = Letterbox.fit(16, 8, 8, 8)
    message = conversions.camera_set_message(
        Header(stamp=Time(sec=3)),
        1,
        ["a", "b"],
        ["fa", "fb"],
        [3 * 10**9, None],
        [box, None],
        canvas,
    )
    pictures = conversions.pictures_from_message(message)
    assert list(pictures.images) == ["a"] and pictures.letterboxes == {"a": box}
    np.testing.assert_array_equal(pictures.images["a"], canvas[0])
    message.data = message.data[:-1]
    with pytest.raises(MessageError, match="differ in length"):
        conversions.pictures_from_message(message)


def test_a_robot_state_that_is_not_finite_is_refused():
    message = RobotState(names=["a"], measured=[1.0], commanded=[float("nan")])
    message.header.stamp.sec = 1
    state = conversions.state_from_message(message)
    assert state.measured[0] == 1.0 and np.isnan(state.commanded[0])
    message.measured = [float("inf")]
    with pytest.raises(MessageError, match="not finite"):
        conversions.state_from_message(message)
    message.measured = [1.0, 2.0]
    with pytest.raises(MessageError, match="differ in length"):
        conversions.state_from_message(message)


def test_a_robot_state_says_which_chunk_it_follows_and_a_camera_set_when_it_left():
    message = RobotState(names=["a"], measured=[1.0], commanded=[1.0], mode=1)
    message.header.stamp = Time(sec=1)
    state = conversions.state_from_message(message)
    assert (state.mode, state.commanded_ns) == (1, 0)
    assert (state.chunk_sequence, state.chunk_stamp_ns) == (0, 0)
    message.commanded_stamp, message.chunk_stamp = Time(sec=2), Time(sec=3, nanosec=5)
    message.chunk_sequence, message.chunk_row = 7, 2.5
    state = conversions.state_from_message(message)
    assert (state.commanded_ns, state.chunk_sequence) == (2_000_000_000, 7)
    assert (state.chunk_stamp_ns, state.chunk_row) == (3_000_000_005, 2.5)
    message.chunk_stamp = Time(nanosec=1_000_000_000)
    with pytest.raises(
        MessageError, match="chunk_stamp: the stamp is invalid: nanosec is 1000000000"
    ):
        conversions.state_from_message(message)
    pictures = CameraSet()
    pictures.header.stamp = Time(sec=1)
    assert conversions.pictures_from_message(pictures).published_ns == 0
    pictures.published = Time(sec=4)
    assert conversions.pictures_from_message(pictures).published_ns == 4_000_000_000
