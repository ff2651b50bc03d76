"""Triggers of high-level queries, and their minimum intervals."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Trigger(str, enum.Enum):
    """Trigger of a query. Values are those of pi05_msgs/PlanDecision.TRIGGER_*."""

    TASK = "task"
    OPERATOR = "operator"
    SUBTASK_END = "subtask_end"
    STALL = "stall"
    PERIOD = "period"


@dataclass(frozen=True)
class ReplanningSettings:
    """Times and counts of the planner's rules."""

    period: float = 1.0  # Interval of queries without another trigger [s].
    confirmations: int = 2  # Equal answers in a row before a model's new text is accepted.
    stall_after: float = 4.0  # Time without progress of the measured state that is a stall [s].
    hold_after: float = 5.0  # Time without a usable answer after which the robot holds [s].
    same_after: float = 60.0  # Time with the same subtask after which a warning is given [s].
    loop_repeats: int = 3  # Repetitions of a subtask cycle that are reported as a loop.
    loop_window: float = 180.0  # Time within which they must occur [s].
    # Minimum interval between two queries of one trigger [s], to limit the load on the brain.
    task_spacing: float = 0.1
    operator_spacing: float = 0.1
    subtask_end_spacing: float = 0.5
    stall_spacing: float = 4.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, found {value}")

    def spacing_ns(self, trigger: Trigger) -> int:
        """Minimum interval between two queries of `trigger` [ns]."""
        if trigger == Trigger.PERIOD:
            return round(self.period * 1e9)
        return round(getattr(self, f"{trigger.value}_spacing") * 1e9)


# Triggers by priority: the first requested one becomes the trigger of the query.
_BY_RANK = (Trigger.TASK, Trigger.OPERATOR, Trigger.SUBTASK_END, Trigger.STALL)
_OF_PEOPLE = {Trigger.TASK, Trigger.OPERATOR}


class Replanner:
    """Decides at each new observation whether the brain is queried, and by which trigger.

    Time is taken from the stamps of the observations, so that two queries never use the same
    picture unless an operator intervened. Every query restarts the period.
    """

    def __init__(self, settings: ReplanningSettings) -> None:
        self._settings = settings
        self._requested: set[Trigger] = set()
        self._asked_ns: int | None = None  # Stamp of the last query.
        self._asked_by: dict[Trigger, int] = {}

    def request(self, trigger: Trigger) -> None:
        """Request a query; the request stands until the query is sent or withdrawn."""
        self._requested.add(trigger)

    def withdraw(self, *triggers: Trigger) -> None:
        """Cancel requested queries."""
        self._requested.difference_update(triggers)

    def due(self, stamp_ns: int) -> Trigger | None:
        """Return the trigger of the query due at the observation of `stamp_ns`; None: none."""
        last = self._asked_ns
        if last is not None and stamp_ns < last:  # Time jumped back: old stamps are void.
            self._asked_by.clear()
            last = self._asked_ns = None
        for trigger in _BY_RANK:
            if trigger not in self._requested:
                continue
            if self._is_spaced(trigger, stamp_ns) and (
                trigger in _OF_PEOPLE or last is None or stamp_ns > last
            ):
                return trigger
            if trigger in _OF_PEOPLE:
                return None  # Sent once its spacing is over; the period must not replace it.
        period_ns = self._settings.spacing_ns(Trigger.PERIOD)
        return Trigger.PERIOD if last is None or stamp_ns - last >= period_ns else None

    def mark_asked(self, trigger: Trigger, stamp_ns: int) -> None:
        """Record that a query on the observation of `stamp_ns` is sent."""
        self._asked_ns = self._asked_by[trigger] = stamp_ns
        self.withdraw(trigger)
        if trigger in _OF_PEOPLE:
            self.withdraw(*_OF_PEOPLE)  # One answer serves both.

    def _is_spaced(self, trigger: Trigger, stamp_ns: int) -> bool:
        asked = self._asked_by.get(trigger)
        return asked is None or stamp_ns - asked >= self._settings.spacing_ns(trigger)
