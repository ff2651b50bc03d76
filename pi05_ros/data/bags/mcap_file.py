"""Writer of one MCAP file, chunk by chunk, whose counts always match the file on disk.

The writer of the package mcap is not used, for three reasons: it counts a message before it is on
the disk, so after a failed write it cannot finish the file; it writes a topic's schema into the
first chunk only, so with that chunk all of the topic is lost; and it copies each picture four
times. The record classes are those of mcap.
"""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import lz4.frame
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from pi05_ros.data.bags.sink import FileSink

MAGIC = b"\x89MCAP0\r\n"
LIBRARY = "pi05_ros"
_MESSAGE = struct.Struct("<BQHIQQ")  # opcode, length, channel, sequence, log time, publish time
_CHUNK = struct.Struct("<BQQQQI")  # opcode, length, first and last log time, size, CRC

_ZSTD_LEVEL = 1  # 1.6 times as fast as 3 on pictures with noise, which neither shrinks


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {"zstd": _zstd, "lz4": lz4.frame.compress}


class OpenChunk:
    """Messages that will be written as one chunk.

    Args:
        compression: "zstd", "lz4", or "" for none.
    """

    def __init__(self, compression: str) -> None:
        self.compression = compression
        self.parts: list[bytes] = []
        self.size = 0  # bytes, uncompressed
        self.first_ns = self.last_ns = 0
        self.indexes: dict[int, list[tuple[int, int]]] = {}  # channel -> (log time, offset)

    @property
    def count(self) -> int:
        """Number of messages."""
        return sum(map(len, self.indexes.values()))

    def add(self, channel: int, log_ns: int, publish_ns: int, sequence: int, data: bytes) -> None:
        """Add a message; `data` is referenced, not copied."""
        head = _MESSAGE.pack(
            *(Opcode.MESSAGE, len(data) + 22, channel, sequence & 0xFFFFFFFF, log_ns, publish_ns)
        )
        if not self.parts:
            self.first_ns = self.last_ns = log_ns
        self.first_ns, self.last_ns = min(self.first_ns, log_ns), max(self.last_ns, log_ns)
        self.indexes.setdefault(channel, []).append((log_ns, self.size))
        self.parts += (head, data)
        self.size += len(head) + len(data)


