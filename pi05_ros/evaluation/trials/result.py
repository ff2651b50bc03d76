"""Result of a trial, and its file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pi05_ros.evaluation.holds import Hold, after_start
from pi05_ros.evaluation.trials.settings import EvaluationError, TrialJob

_DIGITS = 3  # Of times [s].


@dataclass(frozen=True)
class Criterion:
    """One criterion of the rubric."""

    text: str  # "pick up the red plate"
    kind: str  # The same without the names of things: "pick up …".
    points: float
    max_points: float


@dataclass(frozen=True)
class Span:
    """A subtask, and when it stood [s]."""

    text: str
    source: str  # Subtask.source
    start_s: float
    end_s: float


@dataclass(frozen=True)
class HoldSpan:
    """A time in which the robot executed nothing although it had a subtask [s]."""

    start_s: float
    seconds: float
    mode: str  # "HOLDING", "DISARMED", …
    reason: str


@dataclass(frozen=True)
class TrialResult:
    """What came of a trial. Times are simulated seconds since the task began."""

    name: str
    task: str
    text: str
    home: int
    mode: str
    checkpoint: str
    seed: int
    points: float
    max_points: float
    seconds: float
    ended: str  # "full score", "task done", "time", "fault", or "planner: …".
    fault: str = ""  # Why the robot was not armed any more; empty: it was to the end.
    criteria: tuple[Criterion, ...] = ()
    subtasks: tuple[Span, ...] = ()
    holds: tuple[HoldSpan, ...] = ()
    holds_after_start: int = 0
    chunks: int = 0  # Published.
    answers: Mapping[str, int] = field(default_factory=dict)  # Planner's decisions by outcome.
    failures: Mapping[str, int] = field(default_factory=dict)  # Inferences without a result.
    brain: str = ""  # Its description.
    software: str = ""
    # Of the machine, in no summary: by the clock on the wall, and of the processor.
    wall_seconds: float = 0.0
    processor_seconds: float = 0.0  # 0: not measured.

    @property
    def share(self) -> float:
        """Share of the points, 0 to 1."""
        return self.points / self.max_points if self.max_points > 0 else 0.0

    def text_of_file(self) -> str:
        """Return the result as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> TrialResult:
        """Read a file.

        Raises:
            EvaluationError: It is damaged, or the result of another trial.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            for name, kind in (("criteria", Criterion), ("subtasks", Span), ("holds", HoldSpan)):
                values[name] = tuple(kind(**value) for value in values[name])
            result = cls(**values)
            if result.name != path.stem:
                raise ValueError(f"it is that of {result.name!r}")
            numbers = (result.points, result.max_points, result.seconds)
            if not all(isinstance(number, int | float) for number in numbers):
                raise TypeError(f"wanted numbers of points and seconds, found {numbers}")
            return result
        except (ValueError, TypeError, KeyError) as error:
            raise EvaluationError(
                f"{path} is not the result of a trial ({error}): remove it to run it again"
            ) from error


# Runs jobs, and yields the results as they are finished.
Engine = Callable[[Sequence[TrialJob]], Iterator[TrialResult]]


def hold_spans(holds: Sequence[Hold], end_s: float) -> tuple[tuple[HoldSpan, ...], int]:
    """Convert the holds of a run; return them, and how many began after its start.

    Args:
        holds: As a HoldLog has them.
        end_s: End of the run, for a hold that lasts [s].
    """
    spans = tuple(
        HoldSpan(
            round(hold.start_s, _DIGITS),
            round((end_s if hold.end_s is None else hold.end_s) - hold.start_s, _DIGITS),
            hold.mode.name if hold.mode else "UNKNOWN",
            hold.reason,
        )
        for hold in holds
    )
    return spans, after_start(list(holds))


def span(text: str, source: str, start_s: float, end_s: float) -> Span:
    """Return a span with rounded times."""
    return Span(text, source, round(start_s, _DIGITS), round(end_s, _DIGITS))
