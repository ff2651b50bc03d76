"""Damage of compressed pictures that OpenCV decodes without a word: lost packets of a JPEG or PNG.

libjpeg fills what is missing and prints a warning that names no camera. Where the data of a scan
ends too early, the blocks that follow are exactly grey; where bytes are lost and the rest is read
out of step, there may also be data left when the picture is full. Both show in a small decoding
(1/8 of each side) with one more row of blocks than the picture has: in a whole JPEG these blocks,
and no others, are filled.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np

JPEG_MAGIC = b"\xff\xd8\xff"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

_MISSING = "the JPEG is damaged: a part of its data is missing"
_EXTRA = "the JPEG is damaged: data is left over behind its last block"
_HEADER = "the JPEG is damaged: its header cannot be read"
_PNG = "the PNG is damaged: a checksum is wrong, or its end is missing"

_TABLES = (0xDB, 0xC4, 0xDD)  # DQT, DHT, DRI
_BASELINE = (0xC0, 0xC1)
_SCAN, _END = 0xDA, 0xD9
_BARE = (0x01, *range(0xD0, 0xD9))  # Markers without a length.
_SURPLUS = 2  # Blocks that the padding behind the last one may decode to.
_CUT = 4  # Bytes taken off for the comparison of `_is_filled`.


def damage_of(data: bytes | memoryview | np.ndarray) -> str:
    """Reason why a compressed picture is damaged, without figures; "" if no damage is found.

    Takes 0.5 to 1 ms for a JPEG of 640x480. Baseline JPEGs of one scan, which cameras send, and
    PNGs are checked; of others only what OpenCV reports is known.

    Args:
        data: The bytes of a JPEG, PNG or another picture.
    """
    octets = np.frombuffer(data, np.uint8)
    head = octets[: len(PNG_MAGIC)].tobytes()
    if head.startswith(JPEG_MAGIC):
        return _jpeg_damage(octets)
    return _png_damage(octets.tobytes()) if head == PNG_MAGIC else ""


@dataclass(frozen=True)
class _Jpeg:
    """A baseline JPEG of one scan; the size of a block (MCU) is in units of 8 pixels."""

    tables: bytes  # Start, and the segments before the scan that decoding needs, without SOF.
    frame: bytes  # The SOF segment.
    scan: bytes  # Header of the scan.
    data: bytes  # Its data, with restart markers.
    columns: int  # Blocks in a row.
    rows: int
    block: tuple[int, int]  # Width and height of a block.
    interval: int  # Blocks between restart markers; 0: none.
    grey_bits: int  # Bits of a grey block with the usual tables.

    @property
    def least_run(self) -> int:
        """Fewest grey blocks that are longer than the bytes cut off by `_is_filled`."""
        return -(-(8 * _CUT + 7) // self.grey_bits)

    def decode(self, data: bytes, *, small: bool = False, more_rows: int = 0) -> np.ndarray | None:
        """Decode with other data of the scan, and with more rows of blocks.

        With Pillow: of what is missing here by intention OpenCV's libjpeg would print a line.

        Args:
            data: Data of the scan.
            small: Whether to decode at 1/8 of each side.
            more_rows: Rows of blocks that the frame has more.

        Returns:
            (H, W, 3) uint8 rgb; None: it cannot be decoded.
        """
        from PIL import Image  # Late: nodes whose cameras send no JPEG do without.

        height = (self.rows + more_rows) * self.block[1] * 8
        if height > 65535:
            return None
        frame = self.frame[:5] + struct.pack(">H", height) + self.frame[7:]
        whole = b"".join((self.tables, frame, self.scan, data, b"\xff\xd9"))
        try:
            with Image.open(io.BytesIO(whole), formats=("JPEG",)) as image:
                if small:
                    image.draft("RGB", (1, 1))  # The least size that libjpeg scales to.
                return np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError):
            return None


def _jpeg_damage(octets: np.ndarray) -> str:
    try:
        jpeg = _read_jpeg(octets)
    except (IndexError, struct.error, ValueError):
        return _HEADER
    if jpeg is None:
        return ""
    if jpeg.interval and _restarts(jpeg.data) != (jpeg.columns * jpeg.rows - 1) // jpeg.interval:
        return _MISSING
    small = jpeg.decode(jpeg.data, small=True, more_rows=1)
    if small is None:
        return ""  # It cannot be decoded, or is too high for one more row of blocks.
    grey = _grey_blocks(small, jpeg)
    count = jpeg.columns * jpeg.rows
    if not grey[count + _SURPLUS :].all():
        return _EXTRA
    step = jpeg.interval or count
    ends = [*range(step, count, step), count]
    runs = {end: _run_before(grey, (end - 1) // step * step, end) for end in ends}
    suspects = {end: run for end, run in runs.items() if run >= jpeg.least_run}
    return _MISSING if suspects and _is_filled(jpeg, suspects) else ""


def _read_jpeg(octets: np.ndarray) -> _Jpeg | None:
    """Read the segments; None: it is not a baseline JPEG of one scan.

    Raises:
        IndexError, struct.error, ValueError: A segment is not what its marker says.
    """
    data = octets.tobytes()
    tables, frame, interval, at = [data[:2]], b"", 0, 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        while data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if marker in _BARE:
            at += 2
            continue
        if marker == _END:
            raise ValueError("no scan")
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at : at + 2 + length]
        if length < 2 or len(segment) != 2 + length:
            raise ValueError("a segment is cut")
        if marker == _SCAN:
            break
        if marker in _TABLES:
            tables.append(segment)
            if marker == 0xDD:
                (interval,) = struct.unpack_from(">H", segment, 4)
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
            if marker not in _BASELINE:
                return None  # Progressive, lossless or arithmetic.
            frame = segment
        at += 2 + length
    height, width, components = struct.unpack_from(">HHB", frame, 5)
    if components not in (1, 3) or segment[4] != components or not height or not width:
        return None
    factors = [frame[11 + 3 * k] for k in range(components)]
    across, down = (1, 1)
    if components > 1:  # A block of a single component is one of 8 by 8 pixels.
        across, down = max(f >> 4 for f in factors), max(f & 15 for f in factors)
    if not (1 <= across <= 4 and 1 <= down <= 4):
        raise ValueError("sampling factors")
    return _Jpeg(
        tables=b"".join(tables),
        frame=frame,
        scan=segment,
        data=_scan_data(octets[at + len(segment) :]),
        columns=-(-width // (8 * across)),
        rows=-(-height // (8 * down)),
        block=(across, down),
        interval=interval,
        grey_bits=6 * across * down + (8 if components > 1 else 0),
    )


def _scan_data(octets: np.ndarray) -> bytes:
    """Bytes up to the first marker that is no restart marker."""
    at = np.flatnonzero(octets[:-1] == 0xFF)
    following = octets[at + 1]
    is_data = (following == 0) | (following == 0xFF) | ((following & 0xF8) == 0xD0)
    ends = at[~is_data]
    return octets[: ends[0] if ends.size else octets.size].tobytes()


def _restarts(data: bytes) -> int:
    """Number of restart markers in a scan, -1 if their numbers have a gap."""
    octets = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(octets[:-1] == 0xFF)
    numbers = octets[at + 1][(octets[at + 1] & 0xF8) == 0xD0] & 7
    in_order = (numbers == np.arange(len(numbers)) % 8).all()
    return len(numbers) if in_order else -1


def _grey_blocks(small: np.ndarray, jpeg: _Jpeg) -> np.ndarray:
    """Blocks that are exactly grey in a decoding at 1/8, one more row included, (N,) bool."""
    across, down = jpeg.block
    equal = (small == 128).all(axis=2)
    rows = jpeg.rows + 1
    padded = np.ones((rows * down, jpeg.columns * across), bool)
    padded[: equal.shape[0], : equal.shape[1]] = equal[: padded.shape[0], : padded.shape[1]]
    return padded.reshape(rows, down, jpeg.columns, across).all(axis=(1, 3)).ravel()


def _run_before(grey: np.ndarray, start: int, end: int) -> int:
    """Number of grey blocks that end at `end`."""
    others = np.flatnonzero(~grey[start:end])
    return end - start - (int(others[-1]) + 1 if others.size else 0)


def _is_filled(jpeg: _Jpeg, suspects: dict[int, int]) -> bool:
    """Check whether grey blocks were filled in, rather than encoded.

    Cutting the last bytes of the data changes encoded blocks at the very end alone. If the end is
    filled, it changes the blocks before the filled ones.
    """
    full = jpeg.decode(jpeg.data)
    cut = jpeg.decode(_without_ends(jpeg.data))
    if full is None or cut is None:
        return True
    width, height = 8 * jpeg.block[0], 8 * jpeg.block[1]
    step = jpeg.interval or jpeg.columns * jpeg.rows
    sizes = [len(part) for part in _intervals(jpeg.data)]
    for end, run in suspects.items():
        last = end - run - 1  # The last block that is not grey.
        which = (end - 1) // step
        if last < which * step:  # All grey: then its data are as long as that takes, or missing.
            if 8 * sizes[which] < run * jpeg.grey_bits // 3:
                return True
            continue
        y, x = divmod(last, jpeg.columns)
        # Without the edges into which the chroma of the next blocks is blended.
        where = np.s_[
            y * height : (y + 1) * height - 2 * (jpeg.block[1] > 1),
            x * width : (x + 1) * width - 2 * (jpeg.block[0] > 1),
        ]
        if (full[where] != cut[where]).any():
            return True
    return False


def _intervals(data: bytes) -> list[bytes]:
    """Data between the restart markers of a scan."""
    octets = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(octets[:-1] == 0xFF)
    marks = at[(octets[at + 1] & 0xF8) == 0xD0].tolist()
    begins = [0, *(mark + 2 for mark in marks)]
    return [data[begin:end] for begin, end in zip(begins, [*marks, len(data)], strict=True)]


def _without_ends(data: bytes) -> bytes:
    """Data of a scan without the last bytes before each restart marker and at the end."""
    kept = []
    for number, part in enumerate(_intervals(data)):
        if number:
            kept.append(bytes((0xFF, 0xD0 + (number - 1) % 8)))
        short = part[: max(0, len(part) - _CUT)]
        # A byte 0xFF and the 0 behind it stay together.
        kept.append(short[:-1] if short.endswith(b"\xff") else short)
    return b"".join(kept)


def _png_damage(data: bytes) -> str:
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if data[end : end + 4] != zlib.crc32(data[at + 4 : end]).to_bytes(4, "big"):
            return _PNG
        if kind == b"IEND":
            return ""
        at = end + 4
    return _PNG
