"""Reading and writing of the safetensors format, tensor by tensor.

    8 bytes   N, little endian
    N bytes   JSON: tensor name → {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__"
    the rest  the tensors' values, little endian, row by row, without gaps

The safetensors library maps a whole file and keeps the pages: 7 GB of weights in memory need
another 7 GB of pages, and writing in another dtype requires all tensors at once. Here every tensor
is copied through a window of 64 MB, which requires the offset of every byte.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pi05_ros.checkpoints.storage.files import CheckpointError, existing_file

DTYPES = {  # By the names in the header.
    "F32": torch.float32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F64": torch.float64,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
WINDOW = 64 << 20  # Bytes of a file that are mapped at a time.
_MAX_HEADER = 100_000_000  # Bytes; the limit of the library.
_METADATA = "__metadata__"


@dataclass(frozen=True)
class StoredTensor:
    """Location of a tensor in a file."""

    path: Path  # File.
    name: str  # In that file.
    dtype: str  # Key of DTYPES.
    shape: tuple[int, ...]
    begin: int  # First byte, from the beginning of the file.
    end: int  # One past its last byte.
    # Applied to values as they are read: (index of the first one, values) -> values, flat, of the
    # same number and any float dtype. None: they are read as they are.
    change: Callable[[int, Tensor], Tensor] | None = None

    @property
    def elements(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


def read_header(path: Path) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """Read the locations of all tensors, in the order of their bytes, and the file's metadata.

    Raises:
        CheckpointError: The file is missing, truncated, or no safetensors file.
    """
    size = existing_file(path).stat().st_size
    with path.open("rb") as file:
        beginning = file.read(8)
        length = struct.unpack("<Q", beginning)[0] if len(beginning) == 8 else -1
        if not 2 <= length <= _MAX_HEADER:
            raise CheckpointError(
                path, f"is no safetensors file: {_describe_beginning(beginning)}"
            )
        if 8 + length > size:
            raise CheckpointError(
                path, f"is cut: wanted a header of {length} bytes, found {size - 8} after its size"
            )
        content = file.read(length)
    try:
        header = json.loads(content.decode("utf-8"), object_pairs_hook=_unique_names)
        metadata = header.pop(_METADATA, {})
        tensors = [_stored(path, 8 + length, *item) for item in header.items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(path, f"has a header that is broken ({error})") from error
    tensors.sort(key=lambda tensor: (tensor.begin, tensor.end))
    expected = 8 + length
    for tensor in tensors:
        if tensor.begin != expected:
            raise CheckpointError(
                path, f"'{tensor.name}': wanted to begin at byte {expected}, found {tensor.begin}"
            )
        expected = tensor.end
    if expected != size:
        what = "is cut" if size < expected else "has more than its tensors"
        raise CheckpointError(path, f"{what}: wanted {expected} bytes, found {size}")
    return {tensor.name: tensor for tensor in tensors}, metadata


def windows(tensor: StoredTensor) -> Iterator[tuple[int, Tensor]]:
    """Map a tensor window by window.

    Yields:
        The index of the window's first value, and its values, flat, in the file's dtype unless
        the tensor's `change` gives another. They are unmapped when the caller releases them.
    """
    dtype = DTYPES[tensor.dtype]
    step = WINDOW // dtype.itemsize
    with tensor.path.open("rb") as file:
        for first in range(0, tensor.elements, step):
            count = min(step, tensor.elements - first)
            values = _mapped(file.fileno(), tensor, first, count)
            yield first, tensor.change(first, values) if tensor.change else values


def read_into(tensor: StoredTensor, out: Tensor) -> None:
    """Copy the values into `out`: contiguous, of the same shape, any dtype, any device."""
    flat = out.view(-1)
    for first, values in windows(tensor):
        flat[first : first + len(values)].copy_(values)


def same_values(one: StoredTensor, other: StoredTensor) -> bool:
    """Check whether two tensors of the same shape have equal values in their files.

    dtypes may differ. `one.change` is applied.
    """
    with other.path.open("rb") as file:
        return all(
            torch.equal(values.float(), _mapped(file.fileno(), other, first, len(values)).float())
            for first, values in windows(one)
        )


def check_finite(path: Path, name: str, values: Tensor) -> None:
    """Raise CheckpointError if a value is infinite or NaN. Makes no copy."""
    if not values.numel() or not values.is_floating_point():
        return
    low, high = torch.aminmax(values)  # Both are NaN when any value is.
    if not bool(torch.isfinite(low) & torch.isfinite(high)):
        flat = values.reshape(-1)
        wrong = next(v for v in flat.split(1 << 20) if not torch.isfinite(v).all())
        example = wrong[~torch.isfinite(wrong)][0].item()
        raise CheckpointError(
            path, f"'{name}': wanted finite numbers in {values.dtype}, found {example}"
        )


def _mapped(descriptor: int, tensor: StoredTensor, first: int, count: int) -> Tensor:
    """Map `count` values of a tensor from index `first`, flat."""
    dtype = DTYPES[tensor.dtype]
    begin = tensor.begin + first * dtype.itemsize
    skipped = begin % mmap.ALLOCATIONGRANULARITY
    # Copy on write, because torch requires writable memory.
    pages = mmap.mmap(
        descriptor,
        skipped + count * dtype.itemsize,
        access=mmap.ACCESS_COPY,
        offset=begin - skipped,
    )
    pages.madvise(mmap.MADV_WILLNEED)  # Read ahead; single pages are slow.
    return torch.frombuffer(pages, dtype=dtype, count=count, offset=skipped)


def write_safetensors(
    path: Path,
    tensors: Mapping[str, Tensor | StoredTensor],
    dtype: torch.dtype | None = None,
    metadata: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write tensors from memory or from other files, with one window in memory at a time.

    Args:
        path: The new file.
        tensors: By their names in the new file.
        dtype: Of the written values; None: each tensor's own.
        metadata: Texts for the header.
        progress: Called with the number of bytes just written.

    Raises:
        CheckpointError: A value is not finite, in its own or in the written dtype.
    """
    entries = [(name, t, dtype or _dtype_of(t)) for name, t in tensors.items()]
    # Wide dtypes first, so that each tensor is aligned.
    entries.sort(key=lambda entry: -entry[2].itemsize)
    header: dict[str, object] = {_METADATA: dict(metadata)} if metadata else {}
    place = 0
    for name, tensor, kind in entries:
        end = place + math.prod(tensor.shape) * kind.itemsize
        header[name] = {
            "dtype": NAMES[kind],
            "shape": list(tensor.shape),
            "data_offsets": [place, end],
        }
        place = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, tensor, kind in entries:
            pieces = (
                (values for _, values in windows(tensor))
                if isinstance(tensor, StoredTensor)
                else _pieces(tensor)
            )
            for piece in pieces:
                values = piece.detach().to(device="cpu", dtype=kind).contiguous()
                check_finite(path, name, values)
                file.write(values.view(-1).view(torch.uint8).numpy().data)
                if progress is not None:
                    progress(values.nbytes)
        file.flush()
        os.fsync(file.fileno())


