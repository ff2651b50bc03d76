"""FAST: an action chunk as a few tokens, and back (arXiv 2501.09747, section V and algorithm 1).

    chunk (H, D)      the robot's own D dimensions, normalised, without the padding to 32
    coefficients      orthonormal DCT-II over time, one series per dimension, (H, D)
    integers          round(scale · coefficient), halves to even: the only lossy step
    characters        frequency 0 of all dimensions, then frequency 1 of all, …; value − min_token
    tokens            byte-pair encoding of those characters

The rounding error is at most 0.5 / scale per coefficient, and the transform preserves the L2 norm,
so the error of a dimension is at most sqrt(H) · 0.5 / scale (L2 over its H values), which is
0.5 / scale root mean square. No single value has an error above sqrt(H) · 0.5 / scale.

Integers and characters are those of the public tokenizer (physical-intelligence/fast), whose files
can be loaded too. Unlike in public code, nothing is clipped, padded, cut or replaced by zeros:
openpi returns zeros for an invalid sequence, LeRobot pads or cuts it, and both would move a robot.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from tokenizers import decoders, models, trainers

from pi05_ros.model.text.fast_coefficients import FastError, checked_chunk, chunk_of, integers_of
from pi05_ros.model.text.tokenizer import TokenizerError

FAST_FILE = "fast_tokenizer.json"
FORMAT = "pi05_ros-fast-1"
SCALE, SIZE = 10.0, 1024  # Paper, section V-B.
# Normalised. A constant chunk of 50 steps reaches it at min_token −354 of the public file.
PUBLIC_LIMIT = 5.0

_CODES = 0xD800  # Number of consecutive characters; the library takes no surrogates.
_BROKEN = "\ufffd"  # The library's replacement of an incomplete character.


@dataclass(frozen=True)
class FastTokenizer:
    """A fitted tokenizer; created by `fit`, `load` or `from_public`.

    Raises:
        ValueError: A number is out of its range.
        TokenizerError: The vocabulary cannot be used.
    """

    bpe: str = field(repr=False)  # The vocabulary, JSON of the tokenizers library.
    scale: float  # Steps per unit of a coefficient.
    min_token: int  # Integer of character 0.
    limit: float  # Largest |value| of a normalised action that is encoded or decoded.

    def __post_init__(self) -> None:
        for name in ("scale", "limit"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name} {value} is not above 0")
        if self.size < 1:
            raise ValueError("the vocabulary is empty")

    @cached_property
    def _library(self) -> tokenizers.Tokenizer:
        try:
            return tokenizers.Tokenizer.from_str(self.bpe)
        except Exception as error:  # The library raises no narrower type.
            raise TokenizerError("FAST", f"the vocabulary is refused ({error})") from error

    @property
    def size(self) -> int:
        """Number of tokens."""
        return self._library.get_vocab_size()

    def error_bound(self, horizon: int) -> float:
        """Largest error of a value after `encode` and `decode`; L2 over a dimension, too."""
        return math.sqrt(horizon) * 0.5 / self.scale

    @classmethod
    def fit(
        cls,
        chunks: Iterable[np.ndarray],
        *,
        scale: float = SCALE,
        size: int = SIZE,
        limit: float = 1.0,
        show_progress: bool = False,
    ) -> FastTokenizer:
        """Fit the vocabulary to a data set.

        Every chunk within ±`limit` and no longer than those of the data can be encoded afterwards;
        values beyond it as far as the data reached.

        Args:
            chunks: (H, D) each, normalised; H and D may differ from one to the next. 5,000 of
                (50, 18) take 5 s and 0.5 GB; with 1,000 the tokens were 1 % more.
            scale: Steps per unit of a coefficient; larger values are more precise and need more
                tokens.
            size: Maximum number of tokens.
            limit: Largest |value| that can be encoded for certain, at least 1. Training encodes
                more chunks than it fits to: with normalization's `CLIP`, and chunks that
                `clip_for_fast` has clipped, none is refused. CLIP costs 14 % more tokens of 1024.
            show_progress: Whether to write a progress bar to stderr.

        Raises:
            FastError: A chunk is not (H, D), or holds values that are not finite.
            ValueError: There is no chunk, `limit` is below 1, or `size` is too small for the
                integers alone.
        """
        if not 1.0 <= limit < math.inf:
            raise ValueError(f"limit {limit}: wanted a number of at least 1")
        integers: list[np.ndarray] = []
        certain, reach = limit, 1.0
        for chunk in chunks:
            actions = checked_chunk(chunk, math.inf)
            limit = max(limit, float(np.abs(actions).max()))
            reach = max(reach, math.sqrt(len(actions)))  # |coefficient| of 1s.
            integers.append(integers_of(actions, scale))
        if not integers:
            raise ValueError("there is no chunk to fit to")
        top = math.ceil(certain * reach * scale)
        lowest = min(-top, *(int(series.min()) for series in integers))
        highest = max(top, *(int(series.max()) for series in integers))
        if highest - lowest + 1 > size:
            raise ValueError(
                f"the integers from {lowest} to {highest} do not fit into {size} tokens; "
                "normalise by statistics with floors (bags stats) and clip (clip_for_fast), or "
                "take a smaller scale or a larger size"
            )
        library = tokenizers.Tokenizer(models.BPE())
        library.decoder = decoders.Fuse()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=2,
            special_tokens=[],
            initial_alphabet=[chr(code) for code in range(highest - lowest + 1)],
            show_progress=show_progress,
        )
        texts = ("".join(map(chr, series.ravel() - lowest)) for series in integers)
        library.train_from_iterator(texts, trainer=trainer, length=len(integers))
        return cls(json.dumps(json.loads(library.to_str())), scale, lowest, limit)

    def encode(self, actions: np.ndarray) -> list[int]:
        """Encode a chunk (H, D), normalised, not padded.

        Raises:
            FastError: It is not a chunk, or holds values that `decode` would not restore.
        """
        integers = integers_of(checked_chunk(actions, self.limit), self.scale).ravel()
        codes = integers - self.min_token
        if codes.min() < 0 or codes.max() >= _CODES:
            raise self._unknown(integers[(codes < 0) | (codes >= _CODES)])
        text = "".join(map(chr, codes))
        tokens = self._library.encode(text, add_special_tokens=False).ids
        # The library silently skips characters that it has no token for.
        restored = self._library.decode(tokens, skip_special_tokens=False)
        if restored != text:
            raise self._unknown(integers[[character not in restored for character in text]])
        return tokens

    def _unknown(self, integers: np.ndarray) -> FastError:
        return FastError(
            "range",
            f"rounded coefficients that the vocabulary knows (from {self.min_token} up)",
            ", ".join(map(str, np.unique(integers)[:8])) or "some that it does not",
        )

    def decode(self, tokens: Sequence[int], horizon: int, dims: int) -> np.ndarray:
        """Decode tokens to a chunk.

        Args:
            tokens: Any integers.
            horizon: Actions in the chunk.
            dims: Entries of the robot's actions, not padded.

        Returns:
            (horizon, dims) float32, normalised.

        Raises:
            FastError: The tokens are not exactly such a chunk, or a value exceeds `limit`.
            ValueError: `horizon` or `dims` is below 1.
        """
        if horizon < 1 or dims < 1:
            raise ValueError(f"no chunk is of shape ({horizon}, {dims})")
        for place, token in enumerate(tokens):
            if not 0 <= token < self.size:
                raise FastError(
                    "token", f"tokens from 0 to {self.size - 1}", f"{token} at place {place}"
                )
        text = self._library.decode(list(tokens), skip_special_tokens=False)
        if _BROKEN in text:
            raise FastError("text", "whole characters", "a part of one")
        if len(text) != horizon * dims:
            raise FastError(
                "length",
                f"{horizon * dims} coefficients ({horizon} steps of {dims} dimensions)",
                f"{len(text)} in {len(tokens)} tokens",
            )
        integers = np.array([ord(character) for character in text]) + self.min_token
        actions = chunk_of(integers.reshape(horizon, dims), self.scale)
        largest = float(np.abs(actions).max())
        if largest > self.limit + self.error_bound(horizon):
            raise FastError(
                "range",
                f"normalised actions within ±{self.limit:.3g}, rounding aside",
                f"one of {largest:.3g}",
            )
        return actions.astype(np.float32)

    def save(self, path: Path) -> None:
        """Write one JSON file, by convention called `fast_tokenizer.json`."""
        content = {
            "format": FORMAT,
            "scale": self.scale,
            "min_token": self.min_token,
            "limit": self.limit,
            "bpe": json.loads(self.bpe),
        }
        path.write_text(json.dumps(content, ensure_ascii=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path | str) -> FastTokenizer:
        """Load a file written by `save`, or a public folder (see `from_public`).

        Raises:
            TokenizerError: The path is neither.
        """
        path = Path(path)
        if path.is_dir():
            return cls.from_public(path)
        content = _read(path, {"format", "scale", "min_token", "limit", "bpe"}, exactly=True)
        if content["format"] != FORMAT:
            raise TokenizerError(
                str(path), f"wanted the format '{FORMAT}', found '{content['format']}'"
            )
        return cls._from_content(path, content, content["bpe"], content["limit"])

    @classmethod
    def from_public(cls, folder: Path | str, limit: float = PUBLIC_LIMIT) -> FastTokenizer:
        """Load the layout of physical-intelligence/fast, which LeRobot writes too.

        Args:
            folder: With processor_config.json (scale, min_token, vocab_size) and tokenizer.json,
                in newer versions in `bpe_tokenizer/`. Horizon and dimensions in the config are
                defaults of the public code; here they are arguments of `decode`.
            limit: Largest |value| of a normalised action; not in the folder.

        Raises:
            TokenizerError: A file is missing or has other contents.
        """
        folder = Path(folder)
        path = folder / "processor_config.json"
        content = _read(path, {"scale", "min_token", "vocab_size"})
        inner = folder / "bpe_tokenizer" / "tokenizer.json"
        vocabulary = inner if inner.is_file() else folder / "tokenizer.json"
        tokenizer = cls._from_content(path, content, _read(vocabulary, {"model"}), limit)
        most = content["vocab_size"]  # Fitting may end below it.
        if tokenizer.size > most:
            raise TokenizerError(
                str(vocabulary),
                f"wanted at most {most} tokens ({path.name}), found {tokenizer.size}",
            )
        return tokenizer

    @classmethod
    def _from_content(
        cls, path: Path, content: dict[str, Any], bpe: Any, limit: Any
    ) -> FastTokenizer:
        """Make a tokenizer from the numbers of a file, after checking their types."""
        numbers = {"scale": content["scale"], "min_token": content["min_token"], "limit": limit}
        for name, value in numbers.items():
            kinds = int if name == "min_token" else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise TokenizerError(str(path), f"{name}: wanted a number, found {value!r}")
        try:
            scale, min_token, max_value = numbers.values()
            return cls(json.dumps(bpe), float(scale), min_token, float(max_value))
        except (ValueError, TokenizerError) as error:
            raise TokenizerError(str(path), str(error)) from error


def _read(path: Path, keys: set[str], exactly: bool = False) -> dict[str, Any]:
    """Read a JSON object and check that it holds the keys; with `exactly`, no others."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TokenizerError(str(path), f"is no JSON file ({error})") from error
    found = set(content) if isinstance(content, dict) else set()
    if not keys <= found or (exactly and keys != found):
        raise TokenizerError(str(path), f"wanted the keys {sorted(keys)}, found {sorted(found)}")
    return content
