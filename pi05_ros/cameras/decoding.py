"""Decoding of recorded camera messages to rgb pictures, without ROS.

The result equals that of the node camera_ingestion, which uses cv_bridge
(`nodes.common.driver_pictures.image_to_rgb`), byte for byte; test/cameras compares the two over
all encodings.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np

from pi05_ros.cameras.encodings import ENCODINGS, Encoding
from pi05_ros.errors import Pi05Error, did_you_mean

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
PICTURE_TYPES = (IMAGE, COMPRESSED_IMAGE)

Octets: TypeAlias = bytes | bytearray | memoryview | np.ndarray

_MAX_SIDE = 16384  # Pixels; larger values are taken for a broken message.


class PictureError(Pi05Error):
    """A picture message that is inconsistent, truncated, or of an unknown kind."""


def decode_message(kind: str, message: Any) -> np.ndarray:
    """Decode the picture of a message.

    Args:
        kind: Message type, one of PICTURE_TYPES.
        message: Object with the fields of that type.

    Returns:
        (H, W, 3) uint8 rgb; without conversion it shares the message's memory.

    Raises:
        PictureError: The picture cannot be decoded.
    """
    if kind == COMPRESSED_IMAGE:
        return decode_compressed(message.data, message.format)
    if kind == IMAGE:
        return decode_raw(
            message.data,
            message.width,
            message.height,
            message.step,
            message.encoding,
            bool(message.is_bigendian),
        )
    raise PictureError(f"wanted a picture ({' or '.join(PICTURE_TYPES)}), found {kind}")


def decode_raw(
    data: Octets, width: int, height: int, step: int, encoding: str, big_endian: bool
) -> np.ndarray:
    """Decode the picture of a sensor_msgs/Image.

    Args:
        data: Bytes.
        width: Pixels of a row.
        height: Rows.
        step: Bytes of a row, padding included.
        encoding: As in the message ("rgb8").
        big_endian: Byte order of 16-bit channels.

    Returns:
        (height, width, 3) uint8 rgb.

    Raises:
        PictureError: The sizes are inconsistent, or the encoding is unknown.
    """
    known = ENCODINGS.get(encoding)
    if known is None:
        raise PictureError(
            f"unknown encoding '{encoding[:40]}'{did_you_mean(encoding[:40], ENCODINGS)} "
            f"(valid: {', '.join(ENCODINGS)})"
        )
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
        raise PictureError(f"the picture is {width}x{height} pixels")
    if step < width * known.pixel_bytes:
        raise PictureError(f"a row of {width} pixels ({encoding}) cannot fit into {step} bytes")
    octets = np.frombuffer(data, np.uint8)
    if octets.size != step * height:
        raise PictureError(f"wanted {height} rows of {step} bytes, found {octets.size}")
    rows = octets.reshape(height, step)[:, : width * known.pixel_bytes]
    stored = known.dtype.newbyteorder(">" if big_endian else "<")
    pixels = np.ascontiguousarray(rows).view(stored).astype(known.dtype, copy=False)
    if known.channels > 1:
        pixels = pixels.reshape(height, width, known.channels)
    return _to_eight_bits(_to_rgb(pixels, known, f"{encoding} {width}x{height}"))


def decode_compressed(data: Octets, kind: str) -> np.ndarray:
    """Decode the picture of a sensor_msgs/CompressedImage.

    Args:
        data: A JPEG, a PNG, or another format that OpenCV decodes.
        kind: Format field of the message, for the error.

    Returns:
        (H, W, 3) uint8 rgb.

    Raises:
        PictureError: It cannot be decoded, or its channels are not of 8 bits.
    """
    octets = np.frombuffer(data, np.uint8)
    if not octets.size:
        raise PictureError("the compressed picture is empty")
    try:
        picture = cv2.imdecode(octets, cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise PictureError(f"{octets.size} bytes of format '{kind[:40]}' cannot be decoded")
        # The same call as in cv_bridge: OpenCV decides whether a grey picture is accepted.
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    except cv2.error as error:
        raise PictureError(f"the picture is not usable: {_first_line(error)}") from error
    if rgb.ndim != 3 or rgb.dtype != np.uint8:
        raise PictureError(
            f"wanted a compressed picture of 8 bits, found {rgb.dtype} ({kind[:40]})"
        )
    return rgb


def _to_rgb(pixels: np.ndarray, encoding: Encoding, what: str) -> np.ndarray:
    """Convert to rgb, keeping the bit depth."""
    if encoding.to_rgb is None:
        return pixels
    try:
        return cv2.cvtColor(pixels, encoding.to_rgb)
    except cv2.error as error:
        raise PictureError(f"the picture ({what}) is not usable: {_first_line(error)}") from error


def _to_eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Convert 16 bits to 8: full scale stays full scale, halves round to even."""
    if pixels.dtype == np.uint8:
        return pixels
    return np.clip(np.rint(pixels * (255.0 / 65535.0)), 0, 255).astype(np.uint8)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["it cannot be decoded"])[0]
