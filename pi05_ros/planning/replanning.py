"""Triggers of high-level queries, and their minimum intervals."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pi05_ros.foundation.settings import setting


class Trigger(str, enum.Enum):
    """Trigger of a query. Values are those of pi05_msgs/PlanDecision.TRIGGER_*."""

    TASK = "task"
    OPERATOR = "operator"
    SUBTASK_END = "subtask_end"
    STALL = "stall"
    PERIOD = "period"


@dataclass(frozen=True)
class ReplanningSettings:
    """Times and counts of replanning."""

    period_s: float = setting(
        1.0,
        "Time between two predictions when no other trigger asks for one, by the stamps of the "
        "pictures [s].",
        minimum=0.05,
        maximum=60.0,
    )
    confirmations: int = setting(
        2,
        "Number of predictions in a row that must name another subtask when only the period asked "
        "for them.",
        minimum=1,
        maximum=20,
    )
    stall_after_s: float = setting(
        4.0,
        "A robot that should move and makes no progress for this long has stalled [s].",
        minimum=0.5,
        maximum=600.0,
    )
    hold_after_s: float = setting(
        5.0,
        "Without a usable prediction the last good subtask stays valid for this long, then the "
        "robot holds [s].",
        minimum=0.5,
        maximum=600.0,
    )
    same_after_s: float = 60.0  # The same subtask for longer than this is a warning [s].
    loop_repeats: int = 3  # Number of times that a cycle of subtasks repeats in a loop.
    loop_window_s: float = 180.0  # Time within which those repeats count [s].
    # Least time between two predictions of one trigger [s], however often it fires.
    task_spacing_s: float = 0.1
    operator_spacing_s: float = 0.1
    subtask_end_spacing_s: float = 0.5
    stall_spacing_s: float = 4.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, found {value}")

    def spacing_ns(self, trigger: Trigger) -> int:
        """Minimum interval between two queries of `trigger` [ns]."""
        if trigger == Trigger.PERIOD:
            return round(self.period_s * 1e9)
        return round(getattr(self, f"{trigger.value}_spacing_s") * 1e9)


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
