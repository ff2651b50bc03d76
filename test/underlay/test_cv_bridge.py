"""What the suite expects of cv_bridge. Runs unchanged against the public package."""

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from cv_bridge import CvBridge, CvBridgeError
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

BRIDGE = CvBridge()
# Two rows of three pixels, each channel another number.
RGB = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 10


def message(rows, encoding, width, big_endian=False):
    """An Image whose rows are given as bytes."""
    return Image(
        height=len(rows),
        width=width,
        encoding=encoding,
        is_bigendian=big_endian,
        step=len(rows[0]),
        data=b"".join(rows),
    )


def image(pixels, encoding):
    """An Image of an array without padding."""
    return message([row.tobytes() for row in pixels], encoding, pixels.shape[1])


def test_pixels_pass_through():
    found = BRIDGE.imgmsg_to_cv2(image(RGB, "rgb8"))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, RGB)


def test_one_channel_comes_without_a_third_axis():
    grey = RGB[..., 0]
    for encoding in ("mono8", "8UC1", "bayer_rggb8"):
        np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(image(grey, encoding)), grey)


@pytest.mark.parametrize(
    ("encoding", "dtype"),
    [("16UC1", "<u2"), ("mono16", "<u2"), ("32FC1", "<f4"), ("16SC1", "<i2"), ("64FC1", "<f8")],
)
def test_numbers_of_each_width_pass_through(encoding, dtype):
    pixels = np.array([[0, 1, 300], [1000, 20000, 30000]], dtype)
    found = BRIDGE.imgmsg_to_cv2(image(pixels, encoding))
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, pixels)


def test_padding_behind_each_row_is_cut():
    """Padded by whole pixels: the public package shears rows that are not."""
    rows = [row.tobytes() + b"\xee" * 6 for row in RGB]
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(message(rows, "rgb8", 3)), RGB)
    rows = [row.tobytes() + b"\xee" * 5 for row in RGB[..., 0]]
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(message(rows, "mono8", 3)), RGB[..., 0])


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) >= "2.0.0"
    and hasattr(CvBridge, "cvtype2_to_dtype_with_channels"),
    reason="the public package asks numpy for a method that numpy 2 dropped",
)
def test_the_other_byte_order_is_turned():
    pixels = np.array([[1, 256, 0x1234]], ">u2")
    found = BRIDGE.imgmsg_to_cv2(message([pixels.tobytes()], "mono16", 3, big_endian=True))
    assert found.tolist() == [[1, 256, 0x1234]]


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("rgb8", "rgb8", RGB),
        ("rgb8", "bgr8", RGB[..., ::-1]),
        ("bgr8", "rgb8", RGB[..., ::-1]),
        ("rgb8", "rgba8", np.dstack([RGB, np.full((2, 3), 255, np.uint8)])),
        ("rgb8", "bgra8", np.dstack([RGB[..., ::-1], np.full((2, 3), 255, np.uint8)])),
        # Full scale stays full scale: 65535 / 255 = 257.
        ("rgb8", "rgb16", RGB.astype(np.uint16) * 257),
        ("rgb8", "bgr16", RGB[..., ::-1].astype(np.uint16) * 257),
        ("rgb8", "8UC3", RGB),
    ],
)
def test_three_colours_become(source, target, expected):
    found = BRIDGE.imgmsg_to_cv2(image(RGB, source), target)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_four_channels_lose_their_alpha():
    pixels = np.dstack([RGB, np.full((2, 3), 7, np.uint8)])
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(image(pixels, "rgba8"), "rgb8"), RGB)
    np.testing.assert_array_equal(
        BRIDGE.imgmsg_to_cv2(image(pixels, "bgra8"), "rgb8"), RGB[..., ::-1]
    )


def test_grey_becomes_three_equal_colours_and_colours_become_luma():
    grey = RGB[..., 0]
    found = BRIDGE.imgmsg_to_cv2(image(grey, "mono8"), "rgb8")
    np.testing.assert_array_equal(found, np.repeat(grey[..., None], 3, axis=2))
    luma = BRIDGE.imgmsg_to_cv2(image(RGB, "rgb8"), "mono8")
    expected = RGB @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(luma, expected, atol=0.51)


def test_sixteen_bits_shrink_with_their_scale():
    deep = np.array([[0, 257, 65535]], np.uint16)
    found = BRIDGE.imgmsg_to_cv2(image(deep, "mono16"), "mono8")
    assert found.dtype == np.uint8
    assert found.tolist() == [[0, 1, 255]]
    found = BRIDGE.imgmsg_to_cv2(image(deep, "mono16"), "rgb8")
    assert found[0, 2].tolist() == [255, 255, 255]


def test_plain_numbers_change_type_without_a_meaning():
    depth = np.array([[0, 1000, 65535]], np.uint16)
    found = BRIDGE.imgmsg_to_cv2(image(depth, "16UC1"), "32FC1")
    assert found.dtype == np.float32
    assert found.tolist() == [[0.0, 1000.0, 65535.0]]


