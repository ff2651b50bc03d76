"""What the underlay's cv_bridge does better than the public package, which it stands in for.

Product code must not lean on it: it checks messages itself before it converts them.
"""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("cv_bridge")

import cv_bridge
from sensor_msgs.msg import CompressedImage, Image

if "underlay" not in Path(cv_bridge.__file__).parts:
    pytest.skip("this is the public package", allow_module_level=True)

BRIDGE = cv_bridge.CvBridge()
RGB = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


@pytest.mark.parametrize("padding", [1, 2, 7])
def test_rows_padded_by_parts_of_a_pixel_are_not_sheared(padding):
    data = b"".join(row.tobytes() + b"\xee" * padding for row in RGB)
    message = Image(height=2, width=3, encoding="rgb8", step=9 + padding, data=data)
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(message), RGB)


@pytest.mark.parametrize(
    "broken",
    [
        {"data": b""},
        {"data": bytes(17)},
        {"step": 8},
        {"step": 0},
        {"width": 4},
        {"height": 2**31},
        {"encoding": ""},
        {"encoding": "8UC0"},
        {"encoding": "8UC99999999999"},
    ],
)
def test_a_message_that_contradicts_itself_is_refused(broken):
    good = {"height": 2, "width": 3, "encoding": "rgb8", "step": 9, "data": bytes(18)}
    with pytest.raises(cv_bridge.CvBridgeError):
        BRIDGE.imgmsg_to_cv2(Image(**{**good, **broken}), "rgb8")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xd8\xff\xe0 cut", bytes(1000)])
@pytest.mark.parametrize("encoding", ["passthrough", "rgb8"])
def test_a_compressed_picture_that_cannot_be_decoded_is_refused(data, encoding):
    with pytest.raises(cv_bridge.CvBridgeError, match="cannot be decoded"):
        BRIDGE.compressed_imgmsg_to_cv2(CompressedImage(format="jpeg", data=data), encoding)


def test_a_grey_compressed_picture_passes_through_as_it_is():
    packed = BRIDGE.cv2_to_compressed_imgmsg(RGB[..., 0], "png")
    np.testing.assert_array_equal(BRIDGE.compressed_imgmsg_to_cv2(packed), RGB[..., 0])


def test_what_opencv_cannot_write_is_refused():
    with pytest.raises(cv_bridge.CvBridgeError):
        BRIDGE.cv2_to_compressed_imgmsg(RGB, "no_such_format")
    with pytest.raises(cv_bridge.CvBridgeError):
        BRIDGE.cv2_to_compressed_imgmsg(np.zeros((0, 3, 3), np.uint8))


def test_an_empty_array_is_no_picture():
    with pytest.raises(cv_bridge.CvBridgeError):
        BRIDGE.cv2_to_imgmsg(np.zeros((0, 3, 3), np.uint8), "rgb8")
    with pytest.raises(cv_bridge.CvBridgeError):
        BRIDGE.cv2_to_imgmsg(np.zeros((2, 3), np.uint64))


def test_other_byte_orders_and_numpy_2_go_together():
    pixels = np.array([[[1, 2, 3]]], ">u2")
    message = BRIDGE.cv2_to_imgmsg(pixels, "rgb16")
    assert message.is_bigendian
    assert BRIDGE.imgmsg_to_cv2(message, "bgr16").tolist() == [[[3, 2, 1]]]
