"""When the high level is asked again: what calls for it, and how often it may."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Trigger(str, enum.Enum):
    """Why a subtask is asked for. Values are those of pi05_msgs/PlanDecision.TRIGGER_*."""

    TASK = "task"
    OPERATOR = "operator"
    SUBTASK_END = "subtask_end"
    STALL = "stall"
    PERIOD = "period"


@dataclass(frozen=True)
class ReplanningSettings:
    """The planner's policy in numbers."""

    period: float = 1.0  # Time between two questions when nothing else calls for one [s].
    confirmations: int = 2  # So often in a row a model must say another text by itself.
    stall_after: float = 4.0  # Without progress of the measured state for so long: a stall [s].
    hold_after: float = 5.0  # Without a usable answer for so long: the robot holds [s].
    same_after: float = 60.0  # The same subtask for so long is worth a warning [s].
    loop_repeats: int = 3  # So often a cycle of subtasks must come to be called a loop.
    loop_window: float = 180.0  # Within this time [s].
    # Least time between two questions of one trigger [s]: whatever floods, the brain is not.
    task_spacing: float = 0.1
    operator_spacing: float = 0.1
    subtask_end_spacing: float = 0.5
    stall_spacing: float = 4.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, found {value}")

    def spacing_ns(self, trigger: Trigger) -> int:
        """Least time between two questions of `trigger` [ns]."""
        if trigger == Trigger.PERIOD:
            return round(self.period * 1e9)
        return round(getattr(self, f"{trigger.value}_spacing") * 1e9)


# The first that is wanted gives the question its name.
_BY_RANK = (Trigger.TASK, Trigger.OPERATOR, Trigger.SUBTASK_END, Trigger.STALL)
_OF_PEOPLE = {Trigger.TASK, Trigger.OPERATOR}


class Replanner:
    """Decides at each new observation whether the brain is asked, and why.

    Time is the stamps of the observations, so that two questions never see the same picture
    unless a person spoke in between. A question for whatever reason starts the period anew.
    """

    def __init__(self, settings: ReplanningSettings) -> None:
        self._settings = settings
        self._requested: set[Trigger] = set()
        self._asked_ns: int | None = None  # Stamp of the last question.
        self._asked_by: dict[Trigger, int] = {}

    def request(self, trigger: Trigger) -> None:
        """Something calls for a question; it stays wanted until it is asked or withdrawn."""
        self._requested.add(trigger)

    def withdraw(self, *triggers: Trigger) -> None:
        """What called for a question is over."""
        self._requested.difference_update(triggers)

    def due(self, stamp_ns: int) -> Trigger | None:
        """Why the brain is asked about the observation of `stamp_ns`; None: it is not."""
        last = self._asked_ns
        if last is not None and stamp_ns < last:  # Time jumped back: old stamps mean nothing.
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
                return None  # It comes within its spacing; the period must not answer for it.
        period_ns = self._settings.spacing_ns(Trigger.PERIOD)
        return Trigger.PERIOD if last is None or stamp_ns - last >= period_ns else None

    def mark_asked(self, trigger: Trigger, stamp_ns: int) -> None:
        """The brain is being asked about the observation of `stamp_ns`."""
        self._asked_ns = self._asked_by[trigger] = stamp_ns
        self.withdraw(trigger)
        if trigger in _OF_PEOPLE:
            self.withdraw(*_OF_PEOPLE)  # One answer serves both.

    def _is_spaced(self, trigger: Trigger, stamp_ns: int) -> bool:
        asked = self._asked_by.get(trigger)
        return asked is None or stamp_ns - asked >= self._settings.spacing_ns(trigger)
