"""What a brain is to the graph: an observation in, a subtask or an action chunk out. No torch."""
