"""Actions as the text of an answer: "Action: ", FAST tokens, "|", end-of-sequence.

So π0-FAST was trained (openpi, FASTTokenizer.tokenize). π0.5's prompt already ends in "Action: ";
its answer begins with the FAST tokens, `opening` "".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.fast_coefficients import FastError
from pi05_ros.model.text.tokenizer import END, PAD, Tokenizer

OPENING = "Action: "
CLOSING = "|"


def spell(
    tokenizer: Tokenizer, fast: FastTokenizer, actions: np.ndarray, opening: str = OPENING
) -> list[int]:
    """Ids of the answer that says `actions` (H, D), normalised and not padded.

    Raises:
        FastError: The actions cannot be said.
        ValueError: The vocabulary has fewer FAST tokens than `fast`.
    """
    if fast.size > tokenizer.actions:
        raise ValueError(
            f"wanted at most {tokenizer.actions} FAST tokens, which is what the vocabulary has "
            f"ids for, found {fast.size}; fit a smaller one"
        )
    said = [tokenizer.action_token(index) for index in fast.encode(actions)]
    return [*tokenizer.encode(opening), *said, *tokenizer.encode(CLOSING), END]


def read(
    tokenizer: Tokenizer,
    fast: FastTokenizer,
    ids: Sequence[int],
    horizon: int,
    dims: int,
    opening: str = OPENING,
) -> np.ndarray:
    """The actions (horizon, dims) float32 that an answer says, normalised.

    The ids themselves are read. openpi goes by way of text, where FAST tokens that are pieces of
    words can merge into others.

    Args:
        tokenizer: Of the model.
        fast: The one whose tokens it was taught.
        ids: What the model wrote, with or without end-of-sequence and padding; any integers.
        horizon: Actions in the chunk.
        dims: Of the robot, not padded.
        opening: What stands before the FAST tokens.

    Raises:
        FastError: The answer is anything but one whole chunk.
    """
    head, closing = tokenizer.encode(opening), tokenizer.encode(CLOSING)
    answer = [int(token) for token in ids]
    if answer[: len(head)] != head:
        raise FastError(
            "text", f"an answer that begins with {opening!r}", _shown(tokenizer, answer)
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
        raise FastError("text", f"nothing after {CLOSING!r}", _shown(tokenizer, rest))
    return fast.decode(indices, horizon, dims)


def _shown(tokenizer: Tokenizer, ids: list[int]) -> str:
    """The beginning of an answer, for a message."""
    return repr(tokenizer.decode(ids[:16])[:60])
