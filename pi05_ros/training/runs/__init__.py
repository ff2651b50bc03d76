"""A training run: its folder, its processes, its states, and the loop over its steps."""
