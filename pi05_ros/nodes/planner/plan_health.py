"""Health of the planner, for /diagnostics."""

from __future__ import annotations

from pi05_ros.nodes.common.health import ERROR, OK, WARN, Health
from pi05_ros.planning.planning import Planning

_SHOWN = 3  # Past subtasks.


def planning_health(planning: Planning, brain: str, now_ns: int, *problems: str) -> Health:
    """Task, subtask, past and counts, and what is wrong.

    Args:
        planning: State of the planner; the caller holds its lock.
        brain: Description of the brain.
        now_ns: Present time [ns].
        *problems: Of the inputs, one clause each; an empty one is none.
    """
    task, subtask = planning.keeper.task, planning.keeper.subtask
    past = planning.progress.history.shown(now_ns)[-_SHOWN:]
    values = {
        "brain": brain,
        "task": task.text if task else "",
        "subtask": subtask.text if subtask else "",
        "suspended": planning.suspended,
        "last subtasks": "; ".join(f"{p.text} ({p.outcome}, {p.duration:.0f} s)" for p in past),
        **{f"answers {outcome}": count for outcome, count in sorted(planning.counts.items())},
    }
    unfit = planning.unfit(now_ns)
    found = [text for text in (unfit, *problems, *planning.warnings(now_ns).values()) if text]
    if found:
        return Health(ERROR if unfit else WARN, "; ".join(found), values)
    return Health(OK, f"planning: {task.text}" if task else "waiting for a task", values)
