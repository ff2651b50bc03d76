"""Decoding of recorded camera messages to rgb pictures, without ROS.

The result equals that of the node camera_ingestion, which uses cv_bridge
(`nodes.common.driver_pictures.image_to_rgb`), byte for byte; test/cameras compares the two over
all encodings.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import cv2
import numpy as np

from pi05_ros.cameras.damage import JPEG_MAGIC, PNG_MAGIC, damage_of
from pi05_ros.cameras.encodings import ENCODINGS, Encoding, PictureError, check_raw

__all__ = [
    "COMPRESSED_IMAGE",
    "IMAGE",
    "PICTURE_TYPES",
    "PictureError",
    "check_compressed",
    "decode_compressed",
    "decode_message",
    "decode_raw",
    "planes_to_rgb",
]

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
PICTURE_TYPES = (IMAGE, COMPRESSED_IMAGE)

_VIDEO = frozenset(
    ("h264", "h265", "hevc", "av1", "vp8", "vp9", "mpeg4", "libx264", "libx265", "theora")
)

Octets: TypeAlias = bytes | bytearray | memoryview | np.ndarray


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
        step: Bytes of a row, padding included; of planes: of a row of the first one.
        encoding: As in the message ("rgb8").
        big_endian: Byte order of 16-bit channels.

    Returns:
        (height, width, 3) uint8 rgb.

    Raises:
        PictureError: The sizes are inconsistent, or the encoding is unknown.
    """
    octets = np.frombuffer(data, np.uint8)
    known = check_raw(width, height, step, encoding, octets.size)
    if known.layout != "packed":
        return planes_to_rgb(octets, width, height, step, known)
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
        PictureError: It is damaged, cannot be decoded, or its channels are not of 8 bits.
    """
    check_compressed(data, kind)
    octets = np.frombuffer(data, np.uint8)
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


def planes_to_rgb(
    octets: np.ndarray, width: int, height: int, step: int, encoding: Encoding
) -> np.ndarray:
    """Convert a picture in planes (NV12, I420, …), which cv_bridge does not know.

    The colours are those that OpenCV gives NV12: BT.601, 16 to 235.

    Args:
        octets: (N,) uint8 of a size that `check_raw` has accepted.
        width: Pixels of a row.
        height: Rows.
        step: Bytes of a row of the Y plane; chroma rows have the same padding in proportion.
        encoding: Its pixel format.

    Returns:
        (height, width, 3) uint8 rgb.
    """
    across, down = encoding.chroma_step
    luma = octets[: step * height].reshape(height, step)[:, :width]
    chroma = octets[step * height :]
    if encoding.layout == "planar":
        planes = chroma.reshape(2 * (height // down), step // across)[:, : width // across]
    else:
        planes = chroma.reshape(height // down, 2 * step // across)[:, : 2 * width // across]
    # OpenCV knows one U and V for two by two pixels: each Y is repeated until that is so.
    repeat = 2 // across, 2 // down
    luma = np.repeat(np.repeat(luma, repeat[1], axis=0), repeat[0], axis=1)
    stacked = np.concatenate([luma.ravel(), planes.ravel()]).reshape(-1, luma.shape[1])
    rgb = _to_rgb(stacked, encoding, f"{encoding.name} {width}x{height}")
    return np.ascontiguousarray(rgb[:: repeat[1], :: repeat[0]])


def check_compressed(data: Octets, kind: str, damage: bool = True) -> None:
    """Check the bytes of a sensor_msgs/CompressedImage, in less than 1 ms at 640x480.

    Args:
        data: The bytes.
        kind: Format field of the message.
        damage: Whether to look for damage; all else takes microseconds.

    Raises:
        PictureError: It is empty, damaged, or no compressed picture.
    """
    octets = np.frombuffer(data, np.uint8)
    if not octets.size:
        raise PictureError("the compressed picture is empty")
    if damage and (problem := damage_of(octets)):
        raise PictureError(problem)
    if octets[:3].tobytes() == JPEG_MAGIC or octets[:8].tobytes() == PNG_MAGIC:
        return
    words = re.split(r"[;,\s]+", kind.strip().lower())
    if words[0] in ENCODINGS and "compressed" not in words:
        raise PictureError(
            f"a CompressedImage of format '{kind[:40]}' holds bare pixels without their size: set "
            "the driver to publish sensor_msgs/Image (transport: raw in the platform), or JPEG"
        )
    if _VIDEO.intersection(words):
        raise PictureError(
            f"a CompressedImage of format '{kind[:40]}' is a part of a video, not a picture: set "
            "the driver to publish JPEG, or sensor_msgs/Image (transport: raw in the platform)"
        )
    if "compresseddepth" in words:
        raise PictureError(
            f"a CompressedImage of format '{kind[:40]}' is depth: name the colour camera's topic "
            "in the platform"
        )


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
