"""The policy node: subtasks in, action chunks out."""
