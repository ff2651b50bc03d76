"""Verification of an MCAP file on disk, with its message counts."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.reader import SeekingReader
from mcap.records import Chunk, ChunkIndex, Message
from mcap.stream_reader import breakup_chunk
from mcap.summary import Summary

from pi05_ros.data.bags.facts import BagError

MAGIC = b"\x89MCAP0\r\n"
FOOTER = 29  # bytes of the footer record; the magic follows
# Exceptions that mcap raises on invalid bytes, besides its own errors.
BROKEN = (
    McapError,
    zstandard.ZstdError,
    *(OSError, ValueError, KeyError, TypeError, IndexError, EOFError, struct.error),
    *(RuntimeError, MemoryError, OverflowError),  # from lz4, and from absurd lengths
)


@dataclass(frozen=True)
class VerifiedFile:
    """A file that was verified to be whole."""

    path: Path
    size: int  # bytes
    counts: dict[str, int]  # topic -> messages
    first_ns: int  # log times [ns]; 0 without messages
    last_ns: int
    summary: Summary

    @property
    def count(self) -> int:
        """Number of messages."""
        return sum(self.counts.values())


def verify(
    path: Path, *, deep: bool = False, progress: Callable[[int], None] | None = None
) -> VerifiedFile:
    """Verify a file's end, its summary and the head of every chunk.

    Args:
        path: The file.
        deep: Whether to decompress every chunk and compare its CRC, as slow as reading the file.
        progress: Called with the bytes done.

    Raises:
        BagError: The file is not whole; the message says why.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            summary = read_summary(path, file)
            counts = dict.fromkeys(summary.channels, 0)
            for index in summary.chunk_indexes:
                for channel, count in _chunk_counts(path, file, index, deep).items():
                    counts[channel] += count
                if progress is not None:
                    progress(index.chunk_start_offset + index.chunk_length)
    except FileNotFoundError as error:
        raise BagError(f"{path}: there is no such file") from error
    except BROKEN as error:
        raise BagError(f"{path} is cut or broken ({type(error).__name__}: {error})") from error
    statistics = summary.statistics
    assert statistics is not None  # read_summary checked
    stated = {channel: statistics.channel_message_counts.get(channel, 0) for channel in counts}
    if stated != counts or statistics.message_count != sum(counts.values()):
        raise BagError(f"{path}: its statistics state {stated} messages, its chunks hold {counts}")
    by_topic: dict[str, int] = {}
    for channel, count in counts.items():
        topic = summary.channels[channel].topic
        by_topic[topic] = by_topic.get(topic, 0) + count
    return VerifiedFile(
        path=path,
        size=size,
        counts=by_topic,
        first_ns=statistics.message_start_time,
        last_ns=statistics.message_end_time,
        summary=summary,
    )


def read_summary(path: Path, file: BinaryIO) -> Summary:
    """Read a file's summary, checking its end, its CRC and that it has statistics.

    Raises:
        BagError: The file is empty, cut, damaged in the summary, or no MCAP file.
        OSError, ValueError, ...: One of BROKEN; the summary is not valid.
    """
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise BagError(f"{path} is empty: nothing was written into it")
    if file.read(len(MAGIC)) != MAGIC:
        raise BagError(f"{path} is no MCAP file: it begins with other bytes")
    if size < 2 * len(MAGIC) + FOOTER:
        raise BagError(f"{path} is cut: {size} bytes, without an end")
    file.seek(size - FOOTER - len(MAGIC))
    end = file.read()
    opcode, length, start, _, crc = struct.unpack("<BQQQI", end[:FOOTER])
    if end[FOOTER:] != MAGIC or (opcode, length) != (2, 20):
        raise BagError(f"{path} is cut: it does not end with an MCAP footer")
    if not 0 < start < size:
        raise BagError(f"{path} has no summary")
    file.seek(start)
    covered = file.read(size - len(MAGIC) - 4 - start)
    if crc and zlib.crc32(covered) != crc:
        raise BagError(f"{path}: its summary is damaged (the CRC differs)")
    file.seek(0)  # where SeekingReader expects it
    summary = SeekingReader(file).get_summary()
    if summary is None or summary.statistics is None:
        raise BagError(f"{path} has no statistics in its summary")
    return summary


def _chunk_counts(path: Path, file: BinaryIO, index: ChunkIndex, deep: bool) -> dict[int, int]:
    """Messages of a chunk by channel, from its index, or by decompressing it."""
    offset = index.chunk_start_offset
    opcode, length = struct.unpack("<BQ", os.pread(file.fileno(), 9, offset))
    if opcode != 6 or length + 9 != index.chunk_length:
        raise BagError(f"{path}: no chunk at byte {offset}, where its summary says so")
    if deep:
        file.seek(offset + 9)
        counts: dict[int, int] = {}
        # A wrong CRC raises a ValueError.
        for record in breakup_chunk(Chunk.read(ReadDataStream(file)), validate_crc=True):
            if isinstance(record, Message):
                counts[record.channel_id] = counts.get(record.channel_id, 0) + 1
        return counts
    starts = sorted((place, channel) for channel, place in index.message_index_offsets.items())
    ends = [place for place, _ in starts[1:]]
    ends.append(offset + index.chunk_length + index.message_index_length)
    # An index record: 9 bytes of head, 2 of channel, 4 of length, 16 per message.
    return {
        channel: (end - place - 15) // 16
        for (place, channel), end in zip(starts, ends, strict=True)
    }


def unpack(chunk: Chunk) -> bytes:
    """Decompress a chunk's data and compare its CRC.

    Raises:
        ValueError, zstandard.ZstdError, RuntimeError: The chunk is damaged.
    """
    if chunk.compression == "zstd":
        data: bytes = zstandard.decompress(chunk.data, chunk.uncompressed_size)
    elif chunk.compression == "lz4":
        data = lz4.frame.decompress(chunk.data)
    elif chunk.compression == "":
        data = chunk.data
    else:
        raise ValueError(f"its compression {chunk.compression!r} is not known")
    if len(data) != chunk.uncompressed_size:
        raise ValueError(f"{len(data)} bytes in a chunk of {chunk.uncompressed_size}")
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise ValueError("its CRC differs")
    return data
