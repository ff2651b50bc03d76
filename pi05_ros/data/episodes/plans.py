"""Plans of an episode for training: recorded ones, or labels instead, and the task's end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.data.episodes.episode import PLAN, SPOKEN, Episode, Plan, SubtaskLabel

_PERIOD_S = 1.0  # Between two plans of one label: the planner's own period [s].
_SUCCESS, _FAILURE = "success", "failure"  # EpisodeFacts.outcome.


def plans_of(episode: Episode) -> tuple[Plan, ...]:
    """All plans of an episode, in the order of their stamps.

    Without recorded plans each label is one at its first row and every second after it: labels
    that a person gave afterwards, and datasets of other tools. A label's boxes are of an earlier
    picture and are left out.

    An episode with outcome `success` ends with the task done: where no decision says so, its last
    row does. In one with outcome `failure` the task is never done, whatever the planner said.
    """
    plans = episode.plans or label_plans(episode.labels, episode.times_ns, episode.rate_hz)
    outcome = episode.facts.outcome
    if outcome == _FAILURE:
        return tuple(plan for plan in plans if not plan.done)
    if outcome != _SUCCESS or not plans or not len(episode) or plans[-1].done:
        return plans
    task = plans[-1].task
    if task and episode.facts.task and task != episode.facts.task:
        return plans  # The outcome is of another task than the last plan.
    stamp_ns = max(int(episode.times_ns[-1]), plans[-1].stamp_ns)
    return (*plans, Plan(stamp_ns, task, "", "external", done=True))


def label_plans(
    labels: Sequence[SubtaskLabel], times_ns: np.ndarray, rate_hz: float
) -> tuple[Plan, ...]:
    """A plan at the first row of each label, and at every second after it.

    Args:
        labels: Labels of rows, in order.
        times_ns: Time of each row, (T,) int64 [ns].
        rate_hz: Rate of the rows [Hz].
    """
    step = max(1, round(_PERIOD_S * rate_hz))
    return tuple(
        _of_label(label, int(times_ns[row]))
        for label in labels
        for row in range(label.start_row, label.stop_row, step)
    )


def _of_label(label: SubtaskLabel, stamp_ns: int) -> Plan:
    return Plan(
        stamp_ns,
        label.task,
        label.text,
        label.source,
        SPOKEN if label.model_text else PLAN,
        model_text=label.model_text,
        subtask_id=label.id,
    )
