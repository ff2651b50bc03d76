"""Tokenizer files of a checkpoint: JSON of the byte tokenizer, or PaliGemma's file unchanged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from pi05_ros.checkpoints.storage.files import (
    CheckpointError,
    existing_file,
    read_json,
    write_json,
)
from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.paligemma_tokenizer import JSON_FILE, MODEL_FILE, PaliGemmaTokenizer
from pi05_ros.model.text.tokenizer import (
    LOCATIONS,
    SEGMENTS,
    ByteTokenizer,
    Tokenizer,
    TokenizerError,
)

TOKENIZERS = (JSON_FILE, MODEL_FILE)  # A folder holds one of them.


@dataclass(frozen=True)
class _ByteTokenizerFile:
    """Contents of tokenizer.json for a ByteTokenizer."""

    kind: str
    size: int
    actions: int
    pieces: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind != "bytes":
            raise ValueError(f"wanted kind 'bytes', found '{self.kind}'")


def tokenizer_file(folder: Path) -> Path | None:
    """Find the tokenizer file of a folder; None: there is none.

    Raises:
        CheckpointError: There are two.
    """
    found = [folder / name for name in TOKENIZERS if (folder / name).exists()]
    if len(found) > 1:
        raise CheckpointError(folder, f"holds {' and '.join(TOKENIZERS)}; wanted one of them")
    return found[0] if found else None


def read_tokenizer(path: Path, config: ModelConfig) -> Tokenizer:
    """Read a tokenizer and check that it has the model's kind and size.

    Raises:
        CheckpointError: It does not, or the file is broken.
    """
    wanted = config.language.vocabulary
    if config.tokenizer == "paligemma":
        try:
            return PaliGemmaTokenizer.from_file(existing_file(path), wanted - LOCATIONS - SEGMENTS)
        except TokenizerError as error:
            raise CheckpointError(path, error.problem) from error
    file = from_mapping(_ByteTokenizerFile, read_json(path), str(path))
    if file.size != wanted:
        raise CheckpointError(path, f"wanted a vocabulary of {wanted}, found {file.size}")
    try:
        return ByteTokenizer(file.size, file.actions, file.pieces)
    except ValueError as error:
        raise CheckpointError(path, str(error)) from error


def read_fast(path: Path, tokenizer: Tokenizer) -> FastTokenizer:
    """Read a FAST tokenizer, a file of ours or a public folder, for a model's vocabulary.

    Raises:
        CheckpointError: It is invalid, or has more tokens than the vocabulary has ids for.
    """
    try:
        fast = FastTokenizer.load(path)
    except TokenizerError as error:
        raise CheckpointError(path, error.problem) from error
    if fast.size > tokenizer.actions:
        raise CheckpointError(
            path, f"wanted at most {tokenizer.actions} FAST tokens, found {fast.size}"
        )
    return fast


def write_tokenizer(folder: Path, tokenizer: Tokenizer) -> None:
    """Write a tokenizer into a folder, under one of the names TOKENIZERS.

    Raises:
        CheckpointError: Its kind has no file format.
    """
    if isinstance(tokenizer, ByteTokenizer):
        file = _ByteTokenizerFile(kind="bytes", **asdict(tokenizer))
        write_json(folder / JSON_FILE, asdict(file))
    elif isinstance(tokenizer, PaliGemmaTokenizer):
        tokenizer.save(folder)
    else:
        raise CheckpointError(folder, f"cannot save a {type(tokenizer).__name__}")
