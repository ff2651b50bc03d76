"""A miniature of Gemma's vocabulary, trained here: as a sentencepiece model and as JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import sentencepiece

from pi05_ros.model.text.lexicon import default_pieces

PIECES = 900  # Ids below <loc0000>.
SPACE = "\u2581"
WHOLE = ["<mask>", "<unused0>", "<start_of_turn>"]
WHOLE += ["\n" * count for count in range(1, 6)]
WHOLE += [SPACE * count for count in range(2, 6)]
WHOLE += ["<b>", "</b>"]
LOCATIONS = [f"<loc{index:04d}>" for index in range(1024)]
SEGMENTS = [f"<seg{index:03d}>" for index in range(128)]


def train(**changes: Any) -> bytes:
    """A sentencepiece model with Gemma's structure; `changes` of the trainer's options."""
    words = [piece.strip() for piece in default_pieces()]
    sentences = [f"Task: {word} the {words[-index]}, State: 1 {index};" for index, word in
                 enumerate(words)]  # fmt: skip
    options: dict[str, Any] = {
        "model_type": "bpe",
        "vocab_size": PIECES,
        "byte_fallback": True,
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "normalization_rule_name": "identity",
        "pad_id": 0,
        "eos_id": 1,
        "bos_id": 2,
        "unk_id": 3,
        "pad_piece": "<pad>",
        "eos_piece": "<eos>",
        "bos_piece": "<bos>",
        "unk_piece": "<unk>",
        "user_defined_symbols": WHOLE,
        "minloglevel": 2,
        "num_threads": 1,
    }
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=written, **(options | changes)
    )
    return written.getvalue()


def to_json(model: bytes, *, size: int = 0, behind: list[str] | None = None) -> dict[str, Any]:
    """The same vocabulary as a tokenizer.json, laid out as Gemma's.

    Args:
        model: Of `train`.
        size: Fill up to so many pieces with ones that no text holds; 0: none.
        behind: Pieces to follow, as added tokens.
    """
    library = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [library.id_to_piece(token) for token in range(library.get_piece_size())]
    ids = {piece: token for token, piece in enumerate(pieces)}
    normal = {piece for piece in ids if piece not in WHOLE and not piece.startswith("<0x")}
    # sentencepiece merges whatever gives the piece with the lowest id.
    merges = [
        [piece[:cut], piece[cut:]]
        for piece in pieces[4:]
        if piece in normal
        for cut in range(1, len(piece))
        if piece[:cut] in normal and piece[cut:] in normal
    ]
    pieces += [f"no text {index}" for index in range(size - len(pieces))]
    added = list(enumerate(pieces[:4]))
    added += enumerate(behind or [], start=len(pieces))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    template = [
        {"SpecialToken": {"id": "<bos>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token, "content": piece, "special": token < 4, **flags}
            for token, piece in added
        ],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": template,
            "pair": template,
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}},
        },
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": {piece: token for token, piece in enumerate(pieces)},
            "merges": merges,
        },
    }


def as_bytes(content: dict[str, Any]) -> bytes:
    """JSON as it lies on disk."""
    return json.dumps(content, ensure_ascii=False).encode()
