"""PaliGemma's vocabulary (arXiv 2407.07726), from a tokenizer.json or a sentencepiece model.

    0 to 3             <pad> <eos> <bos> <unk>
    4 to 255999        Gemma's pieces, bytes among them, so that every text can be encoded
    256000 to 257023   <loc0000> to <loc1023>
    257024 to 257151   <seg000> to <seg127>

Gemma's files end before the locations, PaliGemma's contain them; both give the same ids here. The
public weights were trained with sentencepiece (openpi, PaligemmaTokenizer), so where a
tokenizer.json would split a text differently, sentencepiece is followed:

* Nothing is put before the text, and spaces and newlines stay as they are.
* "<bos>" in a text is encoded like any other text. No text gives the ids 0 to 3.
* Pieces that sentencepiece calls user-defined (runs of spaces, newlines and tabs, HTML tags,
  "<start_of_turn>") are matched whole before any merge.

With Gemma's own file transformers, and therefore LeRobot, differs only in text that no prompt
contains: it gives "<bos>" its id, splits runs of more than 31 spaces, newlines or tabs
differently, and merges tags that the file does not mark as added. Compared on 8,000 texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sentencepiece
import tokenizers

from pi05_ros.model.text.tokenizer import (
    BEGIN,
    END,
    LOCATIONS,
    PAD,
    SEGMENTS,
    UNKNOWN,
    TokenizerError,
    action_index,
)

JSON_FILE, MODEL_FILE = "tokenizer.json", "tokenizer.model"
GEMMA_PIECES = 256_000  # Of Gemma 1 and 2; Gemma 3's vocabulary is another.
ACTIONS = 2048  # Tokens of the public FAST tokenizer (physical-intelligence/fast).

_SPACE = "\u2581"  # The space in pieces.
_SPECIALS = {PAD: "<pad>", END: "<eos>", BEGIN: "<bos>", UNKNOWN: "<unk>"}
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_LOCATION = r"<loc(?P<loc>0\d{3}|10[01]\d|102[0-3])>"
_SEGMENT = r"<seg(?P<seg>0\d{2}|1[01]\d|12[0-7])>"
# User-defined pieces that follow the bytes in Gemma's files. All others precede them.
_WHOLE_AT_END = re.compile(r"\t{2,}|\[toxicity=0\]|<unused99>|<start_of_image>")
_PROBE = " Task:  a_b\n\n\tüß 盘子 🍽 <b>7</b>\0"


@dataclass(frozen=True)
class PaliGemmaTokenizer:
    """PaliGemma's ids for the pieces of one file. Two instances are equal if their files are.

    FAST token k shares its id with `<loc(1023 − k)>`, and from k = 1024 on with Gemma's last
    pieces, so an id is ambiguous. `decode` takes it as text, `action_index` as a FAST token; the
    caller chooses by the prompt that the model was given.

    Raises:
        TokenizerError: The content is another vocabulary, or none.
    """

    content: bytes = field(repr=False)  # Of the file, a tokenizer.json or a sentencepiece model.
    pieces: int = GEMMA_PIECES  # Ids below `<loc0000>`; fewer only in a miniature.
    source: str = field(default="tokenizer", compare=False)  # File name, for messages.

    def __post_init__(self) -> None:
        found = {token: self._backend.texts[token] for token in _SPECIALS}
        if found != _SPECIALS:
            raise TokenizerError(
                self.source, f"wanted the special tokens {_SPECIALS}, found {found}"
            )
        again = self.decode(self.encode(_PROBE))
        if again != _PROBE:
            raise TokenizerError(
                self.source,
                f"wanted a vocabulary that keeps spaces and spells what it lacks in bytes, but "
                f"{_PROBE!r} comes back as {again!r}",
            )

    @classmethod
    def from_file(cls, path: Path | str, pieces: int = GEMMA_PIECES) -> PaliGemmaTokenizer:
        """Load a Gemma or PaliGemma `tokenizer.json`, or a sentencepiece `*.model`.

        Args:
            path: The file; the kind is detected from its content.
            pieces: Ids below `<loc0000>`; other than Gemma's only for a miniature.

        Raises:
            TokenizerError: The file cannot be read, or holds another vocabulary.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise TokenizerError(str(path), f"cannot be read ({error.strerror})") from error
        return cls(content, pieces, str(path))

    def save(self, folder: Path) -> Path:
        """Write the file unchanged, as `tokenizer.json` or `tokenizer.model`; return its path."""
        path = folder / (JSON_FILE if _is_json(self.content) else MODEL_FILE)
        path.write_bytes(self.content)
        return path

    @property
    def size(self) -> int:
        """Number of ids, 257152."""
        return self.pieces + LOCATIONS + SEGMENTS

    @property
    def actions(self) -> int:
        """Number of FAST tokens that have an id."""
        return min(ACTIONS, self.pieces - len(_SPECIALS) + LOCATIONS)

    @cached_property
    def _backend(self) -> _JsonBackend | _ModelBackend:
        """The library that splits text into pieces."""
        backend = _JsonBackend if _is_json(self.content) else _ModelBackend
        return backend(self.content, self.pieces, self.source)

    @cached_property
    def _bytes(self) -> list[bytes]:
        """UTF-8 bytes of each id."""
        pieces = [_piece_bytes(piece) for piece in self._backend.texts]
        pieces[: len(_SPECIALS)] = [b""] * len(_SPECIALS)
        pieces += [b"<loc%04d>" % index for index in range(LOCATIONS)]
        return pieces + [b"<seg%03d>" % index for index in range(SEGMENTS)]

    def encode(self, text: str) -> list[int]:
        """Encode text; see Tokenizer. U+2581 becomes a space, half a surrogate pair "?"."""
        cleaned = text.encode("utf-8", "replace").decode().replace(_SPACE, " ")
        tokens: list[int] = []
        start = 0
        for match in self._backend.whole.finditer(cleaned):
            tokens += self._backend.split(cleaned[start : match.start()])
            tokens.append(self._whole_id(match))
            start = match.end()
        return tokens + self._backend.split(cleaned[start:])

    def _whole_id(self, match: re.Match[str]) -> int:
        """Id of a piece that is matched whole."""
        if match["loc"]:
            return self.pieces + int(match["loc"])
        if match["seg"]:
            return self.pieces + LOCATIONS + int(match["seg"])
        return self._backend.ids[match.group()]

    def decode(self, tokens: Iterable[int]) -> str:
        """Decode ids; see Tokenizer.

        The four specials and ids outside the vocabulary are skipped, bytes that are not UTF-8
        become U+FFFD. A FAST token gives the location or piece whose id it shares.
        """
        known = (token for token in tokens if 0 <= token < self.size)
        return b"".join(self._bytes[token] for token in known).decode("utf-8", "replace")

    def action_token(self, index: int) -> int:
        """Id of FAST token `index`; see Tokenizer."""
        if not 0 <= index < self.actions:
            raise ValueError(f"FAST token {index} is not from 0 to {self.actions - 1}")
        return self.size - 1 - SEGMENTS - index

    def action_index(self, token: int) -> int | None:
        """FAST token of an id, or None; see Tokenizer."""
        return action_index(self, token)


