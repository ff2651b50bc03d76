"""`./pi05 say`: an operator speaks subtasks (verbal instructions)."""