def _pieces(tensor: Tensor) -> Iterator[Tensor]:
    """Split a tensor in memory into windows of rows, so that an expanded one stays small."""
    if tensor.ndim < 2 or not tensor.numel():
        yield tensor
        return
    row_bytes = tensor[0].numel() * tensor.element_size()
    yield from tensor.split(max(1, WINDOW // row_bytes))


def _dtype_of(tensor: Tensor | StoredTensor) -> torch.dtype:
    return DTYPES[tensor.dtype] if isinstance(tensor, StoredTensor) else tensor.dtype


def _stored(path: Path, data: int, name: str, entry: dict) -> StoredTensor:
    """Parse one entry of the header. Raises ValueError, KeyError or TypeError if it is invalid."""
    dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if dtype not in DTYPES:
        raise ValueError(f"'{name}' is of the unknown dtype {dtype!r}")
    if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
        raise ValueError(f"'{name}' has the shape {shape} and the offsets {begin}, {end}")
    wanted = math.prod(shape) * DTYPES[dtype].itemsize
    if end - begin != wanted:
        raise ValueError(
            f"'{name}', {dtype} of shape {shape}: wanted {wanted} bytes, found {end - begin}"
        )
    return StoredTensor(path, name, dtype, shape, data + begin, data + end)


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of the header, refusing equal names, of which JSON would keep the last."""
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"'{next(n for n in names if names.count(n) > 1)}' stands twice")
    return content


def _describe_beginning(beginning: bytes) -> str:
    """Describe a file that is no safetensors file by its first bytes."""
    if beginning.startswith(b"PK\x03\x04"):
        return "it is a zip archive (torch.save), which holds a pickle; a pickle can run code"
    if beginning[:1] == b"\x80" and beginning[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "it is a pickle, which can run code"
    if beginning.startswith(b"version "):
        return "it is a Git LFS pointer; fetch the file itself (git lfs pull)"
    if not beginning:
        return "it is empty"
    return f"it begins with the bytes {beginning.hex(' ')}"
