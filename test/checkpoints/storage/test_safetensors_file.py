"""The safetensors format: compatibility with the library in both directions."""

import json
import struct

import pytest
import safetensors.torch
import torch

from pi05_ros.checkpoints.storage import safetensors_file
from pi05_ros.checkpoints.storage.files import CheckpointError
from pi05_ros.checkpoints.storage.safetensors_file import read_header, read_into, write_safetensors


def tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "odd": torch.randn(7, generator=generator).bfloat16(),
        "matrix": torch.randn(33, 65, generator=generator),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "half": torch.randn(3, 5, 2, generator=generator).half(),
        "名": torch.arange(5),
    }


def read(path, **to):
    out = {}
    for name, stored in read_header(path)[0].items():
        dtype = to.get("dtype", safetensors_file.DTYPES[stored.dtype])
        out[name] = torch.full(stored.shape, 7, dtype=dtype)
        read_into(stored, out[name])
    return out


@pytest.mark.parametrize("window", [safetensors_file.WINDOW, 64])
@pytest.mark.parametrize("source", ["theirs", "ours"])
def test_round_trip_with_the_library(tmp_path, monkeypatch, window, source):
    monkeypatch.setattr(safetensors_file, "WINDOW", window)
    path, want = tmp_path / "a", tensors()
    if source == "theirs":
        safetensors.torch.save_file(want, path, metadata={"format": "pt"})
        found = read(path)
    else:
        write_safetensors(path, want, metadata={"format": "pt"})
        found = safetensors.torch.load_file(path)
    assert found.keys() == want.keys()
    for name, tensor in want.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
    assert read_header(path)[1] == {"format": "pt"}


def test_from_file_to_file_in_another_dtype(tmp_path, monkeypatch):
    monkeypatch.setattr(safetensors_file, "WINDOW", 64)
    want = {name: tensor for name, tensor in tensors().items() if tensor.is_floating_point()}
    safetensors.torch.save_file(want, tmp_path / "a")
    written = []
    stored, _ = read_header(tmp_path / "a")
    write_safetensors(tmp_path / "b", stored, torch.bfloat16, progress=written.append)
    found = safetensors.torch.load_file(tmp_path / "b")
    for name, tensor in want.items():
        assert torch.equal(found[name], tensor.bfloat16()), name
    assert sum(written) == 2 * sum(tensor.numel() for tensor in want.values())


def test_values_begin_at_multiples_of_their_size(tmp_path):
    write_safetensors(tmp_path / "a", tensors())
    for stored in read_header(tmp_path / "a")[0].values():
        assert stored.begin % safetensors_file.DTYPES[stored.dtype].itemsize == 0, stored


def file_of(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no safetensors file: it is empty"),
        (b"abc", "it begins with the bytes 61 62 63"),
        (b"\x80\x04\x95aaaaaaaaa", "it is a pickle, which can run code"),
        (b"PK\x03\x04aaaaaaaa", "zip archive .torch.save., which holds a pickle"),
        (b"version https://git-lfs", "is a Git LFS pointer"),
        (struct.pack("<Q", 1 << 60) + b"{}", "is no safetensors file"),
        (struct.pack("<Q", 500) + b"{}", "is cut: wanted a header of 500 bytes, found 2"),
        (file_of(b"{]"), "has a header that is broken"),
        (file_of(b"\xff\xfe"), "has a header that is broken"),
        (file_of([1]), "has a header that is broken"),
        (file_of(b"[" * 100_000), "has a header that is broken"),
        (file_of({"a": 3}), "has a header that is broken"),
        (file_of({"a": {**ENTRY, "dtype": "F9"}}, bytes(8)), "'a' is of the unknown dtype 'F9'"),
        (file_of({"a": {**ENTRY, "shape": [-2]}}, bytes(8)), r"'a' has the shape \(-2,\)"),
        (file_of({"a": {**ENTRY, "shape": [3]}}, bytes(8)), "wanted 12 bytes, found 8"),
        (file_of({"a": ENTRY}, bytes(7)), r"is cut: wanted \d+ bytes, found"),
        (file_of({"a": ENTRY}, bytes(9)), "has more than its tensors"),
        (file_of({"a": {**ENTRY, "data_offsets": [4, 12]}}, bytes(12)), "'a': wanted to begin"),
        (file_of({"a": ENTRY, "b": ENTRY}, bytes(8)), "'b': wanted to begin"),
        (
            file_of(b'{"a":%b,"a":%b}' % ((json.dumps(ENTRY).encode(),) * 2), bytes(8)),
            "'a' stands twice",
        ),
    ],
)
def test_broken_files(tmp_path, content, message):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"w.safetensors: .*{message}"):
        read_header(tmp_path / "w.safetensors")


def test_a_pipe_is_no_file(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="pipe: is no regular file"):
        read_header(tmp_path / "pipe")
