"""Assessment of the text and the actions of a checkpoint, from measured values alone.

The public weights only act: their language model was not trained to write subtasks, and nothing in
their files states that. Untrained text heads do not stop, repeat themselves, or write no words. A
head counts as trained when its sentences end by themselves, hold words, do not repeat, and have
tokens of high probability.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_PROBABILITY = 0.2  # Mean over the tokens. Overfitted weights reach 1, trained ones 0.7.
MAX_REPEATED = 0.5  # Share of the most frequent pair of neighbouring tokens.
MOST = 0.75  # Share of good answers from which on a head counts as trained.
FEW = 0.25  # Share of good answers up to which it counts as untrained.
MAX_ROUGHNESS = 0.7  # Noise has 1.41, a slow movement nearly 0.
MAX_VALUE = 5.0  # Of a normalised action; trained ones stay near [-1, 1].

_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Sentence:
    """One answer of the language model, decoded greedily."""

    prompt: str
    tokens: tuple[int, ...]  # Without the end.
    text: str
    finished: bool  # Whether the model wrote the end token.
    probability: float  # Mean of the tokens' probabilities, the end included.
    entropy: float  # Mean, as a share of the largest possible (log of the vocabulary), 0 to 1.
    subtask: str  # The subtask that the parser finds.
    boxes: int

    @property
    def repeated(self) -> float:
        """Share of the most frequent pair of neighbouring tokens; 0 for short answers."""
        pairs = list(zip(self.tokens, self.tokens[1:], strict=False))
        if len(pairs) < 4:
            return 0.0
        return Counter(pairs).most_common(1)[0][1] / len(pairs)

    @property
    def faults(self) -> tuple[str, ...]:
        """Why this is no sentence of a trained head; (): it is one."""
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
class Ability:
    """Assessment of one ability of a checkpoint."""

    can: bool | None  # None: in part.
    reason: str  # One sentence with the counts.


@dataclass(frozen=True)
class ChunkFacts:
    """Measured values of normalised chunks, sampled from several noises for the same scene."""

    finite: bool
    lowest: float
    highest: float
    spread: float  # Standard deviation over the noises, mean over steps and entries.
    roughness: float  # Root mean square of the step from one action to the next / of the values.


def judge_text(sentences: Sequence[Sentence]) -> Ability:
    """Assess whether a text head writes subtasks.

    Raises:
        ValueError: There is no sentence.
    """
    return _judge("wrote", "sentences that end and hold words", [s.faults for s in sentences])


def judge_fast(faults: Sequence[tuple[str, ...]]) -> Ability:
    """Assess whether FAST tokens decode to actions, from the faults of each answer.

    Raises:
        ValueError: There is no answer.
    """
    return _judge("wrote", "chunks of FAST tokens", faults)


def _judge(verb: str, what: str, faults: Sequence[tuple[str, ...]]) -> Ability:
    if not faults:
        raise ValueError("there is nothing to assess")
    good, total = sum(not found for found in faults), len(faults)
    counts = Counter(fault for found in faults for fault in found)
    reason = f"{verb} {good} of {total} {what}"
    if counts:
        reason += f" ({', '.join(f'{fault}: {count}' for fault, count in counts.most_common())})"
    part = good / total
    return Ability(True if part >= MOST else False if part <= FEW else None, reason)


def measure_chunks(chunks: np.ndarray) -> ChunkFacts:
    """Measure normalised chunks (N, horizon, D), the entries of the robot only."""
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


def judge_chunks(facts: Sequence[ChunkFacts]) -> Ability:
    """Assess whether the action expert samples motions rather than noise.

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
    return _judge("sampled", "smooth chunks", faults)
