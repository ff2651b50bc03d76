"""What the planner tells an operator, in log and diagnostics."""

from __future__ import annotations

from pi05_ros.planning.progress import TaskProgress
from pi05_ros.planning.tasks import TaskKeeper


def operator_warnings(
    keeper: TaskKeeper, progress: TaskProgress, suspended: str, same_after: float, now_ns: int
) -> dict[str, str]:
    """Warnings by kind ("suspended", "request", "loop", "same"), one sentence each.

    Args:
        keeper: Task and subtask.
        progress: Of the task.
        suspended: Why the task is suspended, as one clause; empty: it is not.
        same_after: The same subtask for longer than this is a warning [s].
        now_ns: Present time [ns].
    """
    warnings = {}
    if suspended:
        warnings["suspended"] = (
            f"the task is suspended, {suspended}: arm the robot, then let the task go on (hand "
            "back on the operator's page, or call the service resume_task)"
        )
    if progress.request:
        warnings["request"] = progress.request
    loop = progress.cycle(now_ns)
    if loop:
        warnings["loop"] = "the same subtasks repeat: " + ", ".join(loop)
    subtask = keeper.subtask
    same = (now_ns - keeper.since_ns) * 1e-9
    if subtask is None or not subtask.text or same < same_after:
        return warnings
    # A model without subtasks passes the task on: it stays the same by design.
    if subtask.source != "implicit":
        warnings["same"] = f"the subtask has been the same for {same:.0f} s: {subtask.text}"
    return warnings