@pytest.mark.parametrize(
    ("pattern", "channels"),
    [
        ("bayer_rggb", "RGGB"),
        ("bayer_bggr", "BGGR"),
        ("bayer_gbrg", "GBRG"),
        ("bayer_grbg", "GRBG"),
    ],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_a_bayer_mosaic_of_one_colour_becomes_that_colour(pattern, channels, bits):
    """Red everywhere and no green or blue: every pixel between must come out red."""
    dtype = {8: np.uint8, 16: np.uint16}[bits]
    full = np.iinfo(dtype).max
    tile = np.array([[c == "R" for c in channels[:2]], [c == "R" for c in channels[2:]]])
    mosaic = np.tile(tile, (4, 4)).astype(dtype) * full
    found = BRIDGE.imgmsg_to_cv2(image(mosaic, f"{pattern}{bits}"), "rgb8")
    assert found[2:-2, 2:-2].reshape(-1, 3).tolist() == [[255, 0, 0]] * 16


@pytest.mark.parametrize(("encoding", "order"), [("yuv422", "UYVY"), ("yuv422_yuy2", "YUYV")])
def test_packed_yuv_becomes_rgb(encoding, order):
    """Video range: Y 16 to 235 is black to white, U = V = 128 has no colour."""
    pixels = {"Y": 235, "U": 128, "V": 128}
    row = bytes(pixels[c] for c in order) * 2
    found = BRIDGE.imgmsg_to_cv2(message([row, row], encoding, 4), "rgb8")
    assert found.shape == (2, 4, 3)
    assert found.min() >= 253


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("no_such_encoding", "rgb8"),
        ("rgb8", "no_such_encoding"),
        ("8UC3", "rgb8"),  # Three numbers are no colour.
        ("rgb8", "8UC1"),
        ("rgb8", "yuv422"),
        ("rgb8", "bayer_rggb8"),
    ],
)
def test_what_has_no_meaning_is_refused(source, target):
    with pytest.raises(CvBridgeError):
        BRIDGE.imgmsg_to_cv2(image(RGB, source), target)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("rgb8", ("uint8", 3)),
        ("mono16", ("uint16", 1)),
        ("bayer_rggb8", ("uint8", 1)),
        ("yuv422", ("uint8", 2)),
        ("32FC1", ("float32", 1)),
        ("16SC2", ("int16", 2)),
    ],
)
def test_an_encoding_says_how_large_a_pixel_is(encoding, expected):
    assert BRIDGE.encoding_to_dtype_with_channels(encoding) == expected


def test_an_unknown_encoding_has_no_pixels():
    with pytest.raises(CvBridgeError):
        BRIDGE.encoding_to_dtype_with_channels("no_such_encoding")


def test_a_cut_picture_is_refused():
    """The public package lets numpy say so; its own error is a TypeError, too."""
    cut = image(RGB, "rgb8")
    cut.data = cut.data[:-1]
    with pytest.raises(TypeError):
        BRIDGE.imgmsg_to_cv2(cut, "rgb8")


def test_an_array_becomes_a_message():
    header = Header(frame_id="front_camera")
    found = BRIDGE.cv2_to_imgmsg(RGB, "rgb8", header)
    assert (found.height, found.width, found.step, found.encoding) == (2, 3, 9, "rgb8")
    assert (found.is_bigendian, found.header) == (0, header)
    assert bytes(found.data) == RGB.tobytes()


def test_without_an_encoding_the_message_names_the_type():
    assert BRIDGE.cv2_to_imgmsg(RGB).encoding == "8UC3"
    assert BRIDGE.cv2_to_imgmsg(RGB[..., 0].astype(np.float32)).encoding == "32FC1"


def test_a_part_of_an_array_becomes_a_whole_message():
    found = BRIDGE.cv2_to_imgmsg(RGB[:, 1:, ::-1], "bgr8")
    assert (found.width, found.step) == (2, 6)
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(found, "rgb8"), RGB[:, 1:])


def test_an_encoding_that_does_not_fit_the_array_is_refused():
    with pytest.raises(CvBridgeError, match="incompatible type"):
        BRIDGE.cv2_to_imgmsg(RGB, "mono8")
    with pytest.raises(TypeError):
        BRIDGE.cv2_to_imgmsg([[1, 2]], "mono8")


def test_a_lossless_compressed_picture_keeps_every_pixel():
    packed = BRIDGE.cv2_to_compressed_imgmsg(RGB, "png")
    assert packed.format == "png"
    np.testing.assert_array_equal(BRIDGE.compressed_imgmsg_to_cv2(packed), RGB)
    # OpenCV decodes to bgr, so rgb is the other way round.
    np.testing.assert_array_equal(BRIDGE.compressed_imgmsg_to_cv2(packed, "rgb8"), RGB[..., ::-1])
    np.testing.assert_array_equal(BRIDGE.compressed_imgmsg_to_cv2(packed, "bgr8"), RGB)


def test_jpeg_is_the_default_and_close():
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    packed = BRIDGE.cv2_to_compressed_imgmsg(flat)
    assert bytes(packed.data[:2]) == b"\xff\xd8"
    found = BRIDGE.compressed_imgmsg_to_cv2(packed)
    assert np.abs(found.astype(int) - flat).max() <= 3


def test_a_compressed_picture_to_an_unknown_encoding_is_refused():
    packed = CompressedImage(format="png", data=cv2.imencode(".png", RGB)[1].tobytes())
    with pytest.raises(CvBridgeError):
        BRIDGE.compressed_imgmsg_to_cv2(packed, "no_such_encoding")
