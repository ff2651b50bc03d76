"""The verb `pi05 say`: an operator gives the robot its subtasks (verbal instructions)."""
