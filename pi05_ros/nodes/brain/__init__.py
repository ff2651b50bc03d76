"""The brain executable: planner and policy in one process, the weights loaded once."""
