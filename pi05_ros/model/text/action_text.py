"""Answer format of actions as text: "Action: ", FAST tokens, "|", end-of-sequence.

This is the format in which π0-FAST was trained (openpi, FASTTokenizer.tokenize). π0.5's prompt
already ends in "Action: "; its answer begins with the FAST tokens, `opening` "".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.fast_coefficients import FastError
from pi05_ros.model.text.tokenizer import END, PAD, Tokenizer

OPENING = "Action: "
CLOSING = "|"


def encode_actions(
    tokenizer: Tokenizer, fast: FastTokenizer, actions: np.ndarray, opening: str = OPENING
) -> list[int]:
    """Encode actions as the token ids of an answer.

    Args:
        tokenizer: Of the model.
        fast: Tokenizer of actions.
        actions: (H, D), normalised and not padded.
        opening: Text before the FAST tokens.

    Raises:
        FastError: The actions cannot be encoded.
        ValueError: The vocabulary has fewer FAST tokens than `fast`.
    """
    if fast.size > tokenizer.actions:
        raise ValueError(
            f"wanted at most {tokenizer.actions} FAST tokens, which is what the vocabulary has "
            f"ids for, found {fast.size}; fit a smaller one"
        )
    encoded = [tokenizer.action_token(index) for index in fast.encode(actions)]
    return [*tokenizer.encode(opening), *encoded, *tokenizer.encode(CLOSING), END]


def decode_actions(
    tokenizer: Tokenizer,
    fast: FastTokenizer,
    ids: Sequence[int],
    horizon: int,
    dims: int,
    opening: str = OPENING,
) -> np.ndarray:
    """Decode the token ids of an answer to normalised actions.

    The ids are decoded directly. openpi converts them to text and back, where FAST tokens that
    are pieces of words can merge into others.

    Args:
        tokenizer: Of the model.
        fast: Tokenizer of actions that the model was trained with.
        ids: Decoded by the model, with or without end-of-sequence and padding; any integers.
        horizon: Actions in the chunk.
        dims: Entries of the robot's actions, not padded.
        opening: Text before the FAST tokens.

    Returns:
        (horizon, dims) float32.

    Raises:
        FastError: The answer is not exactly one chunk.
    """
    head, closing = tokenizer.encode(opening), tokenizer.encode(CLOSING)
    answer = [int(token) for token in ids]
    if answer[: len(head)] != head:
        raise FastError(
            "text", f"an answer that begins with {opening!r}", _excerpt(tokenizer, answer)
        )
    indices: list[int] = []
    place = len(head)
    while answer[place : place + len(closing)] != closing:
        if place == len(answer) or answer[place] in (END, PAD):
            raise FastError("length", f"{CLOSING!r} after the actions", "the end of the answer")
        index = tokenizer.action_index(answer[place])
        if index is None:
            raise FastError(
                "text", f"FAST tokens up to {CLOSING!r}", f"the id {answer[place]} between them"
            )
        indices.append(index)
        place += 1
    rest = answer[place + len(closing) :]
    if rest and (rest[0] != END or any(token != PAD for token in rest[1:])):
        raise FastError("text", f"nothing after {CLOSING!r}", _excerpt(tokenizer, rest))
    return fast.decode(indices, horizon, dims)


def _excerpt(tokenizer: Tokenizer, ids: list[int]) -> str:
    """Return the beginning of an answer, for an error message."""
    return repr(tokenizer.decode(ids[:16])[:60])
