"""Conversion of driver pictures to arrays.

Separate from the other conversions: importing cv2 takes as long as everything else in a node.
"""

from __future__ import annotations

import array

import cv2
import numpy as np
from cv_bridge import CvBridge, CvBridgeError
from sensor_msgs.msg import CompressedImage, Image

from pi05_ros.errors import MessageError

_MAX_SIDE = 16384  # Pixels; a larger size in a message is an error.
_bridge = CvBridge()


def image_to_rgb(message: Image | CompressedImage) -> np.ndarray:
    """Decode a picture of a driver to (H, W, 3) uint8 rgb.

    Raises:
        MessageError: The message is inconsistent, truncated, or has an unknown encoding.
    """
    check_picture(message)
    try:
        if isinstance(message, CompressedImage):
            picture = _bridge.compressed_imgmsg_to_cv2(message, "rgb8")
            if picture is None:
                raise MessageError(f"the compressed picture ({message.format}) cannot be decoded")
        else:
            picture = _bridge.imgmsg_to_cv2(_without_odd_padding(message), "rgb8")
    except (CvBridgeError, cv2.error, ValueError, TypeError, KeyError, MemoryError) as error:
        first = (str(error).splitlines() or ["it cannot be decoded"])[0]
        raise MessageError(f"the picture is not usable: {first}") from error
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise MessageError(
            f"the decoded picture is {picture.shape} {picture.dtype}, wanted (H, W, 3) uint8"
        )
    return picture


def check_picture(message: Image | CompressedImage) -> None:
    """Check a driver's picture without decoding it, in microseconds.

    Raises:
        MessageError: The message is inconsistent, empty, or has an unknown encoding.
    """
    if isinstance(message, CompressedImage):
        if not message.data:
            raise MessageError("the compressed picture is empty")
    else:
        _check_image(message)


def _check_image(message: Image) -> None:
    """Raise MessageError for inconsistent sizes, before anything is allocated."""
    if not (1 <= message.width <= _MAX_SIDE and 1 <= message.height <= _MAX_SIDE):
        raise MessageError(f"the picture is {message.width}x{message.height} pixels")
    try:
        dtype, channels = _bridge.encoding_to_dtype_with_channels(message.encoding)
    except (CvBridgeError, KeyError) as error:
        raise MessageError(f"unknown encoding '{message.encoding[:40]}'") from error
    if message.step < message.width * np.dtype(dtype).itemsize * channels:
        raise MessageError(
            f"a row of {message.width} pixels ({message.encoding}) cannot fit into "
            f"{message.step} bytes"
        )
    if len(message.data) != message.step * message.height:
        raise MessageError(
            f"wanted {message.height} rows of {message.step} bytes, found {len(message.data)}"
        )


def _without_odd_padding(message: Image) -> Image:
    """Return the picture with rows that cv_bridge can convert.

    cv_bridge shears a picture whose row padding is not a multiple of a pixel.
    """
    dtype, channels = _bridge.encoding_to_dtype_with_channels(message.encoding)
    pixel = np.dtype(dtype).itemsize * channels
    if message.step % pixel == 0:
        return message
    width = message.width * pixel
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    return Image(
        header=message.header,
        height=message.height,
        width=message.width,
        encoding=message.encoding,
        is_bigendian=message.is_bigendian,
        step=width,
        data=array.array("B", rows[:, :width].tobytes()),
    )
