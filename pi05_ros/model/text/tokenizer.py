"""Text to token ids and back: the tokenizer interface, and the byte tokenizer of small models.

The published tokenizer is in paligemma_tokenizer.

Every vocabulary here follows PaliGemma's conventions: ids 0 to 3 are padding, end-of-sequence,
beginning-of-sequence and unknown; `<loc0000>` to `<loc1023>` are one token each, as are `<seg000>`
to `<seg127>`, the last 128 ids; FAST token k is id size − 1 − 128 − k (public weights, π0-FAST).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from pi05_ros.errors import Pi05Error
from pi05_ros.model.text.lexicon import default_pieces

LOCATIONS = 1024  # Bins of a coordinate (PaliGemma, arXiv 2407.07726).
SEGMENTS = 128  # Codewords of PaliGemma's segmentation masks; unused here.
PAD, END, BEGIN, UNKNOWN = 0, 1, 2, 3
_FIRST_BYTE = 4
_FIRST_PIECE = _FIRST_BYTE + 256


class TokenizerError(Pi05Error):
    """A file that does not hold the expected vocabulary.

    Args:
        source: The file.
        problem: As one clause.
    """

    def __init__(self, source: str, problem: str) -> None:
        self.source = source
        self.problem = problem
        super().__init__(f"{source}: {problem}")


class Tokenizer(Protocol):
    """Tokenizer interface of prompts, decoding and checkpoints.

    `encode` and `decode` accept any text and any ids.
    """

    @property
    def size(self) -> int:
        """Number of ids in the vocabulary."""

    @property
    def actions(self) -> int:
        """Number of FAST tokens that have an id."""

    def encode(self, text: str) -> list[int]:
        """Encode text, without begin- or end-of-sequence; "<loc0007>" is one id."""

    def decode(self, tokens: Iterable[int]) -> str:
        """Decode any ids: special tokens are skipped, locations become "<loc0007>"."""

    def action_token(self, index: int) -> int:
        """Id of FAST token `index`.

        Raises:
            ValueError: The vocabulary has no such FAST token.
        """

    def action_index(self, token: int) -> int | None:
        """FAST token of an id, the inverse of `action_token`; None if it is not one."""


@dataclass(frozen=True)
class ByteTokenizer:
    """Tokenizer of listed words and of bytes for everything else; the longest match is taken.

    Ids: 4 specials, 256 bytes, the pieces, unused ids, then 1024 locations, `actions` FAST tokens
    and 128 segments at the end. Unlike in PaliGemma, FAST tokens share no id with locations.
    """

    size: int = 3072  # Of the whole vocabulary.
    actions: int = 1024  # Ids reserved for FAST tokens.
    pieces: tuple[str, ...] = default_pieces()

    def __post_init__(self) -> None:
        room = self.first_location - _FIRST_PIECE
        if len(self.pieces) > room:
            raise ValueError(
                f"{len(self.pieces)} pieces do not fit; size {self.size} holds {room}"
            )
        if "" in self.pieces or len(set(self.pieces)) < len(self.pieces):
            raise ValueError("a piece is empty or stands twice")

    @property
    def first_location(self) -> int:
        """Id of `<loc0000>`."""
        return self.size - SEGMENTS - self.actions - LOCATIONS

    @property
    def first_segment(self) -> int:
        """Id of `<seg000>`."""
        return self.size - SEGMENTS

    @cached_property
    def _ids(self) -> dict[str, int]:
        """Id of each piece."""
        return {piece: _FIRST_PIECE + index for index, piece in enumerate(self.pieces)}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Pattern of the next location, segment, piece (longest first) or character."""
        pieces = map(re.escape, sorted(self.pieces, key=len, reverse=True))
        choices = (r"<loc(?P<loc>\d{4})>", r"<seg(?P<seg>\d{3})>", *pieces, "(?s:.)")
        return re.compile("|".join(choices), re.ASCII)

    def action_token(self, index: int) -> int:
        """Id of FAST token `index`; see Tokenizer."""
        if not 0 <= index < self.actions:
            raise ValueError(f"FAST token {index} is not from 0 to {self.actions - 1}")
        return self.first_segment - 1 - index

    def action_index(self, token: int) -> int | None:
        """FAST token of an id, or None; see Tokenizer."""
        return action_index(self, token)

    def encode(self, text: str) -> list[int]:
        """Encode text; see Tokenizer."""
        tokens: list[int] = []
        for match in self._pattern.finditer(text):
            piece = match.group()
            if match["loc"] and int(match["loc"]) < LOCATIONS:
                tokens.append(self.first_location + int(match["loc"]))
            elif match["seg"] and int(match["seg"]) < SEGMENTS:
                tokens.append(self.first_segment + int(match["seg"]))
            elif piece in self._ids:
                tokens.append(self._ids[piece])
            else:
                tokens += [_FIRST_BYTE + byte for byte in piece.encode("utf-8", "replace")]
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        """Decode ids; bytes that are not UTF-8 become U+FFFD, FAST tokens are skipped."""
        return b"".join(map(self._bytes_of, tokens)).decode("utf-8", "replace")

    def _bytes_of(self, token: int) -> bytes:
        """UTF-8 bytes of one id."""
        if _FIRST_BYTE <= token < _FIRST_PIECE:
            return bytes([token - _FIRST_BYTE])
        if _FIRST_PIECE <= token < _FIRST_PIECE + len(self.pieces):
            return self.pieces[token - _FIRST_PIECE].encode()
        if 0 <= token - self.first_location < LOCATIONS:
            return b"<loc%04d>" % (token - self.first_location)
        if 0 <= token - self.first_segment < SEGMENTS:
            return b"<seg%03d>" % (token - self.first_segment)
        return b""


def action_index(tokenizer: Tokenizer, token: int) -> int | None:
    """FAST token of an id, in a vocabulary whose FAST tokens precede the segments; or None."""
    index = tokenizer.size - 1 - SEGMENTS - token
    return index if 0 <= index < tokenizer.actions else None


def prompt_tokens(tokenizer: Tokenizer, prompt: str) -> Sequence[int]:
    """Token ids of a whole prompt: beginning-of-sequence, then the text."""
    return [BEGIN, *tokenizer.encode(prompt)]
