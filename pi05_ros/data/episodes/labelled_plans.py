"""Plans of an episode that a person labelled afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pi05_ros.data.episodes.episode import Plan, SubtaskLabel
from pi05_ros.data.episodes.label_spans import LabelFile
from pi05_ros.data.episodes.plans import label_plans


def labelled_plans(
    given: LabelFile,
    labels: Sequence[SubtaskLabel],
    recorded: Sequence[SubtaskLabel],
    recorded_plans: Sequence[Plan],
    times_ns: np.ndarray,
    rate_hz: float,
) -> tuple[Plan, ...]:
    """Plans that agree with the labels beside a bag.

    A recorded plan stays while its subtask does: its label was kept, and nothing was edited at its
    stamp. An edited label has a plan a second, as in `label_plans`. The marks of finished tasks
    replace those of the recording.

    Args:
        given: The file of labels.
        labels: Its labels with their recorded details (`with_recorded_details`).
        recorded: Labels of the recording.
        recorded_plans: Plans of the recording.
        times_ns: Time of each row, (T,) int64 [ns].
        rate_hz: Rate of the rows [Hz].

    Returns:
        Plans in the order of their stamps.
    """
    edited = [label for label in labels if not label.id]
    plans = [
        *_kept(labels, recorded, recorded_plans, times_ns),
        *label_plans(edited, times_ns, rate_hz),
        *_done(given, labels, recorded_plans, times_ns),
    ]
    return tuple(sorted(plans, key=lambda plan: (plan.stamp_ns, plan.done)))


def _kept(
    labels: Sequence[SubtaskLabel],
    recorded: Sequence[SubtaskLabel],
    recorded_plans: Sequence[Plan],
    times_ns: np.ndarray,
) -> Iterator[Plan]:
    kept = {(label.id, label.text) for label in labels if label.id}
    for plan in recorded_plans:
        row = int(np.searchsorted(times_ns, plan.stamp_ns))
        here, before = _at(labels, row), _at(recorded, row)
        # A plan's stamp lies before its own label, mostly in the one before it.
        is_erased = before is not None and before.id == plan.subtask_id
        is_edited = is_erased if here is None else not here.id
        if not plan.done and not is_edited and (plan.subtask_id, plan.text) in kept:
            yield plan


def _done(
    given: LabelFile,
    labels: Sequence[SubtaskLabel],
    recorded_plans: Sequence[Plan],
    times_ns: np.ndarray,
) -> Iterator[Plan]:
    begin_ns, end_ns = int(times_ns[0]), 2 * int(times_ns[-1]) - int(times_ns[-2:][0])
    known = {plan.stamp_ns: plan for plan in recorded_plans if plan.done}
    for time_ns in given.done_ns:
        if not begin_ns <= time_ns <= end_ns:
            continue  # Of another episode in the bag.
        row = int(np.searchsorted(times_ns, time_ns))
        before = [label for label in labels if label.start_row < row]
        task = before[-1].task if before else ""
        yield known.get(time_ns) or Plan(time_ns, task, "", "human", done=True)


def _at(labels: Sequence[SubtaskLabel], row: int) -> SubtaskLabel | None:
    return next((x for x in labels if x.start_row <= row < x.stop_row), None)
