"""Comparison of results: times are reported only for implementations that agree."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pi05_ros.errors import Pi05Error

from .implementations import ChunkRun, TextRun


class Disagreement(Pi05Error):
    """Two implementations gave different numbers."""


@dataclass(frozen=True)
class Tolerances:
    """Accepted differences due to rounding."""

    actions: float  # Of any action, absolute; actions are of unit size.
    logits: float  # Of a token's logit to that of the reference's choice.
    score: float  # Of the mean probability, relative.


TOLERANCES = {
    torch.float32: Tolerances(actions=1e-4, logits=1e-3, score=1e-3),
    torch.bfloat16: Tolerances(actions=5e-2, logits=1e-1, score=5e-2),
}


@dataclass(frozen=True)
class Agreement:
    """Differences of an implementation to the reference."""

    actions: float  # Largest absolute difference.
    tokens: int  # Number of equal first tokens.
    score: float | None  # Relative difference of the scores; None: not all tokens are the same.

    def __str__(self) -> str:
        score = "" if self.score is None else f", score within {self.score:.1e}"
        return f"actions within {self.actions:.1e}, first {self.tokens} tokens the same{score}"


def compare(
    name: str,
    chunk: ChunkRun,
    text: TextRun,
    reference: tuple[ChunkRun, TextRun],
    tolerances: Tolerances,
) -> Agreement:
    """Compare the results of an implementation with those of the reference.

    In greedy decoding a rounding difference at a near tie changes every token after it. Therefore
    the tokens before the first difference are compared, and at the difference both must have
    nearly equal logits in the reference; later tokens cannot be compared.

    Args:
        name: Of the implementation.
        chunk: Its chunk.
        text: Its text, of the same pictures and prompt.
        reference: Results of the reference, with logits.
        tolerances: See Tolerances.

    Raises:
        Disagreement: A difference exceeds the tolerances.
        ValueError: The reference has no logits.
    """
    wanted_chunk, wanted = reference
    if wanted.logits is None or wanted.score is None:
        raise ValueError("the reference kept no logits")
    apart = float((chunk.actions - wanted_chunk.actions).abs().max())
    if not apart <= tolerances.actions:  # Also true of NaN.
        raise Disagreement(
            f"{name}: its chunk is {apart:.1e} off (at most {tolerances.actions:.0e}); no time "
            "is reported for other results"
        )
    if len(text.tokens) != len(wanted.tokens):
        raise Disagreement(
            f"{name}: wanted {len(wanted.tokens)} tokens of text, found {len(text.tokens)}"
        )
    pairs = zip(text.tokens, wanted.tokens, strict=True)
    same = next((i for i, (ours, theirs) in enumerate(pairs) if ours != theirs), len(text.tokens))
    if same < len(text.tokens):
        logits = wanted.logits[same]
        gap = float(logits[wanted.tokens[same]] - logits[text.tokens[same]])
        if not gap <= tolerances.logits:
            raise Disagreement(
                f"{name}: token {same} is {text.tokens[same]}, wanted {wanted.tokens[same]}, "
                f"which is {gap:.1e} likelier by its logit (at most {tolerances.logits:.0e})"
            )
        return Agreement(apart, same, None)
    if text.score is None:
        return Agreement(apart, same, None)
    score = abs(text.score / wanted.score - 1.0)
    if not score <= tolerances.score:
        raise Disagreement(
            f"{name}: its tokens' mean probability is {text.score:.4g}, wanted {wanted.score:.4g}"
        )
    return Agreement(apart, same, score)
