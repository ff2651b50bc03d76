"""When the high level is asked for a subtask, and which of its answers are accepted."""
