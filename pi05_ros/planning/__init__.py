"""Rules of the planner: when the high level is queried, and which answers are accepted."""