class _JsonBackend:
    """The pieces of a tokenizer.json, split by the tokenizers library.

    The file's added tokens, normaliser and template are not used: they would give "<bos>" its
    special id and put one before every text.
    """

    def __init__(self, content: bytes, pieces: int, source: str) -> None:
        try:
            spec = json.loads(content)
            vocabulary: dict[str, int] = dict(spec["model"]["vocab"])
            added = {token["content"]: token["id"] for token in spec["added_tokens"]}
        except (ValueError, TypeError, KeyError) as error:
            raise TokenizerError(source, f"is no tokenizer.json ({error!r})") from error
        _check_json(spec, source)
        vocabulary.update(added)
        self.texts = _pieces({token: piece for piece, token in vocabulary.items()}, pieces, source)
        spec.update(added_tokens=[], normalizer=None, pre_tokenizer=None, post_processor=None)
        try:
            self._library = tokenizers.Tokenizer.from_str(json.dumps(spec))
        except Exception as error:  # The library raises no narrower type.
            raise TokenizerError(source, f"is refused by the library ({error})") from error
        self.ids = self._user_defined(set(added))
        longest = map(re.escape, sorted(self.ids, key=len, reverse=True))
        self.whole = re.compile("|".join((_LOCATION, _SEGMENT, *longest)), re.ASCII)

    def _user_defined(self, added: set[str]) -> dict[str, int]:
        """Ids of the pieces that are matched whole; the file marks only some of them."""
        first_byte = next((i for i, piece in enumerate(self.texts) if _BYTE.fullmatch(piece)), 0)
        return {
            piece.replace(_SPACE, " "): token
            for token, piece in enumerate(self.texts)
            if token not in _SPECIALS
            and (token < first_byte or piece in added or _WHOLE_AT_END.fullmatch(piece))
        }

    def split(self, text: str) -> list[int]:
        """Encode a text that contains no user-defined piece."""
        return self._library.encode(text.replace(" ", _SPACE)).ids if text else []


