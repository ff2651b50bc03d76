"""From one encoding's pixels to another's."""

from __future__ import annotations

import cv2
import numpy as np

from cv_bridge.encodings import Colour, CvBridgeError, Encoding

_NAMES = {
    Colour.GRAY: "GRAY",
    Colour.RGB: "RGB",
    Colour.BGR: "BGR",
    Colour.RGBA: "RGBA",
    Colour.BGRA: "BGRA",
}
# OpenCV names a Bayer pattern by the second row's second and third pixel, ROS by its first four.
_BAYER = {
    Colour.BAYER_RGGB: "BayerBG",
    Colour.BAYER_BGGR: "BayerRG",
    Colour.BAYER_GBRG: "BayerGR",
    Colour.BAYER_GRBG: "BayerGB",
}
_YUV = {Colour.UYVY: "UYVY", Colour.YUYV: "YUY2"}


def convert(picture: np.ndarray, source: Encoding, target: Encoding) -> np.ndarray:
    """Converts pixels.

    Args:
        picture: (H, W) or (H, W, channels) of the source's dtype.
        source: What they are.
        target: What they shall be.

    Returns:
        A new array, (H, W) for one channel.

    Raises:
        CvBridgeError: There is no such conversion.
    """
    if source.name == target.name:
        return picture.copy()
    if source.colour is None or target.colour is None:
        if source.colour is None and target.colour is not None:
            raise CvBridgeError(
                f"[{source.name}] is not a color format, but [{target.name}] is. "
                "The conversion does not make sense"
            )
        if source.channels != target.channels:
            raise CvBridgeError(
                f"[{source.name}] and [{target.name}] do not have the same number of channels"
            )
        return _to_depth(picture, source.dtype, target.dtype)
    if source.colour == target.colour:
        if source.colour not in (*_NAMES, Colour.UYVY):
            raise CvBridgeError(f"Unsupported conversion from [{source.name}] to [{target.name}]")
        return _to_depth(picture, source.dtype, target.dtype)
    code = _code(source.colour, target.colour)
    if code is None:
        raise CvBridgeError(f"Unsupported conversion from [{source.name}] to [{target.name}]")
    try:
        coloured = cv2.cvtColor(picture, code)
    except cv2.error as error:
        raise CvBridgeError(str(error)) from error
    return _to_depth(coloured, source.dtype, target.dtype)


def _code(source: Colour, target: Colour) -> int | None:
    """OpenCV's code of a conversion between colours, None where there is none."""
    if target not in _NAMES:
        return None
    if source in _BAYER and target in (Colour.GRAY, Colour.RGB, Colour.BGR):
        return getattr(cv2, f"COLOR_{_BAYER[source]}2{_NAMES[target]}")
    if source in _YUV:
        return getattr(cv2, f"COLOR_YUV2{_NAMES[target]}_{_YUV[source]}")
    if source in _NAMES:
        return getattr(cv2, f"COLOR_{_NAMES[source]}2{_NAMES[target]}")
    return None


def _to_depth(picture: np.ndarray, source: np.dtype, target: np.dtype) -> np.ndarray:
    """Changes the type of the channels, rounding and clipping as OpenCV does.

    Between 8 and 16 unsigned bits, full scale stays full scale.
    """
    if source == target:
        return picture.copy()
    scale = 1.0
    if (source.itemsize, target.itemsize) == (1, 2):
        scale = 65535.0 / 255.0
    elif (source.itemsize, target.itemsize) == (2, 1):
        scale = 255.0 / 65535.0
    if target.kind == "f":
        return (picture * scale).astype(target)
    limits = np.iinfo(target)
    return np.clip(np.rint(picture * scale), limits.min, limits.max).astype(target)
