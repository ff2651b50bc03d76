"""The verb `pi05 checkpoint`: what a checkpoint is, how it becomes ours, and what it can do."""