class McapFile:
    """Writes one file: schemas, channels and chunks in any order, then `finish`.

    After an OSError from any method the file ends with its last whole record, and the counts are
    those of the file: `finish` is possible once there is space.

    Args:
        path: The file; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        self.sink = FileSink(path)
        self.schemas: dict[int, Schema] = {}
        self.channels: dict[int, Channel] = {}
        self.counts: dict[int, int] = defaultdict(int)  # channel -> messages on the disk
        self._chunks: list[ChunkIndex] = []
        self._chunk_counts: list[dict[int, int]] = []  # of each chunk: channel -> messages
        self._metadata: list[MetadataIndex] = []
        self.summary_size = 1000  # approximate number of bytes that `finish` will write
        try:
            self.sink.write(MAGIC + record(Header(profile="ros2", library=LIBRARY)))
        except OSError:
            self.discard()
            raise

    @property
    def message_count(self) -> int:
        """Number of messages on the disk."""
        return sum(self.counts.values())

    @property
    def first_ns(self) -> int:
        """The earliest log time [ns]; 0 without messages."""
        return min((chunk.message_start_time for chunk in self._chunks), default=0)

    @property
    def last_ns(self) -> int:
        """The latest log time [ns]; 0 without messages."""
        return max((chunk.message_end_time for chunk in self._chunks), default=0)

    def add_schema(self, schema: Schema) -> None:
        """Write a schema, once and outside the chunks, so that no damaged chunk loses it."""
        if schema.id not in self.schemas:
            written = record(schema)
            self.sink.write(written)
            self.schemas[schema.id] = schema
            self.summary_size += len(written)

    def add_channel(self, channel: Channel) -> None:
        """Write a channel, once; its schema must have been written."""
        if channel.id not in self.channels:
            written = record(channel)
            self.sink.write(written)
            self.channels[channel.id] = channel
            self.summary_size += len(written)

    def add_metadata(self, name: str, data: Mapping[str, str]) -> None:
        """Write a metadata record."""
        offset = self.sink.tell()
        written = record(Metadata(name=name, metadata=dict(data)))
        self.sink.write(written)
        self._metadata.append(MetadataIndex(offset=offset, length=len(written), name=name))

    def add_chunk(self, chunk: OpenChunk) -> None:
        """Compress and write a chunk and its index."""
        crc = 0
        for part in chunk.parts:
            crc = zlib.crc32(part, crc)
        parts: Iterable[bytes] = chunk.parts
        packed_size = chunk.size
        if chunk.compression:
            packed = COMPRESSORS[chunk.compression](b"".join(chunk.parts))
            parts, packed_size = (packed,), len(packed)
        self.add_packed_chunk(chunk, crc, parts, packed_size)

    def add_packed_chunk(
        self, chunk: OpenChunk, crc: int, parts: Iterable[bytes], packed_size: int
    ) -> None:
        """Write a chunk whose data is already compressed.

        Args:
            chunk: Times, uncompressed size, compression and index of the chunk.
            crc: CRC-32 of the uncompressed data.
            parts: The data, compressed as `chunk.compression` says.
            packed_size: Size of `parts` in bytes.
        """
        name = chunk.compression.encode()
        length = 8 + 8 + 8 + 4 + 4 + len(name) + 8 + packed_size
        head = _CHUNK.pack(
            Opcode.CHUNK, length, chunk.first_ns, chunk.last_ns, chunk.size, crc
        ) + struct.pack(f"<I{len(name)}sQ", len(name), name, packed_size)
        start = self.sink.tell()
        index_start = start + 9 + length
        offsets: dict[int, int] = {}
        tail = RecordBuilder()
        for channel, entries in chunk.indexes.items():
            offsets[channel] = index_start + tail.count
            MessageIndex(channel_id=channel, records=entries).write(tail)
        indexes = tail.end()
        self.sink.write(head, *parts, indexes)
        counts = {channel: len(entries) for channel, entries in chunk.indexes.items()}
        for channel, count in counts.items():
            self.counts[channel] += count
        self._chunk_counts.append(counts)
        self.summary_size += 100 + 10 * len(counts)
        self._chunks.append(
            ChunkIndex(
                message_start_time=chunk.first_ns,
                message_end_time=chunk.last_ns,
                chunk_start_offset=start,
                chunk_length=9 + length,
                message_index_offsets=offsets,
                message_index_length=len(indexes),
                compression=chunk.compression,
                compressed_size=packed_size,
                uncompressed_size=chunk.size,
            )
        )

    def drop_last_chunk(self) -> bool:
        """Truncate the file before its last chunk, to make room for the summary on a full disk.

        Returns:
            Whether there was a chunk.
        """
        if not self._chunks:
            return False
        start = self._chunks.pop().chunk_start_offset
        counts = self._chunk_counts.pop()
        self.summary_size -= 100 + 10 * len(counts)
        for channel, count in counts.items():
            self.counts[channel] -= count
        self.sink.truncate(start)
        # Schemas and channels behind it are removed too; the summary repeats them.
        self._metadata = [item for item in self._metadata if item.offset < start]
        return True

    def finish(self, name: str = "", data: Mapping[str, str] | None = None) -> None:
        """Write the end of the data, the summary and the footer, all or nothing.

        Args:
            name: Name of a last metadata record; "": none.
            data: Content of that record.
        """
        last, metadata = b"", list(self._metadata)
        if name:
            last = record(Metadata(name=name, metadata=dict(data or {})))
            metadata.append(MetadataIndex(self.sink.tell(), len(last), name))
        last += record(DataEnd(data_section_crc=0))
        start = self.sink.tell() + len(last)
        groups: list[tuple[Opcode, Iterable[McapRecord]]] = [
            (Opcode.SCHEMA, self.schemas.values()),
            (Opcode.CHANNEL, self.channels.values()),
            (Opcode.STATISTICS, [self._statistics(len(metadata))]),
            (Opcode.CHUNK_INDEX, self._chunks),
            (Opcode.METADATA_INDEX, metadata),
        ]
        summary = RecordBuilder()
        offsets: list[SummaryOffset] = []
        for opcode, records in groups:
            before = summary.count
            for item in records:
                item.write(summary)
            if summary.count > before:
                offsets.append(SummaryOffset(opcode, start + before, summary.count - before))
        offset_start = start + summary.count
        for offset in offsets:
            offset.write(summary)
        body = summary.end()
        # The CRC covers the footer's first fields too: opcode, length, both offsets.
        fields = struct.pack("<BQQQ", Opcode.FOOTER, 20, start, offset_start)
        crc = zlib.crc32(fields, zlib.crc32(body))
        footer = record(Footer(start, offset_start, crc))
        self.sink.write(last, body, footer, MAGIC)

    def close(self) -> None:
        """Close the file as it is."""
        self.sink.close()

    def discard(self) -> None:
        """Close the file and delete it."""
        self.sink.close()
        self.sink.path.unlink()

    def _statistics(self, metadata_count: int) -> Statistics:
        return Statistics(
            attachment_count=0,
            channel_count=len(self.channels),
            channel_message_counts={k: v for k, v in self.counts.items() if v},
            chunk_count=len(self._chunks),
            message_count=self.message_count,
            message_start_time=self.first_ns,
            message_end_time=self.last_ns,
            metadata_count=metadata_count,
            schema_count=len(self.schemas),
        )


def record(item: McapRecord) -> bytes:
    """Serialize a record."""
    builder = RecordBuilder()
    item.write(builder)
    data: bytes = builder.end()
    return data
