"""Interface between the nodes and a brain: observation in, subtask or chunk out. No torch."""
