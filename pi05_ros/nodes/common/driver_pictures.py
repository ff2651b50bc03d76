"""Conversion of driver pictures to arrays.

Separate from the other conversions: importing cv2 takes as long as everything else in a node.
"""

from __future__ import annotations

import array

import cv2
import numpy as np
from cv_bridge import CvBridge, CvBridgeError
from sensor_msgs.msg import CompressedImage, Image

from pi05_ros.cameras.decoding import check_compressed, planes_to_rgb
from pi05_ros.cameras.encodings import Encoding, PictureError, check_raw, encoding_of
from pi05_ros.errors import MessageError

_bridge = CvBridge()


def image_to_rgb(message: Image | CompressedImage, checked: bool = False) -> np.ndarray:
    """Decode a picture of a driver to (H, W, 3) uint8 rgb.

    Args:
        message: The picture.
        checked: `check_picture` has accepted it already.

    Raises:
        MessageError: The message is inconsistent, truncated, or has an unknown encoding.
    """
    encoding = _encoding_of(message) if checked else check_picture(message)
    try:
        if encoding is None:
            picture = _bridge.compressed_imgmsg_to_cv2(message, "rgb8")
            if picture is None:
                raise MessageError(f"the compressed picture ({message.format}) cannot be decoded")
        elif encoding.layout == "packed":
            picture = _bridge.imgmsg_to_cv2(_for_bridge(message, encoding), "rgb8")
        else:
            octets = np.frombuffer(message.data, np.uint8)
            picture = planes_to_rgb(octets, message.width, message.height, message.step, encoding)
    except PictureError as error:
        raise MessageError(str(error)) from error
    except (CvBridgeError, cv2.error, ValueError, TypeError, KeyError, MemoryError) as error:
        first = (str(error).splitlines() or ["it cannot be decoded"])[0]
        raise MessageError(f"the picture is not usable: {first}") from error
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise MessageError(
            f"the decoded picture is {picture.shape} {picture.dtype}, wanted (H, W, 3) uint8"
        )
    return picture


def check_picture(message: Image | CompressedImage, damage: bool = True) -> Encoding | None:
    """Check a driver's picture without decoding it: in microseconds, a JPEG in less than 1 ms.

    Args:
        message: The picture.
        damage: Whether to look for damage of a compressed picture, which takes longer the larger
            it is.

    Returns:
        The encoding of an Image; None for a CompressedImage.

    Raises:
        MessageError: The message is inconsistent, empty, damaged, or has an unknown encoding.
    """
    try:
        if isinstance(message, CompressedImage):
            check_compressed(message.data, message.format, damage)
            return None
        return check_raw(
            message.width, message.height, message.step, message.encoding, len(message.data)
        )
    except PictureError as error:
        raise MessageError(str(error)) from error


def _encoding_of(message: Image | CompressedImage) -> Encoding | None:
    return None if isinstance(message, CompressedImage) else encoding_of(message.encoding)


def _for_bridge(message: Image, encoding: Encoding) -> Image:
    """Return the picture under a name and with rows that cv_bridge can convert.

    cv_bridge does not know every name, and shears a picture whose row padding is not a multiple of
    a pixel.
    """
    step, data = message.step, message.data
    if step % encoding.pixel_bytes:
        step = message.width * encoding.pixel_bytes
        rows = np.frombuffer(data, np.uint8).reshape(message.height, message.step)
        data = array.array("B", rows[:, :step].tobytes())
    elif message.encoding == encoding.name:
        return message
    return Image(
        header=message.header,
        height=message.height,
        width=message.width,
        encoding=encoding.name,
        is_bigendian=message.is_bigendian,
        step=step,
        data=data,
    )
