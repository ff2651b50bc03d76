"""Judging what a checkpoint wrote and drew, from measured facts alone.

The public weights only act: their language model was never taught to write a subtask, and nothing
in their files says so. Weights that were never taught to write do not stop, repeat themselves, or
write what is no text. So a head speaks when its sentences end by themselves, hold words, do not
repeat, and are meant (the tokens have a high probability).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_PROBABILITY = 0.2  # Mean of a sentence's tokens. Overfitted weights reach 1, trained ones 0.7.
MAX_REPEATED = 0.5  # Share of the tokens in the pair of neighbours that stands most often.
MOST = 0.75  # Of the sentences: from here on a head speaks.
FEW = 0.25  # Up to here it is silent.
MAX_ROUGHNESS = 0.7  # Noise has 1.41, a slow movement nearly 0.
MAX_VALUE = 5.0  # Of a normalised action; trained ones stay near [-1, 1].

_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Sentence:
    """One answer of the language model, decoded greedily."""

    prompt: str
    tokens: tuple[int, ...]  # Without the end.
    text: str
    finished: bool  # Whether it came to the end by itself.
    probability: float  # Mean of the tokens' probabilities, the end included.
    entropy: float  # Mean, as a share of the largest possible (log of the vocabulary), 0 to 1.
    subtask: str  # What the parser finds.
    boxes: int

    @property
    def repeated(self) -> float:
        """Share of the neighbouring pairs of tokens that are the commonest pair; 0 if short."""
        pairs = list(zip(self.tokens, self.tokens[1:], strict=False))
        if len(pairs) < 4:
            return 0.0
        return Counter(pairs).most_common(1)[0][1] / len(pairs)

    @property
    def faults(self) -> tuple[str, ...]:
        """Why this is no sentence of a head that speaks; (): it is one."""
        found = []
        if not self.finished:
            found.append("does not end")
        if not _WORD.search(self.subtask):
            found.append("no words")
        if self.repeated > MAX_REPEATED:
            found.append("repeats itself")
        if self.probability < MIN_PROBABILITY:
            found.append("not meant")
        return tuple(found)


@dataclass(frozen=True)
class Verdict:
    """What a head can do."""

    can: bool | None  # None: in part.
    reason: str  # One sentence, with the counts.


@dataclass(frozen=True)
class ChunkFacts:
    """Chunks of normalised actions, drawn from several noises for the same scene."""

    finite: bool
    lowest: float
    highest: float
    spread: float  # Standard deviation over the noises, mean over steps and entries.
    roughness: float  # Root mean square of the step from one action to the next / of the values.


def judge_text(sentences: Sequence[Sentence]) -> Verdict:
    """Whether a head speaks.

    Raises:
        ValueError: There is no sentence.
    """
    return _judge("wrote", "sentences that end and hold words", [s.faults for s in sentences])


def judge_fast(faults: Sequence[tuple[str, ...]]) -> Verdict:
    """Whether FAST tokens are actions, from what was wrong with each answer.

    Raises:
        ValueError: There is no answer.
    """
    return _judge("wrote", "chunks of FAST tokens", faults)


def _judge(verb: str, what: str, faults: Sequence[tuple[str, ...]]) -> Verdict:
    if not faults:
        raise ValueError("there is nothing to judge")
    good, total = sum(not found for found in faults), len(faults)
    counts = Counter(fault for found in faults for fault in found)
    reason = f"{verb} {good} of {total} {what}"
    if counts:
        reason += f" ({', '.join(f'{fault}: {count}' for fault, count in counts.most_common())})"
    part = good / total
    return Verdict(True if part >= MOST else False if part <= FEW else None, reason)


def measure_chunks(chunks: np.ndarray) -> ChunkFacts:
    """Facts of chunks (N, horizon, D), normalised, the robot's own entries."""
    finite = bool(np.isfinite(chunks).all())
    if not finite:
        return ChunkFacts(False, np.nan, np.nan, np.nan, np.nan)
    values = chunks.astype(np.float64)
    steps = np.diff(values, axis=1)
    size = np.sqrt(np.mean((values - values.mean(axis=(0, 1))) ** 2))
    return ChunkFacts(
        True,
        float(values.min()),
        float(values.max()),
        float(values.std(axis=0).mean()),
        float(np.sqrt(np.mean(steps**2)) / max(size, 1e-9)) if size > 1e-6 else 0.0,
    )


def judge_chunks(facts: Sequence[ChunkFacts]) -> Verdict:
    """Whether an expert draws movements, or noise.

    Raises:
        ValueError: There is no scene.
    """
    faults = []
    for one in facts:
        found = []
        if not one.finite:
            found.append("not finite")
        elif one.roughness > MAX_ROUGHNESS:
            found.append("rough as noise")
        if one.finite and max(-one.lowest, one.highest) > MAX_VALUE:
            found.append(f"beyond ±{MAX_VALUE:g}")
        faults.append(tuple(found))
    return _judge("drew", "smooth chunks", faults)
