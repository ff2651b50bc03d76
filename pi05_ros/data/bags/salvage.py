"""Copying every whole chunk of a cut or damaged MCAP file into a new file."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Header, Message, Metadata, Schema
from mcap.stream_reader import StreamReader

from pi05_ros.data.bags.facts import PREFIX, RECORD
from pi05_ros.data.bags.mcap_file import McapFile, OpenChunk
from pi05_ros.data.bags.verification import BROKEN, MAGIC, unpack

# Facts in a rebuilt file, for readers that lack its metadata.yaml.
REMADE = {PREFIX + "recovered": "this file was cut, and was made anew from its whole chunks"}

_CHUNK_BYTES = 1 << 20  # chunk size for messages that were outside chunks
_KNOWN = frozenset(int(opcode) for opcode in Opcode)


@dataclass
class Salvaged:
    """Result of the copy."""

    messages: int = 0
    lost_bytes: int = 0  # behind the last whole record, and in damaged chunks
    damaged_chunks: int = 0  # of full length, with wrong content
    facts: dict[str, str] = field(default_factory=dict)  # from the record at the file's head


class Salvage:
    """Copies the whole records of one file into another; chunks are not recompressed.

    An OSError of the target is raised; bad content of the source is not an error.

    Args:
        source: The damaged file; it is not changed.
        target: A new file; the caller calls `finish`.
        progress: Called with the bytes of `source` that were read.
    """

    def __init__(
        self, source: Path, target: McapFile, progress: Callable[[int], None] | None = None
    ) -> None:
        self._source, self._target = source, target
        self._progress = progress or (lambda done: None)
        self._loose = OpenChunk("zstd")
        self.found = Salvaged()

    def run(self) -> Salvaged:
        """Copy the file up to its last whole record."""
        with self._source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            end = self._read(file, size)
        self._add_loose()
        self.found.lost_bytes += size - end
        self._progress(size)
        return self.found

    def _read(self, file: BinaryIO, size: int) -> int:
        """Copy record by record; return the offset where the last whole one ends."""
        if file.read(len(MAGIC)) != MAGIC:
            return 0
        end = len(MAGIC)
        while True:
            head = file.read(9)
            if len(head) < 9:
                return end
            opcode, length = struct.unpack("<BQ", head)
            if opcode not in _KNOWN or length > size - end - 9:
                return end
            if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                return size  # The rest is the summary, which is rebuilt.
            if opcode == Opcode.CHUNK:
                self._take_chunk(file, length)
            elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE, Opcode.METADATA):
                content = file.read(length)
                try:
                    self._take(opcode, content)
                except BROKEN:
                    return end
            end += 9 + length
            file.seek(end)
            self._progress(end)

    def _take(self, opcode: int, content: bytes) -> None:
        stream = ReadDataStream(BytesIO(content))
        if opcode == Opcode.SCHEMA:
            self._target.add_schema(Schema.read(stream))
        elif opcode == Opcode.CHANNEL:
            self._target.add_channel(Channel.read(stream))
        elif opcode == Opcode.METADATA:
            record = Metadata.read(stream)
            if record.name == RECORD:
                self.found.facts = {**record.metadata, **REMADE}
                self._target.add_metadata(RECORD, self.found.facts)
        else:
            message = Message.read(stream, len(content))
            if message.channel_id not in self._target.channels:
                raise ValueError(f"a message of channel {message.channel_id}, which is not known")
            self._loose.add(
                message.channel_id,
                message.log_time,
                message.publish_time,
                message.sequence,
                message.data,
            )
            if self._loose.size >= _CHUNK_BYTES:
                self._add_loose()

    def _add_loose(self) -> None:
        if self._loose.parts:
            self.found.messages += self._loose.count
            self._target.add_chunk(self._loose)
            self._loose = OpenChunk("zstd")

    def _take_chunk(self, file: BinaryIO, length: int) -> None:
        self._add_loose()  # Keeps the order of the source.
        try:
            chunk = Chunk.read(ReadDataStream(file))
            indexed = self._indexed(chunk)
        except BROKEN:
            self.found.damaged_chunks += 1
            self.found.lost_bytes += 9 + length
            return
        if indexed.count:
            self.found.messages += indexed.count
            self._target.add_packed_chunk(
                indexed, chunk.uncompressed_crc, [chunk.data], len(chunk.data)
            )

    def _indexed(self, chunk: Chunk) -> OpenChunk:
        """Rebuild a chunk's index from its messages; copy its schemas and channels."""
        result = OpenChunk(chunk.compression)
        data = unpack(chunk)
        result.size = len(data)
        times: list[int] = []
        for opcode, offset, content in _records(data):
            if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                self._take(opcode, bytes(content))
            elif opcode == Opcode.MESSAGE:
                channel, _, log_ns = struct.unpack_from("<HIQ", content)
                if channel not in self._target.channels:
                    raise ValueError(f"a message of channel {channel}, which is not known")
                result.indexes.setdefault(channel, []).append((log_ns, offset))
                times.append(log_ns)
        result.first_ns, result.last_ns = min(times, default=0), max(times, default=0)
        return result


def _records(data: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """Yield opcode, offset and content of each record of a chunk."""
    view, offset = memoryview(data), 0
    while offset < len(data):
        opcode, length = struct.unpack_from("<BQ", data, offset)
        if offset + 9 + length > len(data):
            raise ValueError("a record reaches beyond its chunk")
        yield opcode, offset, view[offset + 9 : offset + 9 + length]
        offset += 9 + length


def head_facts(path: Path) -> dict[str, str]:
    """The facts at a file's head, even of a damaged file; empty: there are none."""
    found: dict[str, str] = {}
    with suppress(*BROKEN), path.open("rb") as file:
        for record in StreamReader(file, emit_chunks=True, record_size_limit=1 << 20).records:
            if isinstance(record, Metadata) and record.name == RECORD:
                found = dict(record.metadata)
            if found or not isinstance(record, (Header, Metadata, Schema, Channel)):
                break
    return found