class _ModelBackend:
    """The pieces of a sentencepiece model, split by that library, user-defined ones included."""

    whole = re.compile(f"{_LOCATION}|{_SEGMENT}", re.ASCII)
    ids: dict[str, int] = {}  # User-defined pieces are matched by the library.

    def __init__(self, content: bytes, pieces: int, source: str) -> None:
        try:
            self._library = sentencepiece.SentencePieceProcessor(model_proto=content)
        except RuntimeError as error:
            raise TokenizerError(
                source, "is neither a tokenizer.json nor a sentencepiece model"
            ) from error
        texts = self._library.id_to_piece(list(range(self._library.get_piece_size())))
        self.texts = _pieces(dict(enumerate(texts)), pieces, source)

    def split(self, text: str) -> list[int]:
        """Encode a text without locations and segments."""
        return self._library.encode(text)


def _is_json(content: bytes) -> bool:
    return content.lstrip()[:1] == b"{"


def _piece_bytes(piece: str) -> bytes:
    byte = _BYTE.fullmatch(piece)
    return bytes([int(byte[1], 16)]) if byte else piece.replace(_SPACE, " ").encode()


def _check_json(spec: dict[str, Any], source: str) -> None:
    """Raise TokenizerError unless the file splits text as Gemma's does."""
    model, normalizer = spec["model"], spec.get("normalizer")
    wanted = {"type": "Replace", "pattern": {"String": " "}, "content": _SPACE}
    if (model.get("type"), model.get("byte_fallback")) != ("BPE", True):
        raise TokenizerError(
            source,
            "wanted byte-pair encoding with bytes to fall back on, found "
            f"type {model.get('type')!r}, byte_fallback {model.get('byte_fallback')!r}",
        )
    if normalizer != wanted:
        raise TokenizerError(source, f"wanted the normalizer {wanted}, found {normalizer}")


def _pieces(found: dict[int, str], count: int, source: str) -> list[str]:
    """Return the first `count` pieces, after checking that only PaliGemma's pieces follow.

    transformers' PaliGemma adds "<image>" after the vocabulary; the weights have no such row.
    """
    ending = [f"<loc{index:04d}>" for index in range(LOCATIONS)]
    ending += [f"<seg{index:03d}>" for index in range(SEGMENTS)]
    wanted = dict(enumerate([*ending, "<image>"], start=count))
    behind = {token: piece for token, piece in found.items() if not 0 <= token < count}
    for token, piece in sorted(behind.items()):
        if wanted.get(token) != piece:
            raise TokenizerError(
                source,
                f"wanted {wanted.get(token, 'nothing')!r} as id {token}, found {piece!r}; "
                "give the tokenizer of PaliGemma or of Gemma 1 or 2",
            )
    if behind and len(behind) < len(ending):
        raise TokenizerError(
            source, f"wanted {len(ending)} locations and segments, found {len(behind)}"
        )
    if len(found) - len(behind) != count:
        raise TokenizerError(source, f"wanted {count} pieces, found {len(found) - len(behind)}")
    return [found[token] for token in range(count)]
