"""The planner node: tasks in, subtasks out."""
