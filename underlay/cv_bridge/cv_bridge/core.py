"""Between image messages and the arrays that OpenCV works on."""

from __future__ import annotations

import array

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from cv_bridge.conversion import convert
from cv_bridge.encodings import CvBridgeError, encoding_of, plain_name


class CvBridge:
    """Converts sensor_msgs/Image and CompressedImage from and to numpy arrays."""

    def encoding_to_dtype_with_channels(self, encoding: str) -> tuple[str, int]:
        """The numpy name of a channel's type ("uint8"), and how many channels a pixel has.

        Raises:
            CvBridgeError: There is no such encoding.
        """
        found = encoding_of(encoding)
        return found.dtype.name, found.channels

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = "passthrough") -> np.ndarray:
        """The pixels of a message.

        Args:
            img_msg: The message; rows may be padded, numbers may have the other byte order.
            desired_encoding: What the pixels shall be; "passthrough" keeps them as they are.

        Returns:
            (H, W, channels), or (H, W) for one channel. With "passthrough" it may share the
            message's memory.

        Raises:
            CvBridgeError: The message contradicts itself, or there is no such conversion.
        """
        encoding = encoding_of(img_msg.encoding)
        pixel = encoding.dtype.itemsize * encoding.channels
        height, width, step = img_msg.height, img_msg.width, img_msg.step
        if step < width * pixel:
            raise CvBridgeError(
                f"Image is wrongly formed: a row of {width} pixels of {pixel} bytes does not fit "
                f"into a step of {step}"
            )
        if len(img_msg.data) < height * step:
            raise CvBridgeError(
                f"Image is wrongly formed: {height} rows of {step} bytes are more than its "
                f"{len(img_msg.data)}"
            )
        stored = encoding.dtype.newbyteorder(">" if img_msg.is_bigendian else "<")
        buffer = np.frombuffer(img_msg.data, np.uint8, height * step)
        rows = buffer.reshape(height, step)[:, : width * pixel]
        picture = np.ascontiguousarray(rows).view(stored).astype(encoding.dtype, copy=False)
        if encoding.channels > 1:
            picture = picture.reshape(height, width, encoding.channels)
        if desired_encoding == "passthrough":
            return picture
        return convert(picture, encoding, encoding_of(desired_encoding))

    def cv2_to_imgmsg(
        self, cvim: np.ndarray, encoding: str = "passthrough", header: Header | None = None
    ) -> Image:
        """A message with the pixels of an array.

        Args:
            cvim: (H, W) or (H, W, channels).
            encoding: What the pixels are; "passthrough" names only their type ("8UC3").
            header: The message's header.

        Raises:
            TypeError: It is no array.
            CvBridgeError: The encoding is unknown, or does not fit the array's type.
        """
        if not isinstance(cvim, np.ndarray):
            raise TypeError("Your input type is not a numpy array")
        if cvim.ndim not in (2, 3) or 0 in cvim.shape:
            raise CvBridgeError(f"an array of shape {cvim.shape} is no picture")
        channels = cvim.shape[2] if cvim.ndim == 3 else 1
        plain = plain_name(cvim.dtype, channels)
        if encoding != "passthrough":
            wanted = encoding_of(encoding)
            if plain_name(wanted.dtype, wanted.channels) != plain:
                raise CvBridgeError(
                    f"encoding specified as {encoding}, but image has incompatible type {plain}"
                )
        pixels = array.array("B")  # The message's own type: numpy's is copied byte by byte.
        pixels.frombytes(cvim.tobytes())
        message = Image(
            height=cvim.shape[0],
            width=cvim.shape[1],
            encoding=plain if encoding == "passthrough" else encoding,
            is_bigendian=cvim.dtype.byteorder == ">",
            step=len(pixels) // cvim.shape[0],
            data=pixels,
        )
        if header is not None:
            message.header = header
        return message

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: CompressedImage, desired_encoding: str = "passthrough"
    ) -> np.ndarray:
        """The pixels of a compressed message, as OpenCV decodes them: three channels are bgr.

        Args:
            cmprs_img_msg: The message.
            desired_encoding: What the pixels shall be; "passthrough" keeps them as they are.

        Raises:
            CvBridgeError: It cannot be decoded, or there is no such conversion.
        """
        data = np.frombuffer(cmprs_img_msg.data, np.uint8)
        try:
            picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
        except cv2.error as error:
            raise CvBridgeError(str(error)) from error
        if picture is None:
            raise CvBridgeError(
                f"{data.size} bytes of format '{cmprs_img_msg.format}' cannot be decoded"
            )
        if desired_encoding == "passthrough":
            return picture
        return convert(picture, encoding_of("bgr8"), encoding_of(desired_encoding))

    def cv2_to_compressed_imgmsg(
        self, cvim: np.ndarray, dst_format: str = "jpg"
    ) -> CompressedImage:
        """A compressed message with the pixels of an array.

        Args:
            cvim: (H, W), (H, W, 3) bgr or (H, W, 4) bgra.
            dst_format: "jpg", "png", or another suffix that OpenCV can write.

        Raises:
            TypeError: It is no array.
            CvBridgeError: OpenCV cannot write it so.
        """
        if not isinstance(cvim, np.ndarray):
            raise TypeError("Your input type is not a numpy array")
        try:
            written, data = cv2.imencode(f".{dst_format}", cvim)
        except cv2.error as error:
            raise CvBridgeError(str(error)) from error
        if not written:
            raise CvBridgeError(f"OpenCV cannot write {cvim.dtype} {cvim.shape} as {dst_format}")
        return CompressedImage(format=dst_format, data=array.array("B", data.tobytes()))
