"""Pictures without ROS: hand-computed pixels, and the live path over all encodings."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.cameras.decoding import (
    COMPRESSED_IMAGE,
    IMAGE,
    PictureError,
    decode_compressed,
    decode_message,
    decode_raw,
)
from pi05_ros.cameras.encodings import ENCODINGS

RGB = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 10


def raw(pixels, encoding, padding=b""):
    """Decode an array as an Image of this encoding."""
    rows = [row.tobytes() + padding for row in pixels]
    big = pixels.dtype.byteorder == ">"
    height, width = pixels.shape[:2]
    return decode_raw(b"".join(rows), width, height, len(rows[0]), encoding, big)


def test_rgb_is_taken_as_it_is():
    np.testing.assert_array_equal(raw(RGB, "rgb8"), RGB)


@pytest.mark.parametrize("padding", [b"", b"\xee", b"\xee" * 6])
def test_padding_behind_each_row_is_cut(padding):
    np.testing.assert_array_equal(raw(RGB[..., ::-1].copy(), "bgr8", padding), RGB)


def test_alpha_is_dropped():
    alpha = np.full((2, 3, 1), 7, np.uint8)
    np.testing.assert_array_equal(raw(np.concatenate([RGB, alpha], 2), "rgba8"), RGB)
    np.testing.assert_array_equal(raw(np.concatenate([RGB[..., ::-1], alpha], 2), "bgra8"), RGB)


def test_grey_stands_in_all_three_channels():
    found = raw(RGB[..., 0].copy(), "mono8")
    np.testing.assert_array_equal(found, np.repeat(RGB[..., :1], 3, axis=2))


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bits_keep_full_scale(order):
    pixels = np.array([[0, 257, 65535]], order)
    assert raw(pixels, "mono16")[0, :, 0].tolist() == [0, 1, 255]


def test_a_grey_yuv_picture_is_grey():
    assert np.ptp(raw(np.full((2, 4, 2), 128, np.uint8), "yuv422_yuy2"), axis=2).max() == 0


@pytest.mark.parametrize(
    ("name", "same_as"),
    [("yuyv", "yuv422_yuy2"), ("YUYV", "yuv422_yuy2"), ("uyvy", "yuv422"), ("BGR8", "bgr8"),
     ("yuv420", "i420"), ("NV12", "nv12")],
)  # fmt: skip
def test_a_format_has_the_names_that_drivers_give_it(name, same_as):
    known = ENCODINGS[same_as]
    step = 64 * known.pixel_bytes
    data = np.random.default_rng(0).bytes(known.data_bytes(step, 48))
    np.testing.assert_array_equal(
        decode_raw(data, 64, 48, step, name, False), decode_raw(data, 64, 48, step, same_as, False)
    )


def test_the_byte_orders_of_yuyv_and_uyvy():
    """Y 16 and 235 with neutral chroma: black and white."""
    yuyv = np.array([[[16, 128], [235, 128]]], np.uint8)
    assert raw(yuyv, "yuyv")[0].tolist() == [[0, 0, 0], [255, 255, 255]]
    assert raw(yuyv[..., ::-1].copy(), "uyvy")[0].tolist() == [[0, 0, 0], [255, 255, 255]]


# The eight primaries and secondaries as BT.601 has them: Y, U, V.
COLOURS = {
    (255, 0, 0): (81, 90, 240),
    (0, 255, 0): (145, 54, 34),
    (0, 0, 255): (41, 240, 110),
    (255, 255, 255): (235, 128, 128),
}


def planes(name, colours, padding):
    """A picture of blocks of 2 by 2 pixels of these colours, as bytes, and the step."""
    yuv = np.repeat(np.repeat(np.array(colours, np.uint8), 2, axis=0), 2, axis=1)
    across, down = ENCODINGS[name].chroma_step
    chroma = yuv[::down, ::across, 1:]

    def rows(plane, extra):
        return b"".join(row.tobytes() + b"\xee" * extra for row in plane)

    y, padded = rows(yuv[..., 0], padding), 2 * padding // across
    if name in ("nv12", "nv16", "nv24"):
        rest = rows(chroma, padded)
    elif name in ("nv21", "nv61", "nv42"):
        rest = rows(chroma[..., ::-1], padded)
    else:
        order = (0, 1) if name == "i420" else (1, 0)
        rest = b"".join(rows(chroma[..., k], padding // across) for k in order)
    return y + rest, yuv.shape[1] + padding


@pytest.mark.parametrize("padding", [0, 4])
@pytest.mark.parametrize("name", ["nv12", "nv21", "nv16", "nv61", "nv24", "nv42", "i420", "yv12"])
def test_pictures_in_planes_have_their_colours(name, padding):
    red, green, blue, white = COLOURS.values()
    data, step = planes(name, [[red, green], [blue, white], [white, red]], padding)
    found = decode_raw(data, 4, 6, step, name, False)
    assert found.shape == (6, 4, 3)
    wanted = [[0, 1], [2, 3], [3, 0]]
    colours = np.array(list(COLOURS))[np.array(wanted)].repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(found.astype(int) - colours).max() <= 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"width": 5, "step": 5, "data": b"\0" * 30}, "width and step must be multiples of 2"),
        ({"data": b"\0" * 16}, "wanted 4 rows of 4 bytes and its chroma, 24 bytes, found 16"),
        ({"encoding": "nv99"}, "unknown encoding 'nv99'.*set one of these at the driver"),
    ],
)
def test_planes_of_another_size_are_refused(change, expected):
    fields = {"data": b"\0" * 24, "width": 4, "height": 4, "step": 4, "encoding": "nv12"}
    message = SimpleNamespace(is_bigendian=0, **{**fields, **change})
    with pytest.raises(PictureError, match=expected):
        decode_message(IMAGE, message)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nv12", "bare pixels .* publish sensor_msgs/Image .transport: raw"),
        ("yuyv", "bare pixels"),
        ("h264", "part of a video.* JPEG"),
        ("16UC1; compressedDepth png", "is depth"),
    ],
)
def test_what_is_no_compressed_picture_says_what_to_set(kind, expected):
    with pytest.raises(PictureError, match=expected):
        decode_compressed(bytes(64 * 72), kind)


def test_a_compressed_picture_is_rgb():
    big = np.kron(RGB, np.ones((16, 16, 1), np.uint8))
    png = cv2.imencode(".png", big[..., ::-1])[1].tobytes()
    message = SimpleNamespace(format="rgb8; png compressed bgr8", data=np.frombuffer(png, "u1"))
    np.testing.assert_array_equal(decode_message(COMPRESSED_IMAGE, message), big)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"encoding": "rbg8"}, "unknown encoding 'rbg8'; did you mean 'rgb8'"),
        ({"encoding": "32FC1"}, "unknown encoding '32FC1': plain numbers, such as depth"),
        ({"encoding": "8UC3"}, "unknown encoding '8UC3'.* set the driver to rgb8 or bgr8"),
        ({"width": 0}, "0x2 pixels"),
        ({"width": 1 << 20}, "1048576x2 pixels"),
        ({"step": 8}, "a row of 3 pixels .rgb8. cannot fit into 8 bytes"),
        ({"data": b"\0" * 17}, "wanted 2 rows of 9 bytes, found 17"),
        ({"data": b"\0" * 19}, "wanted 2 rows of 9 bytes, found 19"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_inconsistent_picture_is_refused(change, expected):
    fields = {"data": RGB.tobytes(), "width": 3, "height": 2, "step": 9, "encoding": "rgb8"}
    message = SimpleNamespace(is_bigendian=0, **{**fields, **change})
    with pytest.raises(PictureError, match=expected):
        decode_message(IMAGE, message)


def test_an_implausible_compressed_picture_is_refused():
    with pytest.raises(PictureError, match="is empty"):
        decode_compressed(b"", "jpeg")
    with pytest.raises(PictureError, match="5 bytes of format 'jpeg' cannot be decoded"):
        decode_compressed(b"abcde", "jpeg")
    deep = cv2.imencode(".png", RGB.astype(np.uint16))[1]
    with pytest.raises(PictureError, match="wanted a compressed picture of 8 bits, found uint16"):
        decode_compressed(deep, "png")


def test_another_type_is_no_picture():
    with pytest.raises(PictureError, match="wanted a picture .*, found std_msgs/msg/String"):
        decode_message("std_msgs/msg/String", None)


@st.composite
def raw_pictures(draw):
    """Fields of an Image of any encoding, size, padding and byte order, with random pixels."""
    encoding = draw(st.sampled_from([*ENCODINGS, "YUYV", "8UC3", "32FC1", "nonsense"]))
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 30))
    if encoding in ENCODINGS and ENCODINGS[encoding].layout != "packed":
        width, height = 2 * width, 2 * height
    pixel = ENCODINGS[encoding].pixel_bytes if encoding in ENCODINGS else 3
    step = width * pixel + draw(st.integers(-1, 7).filter(lambda n: n >= 0 or width * pixel > 1))
    seed = draw(st.integers(0, 2**32 - 1))
    missing = draw(st.sampled_from([0, 0, 0, 1, -1]))
    known = ENCODINGS.get(encoding)
    size = known.data_bytes(step, height) if known else step * height
    data = np.random.default_rng(seed).bytes(size - missing)
    return {
        "encoding": encoding,
        "width": width,
        "height": height,
        "step": step,
        "is_bigendian": draw(st.integers(0, 1)),
        "data": data,
    }


def live(message):
    """Result of camera_ingestion for a message; None: it drops it."""
    from pi05_ros.errors import MessageError
    from pi05_ros.nodes.common.driver_pictures import image_to_rgb

    try:
        return image_to_rgb(message)
    except MessageError:
        return None


def ours(kind, message):
    try:
        return decode_message(kind, message)
    except PictureError:
        return None


def same(found, wanted):
    assert (found is None) == (wanted is None)
    if found is not None:
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        np.testing.assert_array_equal(found, wanted)


@given(fields=raw_pictures())
@settings(max_examples=400, deadline=None)
def test_every_raw_picture_comes_out_as_on_the_live_path(fields):
    pytest.importorskip("cv_bridge")
    from sensor_msgs.msg import Image

    message = Image(**fields)
    same(ours(IMAGE, message), live(message))


def compressed_pictures():
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    deep = noise[..., :3].astype(np.uint16) * 257
    blur = np.ascontiguousarray(cv2.GaussianBlur(noise[..., :3], (9, 9), 3))
    return {
        "jpeg": cv2.imencode(".jpg", blur)[1],
        "jpeg 4:4:4, poor": cv2.imencode(
            ".jpg",
            blur,
            [cv2.IMWRITE_JPEG_QUALITY, 20, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111],
        )[1],
        "png": cv2.imencode(".png", noise[..., :3])[1],
        "png with alpha": cv2.imencode(".png", noise)[1],
        "grey jpeg": cv2.imencode(".jpg", noise[..., 0])[1],
        "16-bit png": cv2.imencode(".png", deep)[1],
        "cut jpeg": cv2.imencode(".jpg", blur)[1][:700],
        "cut png": cv2.imencode(".png", noise)[1][:700],
        "jpeg with a lost packet": np.delete(cv2.imencode(".jpg", blur)[1], slice(900, 1100)),
        "nv12": np.zeros(64 * 72, np.uint8),
        "nonsense": np.arange(50, dtype=np.uint8),
        "nothing": np.zeros(0, np.uint8),
    }


@pytest.mark.parametrize("name", compressed_pictures())
def test_every_compressed_picture_comes_out_as_on_the_live_path(name):
    pytest.importorskip("cv_bridge")
    from sensor_msgs.msg import CompressedImage

    message = CompressedImage(format=name, data=compressed_pictures()[name].tobytes())
    same(ours(COMPRESSED_IMAGE, message), live(message))
